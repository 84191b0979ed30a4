//! What an operator sets against overload.

use std::ops::RangeInclusive;

use scribemed_server::{Builder, Concurrency, RateLimits};

use crate::Env;
use crate::env;

const CONCURRENCY: &str = "SCRIBEMED_CONCURRENCY";
const CONCURRENCY_EXAMPLE: &str = "8-1000";
const RATE_LIMITS: &str = "SCRIBEMED_RATE_LIMITS";
const RATE_LIMITS_EXAMPLE: &str = "documentation=100/s,*=500/s";
/// A million calls at a time is more than any process has memory for.
const RANGE: RangeInclusive<u32> = 1..=1_000_000;

/// How many calls are worked on at a time, and how often each caller may call.
#[derive(Debug, Clone, PartialEq)]
pub struct OverloadSettings {
    /// The bounds of the limit on calls at a time; `None`: no limit. Default 8 to 1,000.
    pub concurrency: Option<Concurrency>,
    /// How often each caller may call. By default nobody is limited.
    pub rate_limits: RateLimits,
}

impl Default for OverloadSettings {
    fn default() -> Self {
        Self {
            concurrency: Some(Concurrency::default()),
            rate_limits: RateLimits::default(),
        }
    }
}

impl OverloadSettings {
    /// Reads the environment.
    ///
    /// | variable | what it is | default |
    /// |---|---|---|
    /// | `SCRIBEMED_CONCURRENCY` | the bounds of the limit on calls at a time, each from 1 to 1000000, or `off` | `8-1000` |
    /// | `SCRIBEMED_RATE_LIMITS` | how often each caller may call, [as `RateLimits` has it](RateLimits) | nobody is limited |
    ///
    /// # Errors
    /// A variable that is malformed; the error shows a good value.
    pub fn from_env(env: &Env) -> Result<Self, env::Error> {
        Ok(Self {
            concurrency: concurrency(env)?,
            rate_limits: env
                .parse(RATE_LIMITS, RATE_LIMITS_EXAMPLE)?
                .unwrap_or_default(),
        })
    }

    /// Sets all of it on a server in the making.
    pub(crate) fn configure(&self, server: Builder) -> Builder {
        server
            .concurrency(self.concurrency)
            .rate_limits(self.rate_limits.clone())
    }
}

fn concurrency(env: &Env) -> Result<Option<Concurrency>, env::Error> {
    let default = Concurrency::default();
    let Some(text) = env.get(CONCURRENCY) else {
        return Ok(Some(default));
    };
    if text == "off" {
        return Ok(None);
    }
    let malformed = |reason| env.malformed(CONCURRENCY, reason, CONCURRENCY_EXAMPLE);
    let (min, max) = text
        .split_once('-')
        .and_then(|(min, max)| Some((min.trim().parse().ok()?, max.trim().parse().ok()?)))
        .ok_or_else(|| {
            malformed("it is neither `off` nor two whole numbers with `-` between them")
        })?;
    if !RANGE.contains(&min) || !RANGE.contains(&max) {
        return Err(malformed("a bound is not from 1 to 1000000"));
    }
    if min > max {
        return Err(malformed("the first bound is above the second"));
    }
    Ok(Some(Concurrency {
        min,
        max,
        ..default
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn read(name: &str, value: &str) -> Result<OverloadSettings, env::Error> {
        let env = [(name.to_owned(), value.to_owned())].into_iter().collect();
        OverloadSettings::from_env(&env)
    }

    #[test]
    fn what_is_set_holds() {
        assert_eq!(read("OTHER", "1").unwrap(), OverloadSettings::default());
        assert_eq!(read(CONCURRENCY, "off").unwrap().concurrency, None);
        let bounds = |text| {
            let limit = read(CONCURRENCY, text).unwrap().concurrency.unwrap();
            (limit.min, limit.max)
        };
        assert_eq!(bounds("5-50"), (5, 50));
        assert_eq!(bounds("7 - 7"), (7, 7));
        let limits = read(RATE_LIMITS, RATE_LIMITS_EXAMPLE).unwrap().rate_limits;
        assert_eq!(limits, RATE_LIMITS_EXAMPLE.parse().unwrap());
    }

    #[test]
    fn what_is_malformed_is_named_beside_a_good_value() {
        let check = |name: &str, value: &str, why: &str| {
            let error = read(name, value).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("{name} is {value:?}: ")),
                "{error}"
            );
            assert!(error.contains(why), "{error}");
        };
        check(CONCURRENCY, "many", "`off` nor two");
        check(
            CONCURRENCY,
            "20",
            "a good value is SCRIBEMED_CONCURRENCY=8-1000",
        );
        check(CONCURRENCY, "0-5", "from 1 to 1000000");
        check(CONCURRENCY, "5-1000001", "from 1 to 1000000");
        check(CONCURRENCY, "50-5", "above the second");
        check(RATE_LIMITS, "documentation", "no `=`");
        check(
            RATE_LIMITS,
            "a=1/s,a=2/s",
            "a good value is SCRIBEMED_RATE_LIMITS=documentation=100/s,*=500/s",
        );
    }
}
