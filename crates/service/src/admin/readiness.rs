//! Whether a service can do its work.

use scribemed_server::Health;

use crate::Platform;

/// What a service still needs; nothing: it is ready. Its own health decides, with the reasons of the checks that fail, and
/// the name of every service that it calls must have been resolved once. Whether those services are well is not asked:
/// one that is down would take all of its callers out of rotation.
pub(super) fn missing(platform: Option<&Platform>) -> Vec<String> {
    let Some(platform) = platform else {
        return vec!["the service is starting".to_owned()];
    };
    if platform.shutdown().is_cancelled() {
        return vec!["the service is shutting down".to_owned()];
    }
    let mut missing = Vec::new();
    let servers = platform.servers();
    if servers.is_empty() {
        missing.push("the server has not started".to_owned());
    }
    missing.extend(servers.iter().flat_map(Health::reasons));
    for channel in platform.channels().statuses() {
        if channel.resolved_seconds_ago.is_none() {
            let why = channel
                .resolver_error
                .unwrap_or_else(|| "the first look-up has not ended".to_owned());
            missing.push(format!(
                "{} at {}: its name was never resolved: {why}",
                channel.service, channel.target
            ));
        }
    }
    missing
}
