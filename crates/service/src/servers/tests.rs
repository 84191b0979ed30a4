#![allow(clippy::unwrap_used, reason = "a test may panic")]
use super::*;

fn settings(variables: &[(&str, &str)]) -> Result<ServerSettings, String> {
    let env: Env = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    ServerSettings::from_env(&env).map_err(|error| error.to_string())
}

#[test]
fn nothing_set_is_the_default() {
    assert_eq!(settings(&[]).unwrap().grace(), Duration::from_secs(20));
}

#[test]
fn the_grace_period_is_set_in_seconds() {
    let grace = |value| settings(&[(GRACE, value)]).map(|settings| settings.grace());
    assert_eq!(grace("0"), Ok(Duration::ZERO));
    assert_eq!(grace("3600"), Ok(Duration::from_secs(3600)));
    assert_eq!(
        grace("3601"),
        Err(
            "SCRIBEMED_GRACE is \"3601\": it is not from 0 to 3600; a good value is SCRIBEMED_GRACE=20"
                .to_owned()
        )
    );
    assert!(grace("20s").unwrap_err().contains("SCRIBEMED_GRACE=20"));
}

#[test]
fn channelz_is_off_unless_it_is_switched_on() {
    let channelz = |value| settings(&[("SCRIBEMED_CHANNELZ", value)]).map(|set| set.channelz());
    assert_eq!(channelz(""), Ok(false));
    assert_eq!(channelz("off"), Ok(false));
    assert_eq!(channelz("on"), Ok(true));
    assert_eq!(
        channelz("1"),
        Err(
            "SCRIBEMED_CHANNELZ is \"1\": it is neither `on` nor `off`; a good value is SCRIBEMED_CHANNELZ=on"
                .to_owned()
        )
    );
}

#[test]
fn what_becomes_of_old_versions_is_a_choice_of_two() {
    let after = |value| settings(&[("SCRIBEMED_AFTER_SUNSET", value)]).map(|set| set.after_sunset);
    assert_eq!(after(""), Ok(AfterSunset::Serve));
    assert_eq!(after("serve"), Ok(AfterSunset::Serve));
    assert_eq!(after("refuse"), Ok(AfterSunset::Refuse));
    assert_eq!(
        after("drop"),
        Err(
            "SCRIBEMED_AFTER_SUNSET is \"drop\": it is neither `serve` nor `refuse`; a good value is \
             SCRIBEMED_AFTER_SUNSET=refuse"
                .to_owned()
        )
    );
}

/// A certificate and its key, in PEM.
fn pair() -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["auth".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let pem = |what: &str, content: &[u8]| pem::encode(&pem::Pem::new(what, content));
    (
        pem("CERTIFICATE", certificate.der()),
        pem("PRIVATE KEY", &key.serialize_der()),
    )
}

#[test]
fn tls_is_what_the_variables_say_and_errors_name_them() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = pair();
    let (_, other) = pair();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (certificate, key) = (file("tls.pem", &certificate), file("tls.key", &key));
    let (other, empty) = (file("other.key", &other), file("empty", ""));
    let own = [
        ("SCRIBEMED_TLS_CERT", &*certificate),
        ("SCRIBEMED_TLS_KEY", &*key),
    ];
    let with = |mode, more: &[(&str, &str)]| {
        let mut variables = vec![(tls::SERVER_TLS, mode)];
        variables.extend(own);
        // What comes later counts.
        variables.extend_from_slice(more);
        settings(&variables).map(|settings| settings.tls().is_some())
    };
    let ca = ("SCRIBEMED_TLS_CA", &*certificate);
    assert_eq!(with("off", &[]), Ok(false));
    assert_eq!(with("on", &[]), Ok(true));
    assert_eq!(with("optional", &[ca]), Ok(true));
    let domain = ("SCRIBEMED_TRUST_DOMAIN", "scribemed.local");
    assert_eq!(with("required", &[ca, domain]), Ok(true));

    for (mode, more, expect) in [
        (
            "yes",
            &[][..],
            "SCRIBEMED_SERVER_TLS is \"yes\": it is not off, on, optional or required; a good value is SCRIBEMED_SERVER_TLS=required",
        ),
        (
            "on",
            &[("SCRIBEMED_TLS_CERT", "")],
            "SCRIBEMED_TLS_CERT is not set",
        ),
        (
            "on",
            &[("SCRIBEMED_TLS_KEY", "")],
            "SCRIBEMED_TLS_KEY is not set",
        ),
        (
            "required",
            &[],
            "SCRIBEMED_TLS_CA is not set; a good value is SCRIBEMED_TLS_CA=/etc/scribemed/ca.pem",
        ),
        (
            "required",
            &[ca, ("SCRIBEMED_TRUST_DOMAIN", "A/B")],
            "SCRIBEMED_TRUST_DOMAIN is \"A/B\": it is no trust domain",
        ),
        (
            "on",
            &[("SCRIBEMED_TLS_KEY", &*other)],
            "other.key does not belong to the first certificate in",
        ),
        (
            "on",
            &[("SCRIBEMED_TLS_CERT", "/nonexistent")],
            "SCRIBEMED_TLS_CERT is \"/nonexistent\": /nonexistent holds no certificate in PEM",
        ),
        (
            "optional",
            &[("SCRIBEMED_TLS_CA", &*empty)],
            "a good value is SCRIBEMED_TLS_CA=/etc/scribemed/ca.pem",
        ),
    ] {
        let error = with(mode, more).unwrap_err();
        assert!(error.contains(expect), "{error}");
    }
}
