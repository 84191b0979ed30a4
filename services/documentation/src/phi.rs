//! Protected health information: text that may be stored and sent to its reader, but never printed by accident.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Text about a patient. `Debug` prints its length only, and there is no `Display`, so that it cannot reach a log, a
/// panic message or an error.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phi(String);

impl Phi {
    /// Marks `text` as protected.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that needs it: a response to an authorised caller, or the store.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The text, by value.
    pub fn into_exposed(self) -> String {
        self.0
    }

    /// Whether there is nothing but whitespace.
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }
}

impl fmt::Debug for Phi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phi({} bytes)", self.0.len())
    }
}

impl From<&str> for Phi {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Phi {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_text() {
        assert_eq!(format!("{:?}", Phi::new("chest pain")), "Phi(10 bytes)");
        assert_eq!(
            format!("{:?}", Some(vec![Phi::new("a")])),
            "Some([Phi(1 bytes)])"
        );
    }
}
