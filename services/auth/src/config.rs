//! What the service is configured with.

use std::path::PathBuf;

use scribemed_service::{DEFAULT_ISSUER, EndUserSettings, Env, env};

/// The configuration of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The folder of everything durable; the database is `auth.db` in it. Made when it is missing.
    pub data: PathBuf,
    /// The grants file.
    pub grants: PathBuf,
    /// The name in `iss` of the tokens, which is also the `aud` that client assertions must have.
    pub issuer: String,
    /// Where end users sign in. `None`: no service acts for one.
    pub end_users: Option<EndUserSettings>,
}

impl Config {
    /// Reads the environment.
    ///
    /// | variable | what it is | default |
    /// |---|---|---|
    /// | `SCRIBEMED_DATA` | the folder of everything durable | required |
    /// | `AUTH_GRANTS` | the grants file | required |
    /// | `SCRIBEMED_ISSUER` | who issues the access tokens | `auth.scribemed` |
    ///
    /// And those of [`EndUserSettings::from_env`].
    ///
    /// # Errors
    /// A variable that is not set or malformed; the error shows a good value.
    pub fn from_env(env: &Env) -> Result<Self, env::Error> {
        Ok(Self {
            data: env.require("SCRIBEMED_DATA", "/var/lib/scribemed")?.into(),
            grants: env
                .require("AUTH_GRANTS", "/etc/scribemed/grants.toml")?
                .into(),
            issuer: env
                .get("SCRIBEMED_ISSUER")
                .unwrap_or(DEFAULT_ISSUER)
                .to_owned(),
            end_users: EndUserSettings::from_env(env)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)], expect: Result<(&str, &str, &str), &str>) {
        let env: Env = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let expect = expect
            .map(|(data, grants, issuer)| Config {
                data: data.into(),
                grants: grants.into(),
                issuer: issuer.to_owned(),
                end_users: None,
            })
            .map_err(str::to_owned);
        assert_eq!(
            Config::from_env(&env).map_err(|error| error.to_string()),
            expect
        );
    }

    #[test]
    fn reads_the_environment() {
        let data = ("SCRIBEMED_DATA", "data");
        let grants = ("AUTH_GRANTS", "grants.toml");
        check(&[data, grants], Ok(("data", "grants.toml", DEFAULT_ISSUER)));
        check(
            &[data, grants, ("SCRIBEMED_ISSUER", "auth.example")],
            Ok(("data", "grants.toml", "auth.example")),
        );
        check(
            &[data, grants, ("SCRIBEMED_END_USER_AUDIENCE", "scribemed")],
            Err(
                "SCRIBEMED_END_USER_ISSUER is not set; a good value is SCRIBEMED_END_USER_ISSUER=https://id.example.org",
            ),
        );
        check(
            &[grants],
            Err("SCRIBEMED_DATA is not set; a good value is SCRIBEMED_DATA=/var/lib/scribemed"),
        );
        check(
            &[data, ("AUTH_GRANTS", "")],
            Err("AUTH_GRANTS is not set; a good value is AUTH_GRANTS=/etc/scribemed/grants.toml"),
        );
    }
}
