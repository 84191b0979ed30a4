//! Whether the data folder and the keys in it can be used.

use scribemed_auth::SigningKey;
use scribemed_auth_service::Grants;

use super::Finding;
use crate::data::Data;
use crate::up::setup;

const START: &str = "start the platform once with `cargo xtask up`: it makes what is missing";

/// The data folder.
pub(super) fn folder(data: &Data, running: bool) -> Finding {
    let root = data.root().display();
    match std::fs::metadata(data.root()) {
        Ok(found) if !found.is_dir() => Finding::bad(
            format!("{root} is no folder"),
            "move it away, or name another folder with --data",
        ),
        Ok(_) => match tempfile_in(data) {
            Ok(()) => Finding::Good(format!("{root} can be written")),
            Err(error) => Finding::bad(
                format!("{root} cannot be written: {error}"),
                format!("give it back to the user who runs the platform: chown -R $USER {root}"),
            ),
        },
        Err(_) if running => Finding::bad(
            format!("there is no folder {root}, but a platform is running"),
            "name its folder with --data or SCRIBEMED_DATA",
        ),
        Err(_) => Finding::Note(format!("there is no folder {root} yet; {START}")),
    }
}

fn tempfile_in(data: &Data) -> std::io::Result<()> {
    let probe = data.root().join(format!(".doctor-{}", std::process::id()));
    std::fs::write(&probe, b"")?;
    std::fs::remove_file(&probe)
}

/// The callers' keys, and whether the auth service knows them.
pub(super) fn keys(data: &Data, running: bool) -> Vec<Finding> {
    if !data.root().exists() && !running {
        return vec![Finding::Note(format!("there are no keys yet; {START}"))];
    }
    let grants = Grants::load(&data.grants_file());
    let mut findings = Vec::new();
    if let Err(error) = &grants {
        findings.push(Finding::bad(
            format!("the grants cannot be used: {error}"),
            format!(
                "correct {}; to begin anew, delete it and start the platform",
                data.grants_file().display()
            ),
        ));
    }
    for name in setup::callers() {
        let file = data.key_file(name);
        findings.push(match SigningKey::load(&file) {
            Err(error) => Finding::bad(
                format!("the key of {name} cannot be used: {error}"),
                format!(
                    "delete {} and {}, then start the platform",
                    file.display(),
                    data.grants_file().display()
                ),
            ),
            Ok(key) => match &grants {
                Ok(grants)
                    if grants
                        .get(name)
                        .is_none_or(|client| client.keys.get(key.kid()).is_none()) =>
                {
                    Finding::bad(
                        format!("the auth service does not know the key of {name}"),
                        format!(
                            "put keys = [\"{}\"] under [clients.{name}] in {}",
                            key.public().x(),
                            data.grants_file().display()
                        ),
                    )
                }
                Ok(_) | Err(_) => Finding::Good(format!("{name} has its key")),
            },
        });
    }
    findings
}
