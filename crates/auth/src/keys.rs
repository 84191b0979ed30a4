//! Keys: our own private ones, Ed25519 in a file, and public ones as JWKs (RFC 7517), also those of other issuers.

mod algorithm;
mod file;
mod jwk;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use jsonwebtoken::EncodingKey;

pub(crate) use self::algorithm::list;
pub use self::algorithm::{Algorithm, UnknownAlgorithm};
pub use self::jwk::{Jwk, KeySet, MAX_KEYS, MAX_SET_BYTES};

/// The label of a PKCS#8 private key in PEM (RFC 7468, section 10).
const PEM_LABEL: &str = "PRIVATE KEY";

/// A private Ed25519 key with the public half that belongs to it.
///
/// On disk it is an unencrypted PKCS#8 v1 PEM file, which `openssl pkey` reads and writes too.
#[derive(Clone)]
pub struct SigningKey {
    /// The PKCS#8 document; wiped from memory when it is dropped.
    encoding: EncodingKey,
    public: Jwk,
}

impl SigningKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// [`Error::Crypto`] when the system has no randomness to give.
    pub fn generate() -> Result<Self, Error> {
        let pair = Ed25519KeyPair::generate().map_err(|_| Error::Crypto)?;
        let document = pair.to_pkcs8v1().map_err(|_| Error::Crypto)?;
        Self::from_pkcs8(document.as_ref())
    }

    /// Reads a PKCS#8 PEM document.
    ///
    /// # Errors
    /// [`Error::NotAKey`] when it is anything else than one Ed25519 private key.
    pub fn from_pem(text: &str) -> Result<Self, Error> {
        let document = pem::parse(text).map_err(|_| Error::NotAKey("it is not a PEM document"))?;
        if document.tag() != PEM_LABEL {
            return Err(Error::NotAKey("its PEM label is not PRIVATE KEY"));
        }
        Self::from_pkcs8(document.contents())
    }

    /// Reads the key in this file.
    ///
    /// Blocks; so do [`save`](Self::save), [`create`](Self::create) and [`load_or_create`](Self::load_or_create).
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read, [`Error::Exposed`] when its group or others have any access to it
    /// (Unix), [`Error::NotAKeyFile`] when it holds something else.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = file::read(path)?;
        match Self::from_pem(&text) {
            Err(Error::NotAKey(why)) => Err(Error::NotAKeyFile {
                path: path.into(),
                why,
            }),
            read => read,
        }
    }

    /// Writes the key into a new file that only its owner can read (mode 0600).
    ///
    /// The file appears whole or not at all, and is on disk when this returns.
    ///
    /// # Errors
    /// [`Error::Io`]; a file that exists is never overwritten ([`io::ErrorKind::AlreadyExists`]).
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let document = pem::Pem::new(PEM_LABEL, self.encoding.as_bytes());
        let text = pem::encode_config(
            &document,
            pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
        );
        file::write_new(path, &text)
    }

    /// Makes a new key and saves it.
    ///
    /// # Errors
    /// Those of [`generate`](Self::generate) and [`save`](Self::save).
    pub fn create(path: &Path) -> Result<Self, Error> {
        let key = Self::generate()?;
        key.save(path)?;
        Ok(key)
    }

    /// Reads the key in this file, or makes it when there is no such file. When several processes do so at once, they
    /// all end with the same key.
    ///
    /// # Errors
    /// Those of [`load`](Self::load) and [`create`](Self::create).
    pub fn load_or_create(path: &Path) -> Result<Self, Error> {
        match Self::load(path) {
            Err(error) if error.is_io(io::ErrorKind::NotFound) => match Self::create(path) {
                Err(error) if error.is_io(io::ErrorKind::AlreadyExists) => Self::load(path),
                created => created,
            },
            loaded => loaded,
        }
    }

    /// The key's name: the RFC 7638 thumbprint of its public half.
    pub fn kid(&self) -> &str {
        self.public.kid()
    }

    /// The public half, to be published.
    pub fn public(&self) -> &Jwk {
        &self.public
    }

    pub(crate) fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }

    fn from_pkcs8(document: &[u8]) -> Result<Self, Error> {
        let pair = Ed25519KeyPair::from_pkcs8(document)
            .map_err(|_| Error::NotAKey("it does not hold an Ed25519 private key"))?;
        // Written anew, so that a v2 document (with the public half inside) is saved as the v1 that all tools read.
        let document = pair.to_pkcs8v1().map_err(|_| Error::Crypto)?;
        let public = Jwk::from_public_key(pair.public_key().as_ref())?;
        Ok(Self {
            encoding: EncodingKey::from_ed_der(document.as_ref()),
            public,
        })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid())
            .finish_non_exhaustive()
    }
}

/// What can be wrong with a key, a key file or a key set.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key file cannot be read or written.
    #[error("the key file {} cannot be used", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The key file's mode lets somebody else than its owner at it.
    #[error(
        "the key file {path} is open to others (mode {mode:04o}): a private key wants mode 0600, run `chmod 600 {path}` \
         and replace the key if it may have been read",
        path = path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key file holds something else.
    #[error("the key file {} is not an Ed25519 key in PKCS#8 PEM: {why}", path.display())]
    NotAKeyFile {
        /// The file.
        path: PathBuf,
        /// What it is not.
        why: &'static str,
    },
    /// The text is no private key.
    #[error("not an Ed25519 key in PKCS#8 PEM: {0}")]
    NotAKey(&'static str),
    /// The JWK is no public key for signatures.
    #[error("not a public key for signatures as JWK (RFC 7517): {0}")]
    NotAJwk(&'static str),
    /// The text is no key set.
    #[error("not a JSON Web Key Set (RFC 7517): {0}")]
    NotAKeySet(&'static str),
    /// The cryptographic library failed, which it does when the system has no randomness.
    #[error("the cryptographic library failed")]
    Crypto,
}

impl Error {
    fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.into(),
            source,
        }
    }

    fn is_io(&self, kind: io::ErrorKind) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == kind)
    }
}

#[cfg(test)]
mod tests;
