//! What is known of each service, and what follows from it.

use std::collections::BTreeMap;

use super::Status;

/// What was set, what failed, and whether the server is shutting down.
#[derive(Debug, Clone, Default)]
pub(super) struct States {
    services: BTreeMap<String, Status>,
    /// The checks that fail, by name.
    failing: BTreeMap<&'static str, Failing>,
    pub(super) draining: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Failing {
    /// The services that it keeps from serving; none named: all.
    services: Vec<&'static str>,
    reason: String,
}

impl Failing {
    fn concerns(&self, service: &str) -> bool {
        self.services.is_empty() || self.services.contains(&service)
    }
}

/// What a failure changed.
pub(super) struct Changed {
    /// The check passed before.
    pub(super) is_new: bool,
    /// It gives another reason than before.
    pub(super) is_other: bool,
}

impl States {
    /// Returns whether that is a change.
    pub(super) fn set(&mut self, service: &str, status: Status) -> bool {
        self.services.insert(service.to_owned(), status) != Some(status)
    }

    pub(super) fn fail(
        &mut self,
        check: &'static str,
        services: &[&'static str],
        reason: String,
    ) -> Changed {
        let failing = Failing {
            services: services.to_vec(),
            reason,
        };
        let before = self.failing.insert(check, failing.clone());
        Changed {
            is_new: before.is_none(),
            is_other: before.is_some_and(|before| before != failing),
        }
    }

    /// Returns whether it had failed.
    pub(super) fn pass(&mut self, check: &'static str) -> bool {
        self.failing.remove(check).is_some()
    }

    /// `None`: there is no such service.
    pub(super) fn of(&self, service: &str) -> Option<Status> {
        if !service.is_empty() && !self.services.contains_key(service) {
            return None;
        }
        let well = !self.draining
            && if service.is_empty() {
                self.failing.is_empty() && self.services.values().all(|own| serves(*own))
            } else {
                self.services.get(service).copied().is_some_and(serves)
                    && !self.failing.values().any(|check| check.concerns(service))
            };
        Some(if well {
            Status::Serving
        } else {
            Status::NotServing
        })
    }

    /// The names of the services, sorted.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.services.keys().map(String::as_str)
    }

    pub(super) fn reasons(&self) -> Vec<String> {
        let draining = self
            .draining
            .then(|| "the server is shutting down".to_owned());
        let failing = self
            .failing
            .iter()
            .map(|(check, failing)| format!("the check `{check}` fails: {}", failing.reason));
        let set = self
            .services
            .iter()
            .filter(|(_, status)| !serves(**status))
            .map(|(service, _)| format!("{service} is set to NOT_SERVING; the log tells why"));
        draining.into_iter().chain(failing).chain(set).collect()
    }
}

fn serves(status: Status) -> bool {
    status == Status::Serving
}
