//! Public keys as JSON Web Keys: RFC 7517 (JWK, JWK Set), RFC 8037 (OKP, Ed25519), RFC 7638 (thumbprint).

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde::Deserialize;

use super::Error;

/// The most keys in one set.
pub const MAX_KEYS: usize = 64;

/// The longest `kid`, in bytes.
const MAX_KID: usize = 128;

/// A key set's largest JSON form, in bytes.
const MAX_SET_BYTES: usize = 64 * 1024;

const KEY_TYPE: &str = "OKP";
const CURVE: &str = "Ed25519";

/// A public Ed25519 key and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwk {
    kid: String,
    x: [u8; 32],
}

impl Jwk {
    /// A key under a given name; `x` is the public key in base64url without padding.
    ///
    /// # Errors
    /// [`Error::NotAJwk`] when `x` is not 32 bytes, or the name is empty or longer than 128 bytes.
    pub fn from_parts(kid: impl Into<String>, x: &str) -> Result<Self, Error> {
        let kid = kid.into();
        if kid.is_empty() || kid.len() > MAX_KID {
            return Err(Error::NotAJwk("`kid` must have 1 to 128 bytes"));
        }
        Ok(Self { kid, x: decode(x)? })
    }

    /// A key under its own thumbprint.
    ///
    /// # Errors
    /// [`Error::NotAJwk`] when `x` is not 32 bytes in base64url.
    pub fn from_x(x: &str) -> Result<Self, Error> {
        Ok(Self::named_by_thumbprint(decode(x)?))
    }

    /// Reads one JWK; a `kid` that is absent becomes the thumbprint.
    ///
    /// # Errors
    /// [`Error::NotAJwk`] when it is not an OKP key on Ed25519 for signatures.
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

    /// The public key in base64url without padding.
    pub fn x(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.x)
    }

    /// The SHA-256 thumbprint in base64url (RFC 7638, section 3; RFC 8037, section 2).
    pub fn thumbprint(&self) -> String {
        // The required members, in lexicographic order, without white space.
        let canonical = format!(
            r#"{{"crv":"{CURVE}","kty":"{KEY_TYPE}","x":"{}"}}"#,
            self.x()
        );
        URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()))
    }

    pub(super) fn from_public_key(key: &[u8]) -> Result<Self, Error> {
        let x = key
            .try_into()
            .map_err(|_| Error::NotAJwk("an Ed25519 key has 32 bytes"))?;
        Ok(Self::named_by_thumbprint(x))
    }

    pub(crate) fn decoding(&self) -> DecodingKey {
        DecodingKey::from_ed_der(&self.x)
    }

    fn named_by_thumbprint(x: [u8; 32]) -> Self {
        let mut key = Self {
            kid: String::new(),
            x,
        };
        key.kid = key.thumbprint();
        key
    }

    fn to_value(&self) -> serde_json::Value {
        serde_json::json!({
            "kty": KEY_TYPE, "crv": CURVE, "x": self.x(), "kid": self.kid, "use": "sig", "alg": "EdDSA",
        })
    }
}

fn decode(x: &str) -> Result<[u8; 32], Error> {
    let bytes = URL_SAFE_NO_PAD
        .decode(x)
        .map_err(|_| Error::NotAJwk("`x` is not base64url without padding"))?;
    bytes
        .try_into()
        .map_err(|_| Error::NotAJwk("`x` must be 32 bytes"))
}

/// Public keys by name, as published in a JSON Web Key Set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeySet {
    keys: Vec<Jwk>,
}

impl KeySet {
    /// A set of these keys; a key that is given twice counts once.
    ///
    /// # Errors
    /// [`Error::NotAKeySet`] for more than [`MAX_KEYS`] keys, or two different keys under one name.
    pub fn new(keys: impl IntoIterator<Item = Jwk>) -> Result<Self, Error> {
        let mut set = Self::default();
        for key in keys {
            match set.get(key.kid()) {
                Some(known) if *known == key => {}
                Some(_) => return Err(Error::NotAKeySet("two different keys have the same `kid`")),
                None if set.keys.len() == MAX_KEYS => {
                    return Err(Error::NotAKeySet("it has more than 64 keys"));
                }
                None => set.keys.push(key),
            }
        }
        Ok(set)
    }

    /// Reads a JWK Set. Keys that are not Ed25519 signature keys are skipped, as RFC 7517, section 5 wants it.
    ///
    /// # Errors
    /// [`Error::NotAKeySet`] when it is not JSON with `keys`, larger than 64 KiB, or as for [`new`](Self::new).
    pub fn from_json(text: &str) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct WireSet {
            keys: Vec<serde_json::Value>,
        }
        if text.len() > MAX_SET_BYTES {
            return Err(Error::NotAKeySet("it is larger than 64 KiB"));
        }
        let set: WireSet = serde_json::from_str(text)
            .map_err(|_| Error::NotAKeySet("it is not a JSON object with `keys`"))?;
        let usable = set
            .keys
            .into_iter()
            .filter_map(|key| serde_json::from_value::<Wire>(key).ok()?.into_jwk().ok());
        Self::new(usable)
    }

    /// The JSON form.
    pub fn to_json(&self) -> String {
        let keys: Vec<_> = self.keys.iter().map(Jwk::to_value).collect();
        serde_json::json!({ "keys": keys }).to_string()
    }

    /// The key of this name.
    pub fn get(&self, kid: &str) -> Option<&Jwk> {
        self.keys.iter().find(|key| key.kid == kid)
    }

    /// All keys, in the order in which they were given.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Jwk> {
        self.keys.iter()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no key at all.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// The members of a JWK that decide whether it is ours.
#[derive(Deserialize)]
struct Wire {
    kty: String,
    crv: Option<String>,
    x: Option<String>,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    /// The private half: a set that has one has leaked it.
    d: Option<serde::de::IgnoredAny>,
}

impl Wire {
    fn into_jwk(self) -> Result<Jwk, Error> {
        if self.kty != KEY_TYPE || self.crv.as_deref() != Some(CURVE) {
            return Err(Error::NotAJwk(
                "`kty` must be OKP and `crv` must be Ed25519",
            ));
        }
        if self.usage.is_some_and(|usage| usage != "sig") {
            return Err(Error::NotAJwk("`use` must be sig"));
        }
        // RFC 9864 names the same algorithm Ed25519.
        if self.alg.is_some_and(|alg| alg != "EdDSA" && alg != CURVE) {
            return Err(Error::NotAJwk("`alg` must be EdDSA"));
        }
        if self.d.is_some() {
            return Err(Error::NotAJwk(
                "`d` is the private half and must never be published",
            ));
        }
        let x = self.x.ok_or(Error::NotAJwk("`x` is missing"))?;
        match self.kid {
            Some(kid) => Jwk::from_parts(kid, &x),
            None => Jwk::from_x(&x),
        }
    }
}
