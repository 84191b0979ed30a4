//! `scribemed init`: what services that run one by one need before their first start.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use scribemed_auth_service::Grants;

use crate::data::{Data, DataArgs, create_private};
use crate::up::setup;

/// Where it goes. What is there is kept, so this can be run before each start.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    data: DataArgs,
    /// Gives each caller a folder of its own for its key, FOLDER/NAME/identity/NAME.pem, so that each container is handed
    /// its own key and no other. Default: all of them in FOLDER/identity, as `scribemed up` reads them.
    #[arg(long)]
    split: bool,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let data = Data::new(&args.data)?;
    let grants = tokio::task::spawn_blocking(move || init(&data, args.split)).await??;
    println!(
        "Keys and grants are there; {} says who may do what.",
        grants.display()
    );
    Ok(ExitCode::SUCCESS)
}

/// Makes what is missing and returns where the grants are.
fn init(data: &Data, split: bool) -> anyhow::Result<PathBuf> {
    let key_file = |name: &str| {
        if split {
            data.of(name).join("identity").join(format!("{name}.pem"))
        } else {
            data.key_file(name)
        }
    };
    let grants = data.grants_file();
    let files: Vec<PathBuf> = setup::callers()
        .map(key_file)
        .chain([grants.clone()])
        .collect();
    for folder in files.iter().filter_map(|file| file.parent()) {
        create_private(folder)
            .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    }
    let keys = setup::make(key_file, &grants)?;
    let known = Grants::load(&grants)?;
    for (name, key) in &keys {
        if known
            .get(name)
            .is_none_or(|client| client.keys.get(key.kid()).is_none())
        {
            // A key that was made anew beside old grants: its owner would be refused, and not know why.
            bail!(
                "the grants do not know the key of {name}: put keys = [{:?}] under [clients.{name}] in {}",
                key.public().x(),
                grants.display()
            );
        }
    }
    Ok(grants)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use std::path::Path;

    use super::*;

    fn data(folder: &Path) -> Data {
        Data::new(&DataArgs {
            data: folder.to_owned(),
        })
        .unwrap()
    }

    #[test]
    fn each_caller_gets_a_key_of_its_own_and_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let data = data(folder.path());
        let read = || {
            let files = [
                "auth/grants.toml",
                "transcription/identity/transcription.pem",
                "documentation/identity/documentation.pem",
                "scribemed/identity/scribemed.pem",
            ];
            files.map(|file| std::fs::read_to_string(folder.path().join(file)).unwrap())
        };
        init(&data, true).unwrap();
        let first = read();
        init(&data, true).unwrap();
        assert_eq!(first, read());
        let operator = Data::new(&DataArgs {
            data: folder.path().join("scribemed"),
        });
        assert!(operator.unwrap().operator_key().is_ok());
        assert!(!folder.path().join("identity").exists());
    }

    #[test]
    fn a_key_that_the_grants_do_not_know_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let data = data(folder.path());
        init(&data, false).unwrap();
        std::fs::remove_file(data.key_file("documentation")).unwrap();
        let told = init(&data, false).unwrap_err().to_string();
        assert!(
            told.contains("[clients.documentation]") && told.contains("grants.toml"),
            "{told}"
        );
    }
}
