//! Parameters of a run, and the way to stop it.
//!
//! whisper-rs hands its callbacks to C as raw pointers that it never frees, and neither does it free the language.
//! So the parameters are made once per slot and used again: a process has as many as it ever had transcriptions at
//! the same time, and nothing piles up.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use whisper_rs::{FullParams, SamplingStrategy};

use super::super::Meter;

/// Text of what was said before that is given to the model again, in tokens. Some helps across the blocks of 30
/// seconds; much makes it repeat itself.
const CONTEXT_TOKENS: i32 = 64;

/// The parameters that no run is using.
pub(super) struct Slots {
    free: Mutex<Vec<Slot>>,
    threads: usize,
    language: &'static str,
}

struct Slot {
    parameters: FullParams<'static, 'static>,
    control: Arc<Control>,
}

/// What the callbacks look at.
#[derive(Default)]
struct Control {
    run: Mutex<Option<(Meter, CancellationToken)>>,
}

impl Slots {
    pub(super) fn new(threads: usize, language: &'static str) -> Self {
        Self {
            free: Mutex::default(),
            threads,
            language,
        }
    }

    /// A slot for one run; it is given back when dropped.
    pub(super) fn take(&self, meter: Meter, stop: CancellationToken) -> Taken<'_> {
        let free = lock(&self.free).pop();
        let slot = free.unwrap_or_else(|| Slot::new(self.threads, self.language));
        *lock(&slot.control.run) = Some((meter, stop));
        Taken {
            slots: self,
            parameters: slot.parameters,
            control: slot.control,
        }
    }
}

impl Slot {
    fn new(threads: usize, language: &'static str) -> Self {
        let control = Arc::new(Control::default());
        let mut parameters = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
        parameters.set_n_threads(i32::try_from(threads).unwrap_or(1));
        parameters.set_language(Some(language));
        parameters.set_n_max_text_ctx(CONTEXT_TOKENS);
        parameters.set_print_special(false);
        parameters.set_print_progress(false);
        parameters.set_print_realtime(false);
        parameters.set_print_timestamps(false);
        let shared = Arc::clone(&control);
        parameters.set_progress_callback_safe(move |percent: i32| shared.heard(percent));
        let shared = Arc::clone(&control);
        // whisper-rs 0.16 stores a `Box<dyn FnMut() -> bool>` and reads it back as the type that it was given.
        // These are the same only when it was given that very type.
        let abort: Box<dyn FnMut() -> bool> = Box::new(move || shared.stopped());
        parameters.set_abort_callback_safe::<_, Box<dyn FnMut() -> bool>>(abort);
        Self {
            parameters,
            control,
        }
    }
}

impl Control {
    fn heard(&self, percent: i32) {
        if let Some((meter, _)) = lock(&self.run).as_ref() {
            let percent = u8::try_from(percent.clamp(0, 100)).unwrap_or_default();
            meter.heard(f32::from(percent) / 100.0);
        }
    }

    fn stopped(&self) -> bool {
        lock(&self.run)
            .as_ref()
            .is_some_and(|(_, stop)| stop.is_cancelled())
    }
}

/// A slot in use.
pub(super) struct Taken<'a> {
    slots: &'a Slots,
    parameters: FullParams<'static, 'static>,
    control: Arc<Control>,
}

impl Taken<'_> {
    /// The parameters. They hold pointers into this slot: use them while it is taken.
    pub(super) fn parameters(&self) -> FullParams<'static, 'static> {
        self.parameters.clone()
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *lock(&self.control.run) = None;
        lock(&self.slots.free).push(Slot {
            parameters: self.parameters.clone(),
            control: Arc::clone(&self.control),
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
