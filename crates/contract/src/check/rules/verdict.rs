//! Yes, no, and what cannot be told.

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Yes,
    No,
    /// Nobody can tell without running it: an expression, two patterns.
    Unknown,
}

impl Verdict {
    /// Yes where both are; no where one is.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Yes, Self::Yes) => Self::Yes,
        }
    }

    /// All of them.
    pub(super) fn all(verdicts: impl IntoIterator<Item = Self>) -> Self {
        verdicts.into_iter().fold(Self::Yes, Self::and)
    }

    /// Whether the second follows from the first. What is unknown of both comes from the same rule, which is compared by
    /// itself.
    pub(super) fn implies(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::Yes) | (Self::Unknown, Self::Unknown) => Self::Yes,
            (Self::Yes, Self::No) => Self::No,
            (Self::Yes | Self::Unknown, Self::Unknown | Self::No) => Self::Unknown,
        }
    }
}

impl From<bool> for Verdict {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}
