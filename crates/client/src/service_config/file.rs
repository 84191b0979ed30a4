//! The file that holds a service config, read again when it changes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use scribemed_rpc::policy::ServicePolicy;
use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::{FileError, ServiceConfig};

/// How often the file is looked at. Its content is compared, because the time of a file says little where it is a link into
/// a folder that is replaced as a whole, as Kubernetes does it.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// No service config is as large as this, 1 MiB; a path to something else may well be.
const MAX_BYTES: u64 = 1024 * 1024;

/// A service config in a file.
///
/// What is in force is the last content that was valid. A file that is broken or gone is logged once, until it says
/// something else.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    path: PathBuf,
    contracts: Vec<&'static ServicePolicy>,
    looks: Interval,
    content: String,
    config: ServiceConfig,
    /// What was last logged as wrong; `None` while all is well.
    complaint: Option<String>,
}

/// What a look at the file found.
#[derive(Debug, PartialEq)]
enum Found {
    /// What is in force, or what was complained of already.
    Nothing,
    /// What is in force, after it was broken or gone.
    Restored,
    /// Another config.
    New,
    /// Something wrong.
    Wrong(String),
}

impl ConfigFile {
    /// Reads the file, for a channel to the services of these contracts.
    ///
    /// # Errors
    /// When the file cannot be read, is no regular file, is larger than 1 MiB, or holds a config that is refused.
    pub(crate) fn open(
        path: impl Into<PathBuf>,
        contracts: &[&'static ServicePolicy],
    ) -> Result<(Self, ServiceConfig), FileError> {
        let path = path.into();
        let content = read(&path)?;
        let config = parse(&path, &content, contracts)?;
        log_notes(&path, &config);
        let mut looks = tokio::time::interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let file = Self {
            path,
            contracts: contracts.to_vec(),
            looks,
            content,
            config: config.clone(),
            complaint: None,
        };
        Ok((file, config))
    }

    /// Waits until the file holds another config that is valid, looking at it every second.
    ///
    /// # Cancel safety
    /// Cancel safe: no change is lost.
    pub(crate) async fn changed(&mut self) -> ServiceConfig {
        loop {
            self.looks.tick().await;
            let path = self.path.clone();
            let Ok(content) = tokio::task::spawn_blocking(move || read(&path)).await else {
                // The runtime ends.
                continue;
            };
            // There is no await from here on, so that what is taken over is also returned.
            match self.judge(content) {
                Found::Nothing => {}
                Found::Restored => {
                    tracing::info!(path = %self.path.display(), "the service config is valid again");
                }
                Found::New => {
                    tracing::info!(path = %self.path.display(), "a new service config is in force");
                    log_notes(&self.path, &self.config);
                    return self.config.clone();
                }
                Found::Wrong(error) => {
                    tracing::warn!(error, "the service config that was in force stays");
                }
            }
        }
    }

    fn judge(&mut self, content: Result<String, FileError>) -> Found {
        let parsed = content.and_then(|content| {
            if content == self.content {
                return Ok(None);
            }
            let config = parse(&self.path, &content, &self.contracts)?;
            Ok(Some((content, config)))
        });
        match parsed {
            Ok(taken) => {
                let complained = self.complaint.take().is_some();
                if let Some((content, config)) = taken {
                    self.content = content;
                    if config != self.config {
                        self.config = config;
                        return Found::New;
                    }
                }
                if complained {
                    Found::Restored
                } else {
                    Found::Nothing
                }
            }
            Err(error) => {
                let text = with_sources(&error);
                if self.complaint.as_ref() == Some(&text) {
                    return Found::Nothing;
                }
                self.complaint = Some(text.clone());
                Found::Wrong(text)
            }
        }
    }
}

fn read(path: &Path) -> Result<String, FileError> {
    let unreadable = |source| FileError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let about = std::fs::metadata(path).map_err(unreadable)?;
    if !about.is_file() {
        let kind = std::io::ErrorKind::InvalidInput;
        let what = "it is no regular file; name a file that holds JSON";
        return Err(unreadable(std::io::Error::new(kind, what)));
    }
    if about.len() > MAX_BYTES {
        let kind = std::io::ErrorKind::FileTooLarge;
        let what = format!("it has {} bytes; at most {MAX_BYTES} are read", about.len());
        return Err(unreadable(std::io::Error::new(kind, what)));
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

fn parse(
    path: &Path,
    content: &str,
    contracts: &[&'static ServicePolicy],
) -> Result<ServiceConfig, FileError> {
    ServiceConfig::parse(content, contracts).map_err(|source| FileError::Refused {
        path: path.to_owned(),
        source,
    })
}

fn log_notes(path: &Path, config: &ServiceConfig) {
    for note in config.notes() {
        tracing::warn!(path = %path.display(), note, "the service config is not taken as it is written");
    }
}

fn with_sources(error: &FileError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
