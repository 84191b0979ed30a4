//! Keys of an OpenID provider, which sign whatever they are given.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub(super) enum Signer {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl Signer {
    pub(super) fn ed25519() -> Self {
        Self::Ed25519(Ed25519KeyPair::generate().unwrap())
    }

    pub(super) fn p256() -> Self {
        Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(super) fn rsa() -> Self {
        let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        // Read back, as a provider would read its key.
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&key).unwrap();
        Self::Rsa(RsaKeyPair::from_pkcs8(der.as_ref()).unwrap())
    }

    /// The public half, in the form of its library.
    pub(super) fn public(&self) -> Vec<u8> {
        match self {
            Self::Ed25519(key) => key.public_key().as_ref().to_vec(),
            Self::P256(key) => key.public_key().as_ref().to_vec(),
            Self::Rsa(key) => key.public_key().as_ref().to_vec(),
        }
    }

    pub(super) fn kid(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "ed",
            Self::P256(_) => "ec",
            Self::Rsa(_) => "rsa",
        }
    }

    pub(super) fn header(&self) -> Value {
        let alg = match self {
            Self::Ed25519(_) => "EdDSA",
            Self::P256(_) => "ES256",
            Self::Rsa(_) => "RS256",
        };
        json!({"alg": alg, "kid": self.kid()})
    }

    pub(super) fn jwk(&self) -> Value {
        let (public, encode) = (self.public(), |part: &[u8]| URL_SAFE_NO_PAD.encode(part));
        let mut jwk = match self {
            Self::Ed25519(_) => json!({"kty": "OKP", "crv": "Ed25519", "x": encode(&public)}),
            Self::P256(_) => json!({
                "kty": "EC", "crv": "P-256", "x": encode(&public[1..33]), "y": encode(&public[33..]),
            }),
            Self::Rsa(_) => {
                // PKCS#1 in DER ends with the modulus, a tag, a length and the 3 bytes of the exponent.
                let n = &public[public.len() - 5 - 256..public.len() - 5];
                json!({"kty": "RSA", "n": encode(n), "e": "AQAB", "alg": "RS256", "x5c": ["AAAA"]})
            }
        };
        jwk["kid"] = self.kid().into();
        jwk["use"] = "sig".into();
        jwk
    }

    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let (message, random) = (signed.as_bytes(), SystemRandom::new());
        let signature = match self {
            Self::Ed25519(key) => key.sign(message).as_ref().to_vec(),
            Self::P256(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .unwrap();
                signature
            }
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}
