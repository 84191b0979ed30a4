//! Downloads over https.

use std::error::Error as StdError;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Response, StatusCode, redirect};
use url::Url;

use super::rules::Rules;
use super::{ConfigError, Error, address};

/// How many redirects are followed.
const REDIRECTS: usize = 3;
const CONNECT: Duration = Duration::from_secs(5);
/// How long a host may stay silent in the middle of a download.
const SILENCE: Duration = Duration::from_secs(15);

/// The network that is used; a test brings one of its own.
pub(super) struct Network {
    /// Which addresses may be connected to.
    pub(super) permitted: fn(IpAddr) -> bool,
    /// What finds the addresses of a name.
    pub(super) resolver: Arc<dyn Resolve>,
    /// Whom to trust; the machine's certificates where there are none.
    pub(super) roots: Vec<Certificate>,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            permitted: address::is_public,
            resolver: Arc::new(System),
            roots: Vec::new(),
        }
    }
}

/// An https client that reaches nothing but what the rules allow.
#[derive(Debug, Clone)]
pub(super) struct Client {
    inner: reqwest::Client,
    rules: Arc<Rules>,
}

impl Client {
    pub(super) fn new(
        rules: Arc<Rules>,
        network: Network,
        timeout: Duration,
    ) -> Result<Self, ConfigError> {
        let guard = Guard {
            rules: Arc::clone(&rules),
            resolver: network.resolver,
        };
        let redirected = Arc::clone(&rules);
        let mut builder = reqwest::Client::builder()
            .https_only(true)
            // A proxy would resolve the name itself, and reach what it likes.
            .no_proxy()
            .referer(false)
            .dns_resolver(guard)
            .redirect(redirect::Policy::custom(move |attempt| {
                if attempt.previous().len() > REDIRECTS {
                    return attempt.error(Stop(redirected.refuse("more than three redirects")));
                }
                match redirected.check_https(attempt.url()) {
                    Ok(()) => attempt.follow(),
                    Err(refused) => attempt.error(Stop(refused)),
                }
            }))
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .timeout(timeout);
        if !network.roots.is_empty() {
            builder = builder.tls_certs_only(network.roots);
        }
        Ok(Self {
            inner: builder.build().map_err(ConfigError::Tls)?,
            rules,
        })
    }

    pub(super) async fn get(&self, url: &Url, max_bytes: u64) -> Result<Bytes, Error> {
        // Checked already, unless the rules have changed since a job was stored.
        self.rules.check_https(url)?;
        let response = self.inner.get(url.clone()).send().await.map_err(failed)?;
        let status = response.status();
        if status.is_success() {
            return body(response, max_bytes).await;
        }
        let detail = format!("the host answered {status}");
        Err(match status {
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
                unavailable(detail)
            }
            status if status.is_server_error() => unavailable(detail),
            _ => Error::Missing {
                detail,
                source: None,
            },
        })
    }
}

async fn body(mut response: Response, max_bytes: u64) -> Result<Bytes, Error> {
    let too_large = || Error::TooLarge { limit: max_bytes };
    if response
        .content_length()
        .is_some_and(|length| length > max_bytes)
    {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if (body.len() + chunk.len()) as u64 > max_bytes {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Resolves names and hands out only what may be connected to. As this is where the connection takes its address
/// from, a name cannot change its mind between the check and the use.
struct Guard {
    rules: Arc<Rules>,
    resolver: Arc<dyn Resolve>,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = Arc::clone(&self.rules);
        let host = name.as_str().to_owned();
        let resolving = self.resolver.resolve(name);
        Box::pin(async move {
            let addresses: Vec<_> = resolving.await?.collect();
            for address in &addresses {
                // One bad address condemns the name: a public host has no private address by accident.
                rules.check_address(&host, address.ip()).map_err(Stop)?;
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The resolver of this machine.
struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // Port 0 lets the client put in the one of the URL.
            let addresses: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Carries a refusal of ours through the client's errors.
struct Stop(Error);

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Stop {}

fn failed(fault: reqwest::Error) -> Error {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(&fault);
    while let Some(error) = cause {
        if let Some(Stop(Error::Refused { what, allowed })) = error.downcast_ref() {
            return Error::Refused {
                what: what.clone(),
                allowed: allowed.clone(),
            };
        }
        cause = error.source();
    }
    let detail = if fault.is_timeout() {
        "the host did not answer in time"
    } else {
        "the host cannot be reached"
    };
    Error::Unavailable {
        detail: detail.to_owned(),
        source: Some(fault.without_url().into()),
    }
}

fn unavailable(detail: String) -> Error {
    Error::Unavailable {
        detail,
        source: None,
    }
}
