//! A JWK as it stands in JSON, and what must hold of it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::{Jwk, Material};
use crate::keys::Error;

/// The smallest RSA modulus that RFC 7518, section 3.3 allows, and the largest that is worth checking with, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The members of a JWK that decide whether it can be used.
#[derive(Deserialize)]
pub(super) struct Wire {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    /// The private half: a set that has one has leaked it.
    d: Option<serde::de::IgnoredAny>,
}

impl Wire {
    pub(super) fn into_jwk(self) -> Result<Jwk, Error> {
        if self.usage.is_some_and(|usage| usage != "sig") {
            return Err(Error::NotAJwk("`use` must be sig"));
        }
        if self
            .key_ops
            .is_some_and(|operations| !operations.iter().any(|one| one == "verify"))
        {
            return Err(Error::NotAJwk("`key_ops` must name verify"));
        }
        if self.d.is_some() {
            return Err(Error::NotAJwk(
                "`d` is the private half and must never be published",
            ));
        }
        let member = |value: Option<String>, missing| value.ok_or(Error::NotAJwk(missing));
        let material = match (self.kty.as_str(), self.crv.as_deref()) {
            ("OKP", Some("Ed25519")) => {
                let x = member(self.x, "`x` is missing")?;
                Material::Ed25519(coordinate("x", &x)?)
            }
            ("EC", Some("P-256")) => {
                let x: [u8; 32] = coordinate("x", &member(self.x, "`x` is missing")?)?;
                let y: [u8; 32] = coordinate("y", &member(self.y, "`y` is missing")?)?;
                let mut point = Box::new([4; 65]);
                point[1..33].copy_from_slice(&x);
                point[33..].copy_from_slice(&y);
                Material::P256(point)
            }
            ("RSA", None) => rsa(
                &member(self.n, "`n` is missing")?,
                &member(self.e, "`e` is missing")?,
            )?,
            _ => {
                return Err(Error::NotAJwk(
                    "`kty` must be OKP with the `crv` Ed25519, EC with P-256, or RSA",
                ));
            }
        };
        let key = Jwk::named_by_thumbprint(material);
        // RFC 9864 names EdDSA on Ed25519 by its curve.
        if self.alg.is_some_and(|alg| {
            alg != key.algorithm().name()
                && !(alg == "Ed25519" && matches!(key.material, Material::Ed25519(_)))
        }) {
            return Err(Error::NotAJwk(
                "`alg` must be that of the key: EdDSA for Ed25519, ES256 for P-256, RS256 for RSA",
            ));
        }
        match self.kid {
            Some(kid) => Jwk::named(kid, key.material),
            None => Ok(key),
        }
    }
}

/// 32 bytes in base64url without padding.
pub(super) fn coordinate(name: &'static str, text: &str) -> Result<[u8; 32], Error> {
    let (form, length) = match name {
        "y" => (
            "`y` is not base64url without padding",
            "`y` must be 32 bytes",
        ),
        _ => (
            "`x` is not base64url without padding",
            "`x` must be 32 bytes",
        ),
    };
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| Error::NotAJwk(form))?
        .try_into()
        .map_err(|_| Error::NotAJwk(length))
}

/// RFC 7518, section 6.3.1.
fn rsa(n: &str, e: &str) -> Result<Material, Error> {
    let decode = |text, form| {
        URL_SAFE_NO_PAD
            .decode(text)
            .map(|bytes| {
                let start = bytes.iter().position(|byte| *byte != 0);
                bytes[start.unwrap_or(bytes.len())..].into()
            })
            .map_err(|_| Error::NotAJwk(form))
    };
    let n: Box<[u8]> = decode(n, "`n` is not base64url without padding")?;
    let e: Box<[u8]> = decode(e, "`e` is not base64url without padding")?;
    let bits = n
        .first()
        .map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize);
    if !RSA_BITS.contains(&bits) || n.last().is_some_and(|last| last % 2 == 0) {
        return Err(Error::NotAJwk(
            "`n` must be an RSA modulus of 2048 to 8192 bits",
        ));
    }
    // FIPS 186-5, section 5.1 wants more than 2^16; the library takes no more than 33 bits.
    let exponent = e
        .iter()
        .try_fold(0_u64, |sum, byte| {
            Some(sum.checked_mul(256)? + u64::from(*byte))
        })
        .unwrap_or(0);
    if !(65_537..1 << 33).contains(&exponent) || exponent % 2 == 0 {
        return Err(Error::NotAJwk("`e` must be odd, from 65537 to 2^33"));
    }
    Ok(Material::Rsa { n, e })
}
