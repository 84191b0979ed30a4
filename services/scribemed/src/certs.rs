//! `scribemed certs`: certificates for development, of an authority of one's own.

mod files;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use scribemed_tls::{IdentityFiles, SpiffeId, TrustDomain};

use self::files::{der, replace};
use crate::data::OPERATOR;
use crate::services;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// How long the authority is good for: about ten years.
const AUTHORITY: Duration = Duration::from_secs(3650 * 24 * 3600);
/// A certificate counts from a little before it was made: clocks of machines differ.
const SKEW: Duration = Duration::from_secs(300);

/// What is made, and where. The authority is made once and then signs whatever is asked for later.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder for ca.pem and ca.key, and for NAME.pem and NAME.key of each service.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// A service that gets a certificate; may be repeated. Default: those of the platform, and the operator's.
    #[arg(long = "service", value_name = "NAME")]
    services: Vec<String>,
    /// Another name or address under which the services are reached; may be repeated. Each has its own name, localhost,
    /// 127.0.0.1 and ::1 already.
    #[arg(long = "host", value_name = "HOST")]
    hosts: Vec<String>,
    /// How many days the certificates of services are valid.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=825))]
    days: u16,
    /// What comes before the name of the service in its id, spiffe://TRUST-DOMAIN/service/NAME.
    #[arg(long, default_value = "scribemed.local", value_name = "NAME")]
    trust_domain: TrustDomain,
    /// Replaces certificates of services that are there: renews them. The authority is never replaced.
    #[arg(long)]
    force: bool,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    print!(
        "{}",
        tokio::task::spawn_blocking(move || make(&args)).await??
    );
    Ok(ExitCode::SUCCESS)
}

/// The services of the platform, and the operator.
fn platform() -> Vec<String> {
    let services = services::ALL.iter().map(|service| service.name);
    services.chain([OPERATOR]).map(str::to_owned).collect()
}

/// Makes all of it, and says what was made.
fn make(args: &Args) -> anyhow::Result<String> {
    let services = match args.services.as_slice() {
        [] => platform(),
        named => named.to_vec(),
    };
    let ids = services
        .iter()
        .map(|service| args.trust_domain.service(service))
        .collect::<Result<Vec<_>, _>>()?;
    // What cannot be done whole is not begun.
    let file = |id: &SpiffeId, ending| args.out.join(format!("{}.{ending}", id.service()));
    for id in &ids {
        for path in [file(id, "pem"), file(id, "key")] {
            if id.service() == "ca" {
                bail!("no service can be called ca here: ca.pem and ca.key are the authority's");
            }
            if path.exists() && !args.force {
                bail!("{} is there already; --force replaces it", path.display());
            }
        }
    }
    crate::data::create_private(&args.out)
        .with_context(|| format!("the folder {} cannot be made", args.out.display()))?;
    let (authority, mut text) = authority(&args.out, &args.trust_domain)?;
    for id in &ids {
        let key = KeyPair::generate()?;
        let certificate = service(id, args)?.signed_by(&key, &authority)?;
        let (pem, private) = (file(id, "pem"), file(id, "key"));
        // A service that looks between the two sees a pair that does not match, keeps the old one and looks again.
        replace(&private, "PRIVATE KEY", &key.serialize_der())?;
        replace(&pem, "CERTIFICATE", certificate.der())?;
        text.push_str(&format!("{}: {id}, {} days\n", pem.display(), args.days));
    }
    Ok(text)
}

/// The authority in `folder`, which is made if there is none.
fn authority(
    folder: &Path,
    domain: &TrustDomain,
) -> anyhow::Result<(Issuer<'static, KeyPair>, String)> {
    let files = IdentityFiles {
        certificate: folder.join("ca.pem"),
        key: folder.join("ca.key"),
    };
    let (ca, private) = (&files.certificate, &files.key);
    if ca.exists() || private.exists() {
        // Says what is wrong with them, one that is missing included.
        let all = scribemed_tls::Files {
            identity: Some(files.clone()),
            authorities: None,
        };
        all.read().context(
            "the authority that is there cannot be used; with another folder a new one is made",
        )?;
        let key = KeyPair::try_from(der(private)?)?;
        let issuer = Issuer::from_ca_cert_der(&der(ca)?.into(), key)?;
        return Ok((issuer, String::new()));
    }
    let mut params = params(
        &format!("ScribeMed development authority of {domain}"),
        AUTHORITY,
    );
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    replace(private, "PRIVATE KEY", &key.serialize_der())?;
    replace(ca, "CERTIFICATE", certificate.der())?;
    let text = format!("{}: the authority, 10 years\n", ca.display());
    Ok((Issuer::new(params, key), text))
}

/// The certificate of a service, as client and as server.
fn service(id: &SpiffeId, args: &Args) -> anyhow::Result<CertificateParams> {
    let mut params = params(id.service(), DAY * u32::from(args.days));
    let own = [id.service(), "localhost", "127.0.0.1", "::1"];
    let hosts = own.into_iter().chain(args.hosts.iter().map(String::as_str));
    let names = CertificateParams::new(hosts.map(str::to_owned).collect::<Vec<_>>())
        .context("a --host is no name and no address")?;
    params.subject_alt_names = names.subject_alt_names;
    params
        .subject_alt_names
        .push(SanType::URI(id.as_str().try_into()?));
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// A certificate that is called `name` and valid from now on for `time`.
fn params(name: &str, time: Duration) -> CertificateParams {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let at = |since: Duration| date_time_ymd(1970, 1, 1) + since;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = at(now.saturating_sub(SKEW));
    params.not_after = at(now + time);
    params
}

#[cfg(test)]
mod tests;
