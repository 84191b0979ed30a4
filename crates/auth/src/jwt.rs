//! What client assertions and access tokens share: compact JWS (RFC 7515, RFC 7519, RFC 8725).
//!
//! `jsonwebtoken` signs and checks signatures. The header is read here first, so that the algorithm is refused before
//! any key is looked at, and the claims are judged by the callers against an injected clock.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Header, Validation};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::credentials::Secret;
use crate::keys::{Algorithm, Error, Jwk, SigningKey};

/// Nothing larger is parsed.
pub(crate) const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// How far clocks may be apart.
pub(crate) const LEEWAY: Duration = Duration::from_secs(60);

/// Why a token cannot be believed, before its claims are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    Malformed(&'static str),
    Algorithm,
    BadSignature,
}

/// What a token's header says.
pub(crate) struct Head {
    pub(crate) algorithm: Algorithm,
    pub(crate) typ: Option<String>,
    pub(crate) kid: Option<String>,
}

/// Reads the header of a token that nobody has checked yet, and pins the algorithm to one of `pinned`.
pub(crate) fn read_head(token: &str, pinned: &[Algorithm]) -> Result<Head, Flaw> {
    #[derive(Deserialize)]
    struct Wire {
        alg: Option<String>,
        typ: Option<String>,
        kid: Option<String>,
        crit: Option<serde::de::IgnoredAny>,
    }
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Flaw::Malformed("it is larger than 8 KiB"));
    }
    let [head, payload, signature] = segments(token)?;
    let bytes = URL_SAFE_NO_PAD
        .decode(head)
        .map_err(|_| Flaw::Malformed("its header is not base64url"))?;
    let head: Wire = serde_json::from_slice(&bytes)
        .map_err(|_| Flaw::Malformed("its header is not a JSON object"))?;
    let named = head.alg.ok_or(Flaw::Malformed("its header has no `alg`"))?;
    let algorithm = pinned
        .iter()
        .find(|algorithm| algorithm.name() == named)
        .ok_or(Flaw::Algorithm)?;
    // RFC 7515, section 4.1.11: an extension that must be understood and is not makes the token invalid.
    if head.crit.is_some() {
        return Err(Flaw::Malformed(
            "its header names critical extensions, and none are known",
        ));
    }
    if payload.is_empty() || signature.is_empty() {
        return Err(Flaw::Malformed("it has an empty part"));
    }
    Ok(Head {
        algorithm: *algorithm,
        typ: head.typ,
        kid: head.kid,
    })
}

/// Checks the signature, with the one algorithm that the key is good for, and reads the claims.
pub(crate) fn verify<C: DeserializeOwned>(token: &str, key: &Jwk) -> Result<C, Flaw> {
    static EDDSA: LazyLock<Validation> = LazyLock::new(|| signature_only(Algorithm::EdDsa));
    static ES256: LazyLock<Validation> = LazyLock::new(|| signature_only(Algorithm::Es256));
    static RS256: LazyLock<Validation> = LazyLock::new(|| signature_only(Algorithm::Rs256));
    let validation = match key.algorithm() {
        Algorithm::EdDsa => &EDDSA,
        Algorithm::Es256 => &ES256,
        Algorithm::Rs256 => &RS256,
    };
    match jsonwebtoken::decode(token, &key.decoding(), validation) {
        Ok(data) => Ok(data.claims),
        Err(error) if matches!(error.kind(), ErrorKind::InvalidSignature) => {
            Err(Flaw::BadSignature)
        }
        Err(error) if matches!(error.kind(), ErrorKind::InvalidAlgorithm) => Err(Flaw::Algorithm),
        Err(_) => Err(Flaw::Malformed(
            "its header, claims or signature cannot be decoded",
        )),
    }
}

/// The claims are judged by our callers, who have the clock and say more precisely what is wrong.
fn signature_only(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm.library());
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation
}

/// Reads claims that nobody vouches for, to learn whose keys to check them with.
pub(crate) fn read_claims_unverified<C: DeserializeOwned>(token: &str) -> Result<C, Flaw> {
    let [_, payload, _] = segments(token)?;
    let bytes = URL_SAFE_NO_PAD
        .decode(payload)
        .map_err(|_| Flaw::Malformed("its claims are not base64url"))?;
    serde_json::from_slice(&bytes)
        .map_err(|_| Flaw::Malformed("its claims are not a JSON object of known types"))
}

/// Signs the claims.
pub(crate) fn sign(key: &SigningKey, typ: &str, claims: &impl Serialize) -> Result<Secret, Error> {
    let mut header = Header::new(Algorithm::EdDsa.library());
    header.typ = Some(typ.to_owned());
    header.kid = Some(key.kid().to_owned());
    jsonwebtoken::encode(&header, claims, key.encoding())
        .map(Secret::new)
        .map_err(|_| Error::Crypto)
}

fn segments(token: &str) -> Result<[&str; 3], Flaw> {
    let mut parts = token.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(head), Some(payload), Some(signature), None) => Ok([head, payload, signature]),
        _ => Err(Flaw::Malformed(
            "it does not have the three parts of a signed JWT",
        )),
    }
}

/// The claims that we look at; others are ignored.
#[derive(Debug, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: Option<String>,
    pub(crate) sub: Option<String>,
    pub(crate) aud: Option<Audience>,
    pub(crate) exp: Option<NumericDate>,
    pub(crate) nbf: Option<NumericDate>,
    pub(crate) iat: Option<NumericDate>,
    pub(crate) jti: Option<String>,
    pub(crate) scope: Option<String>,
    pub(crate) act: Option<Actor>,
    pub(crate) sub_id: Option<SubjectId>,
}

/// `act`: who acts for the subject, and in it who acted before (RFC 8693, section 4.1).
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Actor {
    pub(crate) sub: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) act: Option<Box<Actor>>,
}

/// `sub_id` (RFC 9493, section 4.1): the subject with the issuer that knows it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SubjectId {
    pub(crate) format: String,
    pub(crate) iss: Option<String>,
    pub(crate) sub: Option<String>,
}

impl SubjectId {
    /// RFC 9493, section 3.2.3.
    pub(crate) const ISS_SUB: &str = "iss_sub";
}

/// When a token is good.
pub(crate) struct Period {
    pub(crate) from: SystemTime,
    /// The end with the leeway.
    pub(crate) until: SystemTime,
    pub(crate) expires_at: SystemTime,
}

/// Why it is not good now.
pub(crate) enum Untimely {
    NoEnd,
    Over,
    NotBegun,
}

/// Judges `exp`, which is required, and `nbf` and `iat` by the clock (RFC 7519, sections 4.1.4 to 4.1.6).
pub(crate) fn period(
    exp: Option<NumericDate>,
    begins: [Option<NumericDate>; 2],
    now: SystemTime,
    leeway: Duration,
) -> Result<Period, Untimely> {
    let expires_at = exp.ok_or(Untimely::NoEnd)?.time();
    // Token times are bounded (year 9999), a configured leeway is not.
    let until = expires_at.checked_add(leeway).unwrap_or(expires_at);
    if now >= until {
        return Err(Untimely::Over);
    }
    let begin = begins.into_iter().flatten().map(NumericDate::time).max();
    // Without either time it is good at any time before its end, whatever a clock shows.
    let from = begin.map_or(UNIX_EPOCH, |begin| {
        begin.checked_sub(leeway).unwrap_or(UNIX_EPOCH)
    });
    if begin.is_some() && now < from {
        return Err(Untimely::NotBegun);
    }
    Ok(Period {
        from,
        until,
        expires_at,
    })
}

/// `aud`: one name or several (RFC 7519, section 4.1.3).
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    pub(crate) fn contains(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Many(many) => many.iter().any(|one| one == name),
        }
    }

    pub(crate) fn is_only(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Many(many) => matches!(&many[..], [one] if one == name),
        }
    }
}

/// Seconds since the Unix epoch, possibly with a fraction (RFC 7519, section 2); from 1970 to 9999, so that adding
/// minutes to it cannot overflow.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "Number")]
pub(crate) struct NumericDate(Duration);

const YEAR_10000: Duration = Duration::from_secs(253_402_300_800);

#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Whole(u64),
    Fraction(f64),
}

impl TryFrom<Number> for NumericDate {
    type Error = &'static str;

    fn try_from(number: Number) -> Result<Self, Self::Error> {
        let since_epoch = match number {
            Number::Whole(seconds) => Some(Duration::from_secs(seconds)),
            Number::Fraction(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        };
        since_epoch
            .filter(|time| *time < YEAR_10000)
            .map(Self)
            .ok_or("not a time between the years 1970 and 9999")
    }
}

impl NumericDate {
    pub(crate) fn time(self) -> SystemTime {
        UNIX_EPOCH + self.0
    }
}

/// Whole seconds since the Unix epoch; a clock before 1970 counts as 1970.
pub(crate) fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

#[cfg(test)]
pub(crate) mod testing {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use aws_lc_rs::signature::Ed25519KeyPair;
    use base64::Engine as _;

    use super::{SigningKey, URL_SAFE_NO_PAD};

    /// Signs whatever it is given, however wrong.
    pub(crate) fn forge(
        key: &SigningKey,
        header: &serde_json::Value,
        claims: &serde_json::Value,
    ) -> String {
        let encode = |part: &serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let pair = Ed25519KeyPair::from_pkcs8(key.encoding().as_bytes()).unwrap();
        format!(
            "{signed}.{}",
            URL_SAFE_NO_PAD.encode(pair.sign(signed.as_bytes()))
        )
    }
}
