//! Documentation: clinical notes.

use scribemed_documentation::Config;
use scribemed_proto::documentation::{v1, v2};

use super::{Opened, Opening, Service};

pub(crate) const SERVICE: Service = Service {
    name: "documentation",
    port: 50053,
    calls: Some(&["read:transcriptions"]),
    operator: &["read:notes", "write:notes", "sign:notes"],
    contracts: &[
        &v1::DOCUMENTATION_SERVICE_POLICY,
        &v2::DOCUMENTATION_SERVICE_POLICY,
    ],
    open: |opening| Box::pin(open(opening)),
};

async fn open(mut opening: Opening) -> anyhow::Result<Opened> {
    let config = Config {
        data: opening.data.of(SERVICE.name),
    };
    let platform = opening.platform().await?;
    let run = scribemed_documentation::run(config, platform.clone(), opening.listener);
    Ok(Opened {
        platform,
        run: Box::pin(async { Ok(run.await?) }),
        lacks: None,
    })
}
