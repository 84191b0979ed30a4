//! `scribemed audit`: looks at audit logs.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use scribemed_audit::{Key, Report, VerifyError, verify};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Reads an audit log, with the files that it was before, and says whether each record is as it was written. Names the
    /// first that is not; exit code 1 then.
    Verify(Args),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The audit log: audit.jsonl in the data folder of a service.
    #[arg(value_name = "FILE")]
    path: PathBuf,
    /// The secret that it was written with.
    #[arg(long, env = "SCRIBEMED_AUDIT_KEY", value_name = "FILE")]
    key: Option<PathBuf>,
    /// The number of a record that was written, as the metric `scribemed_audit_sequence` has told: an end that was cut off
    /// leaves no other trace.
    #[arg(long, value_name = "NUMBER")]
    reaches: Option<u64>,
}

pub(crate) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    let Command::Verify(args) = command;
    let key = args
        .key
        .as_ref()
        .map(|file| Key::load(file).with_context(|| format!("the key {}", file.display())))
        .transpose()?;
    match verify(&args.path, key.as_ref(), args.reaches) {
        Ok(report) => {
            print!("{}", told(&report));
            Ok(ExitCode::SUCCESS)
        }
        Err(error @ (VerifyError::Broken(_) | VerifyError::CutOff { .. })) => {
            eprintln!("not as it was written: {error}");
            Ok(ExitCode::FAILURE)
        }
        Err(error @ VerifyError::Unreadable { .. }) => Err(error.into()),
    }
}

fn told(report: &Report) -> String {
    let Report {
        files,
        records,
        first,
        last,
        unclean,
    } = report;
    if *records == 0 {
        return "there is no record\n".to_owned();
    }
    let mut text = format!(
        "as it was written: records {first} to {last}, {records} in all, in {files} file(s)\n"
    );
    if *first > 1 {
        text.push_str(&format!(
            "records 1 to {} lie elsewhere; they are not part of this\n",
            first - 1
        ));
    }
    for seq in unclean {
        text.push_str(&format!(
            "before record {seq} the service did not end as it should: it was killed, or its last records were cut off\n"
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_is_there_and_what_is_not() {
        let report = Report {
            files: 2,
            records: 3,
            first: 5,
            last: 7,
            unclean: vec![6],
        };
        let text = told(&report);
        assert!(text.contains("records 5 to 7, 3 in all"), "{text}");
        assert!(text.contains("records 1 to 4 lie elsewhere"), "{text}");
        assert!(text.contains("before record 6"), "{text}");
        assert_eq!(told(&Report::default()), "there is no record\n");
    }
}
