//! `SCRIBEMED_AFTER_SUNSET`: what becomes of calls to methods that are past their sunset.

use scribemed_server::AfterSunset;

use crate::{Env, env};

const AFTER_SUNSET: &str = "SCRIBEMED_AFTER_SUNSET";

/// Reads `SCRIBEMED_AFTER_SUNSET`: `serve`, the default, or `refuse`.
///
/// # Errors
/// Any other value; the error shows a good one.
pub(super) fn from_env(env: &Env) -> Result<AfterSunset, env::Error> {
    match env.get(AFTER_SUNSET) {
        None | Some("serve") => Ok(AfterSunset::Serve),
        Some("refuse") => Ok(AfterSunset::Refuse),
        Some(_) => Err(env.malformed(AFTER_SUNSET, "it is neither `serve` nor `refuse`", "refuse")),
    }
}
