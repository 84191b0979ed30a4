//! Where the admin port is.

use std::io;

use tokio::net::TcpListener;

use crate::Env;
use crate::env;

/// How far the admin port is above the service's own, unless configured otherwise.
pub const PORT_DISTANCE: u16 = 1000;

const VARIABLE: &str = "SCRIBEMED_ADMIN_LISTEN";
const EXAMPLE: &str = "0.0.0.0:51052";

/// Why there is no admin port.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The variable is not right.
    #[error(transparent)]
    Variable(#[from] env::Error),
    /// There is no port so far above the service's own.
    #[error(
        "{VARIABLE} is not set, and there is no port {PORT_DISTANCE} above that of {listen}; a good value is \
         {VARIABLE}={EXAMPLE}, or off"
    )]
    NoDefault {
        /// Where the service serves.
        listen: String,
    },
    /// It cannot be opened.
    #[error(
        "the admin port {address} cannot be opened; another address is chosen with {VARIABLE}={EXAMPLE}, and \
         {VARIABLE}=off does without"
    )]
    Unusable {
        /// Where.
        address: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// Opens the admin port of a service that serves on `listen`, `host:port`: where `SCRIBEMED_ADMIN_LISTEN` says, otherwise
/// [`beside`] it. `None` when the variable is `off`.
///
/// # Errors
/// The variable is malformed, there is no such port, or it is taken; the error shows a good value.
pub async fn listen(env: &Env, listen: &str) -> Result<Option<TcpListener>, Error> {
    let address = match env.get(VARIABLE) {
        Some("off") => return Ok(None),
        Some(address) => {
            parse(address).map_err(|reason| env.malformed(VARIABLE, reason, EXAMPLE))?;
            address.to_owned()
        }
        None => beside(listen)?,
    };
    match TcpListener::bind(&address).await {
        Ok(listener) => Ok(Some(listener)),
        Err(source) => Err(Error::Unusable { address, source }),
    }
}

/// The address of the admin port of a service that serves on `listen`, `host:port`: the same host and a port
/// [`PORT_DISTANCE`] higher. Port 0, any that is free, stays 0.
///
/// # Errors
/// [`Error::NoDefault`] when there is no such port.
pub fn beside(listen: &str) -> Result<String, Error> {
    let none = || Error::NoDefault {
        listen: listen.to_owned(),
    };
    let (host, port) = parse(listen).map_err(|_| none())?;
    let port = match port {
        0 => 0,
        port => port.checked_add(PORT_DISTANCE).ok_or_else(none)?,
    };
    Ok(format!("{host}:{port}"))
}

fn parse(address: &str) -> Result<(&str, u16), String> {
    let (host, port) = address
        .rsplit_once(':')
        .ok_or("it is no host:port, and not off")?;
    if host.is_empty() {
        return Err("it names no host".to_owned());
    }
    match port.parse() {
        Ok(port) => Ok((host, port)),
        Err(_) => Err(format!("{port:?} is no port")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn the_default_is_a_thousand_higher_on_the_same_host() {
        let check = |listen: &str, expect: Result<&str, &str>| {
            let address = beside(listen).map_err(|error| error.to_string());
            match expect {
                Ok(expect) => assert_eq!(address.as_deref(), Ok(expect)),
                Err(part) => assert!(
                    address.as_ref().is_err_and(|e| e.contains(part)),
                    "{address:?}"
                ),
            }
        };
        check("0.0.0.0:50052", Ok("0.0.0.0:51052"));
        check("[::1]:50052", Ok("[::1]:51052"));
        check("localhost:0", Ok("localhost:0"));
        check("127.0.0.1:64535", Ok("127.0.0.1:65535"));
        check(
            "127.0.0.1:64536",
            Err(
                "no port 1000 above that of 127.0.0.1:64536; a good value is SCRIBEMED_ADMIN_LISTEN=",
            ),
        );
    }

    async fn opened(value: &str, serving: &str) -> Result<Option<u16>, String> {
        let env: Env = [(VARIABLE.to_owned(), value.to_owned())]
            .into_iter()
            .collect();
        match listen(&env, serving).await {
            Ok(listener) => Ok(listener.map(|listener| listener.local_addr().unwrap().port())),
            Err(error) => {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                Err(format!("{error}: {}", source.unwrap_or_default()))
            }
        }
    }

    #[tokio::test]
    async fn opens_where_it_is_told_or_says_why_not() {
        let serving = "127.0.0.1:0";
        assert_eq!(opened("off", serving).await, Ok(None));
        for value in ["", "127.0.0.1:0"] {
            assert!(
                matches!(opened(value, serving).await, Ok(Some(_))),
                "{value:?}"
            );
        }
        let taken = TcpListener::bind(serving).await.unwrap();
        let taken = taken.local_addr().unwrap().to_string();
        for (value, expect) in [
            ("127.0.0.1", "is \"127.0.0.1\": it is no host:port"),
            (":51052", "names no host"),
            ("127.0.0.1:admin", "\"admin\" is no port"),
            ("127.0.0.1:70000", "\"70000\" is no port"),
            (&*taken, "in use"),
        ] {
            let error = opened(value, serving).await.unwrap_err();
            let good = "SCRIBEMED_ADMIN_LISTEN=0.0.0.0:51052";
            assert!(error.contains(expect) && error.contains(good), "{error}");
        }
    }
}
