//! Whether this machine's clock agrees with that of the auth service: tokens live for minutes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use scribemed_auth::TokenSource as _;
use tonic::Status;
use tonic_types::StatusExt as _;

use super::Finding;
use crate::data::Data;
use crate::operator;

/// What verifiers tolerate.
const LEEWAY: Duration = Duration::from_secs(60);
/// 2026-01-01: this program did not exist before.
const BUILT_AFTER: Duration = Duration::from_secs(1_767_225_600);

pub(super) async fn check(data: &Data, running: bool) -> Finding {
    let mend = "set the clock, best by a time service: timedatectl set-ntp true";
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    if now < BUILT_AFTER {
        return Finding::bad(
            format!(
                "the clock says {} seconds since 1970, which is before this program",
                now.as_secs()
            ),
            mend,
        );
    }
    if !running {
        return Finding::Note(
            "plausible; it is compared with the auth service's once the platform runs".to_owned(),
        );
    }
    // The auth service refuses an assertion whose times are off by more than the leeway, and says so.
    let tokens = match operator::tokens(data, Vec::new()).await {
        Ok(tokens) => tokens,
        Err(error) => {
            return Finding::bad(
                format!("it cannot be compared: {error:#}"),
                "mend that first",
            );
        }
    };
    match tokens.fetch("auth").await {
        Ok(_) => Finding::Good(format!(
            "within {} s of the auth service's",
            LEEWAY.as_secs()
        )),
        Err(error) if off(error.downcast_ref()) => {
            Finding::bad("it is more than a minute off from the auth service's", mend)
        }
        Err(error) => Finding::bad(
            format!("no token could be had to compare it: {error}"),
            "mend what else is marked FAIL",
        ),
    }
}

/// Whether the auth service found the times of an assertion that was signed just now wrong.
fn off(status: Option<&Status>) -> bool {
    status.is_some_and(|status| {
        status.get_error_details().error_info().is_some_and(|info| {
            matches!(
                info.reason.as_str(),
                "ASSERTION_EXPIRED" | "ASSERTION_NOT_YET_VALID" | "ASSERTION_TOO_LONG_LIVED"
            )
        })
    })
}
