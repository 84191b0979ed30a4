//! The grants file, read again when it changes.

use std::error::Error as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::{Error, Grants, file};

/// The file is looked at this often at most.
const INTERVAL: Duration = Duration::from_secs(1);

/// The grants in force. A file that is broken or gone is logged once, and the last good grants stay.
#[derive(Debug)]
pub(crate) struct GrantsFile {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    grants: Arc<Grants>,
    /// What the file held when it was last looked at, good or not. The file is small, and comparing what it holds needs
    /// no trust in modification times.
    seen: Result<String, std::io::ErrorKind>,
    checked_at: SystemTime,
}

impl GrantsFile {
    /// Reads the file for the first time, when it must be good.
    pub(crate) async fn open(path: PathBuf, now: SystemTime) -> Result<Self, Error> {
        let text = tokio::fs::read_to_string(&path)
            .await
            .map_err(|source| Error::io(&path, source))?;
        let grants = Arc::new(file::parse(&path, &text)?);
        let state = State {
            grants,
            seen: Ok(text),
            checked_at: now,
        };
        Ok(Self {
            path,
            state: Mutex::new(state),
        })
    }

    /// The grants in force at `now`: a change of the file counts after a second at most.
    ///
    /// # Cancel safety
    /// Cancel safe; the file is looked at again a second later.
    pub(crate) async fn current(&self, now: SystemTime) -> Arc<Grants> {
        {
            let mut state = self.lock();
            // A clock that was set back makes it due.
            if now
                .duration_since(state.checked_at)
                .is_ok_and(|age| age < INTERVAL)
            {
                return Arc::clone(&state.grants);
            }
            state.checked_at = now;
        }
        let read = tokio::fs::read_to_string(&self.path).await;
        let mut state = self.lock();
        let seen = read
            .as_ref()
            .map(String::as_str)
            .map_err(std::io::Error::kind);
        if seen == state.seen.as_deref().map_err(|kind| *kind) {
            return Arc::clone(&state.grants);
        }
        state.seen = seen.map(str::to_owned);
        let parsed = read
            .map_err(|source| Error::io(&self.path, source))
            .and_then(|text| file::parse(&self.path, &text));
        match parsed {
            Ok(grants) => {
                tracing::info!(
                    clients = grants.clients().len(),
                    "the grants were read again"
                );
                state.grants = Arc::new(grants);
            }
            Err(error) => tracing::error!(
                %error,
                cause = error.source(),
                "the changed grants are not taken; the last good ones stay in force"
            ),
        }
        Arc::clone(&state.grants)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
