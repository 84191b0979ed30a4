//! Who signs certificates, and the files that hold them.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};
use scribemed_client::Tls;
use scribemed_server::{
    ClientAuthority, ClientCertificates, IdentityFiles, ServerTls, SpiffeId, TlsConfig, TrustDomain,
};
use tempfile::TempDir;

/// An authority with a folder of its own.
pub(crate) struct Authority {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap();
        let authority = Self {
            folder: tempfile::tempdir().unwrap(),
            issuer: Issuer::new(params, key),
        };
        authority.write("ca.pem", "CERTIFICATE", root.der());
        authority
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.file("ca.pem")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, what: &str, content: &[u8]) {
        let pem = pem::encode(&pem::Pem::new(what, content));
        std::fs::write(self.file(name), pem).unwrap();
    }

    /// A certificate for this machine with these URIs, in files named after `file`. Signing again replaces them.
    pub(crate) fn sign(&self, file: &str, uris: &[&str]) -> IdentityFiles {
        let key = KeyPair::generate().unwrap();
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let mut params = CertificateParams::new(names).unwrap();
        params.subject_alt_names.extend(
            uris.iter()
                .map(|uri| SanType::URI((*uri).try_into().unwrap())),
        );
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let files = IdentityFiles {
            certificate: self.file(&format!("{file}.pem")),
            key: self.file(&format!("{file}.key")),
        };
        self.write(&format!("{file}.pem"), "CERTIFICATE", certificate.der());
        self.write(&format!("{file}.key"), "PRIVATE KEY", &key.serialize_der());
        files
    }

    /// The certificate of a service.
    pub(crate) fn service(&self, name: &str) -> IdentityFiles {
        self.sign(name, &[id(name).as_str()])
    }

    /// A server that asks its callers for certificates of this authority.
    pub(crate) fn server(&self, require: bool) -> ServerTls {
        let authority = ClientAuthority {
            ca: self.ca(),
            trust_domain: Some(domain()),
        };
        let clients = if require {
            ClientCertificates::Required(authority)
        } else {
            ClientCertificates::Optional(authority)
        };
        let identity = self.service("greeter");
        ServerTls::open(TlsConfig { identity, clients }).unwrap()
    }

    /// A client that calls `service` of this authority, and shows `identity`.
    pub(crate) fn client(&self, service: &str, identity: Option<&IdentityFiles>) -> Tls {
        let identity = identity.map(|files| (&*files.certificate, &*files.key));
        Tls::for_service(id(service), Some(&self.ca()), identity).unwrap()
    }
}

pub(crate) fn domain() -> TrustDomain {
    "greeter.example".parse().unwrap()
}

pub(crate) fn id(service: &str) -> SpiffeId {
    domain().service(service).unwrap()
}

/// As a command line takes it.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
