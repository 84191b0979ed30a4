//! Breaks that were decided: a committed file names each by rule, element and reason.
//!
//! ```toml
//! [[allow]]
//! rule = "TIMEOUT_SHORTENED"
//! element = "scribemed.auth.v1.AuthService.GetKeySet"
//! reason = "All callers were measured: none needs more than a second."
//! ```

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Finding, Place, rule, sort};

/// A file that allows nothing because it cannot be read as it should. The command ends with exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no TOML of this form.
    #[error("{} cannot be understood: {reason}; write [[allow]] with rule, element and reason", path.display())]
    Form {
        /// Which.
        path: PathBuf,
        /// What the parser says.
        reason: String,
    },
    /// An entry that says too little, or names no rule.
    #[error("{}:{line}: {reason}", path.display())]
    Entry {
        /// Which.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong and what would be right.
        reason: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    allow: Vec<toml::Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    rule: String,
    element: String,
    reason: String,
}

/// What is allowed.
#[derive(Debug, Default)]
pub struct Allowed {
    entries: Vec<Allowance>,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// The rule's id.
    pub rule: String,
    /// The full name.
    pub element: String,
    /// Why the break was decided.
    pub reason: String,
    place: Place,
}

/// What is left after the allowances.
#[derive(Debug)]
pub struct Outcome {
    /// What nothing allows, and the allowances that allow nothing.
    pub findings: Vec<Finding>,
    /// What is allowed, and by what.
    pub allowed: Vec<(Finding, Allowance)>,
    /// What is only told: see [`Outcome::tell_calendar`].
    pub notices: Vec<Finding>,
}

impl Outcome {
    /// What the calendar alone brought about is told, and is no finding any more: a build that nobody changed should not
    /// begin to fail on some morning.
    #[must_use]
    pub fn tell_calendar(mut self) -> Self {
        let told = self.findings.extract_if(.., |finding| finding.by_calendar);
        self.notices.extend(told);
        self
    }
}

impl Allowed {
    /// Reads the file.
    ///
    /// # Errors
    /// [`Error`], in one line.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let file: File = toml::from_str(&text).map_err(|error| Error::Form {
            path: path.to_owned(),
            reason: error.message().to_owned(),
        })?;
        let mut entries: Vec<Allowance> = Vec::new();
        for entry in file.allow {
            let before = text.get(..entry.span().start).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let refuse = |reason: String| Error::Entry {
                path: path.to_owned(),
                line,
                reason,
            };
            let Entry {
                rule,
                element,
                reason,
            } = entry.into_inner();
            if rule::find(&rule).is_none() || rule == rule::ALLOWANCE_STALE.id {
                return Err(refuse(unknown(&rule)));
            }
            if element.trim().is_empty() {
                return Err(refuse("element is empty; write its full name".to_owned()));
            }
            if reason.trim().is_empty() {
                return Err(refuse("reason is empty; say why this may break".to_owned()));
            }
            if entries
                .iter()
                .any(|known| known.rule == rule && known.element == element)
            {
                return Err(refuse(format!(
                    "{rule} is allowed for {element} twice; once is enough"
                )));
            }
            let place = Place {
                file: path.display().to_string(),
                line: Some(line),
                column: Some(1),
            };
            entries.push(Allowance {
                rule,
                element,
                reason,
                place,
            });
        }
        Ok(Self { entries })
    }

    /// Takes the findings that are allowed away, and reports each allowance that allows none of them.
    pub fn apply(&self, findings: Vec<Finding>) -> Outcome {
        let mut outcome = Outcome {
            findings: Vec::new(),
            allowed: Vec::new(),
            notices: Vec::new(),
        };
        for finding in findings {
            let mut entries = self.entries.iter();
            match entries
                .find(|entry| entry.rule == finding.rule.id && entry.element == finding.element)
            {
                Some(entry) => outcome.allowed.push((finding, entry.clone())),
                None => outcome.findings.push(finding),
            }
        }
        for entry in &self.entries {
            if !outcome.allowed.iter().any(|(_, known)| known == entry) {
                let reason = format!("it allows {}, which is not found", entry.rule);
                let element = entry.element.clone();
                let stale =
                    Finding::at(&rule::ALLOWANCE_STALE, element, entry.place.clone(), reason);
                // Once the sunset has passed, a removal needs no allowance.
                let passed = entry.rule == rule::REMOVED_BEFORE_SUNSET.id;
                outcome
                    .findings
                    .push(if passed { stale.by_calendar() } else { stale });
            }
        }
        sort(&mut outcome.findings);
        outcome
    }
}

fn unknown(rule: &str) -> String {
    let near = crate::near::near(rule, rule::ALL.iter().map(|rule| rule.id));
    let right = if near.is_empty() {
        "`scribemed-contract rules` lists them".to_owned()
    } else {
        format!("did you mean {}?", near.join(" or "))
    };
    format!("there is no rule {rule:?} to allow; {right}")
}
