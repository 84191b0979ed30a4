//! Checking a message against the rules of its contract.

pub mod cel;
pub mod formats;
mod values;

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use regex::Regex;

pub use values::{are_unique, are_unique_numbers, is_within, nanoseconds, quoted};

/// A message whose rules (`buf.validate`) can be checked. Implemented by code generation for every message.
pub trait Validate {
    /// Adds what is wrong to `out`; nothing is added, and nothing allocated, for a valid message. The items of a list or map
    /// are left alone once [`Findings::enough`] is known.
    fn violations(&self, out: &mut Findings);

    /// Whether the message keeps all rules, now.
    ///
    /// # Errors
    /// Every rule that is broken, in the order of the fields.
    fn validate(&self) -> Result<(), Vec<Violation>> {
        let mut out = Findings::new();
        self.violations(&mut out);
        out.into_result()
    }
}

impl<T: Validate> Validate for Box<T> {
    fn violations(&self, out: &mut Findings) {
        T::violations(self, out);
    }
}

/// What is known to be wrong with a message, and the time at which it is checked.
#[derive(Debug, Default)]
pub struct Findings {
    violations: Vec<Violation>,
    now: Option<i128>,
}

impl Findings {
    /// Nothing yet. The time is read from the system's clock, once, when the first rule asks for it.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            violations: Vec::new(),
            now: None,
        }
    }

    /// Nothing yet; for rules it is `now`, in nanoseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn at(now: i128) -> Self {
        Self {
            violations: Vec::new(),
            now: Some(now),
        }
    }

    /// The time for rules that ask for it, in nanoseconds since 1970-01-01T00:00:00Z. The same for the whole message.
    pub fn now(&mut self) -> i128 {
        *self.now.get_or_insert_with(|| {
            let nanos = |span: Duration| i128::try_from(span.as_nanos()).unwrap_or(i128::MAX);
            match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
                Ok(since) => nanos(since),
                Err(before) => -nanos(before.duration()),
            }
        })
    }

    /// Adds what is wrong.
    pub fn push(&mut self, violation: Violation) {
        self.violations.push(violation);
    }

    /// How many violations there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.violations.len()
    }

    /// Whether nothing is wrong so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.violations.is_empty()
    }

    /// Orders the violations from `start` on by their paths: they are of the entries of a map, which has no order.
    pub fn sort_from(&mut self, start: usize) {
        if let Some(violations) = self.violations.get_mut(start..) {
            violations.sort_by(|a, b| a.field.cmp(&b.field));
        }
    }

    /// Whether so much is known to be wrong that looking on would only cost memory: a list can hold millions of invalid items.
    #[must_use]
    pub fn enough(&self) -> bool {
        self.violations.len() >= 100
    }

    /// Adds the violations of `inner`, a field of the message at hand, with `prefix` before their paths.
    pub fn nested(&mut self, prefix: impl FnOnce() -> String, inner: &impl Validate) {
        let before = self.violations.len();
        inner.violations(self);
        if self.violations.len() > before {
            let prefix = prefix();
            for violation in &mut self.violations[before..] {
                violation.field = match violation.field.as_str() {
                    "" => prefix.clone(),
                    field => format!("{prefix}.{field}"),
                };
            }
        }
    }

    /// What was found.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn into_result(self) -> Result<(), Vec<Violation>> {
        if self.violations.is_empty() {
            Ok(())
        } else {
            Err(self.violations)
        }
    }
}

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field, as protovalidate writes it: `sections[2].text`, `labels["ward"]`; empty for a rule of the message.
    pub field: String,
    /// The id of the rule: `string.uuid`.
    pub rule: &'static str,
    /// Where the rule stands in the options of its element: `string.uuid`, `repeated.items.string.uuid`, `cel[0]`.
    pub rule_path: &'static str,
    /// Whether the key of a map's entry is meant, and not its value.
    pub for_key: bool,
    /// Whether the rule could not be evaluated, such as an expression that divides by zero. Such a message is refused, too.
    pub failed: bool,
    /// What is wrong and what would be right.
    pub message: Cow<'static, str>,
}

impl Violation {
    /// A broken rule of the type of a field, whose id is its path.
    pub fn new(
        field: impl Into<String>,
        rule: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            field: field.into(),
            rule,
            rule_path: rule,
            for_key: false,
            failed: false,
            message: message.into(),
        }
    }

    /// The same, of the rule that stands at `path`.
    #[must_use]
    pub fn by(mut self, path: &'static str) -> Self {
        self.rule_path = path;
        self
    }

    /// The same, of the key of a map's entry.
    #[must_use]
    pub fn for_key(mut self) -> Self {
        self.for_key = true;
        self
    }

    /// The same, of a rule that could not be evaluated.
    #[must_use]
    pub fn failed(mut self) -> Self {
        self.failed = true;
        self
    }

    /// For a BadRequest: the message and, in brackets, the rule.
    pub fn description(&self) -> String {
        format!("{} [{}]", self.message, self.rule)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field.as_str() {
            "" => write!(f, "{}", self.message),
            field => write!(f, "{field}: {}", self.message),
        }
    }
}

/// A regular expression of a rule, compiled on first use. Code generation has compiled it before, so it is valid.
#[derive(Debug)]
pub struct Pattern {
    regex: LazyLock<Option<Regex>>,
}

impl Pattern {
    /// The pattern that `compile` makes.
    pub const fn new(compile: fn() -> Option<Regex>) -> Self {
        Self {
            regex: LazyLock::new(compile),
        }
    }

    /// Compiles `pattern`.
    pub fn compile(pattern: &str) -> Option<Regex> {
        Regex::new(pattern).ok()
    }

    /// Whether `text` contains a match. A pattern that does not compile matches nothing.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex
            .as_ref()
            .is_some_and(|regex| regex.is_match(text))
    }
}
