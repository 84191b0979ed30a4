//! Public keys as JSON Web Keys: RFC 7517 (JWK), RFC 7518, section 6 (EC, RSA), RFC 8037 (OKP, Ed25519), RFC 7638
//! (thumbprint).

mod set;
mod wire;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;

pub use self::set::{KeySet, MAX_KEYS, MAX_SET_BYTES};
use self::wire::Wire;
use super::{Algorithm, Error};

/// The longest `kid`, in bytes.
const MAX_KID: usize = 128;

/// A public key and its name.
///
/// Our own keys are Ed25519. Other issuers may have keys on P-256, or RSA keys of 2048 to 8192 bits. A key is good for one
/// [`Algorithm`] and never tried with another, whatever a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwk {
    kid: String,
    material: Material,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    Ed25519([u8; 32]),
    /// The uncompressed point: 4, then both coordinates (SEC 1, section 2.3.3).
    P256(Box<[u8; 65]>),
    /// Big-endian, without leading zeros.
    Rsa {
        n: Box<[u8]>,
        e: Box<[u8]>,
    },
}

impl Jwk {
    /// An Ed25519 key under a given name; `x` is the public key in base64url without padding.
    ///
    /// # Errors
    /// [`Error::NotAJwk`] when `x` is not 32 bytes, or the name is empty or longer than 128 bytes.
    pub fn from_parts(kid: impl Into<String>, x: &str) -> Result<Self, Error> {
        Self::named(kid.into(), Material::Ed25519(wire::coordinate("x", x)?))
    }

    /// An Ed25519 key under its own thumbprint.
    ///
    /// # Errors
    /// [`Error::NotAJwk`] when `x` is not 32 bytes in base64url.
    pub fn from_x(x: &str) -> Result<Self, Error> {
        let material = Material::Ed25519(wire::coordinate("x", x)?);
        Ok(Self::named_by_thumbprint(material))
    }

    /// Reads one JWK; a `kid` that is absent becomes the thumbprint.
    ///
    /// # Errors
    /// [`Error::NotAJwk`] when it is not a key for signatures: OKP on Ed25519, EC on P-256, or RSA from 2048 bits on.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let wire: Wire = serde_json::from_str(text)
            .map_err(|_| Error::NotAJwk("it is not a JSON object of a key"))?;
        wire.into_jwk()
    }

    /// The JSON form, with `use` and `alg`.
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }

    /// The key's name.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The one algorithm that the key is good for.
    pub fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Ed25519(_) => Algorithm::EdDsa,
            Material::P256(_) => Algorithm::Es256,
            Material::Rsa { .. } => Algorithm::Rs256,
        }
    }

    /// The member `x`: an Ed25519 key in base64url without padding, the first coordinate of one on P-256, and empty for an
    /// RSA key, which has none.
    pub fn x(&self) -> String {
        match &self.material {
            Material::Ed25519(x) => encode(x),
            Material::P256(point) => encode(&point[1..33]),
            Material::Rsa { .. } => String::new(),
        }
    }

    /// The SHA-256 thumbprint in base64url (RFC 7638, section 3; RFC 8037, section 2).
    pub fn thumbprint(&self) -> String {
        // The required members, in lexicographic order, without white space.
        let canonical = match &self.material {
            Material::Ed25519(x) => {
                format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(x))
            }
            Material::P256(point) => format!(
                r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
                encode(&point[1..33]),
                encode(&point[33..])
            ),
            Material::Rsa { n, e } => {
                format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(e), encode(n))
            }
        };
        encode(digest(&SHA256, canonical.as_bytes()).as_ref())
    }

    pub(super) fn from_public_key(key: &[u8]) -> Result<Self, Error> {
        let x = key
            .try_into()
            .map_err(|_| Error::NotAJwk("an Ed25519 key has 32 bytes"))?;
        Ok(Self::named_by_thumbprint(Material::Ed25519(x)))
    }

    pub(crate) fn decoding(&self) -> DecodingKey {
        match &self.material {
            Material::Ed25519(x) => DecodingKey::from_ed_der(x),
            Material::P256(point) => DecodingKey::from_ec_der(&point[..]),
            Material::Rsa { n, e } => DecodingKey::from_rsa_raw_components(n, e),
        }
    }

    fn named(kid: String, material: Material) -> Result<Self, Error> {
        if kid.is_empty() || kid.len() > MAX_KID {
            return Err(Error::NotAJwk("`kid` must have 1 to 128 bytes"));
        }
        Ok(Self { kid, material })
    }

    fn named_by_thumbprint(material: Material) -> Self {
        let mut key = Self {
            kid: String::new(),
            material,
        };
        key.kid = key.thumbprint();
        key
    }

    fn to_value(&self) -> serde_json::Value {
        let mut value = match &self.material {
            Material::Ed25519(x) => {
                serde_json::json!({"kty": "OKP", "crv": "Ed25519", "x": encode(x)})
            }
            Material::P256(point) => serde_json::json!({
                "kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..]),
            }),
            Material::Rsa { n, e } => {
                serde_json::json!({"kty": "RSA", "n": encode(n), "e": encode(e)})
            }
        };
        value["kid"] = self.kid.as_str().into();
        value["use"] = "sig".into();
        value["alg"] = self.algorithm().name().into();
        value
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
