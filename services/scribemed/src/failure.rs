//! How an error looks on a terminal.

use std::fmt::Write as _;
use std::process::ExitCode;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// Prints an error with all of its causes; exit code 1.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {}", describe(error));
    ExitCode::FAILURE
}

fn describe(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for (i, cause) in error.chain().enumerate() {
        let separator = if i == 0 { "" } else { ": " };
        // Writing to a String cannot fail.
        let _ = match cause.downcast_ref::<Status>() {
            Some(status) => write!(text, "{separator}{}", of_status(status)),
            None => write!(text, "{separator}{cause}"),
        };
    }
    text
}

/// The message of a status, its reason, each field that is wrong, and what to do next.
pub(crate) fn of_status(status: &Status) -> String {
    let details = status.get_error_details();
    let mut text = format!("{} ({:?}", status.message(), status.code());
    if let Some(info) = details.error_info() {
        text.push_str(", ");
        text.push_str(&info.reason);
    }
    text.push(')');
    for violation in details
        .bad_request()
        .iter()
        .flat_map(|request| &request.field_violations)
    {
        let _ = write!(text, "\n  {}: {}", violation.field, violation.description);
    }
    for violation in details
        .precondition_failure()
        .iter()
        .flat_map(|failure| &failure.violations)
    {
        let _ = write!(text, "\n  {}", violation.description);
    }
    // The channel sends nothing to a service that says of itself that it cannot serve, so the service cannot say why.
    if status.code() == Code::Unavailable && status.message().contains("says NOT_SERVING") {
        text.push_str(
            "\n  the service is there and cannot do its work, as transcription without a speech model: `scribemed doctor` \
             tells what it lacks, `cargo xtask model` gets the model",
        );
    } else if status.code() == Code::Unavailable {
        text.push_str("\n  is the platform running? `cargo xtask up` starts it, `scribemed doctor` looks into it");
    }
    text
}
