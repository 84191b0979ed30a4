//! Configuration from environment variables, with errors that name the variable and show a good value.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

/// The variables that a service is configured with: those of the process, or those of a test.
#[derive(Debug, Clone, Default)]
pub struct Env {
    variables: Arc<BTreeMap<String, String>>,
}

/// What is wrong with a variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is needed and not set, or empty.
    #[error("{name} is not set; a good value is {name}={example}")]
    Unset {
        /// Which.
        name: String,
        /// A good value.
        example: String,
    },
    /// Its value cannot be used.
    #[error("{name} is {value:?}: {reason}; a good value is {name}={example}")]
    Malformed {
        /// Which.
        name: String,
        /// Its value.
        value: String,
        /// Why it cannot be used.
        reason: String,
        /// A good value.
        example: String,
    },
}

impl Env {
    /// The variables of this process. One that is no Unicode is as good as not set.
    pub fn from_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The value of a variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The value of a variable that must be set.
    ///
    /// # Errors
    /// [`Error::Unset`] shows `example` as a good value.
    pub fn require(&self, name: &str, example: &str) -> Result<&str, Error> {
        self.get(name).ok_or_else(|| Error::Unset {
            name: name.to_owned(),
            example: example.to_owned(),
        })
    }

    /// The value of a variable, read as a `T`; `None` if it is not set.
    ///
    /// # Errors
    /// [`Error::Malformed`] shows `example` as a good value.
    pub fn parse<T: FromStr>(&self, name: &str, example: &str) -> Result<Option<T>, Error>
    where
        T::Err: std::fmt::Display,
    {
        self.get(name)
            .map(|value| {
                value
                    .parse()
                    .map_err(|reason| self.malformed(name, reason, example))
            })
            .transpose()
    }

    /// The error for a variable whose value cannot be used.
    pub fn malformed(&self, name: &str, reason: impl std::fmt::Display, example: &str) -> Error {
        Error::Malformed {
            name: name.to_owned(),
            value: self.get(name).unwrap_or_default().to_owned(),
            reason: reason.to_string(),
            example: example.to_owned(),
        }
    }

    /// All variables.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl FromIterator<(String, String)> for Env {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self {
            variables: Arc::new(variables.into_iter().collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_variable_and_shows_a_good_value() {
        let env: Env = [
            ("PORT".to_owned(), "seven".to_owned()),
            ("EMPTY".to_owned(), String::new()),
        ]
        .into_iter()
        .collect();
        let text =
            |result: Result<_, Error>| result.map(|_: Option<u16>| ()).map_err(|e| e.to_string());
        assert_eq!(
            text(env.parse("PORT", "50051")),
            Err(
                "PORT is \"seven\": invalid digit found in string; a good value is PORT=50051"
                    .to_owned()
            )
        );
        assert_eq!(text(env.parse("EMPTY", "50051")), Ok(()));
        assert_eq!(
            env.require("EMPTY", "50051").map_err(|e| e.to_string()),
            Err("EMPTY is not set; a good value is EMPTY=50051".to_owned())
        );
    }
}
