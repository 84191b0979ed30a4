#![allow(clippy::unwrap_used, reason = "a test may panic")]
use super::*;

fn settings(variables: &[(&str, &str)]) -> Result<ClientSettings, String> {
    let env: Env = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    ClientSettings::from_env(&env).map_err(|error| error.to_string())
}

#[test]
fn nothing_set_is_the_default() {
    let settings = settings(&[]).unwrap();
    assert_eq!(settings.resolve_within(), Duration::from_secs(10));
    assert_eq!(settings.service_config("transcription"), None);
    assert_eq!(*settings.tls(), Tls::default());
}

#[test]
fn files_are_handed_on_when_they_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, "{}").unwrap();
    let file = path.to_str().unwrap();
    let settings = settings(&[
        (RESOLVE_WITHIN, "3"),
        ("FHIR_ADAPTER_SERVICE_CONFIG", file),
        ("AUTH_SERVICE_CONFIG", ""),
        (CA, file),
        (CERTIFICATE, file),
        (KEY, file),
        (TRUST_DOMAIN, "scribemed.local"),
    ])
    .unwrap();
    assert_eq!(settings.resolve_within(), Duration::from_secs(3));
    assert_eq!(settings.service_config("fhir-adapter"), Some(&*path));
    assert_eq!(settings.service_config("auth"), None);
    assert_eq!(
        *settings.tls(),
        Tls {
            ca: Some(path.clone()),
            identity: Some(TlsIdentity {
                certificate: path.clone(),
                key: path,
            }),
            trust_domain: Some("scribemed.local".parse().unwrap()),
        }
    );
}

#[test]
fn an_error_names_the_variable_and_shows_a_good_value() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, "").unwrap();
    let (file, folder) = (path.to_str().unwrap(), folder.path().to_str().unwrap());
    for (variables, expect) in [
        (
            &[(RESOLVE_WITHIN, "0")][..],
            "SCRIBEMED_RESOLVE_WITHIN is \"0\": it is not from 1 to 3600; a good value is SCRIBEMED_RESOLVE_WITHIN=10",
        ),
        (
            &[(RESOLVE_WITHIN, "10s")],
            "SCRIBEMED_RESOLVE_WITHIN is \"10s\"",
        ),
        (
            &[("AUTH_SERVICE_CONFIG", "/nonexistent/auth.json")],
            "AUTH_SERVICE_CONFIG is \"/nonexistent/auth.json\": No such file",
        ),
        (&[("AUTH_SERVICE_CONFIG", folder)], "is a directory"),
        (&[(CA, "/nonexistent/ca.pem")], "SCRIBEMED_TLS_CA is"),
        (
            &[(TRUST_DOMAIN, "spiffe://scribemed.local")],
            "a good value is SCRIBEMED_TRUST_DOMAIN=scribemed.local",
        ),
        (
            &[(CERTIFICATE, file)],
            "SCRIBEMED_TLS_KEY is not set; a good value is SCRIBEMED_TLS_KEY=/run/secrets/tls.key",
        ),
        (
            &[(KEY, file)],
            "SCRIBEMED_TLS_CERT is not set; a good value is SCRIBEMED_TLS_CERT=/run/secrets/tls.pem",
        ),
    ] {
        let error = settings(variables).unwrap_err();
        assert!(error.contains(expect), "{error}");
    }
}
