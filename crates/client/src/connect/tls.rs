//! TLS and mTLS with rustls.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore, crypto::aws_lc_rs};

use super::Io;

/// Whom a channel trusts over TLS, and who it is itself where the peer asks (mTLS). Cheap to clone.
///
/// The peer must name HTTP/2 as its protocol (ALPN `h2`), as gRPC over TLS requires.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
}

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file is not there, or is no PEM of the kind.
    #[error("{} holds no {what} in PEM", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// `certificate` or `private key`.
        what: &'static str,
        /// Why.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// There is not one root certificate to trust.
    #[error(
        "there is no root certificate to trust; name a file with some, or install the system's (ca-certificates)"
    )]
    NoRoots,
    /// Certificate and key do not go together, or cannot be used.
    #[error("the certificate and its key cannot be used")]
    Identity(#[source] rustls::Error),
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field(
                "presents_certificate",
                &self.config.client_auth_cert_resolver.has_certs(),
            )
            .finish_non_exhaustive()
    }
}

impl Tls {
    /// TLS that trusts the certificates in `roots` (PEM), or those of the system where there is none, and presents
    /// `identity`, a certificate chain and its key (PEM), to a peer that asks.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn from_files(
        roots: Option<&Path>,
        identity: Option<(&Path, &Path)>,
    ) -> Result<Self, TlsError> {
        let mut store = RootCertStore::empty();
        if let Some(path) = roots {
            for certificate in certificates(path)? {
                store.add(certificate).map_err(TlsError::Identity)?;
            }
        } else {
            // A certificate of the system's that rustls cannot read is one not to trust.
            let system = rustls_native_certs::load_native_certs();
            store.add_parsable_certificates(system.certs);
        }
        if store.is_empty() {
            return Err(TlsError::NoRoots);
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Identity)?
            .with_root_certificates(store);
        let mut config = match identity {
            Some((chain, key)) => {
                let private =
                    PrivateKeyDer::from_pem_file(key).map_err(|source| TlsError::Pem {
                        path: key.to_owned(),
                        what: "private key",
                        source,
                    })?;
                builder
                    .with_client_auth_cert(certificates(chain)?, private)
                    .map_err(TlsError::Identity)?
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self {
            config: Arc::new(config),
        })
    }

    pub(super) async fn wrap(&self, io: Box<dyn Io>, server_name: &str) -> io::Result<Box<dyn Io>> {
        let name = ServerName::try_from(server_name.to_owned()).map_err(io::Error::other)?;
        let stream = TlsConnector::from(Arc::clone(&self.config))
            .connect(name, io)
            .await?;
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            Ok(Box::new(stream))
        } else {
            Err(io::Error::other(
                "the peer does not speak HTTP/2: it did not agree on ALPN h2",
            ))
        }
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |source| TlsError::Pem {
        path: path.to_owned(),
        what: "certificate",
        source,
    };
    let found = CertificateDer::pem_file_iter(path)
        .map_err(wrong)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(wrong)?;
    if found.is_empty() {
        return Err(wrong(rustls::pki_types::pem::Error::NoItemsFound));
    }
    Ok(found)
}
