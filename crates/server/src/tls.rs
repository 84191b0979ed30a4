//! TLS and mTLS with rustls: what stands between a socket and HTTP/2.

mod verify;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use scribemed_tls::{ALPN, Error, Files, IdentityFiles, Live, Material, SpiffeId, TrustDomain};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use tokio_rustls::rustls::sign::SingleCertAndKey;
use tokio_rustls::rustls::{self, InvalidMessage, ServerConfig};
use tokio_rustls::server::TlsStream;

use self::verify::OfDomain;
use crate::peer::Peer;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long, and for how many bytes, a peer that was refused is listened to.
const PARTING: Duration = Duration::from_secs(1);
const PARTING_BYTES: u64 = 64 * 1024;

/// Who must prove what, and with what the server proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsConfig {
    /// The certificate of the server and its key.
    pub identity: IdentityFiles,
    /// What callers show of themselves.
    pub clients: ClientCertificates,
}

/// What callers show of themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCertificates {
    /// Nothing: they are not asked for a certificate.
    None,
    /// A certificate, if they have one. One that is wrong ends the connection.
    Optional(ClientAuthority),
    /// A certificate. Without one there is no connection.
    Required(ClientAuthority),
}

/// Who vouches for the certificates of callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAuthority {
    /// A file with the certificates of those who do, PEM.
    pub ca: PathBuf,
    /// Where there is one, a certificate must be of a service of this trust domain,
    /// `spiffe://<trust domain>/service/<discovery name>`, and tokens that come over its connection must be that
    /// service's, too. `None`: any certificate of the authority will do, and says nothing of who calls.
    pub trust_domain: Option<TrustDomain>,
}

/// TLS of a server: versions 1.3 and 1.2, and nothing but HTTP/2 on top of it (ALPN `h2`). Cheap to clone.
///
/// The files are read again every 30 s while a server uses them: what has changed holds for new connections, and those that
/// are there go on.
///
/// A handshake may take 10 s and holds up nobody else. Sessions are not resumed: each connection proves anew who is at its
/// ends.
#[derive(Debug, Clone)]
pub struct ServerTls {
    live: Arc<Live<ServerConfig>>,
    trust_domain: Option<TrustDomain>,
}

impl ServerTls {
    /// Reads the files, and blocks for that.
    ///
    /// # Errors
    /// What is wrong with a file.
    pub fn open(config: TlsConfig) -> Result<Self, Error> {
        let TlsConfig { identity, clients } = config;
        let authority = match &clients {
            ClientCertificates::None => None,
            ClientCertificates::Optional(authority) | ClientCertificates::Required(authority) => {
                Some(authority.clone())
            }
        };
        let files = Files {
            identity: Some(identity),
            authorities: authority.as_ref().map(|authority| authority.ca.clone()),
        };
        Ok(Self {
            live: Arc::new(Live::open(files, move |material| {
                configure(material, &clients)
            })?),
            trust_domain: authority.and_then(|authority| authority.trust_domain),
        })
    }

    /// Reads the files again, now. Returns whether others are in force for new connections. Blocks.
    ///
    /// # Errors
    /// What is wrong with a file; what was in force stays.
    pub fn reload(&self) -> Result<bool, Error> {
        self.live.reload()
    }

    /// Follows the files for as long as it is polled.
    pub(crate) async fn follow(self) {
        self.live.follow().await;
    }

    /// Agrees on TLS with a peer. `None`: it could not, which was logged.
    pub(crate) async fn accept<IO>(&self, io: IO, peer: &Peer) -> Option<(TlsStream<IO>, Peer)>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let address = peer.address().map(tracing::field::display);
        let handshake = TlsAcceptor::from(self.live.current())
            .accept(io)
            .into_fallible();
        let stream = match tokio::time::timeout(HANDSHAKE, handshake).await {
            Ok(Ok(stream)) => stream,
            Ok(Err((error, io))) => {
                // rustls has told the peer, in an alert.
                refused(&error, peer);
                part(io).await;
                return None;
            }
            Err(_elapsed) => {
                tracing::debug!(peer = address, "a peer did not finish its TLS handshake");
                return None;
            }
        };
        let (_, session) = stream.get_ref();
        if session.alpn_protocol() != Some(ALPN) {
            tracing::debug!(
                peer = address,
                "a peer did not offer HTTP/2 with its TLS handshake (ALPN h2), which gRPC needs"
            );
            part(stream).await;
            return None;
        }
        let identity = self.trust_domain.as_ref().and_then(|domain| {
            let certificate = session.peer_certificates()?.first()?;
            // The handshake has ended, so the verifier has found an id.
            SpiffeId::of_certificate(certificate, domain).ok()
        });
        let peer = match identity {
            Some(identity) => peer.with_identity(identity),
            None => peer.clone(),
        };
        Some((stream, peer))
    }
}

/// Says why there is no connection. Who tries to get in with a wrong certificate is worth a line in an ordinary log; who
/// speaks something else is not.
fn refused(error: &io::Error, peer: &Peer) {
    let address = peer.address().map(tracing::field::display);
    let cause = error
        .get_ref()
        .and_then(|cause| cause.downcast_ref::<rustls::Error>());
    let error = scribemed_tls::describe(error);
    match cause {
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
            tracing::info!(
                peer = address,
                error,
                "a caller has no certificate that counts here"
            );
        }
        Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            tracing::debug!(
                peer = address,
                "a peer does not speak TLS, which this port asks for"
            );
        }
        _ => tracing::debug!(peer = address, error, "a TLS handshake failed"),
    }
}

/// Parts with a peer that gets no connection. What it has sent meanwhile is taken, or the end would be a reset, and the peer
/// would never read why.
async fn part<IO: AsyncRead + AsyncWrite + Unpin>(mut io: IO) {
    let parting = async {
        io.shutdown().await?;
        tokio::io::copy(&mut io.take(PARTING_BYTES), &mut tokio::io::sink()).await
    };
    // The peer may well be gone; the connection ends either way.
    let _ = tokio::time::timeout(PARTING, parting).await;
}

fn configure(material: &Material, clients: &ClientCertificates) -> Result<ServerConfig, Error> {
    let provider = scribemed_tls::provider();
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(Error::Setup)?;
    let verifier = || {
        let roots = material.authorities.as_ref().ok_or(Error::NoRoots)?.roots();
        Ok::<_, Error>(WebPkiClientVerifier::builder_with_provider(
            roots,
            Arc::clone(&provider),
        ))
    };
    let (verifier, authority) = match clients {
        ClientCertificates::None => (None, None),
        ClientCertificates::Optional(authority) => {
            (Some(verifier()?.allow_unauthenticated()), Some(authority))
        }
        ClientCertificates::Required(authority) => (Some(verifier()?), Some(authority)),
    };
    let builder = match verifier {
        None => builder.with_no_client_auth(),
        Some(verifier) => {
            let verifier = verifier
                .build()
                .map_err(|error| Error::Setup(rustls::Error::General(error.to_string())))?;
            builder.with_client_cert_verifier(
                match authority.and_then(|authority| authority.trust_domain.clone()) {
                    Some(domain) => Arc::new(OfDomain::new(verifier, domain)),
                    None => verifier,
                },
            )
        }
    };
    let identity = material
        .identity
        .as_ref()
        .ok_or(Error::Setup(rustls::Error::NoCertificatesPresented))?;
    let resolver = SingleCertAndKey::from(identity.certified());
    let mut config = builder.with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}
