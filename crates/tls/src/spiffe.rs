//! SPIFFE ids: which service a certificate is of.

use std::str::FromStr;
use std::sync::Arc;

use x509_parser::extensions::GeneralName;

/// The part of a SPIFFE id before its path: those whose certificates one authority signs, `scribemed.local`.
///
/// 1 to 255 lower-case letters, digits, dots, hyphens and underscores (SPIFFE-ID, section 2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustDomain(Arc<str>);

/// A name that is no trust domain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is no trust domain: write 1 to 255 lower-case letters, digits, dots, hyphens and underscores, without spiffe://"
)]
pub struct InvalidTrustDomain;

/// The identity of a service, `spiffe://<trust domain>/service/<discovery name>`.
///
/// A clone is a count of references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpiffeId {
    text: Arc<str>,
    /// Where the trust domain ends.
    domain_to: usize,
}

/// Why a certificate does not say which service it is of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoSpiffeId(String);

const SCHEME: &str = "spiffe://";
const SERVICE: &str = "/service/";
const FORM: &str = "spiffe://<trust domain>/service/<name>";

impl TrustDomain {
    /// The id of the service with this discovery name.
    ///
    /// # Errors
    /// When `name` is no discovery name: 1 to 63 lower-case letters, digits and hyphens, a letter first.
    pub fn service(&self, name: &str) -> Result<SpiffeId, NoSpiffeId> {
        format!("{SCHEME}{self}{SERVICE}{name}").parse()
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TrustDomain {
    type Err = InvalidTrustDomain;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_');
        if (1..=255).contains(&name.len()) && name.bytes().all(allowed) {
            Ok(Self(name.into()))
        } else {
            Err(InvalidTrustDomain)
        }
    }
}

impl std::fmt::Display for TrustDomain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl SpiffeId {
    /// The id in a certificate (DER), which an authority vouches for: checking that is up to whoever calls.
    ///
    /// # Errors
    /// When the certificate does not have exactly one URI among its alternative names (X509-SVID, section 2), or that is
    /// no id of a service, or of another trust domain.
    pub fn of_certificate(certificate: &[u8], domain: &TrustDomain) -> Result<Self, NoSpiffeId> {
        let refused = |why: String| NoSpiffeId(format!("{why}; it must have {FORM}"));
        let (_, certificate) = x509_parser::parse_x509_certificate(certificate)
            .map_err(|error| refused(format!("the certificate cannot be read: {error}")))?;
        let names = certificate
            .subject_alternative_name()
            .map_err(|error| refused(format!("the certificate's names cannot be read: {error}")))?;
        let names = names.iter().flat_map(|names| &names.value.general_names);
        let mut uris = names.filter_map(|name| {
            if let GeneralName::URI(uri) = name {
                Some(*uri)
            } else {
                None
            }
        });
        let uri = match (uris.next(), uris.next()) {
            (Some(uri), None) => uri,
            (None, _) => return Err(refused("the certificate has no URI".to_owned())),
            (Some(_), Some(_)) => {
                return Err(refused("the certificate has more than one URI".to_owned()));
            }
        };
        let id: Self = uri.parse()?;
        if id.domain() != domain.as_str() {
            return Err(NoSpiffeId(format!(
                "the certificate is of {id}, which does not belong to the trust domain {domain}"
            )));
        }
        Ok(id)
    }

    /// The trust domain, as a value of its own.
    pub fn trust_domain(&self) -> TrustDomain {
        TrustDomain(self.domain().into())
    }

    /// The trust domain.
    pub fn domain(&self) -> &str {
        &self.text[SCHEME.len()..self.domain_to]
    }

    /// The discovery name of the service.
    pub fn service(&self) -> &str {
        &self.text[self.domain_to + SERVICE.len()..]
    }

    /// The whole id.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for SpiffeId {
    type Err = NoSpiffeId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // SPIFFE-ID, section 2.4: at most 2048 bytes. So much goes into a message at most.
        let shown = &text[..text.floor_char_boundary(2048)];
        let refused = || NoSpiffeId(format!("{shown:?} is no id of a service, {FORM}"));
        let rest = text.strip_prefix(SCHEME).ok_or_else(refused)?;
        let (domain, service) = rest.split_once(SERVICE).ok_or_else(refused)?;
        domain.parse::<TrustDomain>().map_err(|_error| refused())?;
        let mut letters = service.bytes();
        let first = letters.next().is_some_and(|byte| byte.is_ascii_lowercase());
        let rest = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if !(first && service.len() <= 63 && letters.all(rest)) {
            return Err(refused());
        }
        Ok(Self {
            domain_to: SCHEME.len() + domain.len(),
            text: text.into(),
        })
    }
}

impl std::fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
