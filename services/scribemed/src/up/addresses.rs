//! Where each service serves, one option for each service of the table.

use std::net::SocketAddr;

use clap::{Arg, ArgMatches, Command, FromArgMatches, value_parser};

use crate::services::ALL;

/// The addresses that were asked for, in the order of the table.
#[derive(Debug)]
pub(crate) struct Addresses(Vec<Option<SocketAddr>>);

impl Addresses {
    /// Where each service serves. Those that are not named: at their default port, or with `free` at any that is free.
    pub(crate) fn resolve(&self, free: bool) -> Vec<SocketAddr> {
        let default = |port| SocketAddr::from(([127, 0, 0, 1], if free { 0 } else { port }));
        ALL.iter()
            .zip(&self.0)
            .map(|(service, asked)| asked.unwrap_or_else(|| default(service.port)))
            .collect()
    }
}

impl clap::Args for Addresses {
    fn augment_args(command: Command) -> Command {
        ALL.iter().fold(command, |command, service| {
            let help = format!(
                "Where {} serves. Port 0: any that is free [default: 127.0.0.1:{}]",
                service.name, service.port
            );
            command.arg(
                Arg::new(service.name)
                    .long(service.name)
                    .value_name("ADDRESS")
                    .value_parser(value_parser!(SocketAddr))
                    .help(help),
            )
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Addresses {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let asked = |name: &str| matches.get_one::<SocketAddr>(name).copied();
        Ok(Self(
            ALL.iter().map(|service| asked(service.name)).collect(),
        ))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
