//! How many connections a server takes, and for how long.

use std::time::Duration;

use scribemed_server::Limits;

use crate::Env;
use crate::env;

const CONNECTIONS: &str = "SCRIBEMED_MAX_CONNECTIONS";
const CONNECTIONS_PER_PEER: &str = "SCRIBEMED_MAX_CONNECTIONS_PER_PEER";
const AGE: &str = "SCRIBEMED_MAX_CONNECTION_AGE";
const IDLE: &str = "SCRIBEMED_MAX_CONNECTION_IDLE";
/// A day.
const LONGEST: u64 = 86_400;

/// Reads the environment; what is not set is as [`Limits`] has it.
///
/// # Errors
/// A variable that is malformed; the error shows a good value.
pub(super) fn from_env(env: &Env) -> Result<Limits, env::Error> {
    let mut limits = Limits::default();
    if let Some(connections) = count(env, CONNECTIONS, "4000")? {
        limits = limits.connections(connections);
    }
    if let Some(connections) = count(env, CONNECTIONS_PER_PEER, "100")? {
        limits = limits.connections_per_peer(connections);
    }
    if let Some(age) = time(env, AGE, "1800")? {
        limits = limits.max_age(bounded(age));
    }
    if let Some(idle) = time(env, IDLE, "600")? {
        limits = limits.max_idle(bounded(idle));
    }
    Ok(limits)
}

fn count(env: &Env, name: &str, example: &str) -> Result<Option<usize>, env::Error> {
    match env.parse(name, example)? {
        Some(0) => Err(env.malformed(name, "nobody could connect", example)),
        count => Ok(count),
    }
}

fn time(env: &Env, name: &str, example: &str) -> Result<Option<Duration>, env::Error> {
    match env.parse(name, example)? {
        Some(seconds @ (0 | 10..=LONGEST)) => Ok(Some(Duration::from_secs(seconds))),
        Some(_) => Err(env.malformed(name, "it is neither 0 nor from 10 to 86400", example)),
        None => Ok(None),
    }
}

/// No time at all is any time.
fn bounded(time: Duration) -> Option<Duration> {
    (!time.is_zero()).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<String, String> {
        let env: Env = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        from_env(&env)
            .map(|limits| format!("{limits:?}"))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn each_variable_sets_its_limit() {
        let check = |name, value, expect: Limits| {
            assert_eq!(read(&[(name, value)]), Ok(format!("{expect:?}")), "{name}");
        };
        let limits = Limits::default;
        assert_eq!(read(&[]), Ok(format!("{:?}", limits())));
        check(CONNECTIONS, "7", limits().connections(7));
        check(CONNECTIONS_PER_PEER, "7", limits().connections_per_peer(7));
        check(AGE, "0", limits().max_age(None));
        check(AGE, "60", limits().max_age(Some(Duration::from_secs(60))));
        check(IDLE, "0", limits().max_idle(None));
        check(IDLE, "10", limits().max_idle(Some(Duration::from_secs(10))));
    }

    #[test]
    fn what_is_malformed_is_named_with_a_good_value() {
        let check = |name: &str, value, good: &str| {
            let error = read(&[(name, value)]).err().unwrap_or_default();
            let good = format!("a good value is {name}={good}");
            assert!(error.ends_with(&good), "{name}={value}: {error}");
        };
        check(CONNECTIONS, "0", "4000");
        check(CONNECTIONS, "many", "4000");
        check(CONNECTIONS_PER_PEER, "-1", "100");
        check(AGE, "9", "1800");
        check(AGE, "30min", "1800");
        check(IDLE, "86401", "600");
    }
}
