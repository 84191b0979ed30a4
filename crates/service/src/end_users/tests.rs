#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Option<EndUserSettings>, String> {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    EndUserSettings::from_env(&variables.collect()).map_err(|error| error.to_string())
}

const GOOD: [(&str, &str); 3] = [
    (ISSUER, "https://id.clinic.example/"),
    (JWKS_URL, "https://id.clinic.example/keys"),
    (AUDIENCE, "notes"),
];

#[test]
fn the_issuer_of_end_users_is_configured_whole_or_not_at_all() {
    assert_eq!(read(&[]), Ok(None));
    assert_eq!(read(&[(ISSUER, "")]), Ok(None));
    let settings = read(&GOOD).unwrap().unwrap();
    assert_eq!(settings.issuer, "https://id.clinic.example/");
    assert_eq!(
        settings.jwks_url.to_string(),
        "https://id.clinic.example/keys"
    );
    assert_eq!(settings.audience, "notes");
    assert_eq!(settings.algorithms, [Algorithm::Es256, Algorithm::Rs256]);
    let pinned = [GOOD[0], GOOD[1], GOOD[2], (ALGORITHMS, "EdDSA, ES256")];
    let pinned = read(&pinned).unwrap().unwrap();
    assert_eq!(pinned.algorithms, [Algorithm::EdDsa, Algorithm::Es256]);

    for (left_out, (name, _)) in GOOD.iter().enumerate() {
        let mut some = GOOD.to_vec();
        some.remove(left_out);
        let error = read(&some).unwrap_err();
        let expect = format!("{name} is not set; a good value is {name}=");
        assert!(error.starts_with(&expect), "{error}");
    }
    let error = read(&[(ALGORITHMS, "RS256")]).unwrap_err();
    assert!(error.starts_with(ISSUER), "{error}");
}

#[test]
fn what_is_malformed_is_named_with_a_good_value() {
    let check = |name: &str, value: &str, expect: &str| {
        let mut variables = GOOD.to_vec();
        variables.push((name, value));
        let error = read(&variables).unwrap_err();
        assert!(error.starts_with(&format!("{name} is ")), "{error}");
        assert!(
            error.contains(expect) && error.contains("a good value is"),
            "{error}"
        );
    };
    check(JWKS_URL, "id.clinic.example/keys", "it is no URL");
    check(JWKS_URL, "http://id.clinic.example/keys", "https");
    check(JWKS_URL, "http://127.0.0.1.example/keys", "https");
    check(JWKS_URL, "file:///etc/keys", "https");
    check(JWKS_URL, "https://me:secret@id.example/keys", "password");
    check(ISSUER, "bad\nissuer", "printable");
    check(AUDIENCE, " notes", "no space at its ends");
    check(ALGORITHMS, "HS256", "EdDSA, ES256 or RS256");
    check(ALGORITHMS, "none", "EdDSA, ES256 or RS256");
    check(ALGORITHMS, "ES256,", "EdDSA, ES256 or RS256");
    for good in [
        "http://127.0.0.1:8080/keys",
        "http://[::1]/k",
        "http://localhost/k",
    ] {
        let mut variables = GOOD.to_vec();
        variables.push((JWKS_URL, good));
        assert!(read(&variables).is_ok(), "{good}");
    }
}
