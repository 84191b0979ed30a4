//! Checking that a peer is the service that is called.

use std::sync::Arc;

use scribemed_tls::{NoSpiffeId, SpiffeId, TrustDomain};
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::client::verify_server_cert_signed_by_trust_anchor;
use tokio_rustls::rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

/// Verifies that somebody who is trusted vouches for the peer's certificate, and that it is of one service. The name by which
/// the peer was reached says nothing then: addresses move between services, and ids do not.
#[derive(Debug)]
pub(super) struct OfService {
    roots: Arc<RootCertStore>,
    id: SpiffeId,
    domain: TrustDomain,
    algorithms: WebPkiSupportedAlgorithms,
}

/// The peer is somebody else.
#[derive(Debug, thiserror::Error)]
enum Stranger {
    #[error(transparent)]
    NoId(#[from] NoSpiffeId),
    #[error("the certificate is of {found}, and {called} is called")]
    Other { found: SpiffeId, called: SpiffeId },
}

impl OfService {
    pub(super) fn new(roots: Arc<RootCertStore>, id: SpiffeId) -> Self {
        Self {
            roots,
            domain: id.trust_domain(),
            id,
            algorithms: scribemed_tls::provider().signature_verification_algorithms,
        }
    }

    fn is_of_service(&self, certificate: &CertificateDer<'_>) -> Result<(), Stranger> {
        let found = SpiffeId::of_certificate(certificate, &self.domain)?;
        if found == self.id {
            return Ok(());
        }
        let called = self.id.clone();
        Err(Stranger::Other { found, called })
    }
}

impl ServerCertVerifier for OfService {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(end_entity)?,
            &self.roots,
            intermediates,
            now,
            self.algorithms.all,
        )?;
        self.is_of_service(end_entity)
            .map_err(|stranger| CertificateError::Other(OtherError(Arc::new(stranger))))?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
