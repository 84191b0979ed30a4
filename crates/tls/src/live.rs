//! A configuration that follows its files.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use tokio::time::{Instant, MissedTickBehavior};

use crate::error::Error;
use crate::files::{Files, Material};

/// How often the files are read again. Contents are compared and not times, which say little where a file is a link into a
/// folder that is replaced as a whole, as Kubernetes does it.
const LOOK_EVERY: Duration = Duration::from_secs(30);

type Build<C> = dyn Fn(&Material) -> Result<C, Error> + Send + Sync;

/// A TLS configuration `C`, made of files and made again when they change.
///
/// In force is what the files last held that was all right together: half a file, or a new certificate beside the old key,
/// changes nothing and is logged as an error, once, until the files say something else.
pub struct Live<C> {
    files: Files,
    build: Box<Build<C>>,
    current: ArcSwap<C>,
    seen: Mutex<Seen>,
}

struct Seen {
    /// What is in force.
    material: Material,
    /// What was last logged as wrong; `None` while all is well.
    complaint: Option<String>,
    /// It was logged that the certificate is to be renewed.
    due: bool,
}

impl<C: Send + Sync + 'static> Live<C> {
    /// Reads the files. `build` makes the configuration, now and whenever they have changed.
    ///
    /// # Errors
    /// What is wrong with a file, or what `build` says.
    pub fn open(
        files: Files,
        build: impl Fn(&Material) -> Result<C, Error> + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let material = files.read()?;
        Ok(Self {
            current: ArcSwap::from_pointee(build(&material)?),
            build: Box::new(build),
            seen: Mutex::new(Seen {
                material,
                complaint: None,
                due: false,
            }),
            files,
        })
    }

    /// The configuration for the next handshake.
    pub fn current(&self) -> Arc<C> {
        self.current.load_full()
    }

    /// Reads the files again, now. Returns whether another configuration is in force. Blocks.
    ///
    /// # Errors
    /// What is wrong with the files; what was in force stays.
    pub fn reload(&self) -> Result<bool, Error> {
        // Nothing panics while it is held that would leave it half changed.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let material = self.files.read()?;
        if material == seen.material {
            return Ok(false);
        }
        self.current.store(Arc::new((self.build)(&material)?));
        seen.material = material;
        seen.due = false;
        Ok(true)
    }

    /// Reads the files again every 30 s, for as long as it is polled. What changes, and what is wrong, goes to the log.
    ///
    /// # Cancel safety
    /// It may be dropped at any time.
    pub async fn follow(self: Arc<Self>) {
        if self.files.is_empty() {
            return std::future::pending().await;
        }
        let mut looks = tokio::time::interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let live = Arc::clone(&self);
            // An error of the task means that the runtime ends.
            let _ = tokio::task::spawn_blocking(move || live.look()).await;
        }
    }

    fn look(&self) {
        let reloaded = self.reload();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let files = &self.files;
        match reloaded {
            Ok(true) => {
                seen.complaint = None;
                tracing::info!(?files, "new certificates are in force for new connections");
            }
            Ok(false) => {
                if seen.complaint.take().is_some() {
                    tracing::info!(?files, "the certificates can be read again");
                }
            }
            Err(error) => {
                let text = error.with_causes();
                if seen.complaint.as_ref() != Some(&text) {
                    tracing::error!(error = text, "the certificates that were in force stay");
                    seen.complaint = Some(text);
                }
            }
        }
        let now = SystemTime::now();
        if let Some(identity) = &seen.material.identity
            && identity.is_due(now)
            && !seen.due
        {
            let hours = identity.left(now).as_secs() / 3600;
            tracing::warn!(
                ?files,
                hours,
                "the certificate runs out; nobody has renewed it"
            );
            seen.due = true;
        }
    }
}

impl<C> std::fmt::Debug for Live<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
