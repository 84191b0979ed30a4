//! Why TLS cannot be set up.

use std::io;
use std::path::{Path, PathBuf};

use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::pem;

/// What a file is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The certificate chain that is shown to peers.
    Certificate,
    /// Its private key.
    Key,
    /// The certificates of those who vouch for peers.
    Authorities,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Certificate | Self::Authorities => "certificate",
            Self::Key => "private key",
        })
    }
}

/// Why TLS cannot be set up with what the files hold. Each message names the file and says what would be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is not there, or holds no PEM of the kind.
    #[error(
        "{} holds no {part} in PEM; name a readable file with -----BEGIN {}----- in it",
        path.display(),
        part.to_string().to_uppercase()
    )]
    Pem {
        /// What it was read for.
        part: Part,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// The file holds something that is no certificate or no key of a kind that is known.
    #[error(
        "the {part} in {} cannot be used; ECDSA (P-256, P-384), Ed25519 and RSA from 2048 bits can, in X.509 version 3 \
         and PKCS #8",
        path.display()
    )]
    Unusable {
        /// What it was read for.
        part: Part,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// Certificate and key are not of one pair.
    #[error(
        "the private key in {} does not belong to the first certificate in {}; both must be of one pair",
        key.display(),
        certificate.display()
    )]
    Mismatch {
        /// The file with the key.
        key: PathBuf,
        /// The file with the certificate.
        certificate: PathBuf,
    },
    /// The certificate is no longer valid.
    #[error("the certificate in {} has expired, on {expired}; renew it", path.display())]
    Expired {
        /// The file.
        path: PathBuf,
        /// When.
        expired: String,
    },
    /// There is not one authority to trust.
    #[error(
        "there is no root certificate to trust; name a file with some, or install the system's (ca-certificates)"
    )]
    NoRoots,
    /// There is no id for the service that is to be called.
    #[error(transparent)]
    NoService(#[from] crate::NoSpiffeId),
    /// TLS cannot be set up with what was read.
    #[error("TLS cannot be set up with these certificates")]
    Setup(#[source] rustls::Error),
}

impl Error {
    /// What the file at fault was read for; `None` where no single file is.
    pub fn part(&self) -> Option<Part> {
        match self {
            Self::Pem { part, .. } | Self::Unusable { part, .. } => Some(*part),
            Self::Mismatch { .. } => Some(Part::Key),
            Self::Expired { .. } => Some(Part::Certificate),
            Self::NoRoots | Self::NoService(_) | Self::Setup(_) => None,
        }
    }

    /// The error with all of its causes, on one line.
    pub fn with_causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(&format!(": {error}"));
            cause = error.source();
        }
        text
    }

    pub(crate) fn unusable(part: Part, path: &Path, source: rustls::Error) -> Self {
        Self::Unusable {
            part,
            path: path.to_owned(),
            source,
        }
    }
}

/// Why a handshake failed. What one of our own checks says of a certificate is told in its words; rustls would show its
/// `Debug`.
pub fn describe(failed: &io::Error) -> String {
    let cause = failed
        .get_ref()
        .and_then(|cause| cause.downcast_ref::<rustls::Error>());
    match cause {
        Some(rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other))) => {
            format!("the peer's certificate was refused: {}", other.0)
        }
        _ => failed.to_string(),
    }
}
