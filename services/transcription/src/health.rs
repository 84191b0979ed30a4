//! What the service needs to do its work: a store that can be written, and a speech model.

use scribemed_server::{Check, Prompt};

use crate::model::Speech;
use crate::store::Store;

/// The check of this store.
pub(crate) fn check_store(store: &Store) -> Check {
    let store = store.clone();
    Check::new("store", move || {
        let store = store.clone();
        async move { store.probe().await }
    })
}

/// The check of the speech model: whether there is one, at work or elsewhere. `loaded` asks for a look.
pub(crate) fn check_model(speech: &Speech, loaded: &Prompt) -> Check {
    let speech = speech.clone();
    Check::new("model", move || std::future::ready(speech.check())).prompted_by(loaded)
}
