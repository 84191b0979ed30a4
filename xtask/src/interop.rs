//! `cargo xtask interop`: the official interoperability cases, with grpc-go on the other side.

mod peer;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use self::peer::{Peer, run_within};
use crate::{process, tools, workspace};

/// How long a case may take: our client gives up by itself after 20 s.
const WITHIN: Duration = Duration::from_secs(30);

/// What to play.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Only this case; `list` names them all.
    #[arg(long)]
    case: Option<String>,
}

/// How a case went, in one direction.
type Played = Result<()>;

/// Builds our side, gets grpc-go's, plays each case in both directions and prints a table.
///
/// # Errors
/// The build fails, grpc-go's programs cannot be had ([`tools::Missing`]), or a case failed.
pub(crate) fn run(args: &Args) -> Result<()> {
    let (go_client, go_server) = tools::grpc_interop()?;
    let root = workspace::root();
    let build = [
        "build",
        "--package",
        "scribemed-testing",
        "--bin",
        "interop",
    ];
    process::show(workspace::cargo(&root).args(build))?;
    let ours = workspace::target(&root)?.join("debug/interop");
    let names = process::read(Command::new(&ours).arg("list"))?;
    let cases: Vec<&str> = names.lines().collect();
    if let Some(case) = &args.case {
        ensure!(
            cases.contains(&&**case),
            "there is no case {case}; there are {}",
            cases.join(", ")
        );
    }
    let cases: Vec<&str> = cases
        .into_iter()
        .filter(|name| args.case.as_ref().is_none_or(|case| case == name))
        .collect();

    let our_server = Peer::ours(&ours)?;
    let their_server = Peer::grpc_go(&go_server)?;
    let played: Vec<_> = cases
        .iter()
        .map(|case| {
            let theirs = call_with_grpc_go(&go_client, our_server.port, case);
            let ours = call_with_ours(&ours, their_server.port, case);
            (*case, theirs, ours)
        })
        .collect();
    println!("{}", table(&played));
    let failed = played
        .iter()
        .flat_map(|(_, theirs, ours)| [theirs, ours])
        .filter(|played| played.is_err())
        .count();
    ensure!(failed == 0, "{failed} of the cases failed");
    Ok(())
}

fn call_with_grpc_go(client: &Path, port: u16, case: &str) -> Played {
    let mut command = Command::new(client);
    command
        .args(["--server_host", "127.0.0.1"])
        .args(["--server_port", &port.to_string()])
        .args(["--test_case", case]);
    run_within(&mut command, WITHIN)
}

fn call_with_ours(client: &Path, port: u16, case: &str) -> Played {
    let mut command = Command::new(client);
    command
        .arg("call")
        .args(["--server", &format!("127.0.0.1:{port}")])
        .args(["--case", case])
        // The error is what is to be shown, and not where it was made.
        .env("RUST_BACKTRACE", "0");
    run_within(&mut command, WITHIN)
}

fn table(played: &[(&str, Played, Played)]) -> String {
    let word = |played: &Played| if played.is_ok() { "holds" } else { "FAILS" };
    let width = played.iter().map(|(case, ..)| case.len()).max();
    let width = width.unwrap_or_default().max("case".len());
    let mut lines = vec![format!(
        "{:width$}  grpc-go calls us  we call grpc-go",
        "case"
    )];
    for (case, theirs, ours) in played {
        lines.push(format!(
            "{case:width$}  {:16}  {}",
            word(theirs),
            word(ours)
        ));
        for error in [theirs, ours]
            .into_iter()
            .filter_map(|it| it.as_ref().err())
        {
            let text = format!("{error:#}");
            lines.extend(text.lines().map(|line| format!("    {line}")));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_failed_and_why() {
        let played = [
            ("empty_unary", Ok(()), Ok(())),
            ("ping_pong", Err(anyhow::anyhow!("no\npong")), Ok(())),
        ];
        let expect = "case         grpc-go calls us  we call grpc-go\n\
                      empty_unary  holds             holds\n\
                      ping_pong    FAILS             holds\n    no\n    pong";
        assert_eq!(table(&played), expect);
    }
}
