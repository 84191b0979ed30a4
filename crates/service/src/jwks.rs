//! The keys of an issuer elsewhere, fetched over HTTPS from its JWKS URL.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use reqwest::header::{ACCEPT, AGE, CACHE_CONTROL, HeaderMap};
use reqwest::{Client, Response, Url, redirect};
use scribemed_auth::keys::MAX_SET_BYTES;
use scribemed_auth::{BoxError, BoxFuture, KeySet, KeySource};

/// How long the host may take to be connected to, and to answer whole.
const CONNECT: Duration = Duration::from_secs(3);
const ANSWER: Duration = Duration::from_secs(8);

/// Where an issuer publishes its keys: an https URL, or an http one of this very machine, for development.
#[derive(Clone, PartialEq, Eq)]
pub struct JwksUrl(Url);

/// What is no [`JwksUrl`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidJwksUrl {
    /// It cannot be read.
    #[error("it is no URL: {0}")]
    NotAUrl(String),
    /// It is not https.
    #[error("it must be an https URL; http is for 127.0.0.1, [::1] and localhost only")]
    NotHttps,
    /// It holds a user or a password, which would end up in logs.
    #[error("it must not hold a user or a password")]
    HasCredentials,
}

impl FromStr for JwksUrl {
    type Err = InvalidJwksUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|error| InvalidJwksUrl::NotAUrl(error.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidJwksUrl::HasCredentials);
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if is_loopback(&url) => Ok(Self(url)),
            _ => Err(InvalidJwksUrl::NotHttps),
        }
    }
}

impl JwksUrl {
    fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl fmt::Display for JwksUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for JwksUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JwksUrl({})", self.0)
    }
}

fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let address = host.trim_start_matches('[').trim_end_matches(']').parse();
        host == "localhost" || address.is_ok_and(|address: IpAddr| address.is_loopback())
    })
}

/// The key set at a [`JwksUrl`]. At most 64 KiB are read, within 8 s; no redirect is followed, since keys that come from
/// somewhere else are somebody else's; `Cache-Control: max-age`, less `Age`, says how long the keys may be used (RFC 9111,
/// section 4.2). Certificates are judged by the authorities of the system, and a proxy is used as `HTTPS_PROXY` says.
#[derive(Debug, Clone)]
pub struct HttpsKeys {
    client: Client,
    url: JwksUrl,
}

/// Why a key set could not be fetched.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{url} cannot be fetched")]
    Unreachable {
        url: JwksUrl,
        #[source]
        source: reqwest::Error,
    },
    #[error(
        "{url} answered {status}; a JWKS URL answers 200 itself, and redirects are not followed"
    )]
    Status {
        url: JwksUrl,
        status: reqwest::StatusCode,
    },
    #[error("{url} answered more than the {MAX_SET_BYTES} bytes that a key set may have")]
    TooLarge { url: JwksUrl },
    #[error("{url} answered no key set")]
    NotAKeySet {
        url: JwksUrl,
        #[source]
        source: BoxError,
    },
}

impl HttpsKeys {
    /// Fetches from `url`.
    ///
    /// # Errors
    /// TLS cannot be set up: the system has no certificates of authorities.
    pub fn new(url: JwksUrl) -> Result<Self, reqwest::Error> {
        let mut builder = Client::builder()
            .https_only(url.is_https())
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT)
            .timeout(ANSWER);
        if !url.is_https() {
            // A proxy is not this machine.
            builder = builder.no_proxy();
        }
        Ok(Self {
            client: builder.build()?,
            url,
        })
    }

    async fn get(&self) -> Result<KeySet, Error> {
        let failed = |source: reqwest::Error| Error::Unreachable {
            url: self.url.clone(),
            source: source.without_url(),
        };
        let response = self
            .client
            .get(self.url.0.clone())
            .header(ACCEPT, "application/jwk-set+json, application/json")
            .send()
            .await
            .map_err(failed)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(Error::Status {
                url: self.url.clone(),
                status: response.status(),
            });
        }
        let max_age = max_age(response.headers());
        let body = body(response).await.map_err(failed)?;
        let body = body.ok_or_else(|| Error::TooLarge {
            url: self.url.clone(),
        })?;
        let not_a_key_set = |source: BoxError| Error::NotAKeySet {
            url: self.url.clone(),
            source,
        };
        let text = String::from_utf8(body).map_err(|error| not_a_key_set(error.into()))?;
        let keys = KeySet::from_json(&text).map_err(|error| not_a_key_set(error.into()))?;
        Ok(keys.with_max_age(max_age))
    }
}

impl KeySource for HttpsKeys {
    fn fetch(&self) -> BoxFuture<'_, Result<KeySet, BoxError>> {
        Box::pin(async { Ok(self.get().await?) })
    }
}

/// The whole body, unless it is too large.
async fn body(mut response: Response) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_SET_BYTES {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// How long the answer is fresh (RFC 9111, sections 4.2.1 and 5.2.2). `None`: it does not say.
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let mut age = None;
    for value in headers.get_all(CACHE_CONTROL) {
        for directive in value.to_str().ok()?.split(',') {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "no-store" | "no-cache" => return Some(Duration::ZERO),
                "max-age" => {
                    let seconds = value.trim().trim_matches('"').parse().ok()?;
                    age = Some(age.map_or(seconds, |other: u64| other.min(seconds)));
                }
                _ => {}
            }
        }
    }
    let spent = headers
        .get(AGE)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .unwrap_or(0);
    age.map(|age| Duration::from_secs(age.saturating_sub(spent)))
}

#[cfg(test)]
mod tests;
