//! TLS and mTLS with rustls.

mod verify;

use std::io;
use std::path::Path;
use std::sync::Arc;

use scribemed_tls::{ALPN, Files, IdentityFiles, Live, Material, SpiffeId};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::sign::SingleCertAndKey;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use self::verify::OfService;
use super::Io;

/// Why TLS cannot be set up.
pub use scribemed_tls::Error as TlsError;

/// Whom a channel trusts over TLS, and who it is itself where the peer asks (mTLS). Cheap to clone.
///
/// The peer must name HTTP/2 as its protocol (ALPN `h2`), as gRPC over TLS requires. The files are read again every 30 s
/// while a channel uses them: what has changed holds for new connections, and those that are there go on.
#[derive(Clone)]
pub struct Tls {
    live: Arc<Live<ClientConfig>>,
    presents: bool,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("presents_certificate", &self.presents)
            .finish_non_exhaustive()
    }
}

impl Tls {
    /// TLS that trusts the certificates in `roots` (PEM), or those of the system where there is none, and presents
    /// `identity`, a certificate chain and its key (PEM), to a peer that asks. The peer's certificate must be for the name
    /// that the target has. Reads the files, and blocks for that.
    ///
    /// # Errors
    /// What is wrong with a file.
    pub fn from_files(
        roots: Option<&Path>,
        identity: Option<(&Path, &Path)>,
    ) -> Result<Self, TlsError> {
        Self::open(roots, identity, None)
    }

    /// As [`from_files`](Self::from_files), but the peer's certificate must be that of a service, whatever the name or
    /// address it was reached by: exactly one URI among its alternative names, and that is `id` (X509-SVID).
    ///
    /// # Errors
    /// As for [`from_files`](Self::from_files).
    pub fn for_service(
        id: SpiffeId,
        roots: Option<&Path>,
        identity: Option<(&Path, &Path)>,
    ) -> Result<Self, TlsError> {
        Self::open(roots, identity, Some(id))
    }

    fn open(
        roots: Option<&Path>,
        identity: Option<(&Path, &Path)>,
        id: Option<SpiffeId>,
    ) -> Result<Self, TlsError> {
        let files = Files {
            identity: identity.map(|(certificate, key)| IdentityFiles {
                certificate: certificate.to_owned(),
                key: key.to_owned(),
            }),
            authorities: roots.map(Path::to_owned),
        };
        Ok(Self {
            live: Arc::new(Live::open(files, move |material| {
                configure(material, id.as_ref())
            })?),
            presents: identity.is_some(),
        })
    }

    /// Reads the files again, now. Returns whether others are in force for new connections. Blocks.
    ///
    /// # Errors
    /// What is wrong with a file; what was in force stays.
    pub fn reload(&self) -> Result<bool, TlsError> {
        self.live.reload()
    }

    /// Follows the files for as long as it is polled.
    pub(crate) async fn follow(self) {
        self.live.follow().await;
    }

    pub(super) async fn wrap(&self, io: Box<dyn Io>, server_name: &str) -> io::Result<Box<dyn Io>> {
        let name = ServerName::try_from(server_name.to_owned()).map_err(io::Error::other)?;
        let stream = TlsConnector::from(self.live.current())
            .connect(name, io)
            .await
            .map_err(|error| io::Error::other(scribemed_tls::describe(&error)))?;
        if stream.get_ref().1.alpn_protocol() == Some(ALPN) {
            Ok(Box::new(stream))
        } else {
            Err(io::Error::other(
                "the peer does not speak HTTP/2: it did not agree on ALPN h2",
            ))
        }
    }
}

fn configure(material: &Material, id: Option<&SpiffeId>) -> Result<ClientConfig, TlsError> {
    let roots = match &material.authorities {
        Some(authorities) => authorities.roots(),
        None => system_roots()?,
    };
    let builder = ClientConfig::builder_with_provider(scribemed_tls::provider())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?;
    let builder = match id {
        Some(id) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(OfService::new(roots, id.clone()))),
        None => builder.with_root_certificates(roots),
    };
    let mut config = match &material.identity {
        Some(identity) => builder
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified()))),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![ALPN.to_vec()];
    // Connections are few and live long. Each of them proves anew who is at its ends.
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn system_roots() -> Result<Arc<RootCertStore>, TlsError> {
    let mut store = RootCertStore::empty();
    // A certificate of the system's that rustls cannot read is one not to trust.
    let system = rustls_native_certs::load_native_certs();
    store.add_parsable_certificates(system.certs);
    if store.is_empty() {
        return Err(TlsError::NoRoots);
    }
    Ok(Arc::new(store))
}
