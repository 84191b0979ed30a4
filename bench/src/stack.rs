//! The stacks that are compared.

use anyhow::{Context as _, Result, bail};
use http::HeaderName;
use scribemed_auth::Token;
use scribemed_client::{Channel, Config};
use scribemed_discovery::Target;
use scribemed_rpc::{CallContext, ClientContract as _, format_timeout, metadata};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Endpoint;
use tonic::{Request, Status};

use crate::contract::v1::BENCH_SERVICE_POLICY;
use crate::contract::{bare, v1};
use crate::identity::Identity;

/// Which client or server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Stack {
    /// tonic's own, as it comes.
    Bare,
    /// A driver only: tonic's own, and with each call the headers that ours sends, so that a server of ours has its work.
    BareWithHeaders,
    /// Ours, with everything on.
    Ours,
}

/// What can be left out of our channel from the outside. What the contract turns on or off has its own method there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// The policies of the contract: no retries, breaker or throttle; the default deadline.
    Policies,
    /// The watch of the service's health.
    Health,
    /// Tokens.
    Tokens,
}

/// How our server can differ from the usual one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Layer {
    /// Without the limit on calls at a time.
    Unlimited,
    /// With an audit log, in a temporary folder.
    Audit,
    /// With a rate limit for the caller, which it never reaches.
    RateLimit,
}

/// The client of our channel.
pub(crate) type Ours = v1::bench_service_client::BenchServiceClient<Channel>;
/// The client of tonic's channel.
pub(crate) type Bare = bare::bench_service_client::BenchServiceClient<tonic::transport::Channel>;
/// The same, with headers.
pub(crate) type BareWithHeaders = bare::bench_service_client::BenchServiceClient<
    InterceptedService<tonic::transport::Channel, Headers>,
>;

/// Our channel to `target`, without the parts in `off`: the one place that knows the switches of the channel.
pub(crate) fn ours(target: &str, identity: Identity, off: &[Part]) -> Result<Ours> {
    let target: Target = target
        .parse()
        .with_context(|| format!("{target} is no target"))?;
    let contracts: &[_] = if off.contains(&Part::Policies) {
        &[]
    } else {
        &[&BENCH_SERVICE_POLICY]
    };
    let config = Config {
        health: !off.contains(&Part::Health),
        ..Config::default()
    };
    let tokens = (!off.contains(&Part::Tokens)).then(|| identity.tokens());
    let channel = Channel::builder(&target, contracts)
        .tokens(tokens)
        .config(config)
        .build()?;
    Ok(Ours::over(channel))
}

/// tonic's channel to `target`, which is `http://host:port` or `static:///host:port,host:port`.
pub(crate) fn bare(target: &str) -> Result<Bare> {
    transport(target).map(Bare::new)
}

/// tonic's channel, with the headers that ours would send.
pub(crate) fn bare_with_headers(target: &str, identity: &Identity) -> Result<BareWithHeaders> {
    let service = InterceptedService::new(transport(target)?, headers(identity)?);
    Ok(BareWithHeaders::new(service))
}

/// The headers that our channel would send.
pub(crate) fn headers(identity: &Identity) -> Result<Headers> {
    let token = identity.token()?;
    Ok(Headers {
        token,
        place: metadata::X_SERVICE_AUTHORIZATION,
    })
}

/// tonic balances over several addresses, and connects to one without a balancer.
pub(crate) fn transport(target: &str) -> Result<tonic::transport::Channel> {
    let endpoints = match target.split_once("://") {
        Some(("static", addresses)) => addresses
            .trim_start_matches('/')
            .split(',')
            .map(|address| Endpoint::from_shared(format!("http://{address}")))
            .collect::<Result<Vec<_>, _>>(),
        Some(_) => Endpoint::from_shared(target.to_owned()).map(|one| vec![one]),
        None => bail!("{target} is no target; a good one is http://127.0.0.1:50051"),
    };
    let endpoints = endpoints.with_context(|| format!("{target} is no target"))?;
    Ok(match endpoints.as_slice() {
        [one] => one.connect_lazy(),
        _ => tonic::transport::Channel::balance_list(endpoints.into_iter()),
    })
}

/// Writes what our channel writes: token, deadline, request id, trace.
#[derive(Clone)]
pub(crate) struct Headers {
    token: Token,
    place: HeaderName,
}

impl Headers {
    /// The token goes where servers of other makes look for it.
    pub(crate) fn with_authorization(mut self) -> Self {
        self.place = metadata::AUTHORIZATION;
        self
    }
}

impl Interceptor for Headers {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let headers = request.metadata_mut().as_mut();
        headers.insert(&self.place, self.token.indexed_header());
        // What the call was given stands.
        headers
            .entry(metadata::GRPC_TIMEOUT)
            .or_insert_with(|| format_timeout(BENCH_SERVICE_POLICY.methods[0].timeout));
        let context = CallContext::background();
        context.request_id().write(headers);
        context.trace().write(headers);
        Ok(request)
    }
}
