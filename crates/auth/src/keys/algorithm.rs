//! Which signatures there are, and nothing else: no `none`, no shared secrets.

use std::fmt;
use std::str::FromStr;

/// A signature algorithm of JWS that an issuer can be pinned to (RFC 7518, section 3.1; RFC 8037, section 3.1).
///
/// All are made with a private key and checked with a public one. Those that share a secret (`HS256` and its like) and
/// `none` have no name here, so nothing can be configured to accept them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// `EdDSA` with Ed25519: what our own auth service signs with, and the only one that is accepted from it.
    EdDsa,
    /// `ES256`: ECDSA on P-256 with SHA-256.
    Es256,
    /// `RS256`: RSASSA-PKCS1-v1_5 with SHA-256, keys of 2048 to 8192 bits.
    Rs256,
}

impl Algorithm {
    /// All of them, in the order in which they are preferred.
    pub const ALL: [Self; 3] = [Self::EdDsa, Self::Es256, Self::Rs256];

    /// The value of `alg`.
    pub fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    pub(crate) fn library(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
            .ok_or(UnknownAlgorithm(()))
    }
}

/// A name that is none of an [`Algorithm`]. The case counts (RFC 7515, section 4.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signature algorithm is EdDSA, ES256 or RS256")]
pub struct UnknownAlgorithm(());

/// `EdDSA`, or `ES256 or RS256`: for messages.
pub(crate) fn list(algorithms: &[Algorithm]) -> String {
    let names: Vec<_> = algorithms.iter().map(|one| one.name()).collect();
    names.join(" or ")
}
