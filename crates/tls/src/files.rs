//! Certificates and keys in files.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, InconsistentKeys, RootCertStore};

use crate::error::{Error, Part};

/// A certificate and its key, as files in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityFiles {
    /// The certificate, followed by those that vouch for it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// The files of one side of TLS, all in PEM.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Files {
    /// What this side shows of itself.
    pub identity: Option<IdentityFiles>,
    /// Those who vouch for peers.
    pub authorities: Option<PathBuf>,
}

/// What the [`Files`] hold, read and checked at one time.
#[derive(Debug, PartialEq)]
pub struct Material {
    /// What this side shows of itself.
    pub identity: Option<Identity>,
    /// Those who vouch for peers.
    pub authorities: Option<Authorities>,
}

/// A certificate chain with its key, which belong together.
#[derive(Clone)]
pub struct Identity {
    key: Arc<PrivateKeyDer<'static>>,
    certified: Arc<CertifiedKey>,
    not_before: i64,
    not_after: i64,
}

/// Those who vouch for peers: one at least.
#[derive(Debug, Clone)]
pub struct Authorities {
    certificates: Vec<CertificateDer<'static>>,
    roots: Arc<RootCertStore>,
}

impl Files {
    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.identity.is_none() && self.authorities.is_none()
    }

    /// Reads the files, all anew. Blocks.
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub fn read(&self) -> Result<Material, Error> {
        Ok(Material {
            identity: self.identity.as_ref().map(Identity::read).transpose()?,
            authorities: self
                .authorities
                .as_deref()
                .map(Authorities::read)
                .transpose()?,
        })
    }
}

impl Identity {
    fn read(files: &IdentityFiles) -> Result<Self, Error> {
        let chain = certificates(&files.certificate, Part::Certificate)?;
        let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|source| Error::Pem {
            part: Part::Key,
            path: files.key.clone(),
            source,
        })?;
        let (not_before, not_after) = validity(&chain, &files.certificate)?;
        let signing = crate::provider()
            .key_provider
            .load_private_key(key.clone_key())
            .map_err(|source| Error::unusable(Part::Key, &files.key, source))?;
        let certified = CertifiedKey::new(chain, signing);
        match certified.keys_match() {
            // A key that does not tell its public half shows in the handshake.
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
            Err(rustls::Error::InconsistentKeys(_)) => {
                return Err(Error::Mismatch {
                    key: files.key.clone(),
                    certificate: files.certificate.clone(),
                });
            }
            Err(source) => {
                return Err(Error::unusable(
                    Part::Certificate,
                    &files.certificate,
                    source,
                ));
            }
        }
        Ok(Self {
            key: Arc::new(key),
            certified: Arc::new(certified),
            not_before,
            not_after,
        })
    }

    /// As rustls takes it.
    pub fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.certified)
    }

    /// Whether less than a tenth of the time that the certificate is valid for is left: it should have been renewed by now.
    pub(crate) fn is_due(&self, now: SystemTime) -> bool {
        self.not_after - unix(now) < (self.not_after - self.not_before) / 10
    }

    /// How long the certificate is still valid. Zero: no longer.
    pub(crate) fn left(&self, now: SystemTime) -> Duration {
        Duration::from_secs(u64::try_from(self.not_after - unix(now)).unwrap_or(0))
    }
}

/// The same certificates and the same key.
impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.certified.cert == other.certified.cert && self.key == other.key
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("certificates", &self.certified.cert.len())
            .finish_non_exhaustive()
    }
}

impl Authorities {
    fn read(path: &Path) -> Result<Self, Error> {
        let certificates = certificates(path, Part::Authorities)?;
        let mut roots = RootCertStore::empty();
        for certificate in &certificates {
            roots
                .add(certificate.clone())
                .map_err(|source| Error::unusable(Part::Authorities, path, source))?;
        }
        Ok(Self {
            certificates,
            roots: Arc::new(roots),
        })
    }

    /// As rustls takes them.
    pub fn roots(&self) -> Arc<RootCertStore> {
        Arc::clone(&self.roots)
    }
}

/// The same certificates in the same order.
impl PartialEq for Authorities {
    fn eq(&self, other: &Self) -> bool {
        self.certificates == other.certificates
    }
}

fn certificates(path: &Path, part: Part) -> Result<Vec<CertificateDer<'static>>, Error> {
    let wrong = |source| Error::Pem {
        part,
        path: path.to_owned(),
        source,
    };
    let found = CertificateDer::pem_file_iter(path)
        .map_err(wrong)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(wrong)?;
    if found.is_empty() {
        return Err(wrong(pem::Error::NoItemsFound));
    }
    Ok(found)
}

/// From when until when the first certificate is valid, in seconds since 1970.
fn validity(chain: &[CertificateDer<'_>], path: &Path) -> Result<(i64, i64), Error> {
    let malformed = || {
        let error = rustls::CertificateError::BadEncoding.into();
        Error::unusable(Part::Certificate, path, error)
    };
    let first = chain.first().ok_or_else(malformed)?;
    let (_, certificate) =
        x509_parser::parse_x509_certificate(first).map_err(|_error| malformed())?;
    let validity = certificate.validity();
    let not_after = validity.not_after.timestamp();
    if not_after <= unix(SystemTime::now()) {
        return Err(Error::Expired {
            path: path.to_owned(),
            expired: validity.not_after.to_string(),
        });
    }
    Ok((validity.not_before.timestamp(), not_after))
}

fn unix(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_secs()).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests;
