//! Carries the status of a request that was refused from the encoder to the channel.
//!
//! Tonic puts `INTERNAL: Error encoding: …` in the place of whatever an encoder says, within the poll in which it says it. The
//! channel that polls takes the encoder's own word from here.

use std::cell::RefCell;

use tonic::{Code, Status};

thread_local! {
    static LAST: RefCell<Option<Status>> = const { RefCell::new(None) };
}

/// Keeps `status`, and returns one for tonic to replace.
pub(super) fn keep(status: Status) -> Status {
    let stand_in = Status::new(status.code(), status.message());
    LAST.set(Some(status));
    stand_in
}

/// What the encoder said, if `status`, which the body of a request has just yielded on this thread, stands in its place;
/// `status` itself if not.
#[must_use]
pub fn recover(status: Status) -> Status {
    match LAST.take() {
        Some(refusal)
            if status.code() == Code::Internal
                && status.message().starts_with("Error encoding") =>
        {
            refusal
        }
        _ => status,
    }
}
