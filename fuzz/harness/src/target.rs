//! Where a service is.

use scribemed_discovery::{Kind, Target};

/// The value of a variable that names a service's target.
pub fn target_uri(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let target: Target = match text.parse() {
        Ok(target) => target,
        Err(error) => {
            assert!(!error.to_string().is_empty(), "{text:?}");
            return;
        }
    };
    // What is shown to the operator names the same target.
    let again = target.to_string().parse();
    assert_eq!(again.as_ref(), Ok(&target), "{text:?}");
    // It becomes the `:authority` of each request.
    let authority = http::uri::Authority::try_from(target.authority());
    assert!(authority.is_ok(), "{text:?}: {:?}", target.authority());
    match target.kind() {
        Kind::Dns { host, port, .. } => assert!(!host.is_empty() && *port != 0, "{text:?}"),
        Kind::Srv { name } => assert!(!name.is_empty(), "{text:?}"),
        Kind::Static(addresses) => assert!(!addresses.is_empty(), "{text:?}"),
        Kind::Names(hosts) => assert!(!hosts.is_empty(), "{text:?}"),
        Kind::Unix(path) => assert!(path.is_absolute(), "{text:?}"),
    }
}
