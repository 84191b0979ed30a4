//! Which service is where.

use std::collections::BTreeMap;

use crate::{Target, TargetError};

/// The targets of services by discovery name.
///
/// The target of `transcription` is the value of `TRANSCRIPTION_SERVICE_URL`. Nothing is guessed: a service that is asked
/// for and not configured is an error that names the variable.
#[derive(Debug, Clone, Default)]
pub struct ServiceRegistry {
    urls: BTreeMap<String, String>,
}

/// Why a service has no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// The variable is not set, or empty.
    #[error(
        "{variable} is not set; give the address of {service}, for example {variable}={example} ({OTHERS})"
    )]
    Unset {
        /// The variable.
        variable: String,
        /// The service.
        service: String,
        /// A good value.
        example: String,
    },
    /// The variable is set to what is no target.
    #[error(
        "{variable} is {value:?}, which is no target: {reason}; a good one is {variable}={example} ({OTHERS})"
    )]
    Malformed {
        /// The variable.
        variable: String,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: TargetError,
        /// A good value.
        example: String,
    },
}

/// What else a value may begin with.
const OTHERS: &str = "srv:///, static:///, http://, https:// and unix:/// are known, too";

/// The variable that names the target of `service`: `TRANSCRIPTION_SERVICE_URL`.
pub fn variable(service: &str) -> String {
    format!("{}_SERVICE_URL", service.to_uppercase().replace('-', "_"))
}

impl ServiceRegistry {
    /// A registry over these variables; others are ignored.
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let urls = variables
            .into_iter()
            .filter(|(name, value)| name.ends_with("_SERVICE_URL") && !value.is_empty())
            .collect();
        Self { urls }
    }

    /// A registry over the variables of this process. One that is no Unicode is ignored.
    pub fn from_env() -> Self {
        Self::from_variables(std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }))
    }

    /// The registry with `service` at `url`, as if the variable had been set.
    #[must_use]
    pub fn with(mut self, service: &str, url: impl Into<String>) -> Self {
        self.urls.insert(variable(service), url.into());
        self
    }

    /// The target of `service`.
    ///
    /// # Errors
    /// Names the variable, what is wrong with it, and a good value.
    pub fn target(&self, service: &str) -> Result<Target, RegistryError> {
        let variable = variable(service);
        let example = format!("dns:///{service}:50051");
        let Some(value) = self.urls.get(&variable) else {
            return Err(RegistryError::Unset {
                variable,
                service: service.to_owned(),
                example,
            });
        };
        value.parse().map_err(|reason| RegistryError::Malformed {
            variable,
            value: value.clone(),
            reason,
            example,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry(value: &str) -> ServiceRegistry {
        ServiceRegistry::from_variables([("FHIR_ADAPTER_SERVICE_URL".to_owned(), value.to_owned())])
    }

    #[test]
    fn finds_by_name() {
        let target = registry("dns:///fhir:1").target("fhir-adapter");
        assert_eq!(
            target.map(|t| t.to_string()),
            Ok("dns:///fhir:1".to_owned())
        );
        let target = ServiceRegistry::default()
            .with("auth", "http://[::1]:7")
            .target("auth");
        assert_eq!(
            target.map(|t| t.authority().to_owned()),
            Ok("[::1]:7".to_owned())
        );
    }

    #[test]
    fn an_error_names_the_variable_and_shows_a_good_value() {
        for (value, expect) in [
            ("", "FHIR_ADAPTER_SERVICE_URL is not set"),
            ("nonsense", "no scheme"),
            ("dns:///fhir:0", "names no port"),
            ("srv:///fhir:1", "an SRV name has no port"),
        ] {
            let error = registry(value)
                .target("fhir-adapter")
                .map_err(|e| e.to_string());
            let good = "FHIR_ADAPTER_SERVICE_URL=dns:///fhir-adapter:50051";
            assert!(
                error
                    .as_ref()
                    .is_err_and(|e| [expect, good, OTHERS].iter().all(|part| e.contains(part))),
                "{error:?}"
            );
        }
    }
}
