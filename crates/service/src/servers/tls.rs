//! TLS of a server, from the environment.

use scribemed_server::{
    ClientAuthority, ClientCertificates, IdentityFiles, ServerTls, TlsConfig, TlsError, TlsPart,
};

use crate::Env;
use crate::clients::{
    CA, CA_EXAMPLE, CERTIFICATE, CERTIFICATE_EXAMPLE, KEY, KEY_EXAMPLE, TRUST_DOMAIN,
    TRUST_DOMAIN_EXAMPLE,
};
use crate::env;

pub(super) const SERVER_TLS: &str = "SCRIBEMED_SERVER_TLS";

/// `None`: no TLS.
pub(super) fn from_env(env: &Env) -> Result<Option<ServerTls>, env::Error> {
    const EXAMPLE: &str = "required";
    let authority = || {
        Ok(ClientAuthority {
            ca: env.require(CA, CA_EXAMPLE)?.into(),
            trust_domain: env.parse(TRUST_DOMAIN, TRUST_DOMAIN_EXAMPLE)?,
        })
    };
    let clients = match env.get(SERVER_TLS) {
        None | Some("off") => return Ok(None),
        Some("on") => ClientCertificates::None,
        Some("optional") => ClientCertificates::Optional(authority()?),
        Some("required") => ClientCertificates::Required(authority()?),
        Some(_) => {
            let reason = "it is not off, on, optional or required";
            return Err(env.malformed(SERVER_TLS, reason, EXAMPLE));
        }
    };
    let identity = IdentityFiles {
        certificate: env.require(CERTIFICATE, CERTIFICATE_EXAMPLE)?.into(),
        key: env.require(KEY, KEY_EXAMPLE)?.into(),
    };
    ServerTls::open(TlsConfig { identity, clients })
        .map(Some)
        .map_err(|error| named(env, &error))
}

/// The error, with the variable that names the file at fault.
fn named(env: &Env, error: &TlsError) -> env::Error {
    let (name, example) = match error.part() {
        Some(TlsPart::Certificate) | None => (CERTIFICATE, CERTIFICATE_EXAMPLE),
        Some(TlsPart::Key) => (KEY, KEY_EXAMPLE),
        Some(TlsPart::Authorities) => (CA, CA_EXAMPLE),
    };
    env.malformed(name, error.with_causes(), example)
}
