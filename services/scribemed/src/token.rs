//! `scribemed token`: an access token for grpcurl.

use std::process::ExitCode;

use anyhow::{anyhow, bail};
use scribemed_auth::TokenSource as _;
use scribemed_rpc::ServicePolicy;
use scribemed_rpc::policy::Access;
use tonic::Status;

use crate::data::{Data, DataArgs};
use crate::operator;
use crate::services;

/// What the token is for.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArgs,
    /// The permissions it grants, as `read:notes`, separated by commas. Default: all that the operator has.
    #[arg(long, value_delimiter = ',', value_name = "VERB:THINGS")]
    permissions: Vec<String>,
    /// The service that accepts it. Default: the one whose methods ask for the permissions.
    #[arg(long, value_name = "SERVICE")]
    audience: Option<String>,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let audience = match args.audience {
        Some(audience) => audience,
        None => audience_of(&args.permissions)?.to_owned(),
    };
    let tokens = operator::tokens(&Data::new(&args.data)?, args.permissions).await?;
    let token =
        tokens
            .fetch(&audience)
            .await
            .map_err(|error| match error.downcast::<Status>() {
                Ok(status) => anyhow::Error::new(*status),
                Err(other) => anyhow!(other),
            })?;
    println!("{}", token.secret().expose());
    Ok(ExitCode::SUCCESS)
}

/// The contracts of all services.
fn contracts() -> impl Iterator<Item = &'static ServicePolicy> {
    services::ALL
        .iter()
        .flat_map(|service| service.contracts)
        .copied()
}

/// The one service whose methods ask for all of these permissions.
fn audience_of(permissions: &[String]) -> anyhow::Result<&'static str> {
    if permissions.is_empty() {
        bail!(
            "say what the token is for: --permissions read:transcriptions, or --audience transcription"
        );
    }
    let asks = |contract: &ServicePolicy, permission: &String| {
        contract.methods.iter().any(|method| match method.access {
            Access::Permissions(required) => required.contains(&permission.as_str()),
            Access::Public => false,
        })
    };
    let mut found: Vec<&'static str> = Vec::new();
    for permission in permissions {
        let Some(contract) = contracts().find(|contract| asks(contract, permission)) else {
            bail!(
                "no method asks for the permission {permission:?}; those that are asked for: {}",
                known().join(", ")
            );
        };
        if !found.contains(&contract.discovery_name) {
            found.push(contract.discovery_name);
        }
    }
    match found.as_slice() {
        [only] => Ok(only),
        several => bail!(
            "these permissions belong to {}; a token is for one service: make one for each",
            several.join(" and ")
        ),
    }
}

fn known() -> Vec<&'static str> {
    let mut known: Vec<&'static str> = contracts()
        .flat_map(|contract| contract.methods)
        .flat_map(|method| match method.access {
            Access::Permissions(required) => required,
            Access::Public => &[],
        })
        .copied()
        .collect();
    known.sort_unstable();
    known.dedup();
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(permissions: &[&str], expect: Result<&str, &str>) {
        let permissions: Vec<String> = permissions.iter().map(|&p| p.to_owned()).collect();
        match (audience_of(&permissions), expect) {
            (Ok(found), Ok(expect)) => assert_eq!(found, expect),
            (Err(error), Err(expect)) => assert!(error.to_string().contains(expect), "{error}"),
            (found, expect) => assert!(
                found.is_ok() == expect.is_ok(),
                "{permissions:?}: {found:?}"
            ),
        }
    }

    #[test]
    fn the_audience_follows_from_the_permissions() {
        check(
            &["read:transcriptions", "write:transcriptions"],
            Ok("transcription"),
        );
        check(&["sign:notes"], Ok("documentation"));
        check(&["rotate:keys"], Ok("auth"));
        check(
            &["read:notes", "read:transcriptions"],
            Err("make one for each"),
        );
        check(&["fly:planes"], Err("read:notes"));
        check(&[], Err("--permissions read:transcriptions"));
    }
}
