//! A value in a message, as generated code sees it.

use prost_reflect::FieldDescriptor;

use super::VALIDATE;

/// A value that rules speak of.
pub(super) struct Site<'a> {
    /// The field that it is, or is in.
    pub(super) field: &'a FieldDescriptor,
    /// A place expression of it, not of a reference: `self.name`, `(*value)`.
    pub(super) place: String,
    /// An expression that makes its path.
    pub(super) path: String,
    /// What stands before the paths of its rules: `repeated.items.`
    pub(super) prefix: &'static str,
    /// Whether it is the key of a map's entry.
    pub(super) for_key: bool,
}

impl Site<'_> {
    /// An expression that makes a violation of the rule at `rule_path`; `message` is an expression, too.
    pub(super) fn violation(&self, id: &str, rule_path: &str, message: &str) -> String {
        let path = format!("{}{rule_path}", self.prefix);
        let by = if path == id {
            String::new()
        } else {
            format!(".by({path:?})")
        };
        let for_key = if self.for_key { ".for_key()" } else { "" };
        format!(
            "{VALIDATE}::Violation::new({}, {id:?}, {message}){by}{for_key}",
            self.path
        )
    }

    /// Code that refuses the value if `condition` holds.
    pub(super) fn refuse_if(&self, condition: &str, id: &str, message: &str) -> String {
        self.refuse_by(condition, id, id, message)
    }

    /// The same, of a rule whose id is not its path.
    pub(super) fn refuse_by(
        &self,
        condition: &str,
        id: &str,
        rule_path: &str,
        message: &str,
    ) -> String {
        let violation = self.violation(id, rule_path, &format!("{message:?}"));
        format!("if {condition} {{ out.push({violation}); }}\n")
    }

    /// The place, for where brackets around it are one pair too many.
    pub(super) fn bare(&self) -> &str {
        self.place
            .strip_prefix('(')
            .and_then(|place| place.strip_suffix(')'))
            .unwrap_or(&self.place)
    }
}
