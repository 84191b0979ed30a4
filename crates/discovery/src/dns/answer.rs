//! What came back, and what becomes of several of it.

use std::net::IpAddr;
use std::time::Duration;

use crate::address::distinct;
use crate::{Resolution, ResolveError};

/// The addresses of one name.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) ips: Vec<IpAddr>,
    /// `None`: it never changes.
    pub(super) ttl: Option<Duration>,
}

/// The answers for several names as one. Names that do not exist are left out as long as one does, and asked for again after
/// `missing`. A name that could not be looked up fails the whole: its addresses may still be good.
pub(super) fn together(
    answers: Vec<Result<Resolution, ResolveError>>,
    missing: Duration,
) -> Result<Resolution, ResolveError> {
    let mut all = Resolution {
        addresses: Vec::new(),
        ttl: None,
    };
    let (mut absent, mut failed) = (None, None);
    for answer in answers {
        let ttl = match answer {
            Ok(one) => {
                all.addresses.extend(one.addresses);
                one.ttl
            }
            Err(error) if error.is_not_found() => {
                tracing::debug!(%error, "left out");
                absent.get_or_insert(error);
                Some(missing)
            }
            Err(error) => {
                failed.get_or_insert(error);
                None
            }
        };
        all.ttl = [all.ttl, ttl].into_iter().flatten().min();
    }
    all.addresses = distinct(all.addresses);
    match (failed, absent) {
        (Some(error), _) => Err(error.with_partial(all.addresses)),
        (None, Some(error)) if all.addresses.is_empty() => Err(error),
        (None, _) => Ok(all),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::Address;

    const MISSING: Duration = Duration::from_secs(10);

    fn one(address: &str, ttl: Option<u64>) -> Resolution {
        Resolution {
            addresses: vec![Address::Socket(address.parse().unwrap())],
            ttl: ttl.map(Duration::from_secs),
        }
    }

    fn texts(addresses: &[Address]) -> Vec<String> {
        addresses.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn keeps_the_order_and_the_shortest_time() {
        let all = together(
            vec![
                Ok(one("10.0.0.2:1", Some(60))),
                Ok(one("10.0.0.1:1", Some(5))),
                Ok(one("10.0.0.2:1", None)),
            ],
            MISSING,
        )
        .unwrap();
        assert_eq!(texts(&all.addresses), ["10.0.0.2:1", "10.0.0.1:1"]);
        assert_eq!(all.ttl, Some(Duration::from_secs(5)));
        let fixed = together(vec![Ok(one("10.0.0.2:1", None))], MISSING).unwrap();
        assert_eq!(fixed.ttl, None);
    }

    #[test]
    fn leaves_out_what_does_not_exist_and_asks_again() {
        let all = together(
            vec![
                Err(ResolveError::not_found("a")),
                Ok(one("10.0.0.1:1", None)),
            ],
            MISSING,
        )
        .unwrap();
        assert_eq!(texts(&all.addresses), ["10.0.0.1:1"]);
        assert_eq!(all.ttl, Some(MISSING));
        let none = together(
            vec![
                Err(ResolveError::not_found("a")),
                Err(ResolveError::empty("b")),
            ],
            MISSING,
        );
        assert_eq!(none, Err(ResolveError::not_found("a")));
    }

    #[test]
    fn one_that_could_not_be_looked_up_fails_the_whole() {
        let error = together(
            vec![
                Err(ResolveError::not_found("a")),
                Err(ResolveError::failed("b", "SERVFAIL")),
                Ok(one("10.0.0.1:1", None)),
            ],
            MISSING,
        )
        .unwrap_err();
        assert!(error.to_string().contains("SERVFAIL"), "{error}");
        assert_eq!(texts(error.partial()), ["10.0.0.1:1"]);
    }
}
