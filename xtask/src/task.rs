//! The subcommands.

use anyhow::Result;
use clap::Parser;

use crate::{
    bench, compose, conformance, guides, images, interop, model, overload, proto, scaffold,
    simulate, test, tidy, tools, up,
};

/// Tasks of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub(crate) enum Task {
    /// Set up, build and run the whole platform.
    Up(up::Args),
    /// Set up and check everything.
    Test,
    /// Measure the platform against bare tonic and grpc-go.
    Bench(bench::Args),
    /// Offer more than a server can do: ours, bare tonic and grpc-go.
    Overload(overload::Args),
    /// Play the client and the server on a simulated network.
    Simulate(simulate::Args),
    /// Try the client and the server against those of grpc-go.
    Interop(interop::Args),
    /// Play protovalidate's own suite against the validators that are generated.
    Conformance(conformance::Args),
    /// Put the speech model in place.
    Model(model::Args),
    /// Check the contract with buf.
    Proto(proto::Args),
    /// Make the contract as it is the released one: renew proto/golden/released.binpb.
    ReleaseContract(proto::Args),
    /// Check the structure of the repository.
    Tidy(tidy::Args),
    /// Run every command that the guides show.
    Guides(guides::Args),
    /// Add a service: contract, crate, tests, and its place everywhere else.
    NewService(scaffold::NewService),
    /// Add a method to a service.
    NewMethod(scaffold::NewMethod),
    /// Get the pinned tools that the checks run.
    Tools,
    /// Build the image that docker-compose.yml runs.
    Images(images::Args),
    /// Run the services in containers, scale them and kill one under load.
    ComposeTest(compose::Args),
}

impl Task {
    /// Does it.
    pub(crate) fn run(&self) -> Result<()> {
        match self {
            Self::Up(args) => up::run(args),
            Self::Test => test::run(),
            Self::Bench(args) => bench::run(args),
            Self::Overload(args) => overload::run(args),
            Self::Simulate(args) => simulate::run(args),
            Self::Interop(args) => interop::run(args),
            Self::Conformance(args) => conformance::run(args),
            Self::Model(args) => model::run(args).map(drop),
            Self::Proto(args) => proto::run(args),
            Self::ReleaseContract(args) => proto::release(args),
            Self::Tidy(args) => tidy::run(args),
            Self::Guides(args) => guides::run(args),
            Self::NewService(args) => scaffold::new_service(args),
            Self::NewMethod(args) => scaffold::new_method(args),
            Self::Tools => tools::run(),
            Self::Images(args) => images::run(args),
            Self::ComposeTest(args) => compose::run(args),
        }
    }
}
