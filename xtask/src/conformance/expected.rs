//! The list of cases that are known not to pass, each with a reason.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

/// The cases, by reason, then by suite.
///
/// The file is YAML, as protovalidate's suite reads it, in a form that keeps reasons: a comment at the margin of a list is the
/// reason of the cases below it, up to the next comment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) reasons: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

impl Expected {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or a case has no reason.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut reasons: BTreeMap<_, BTreeMap<String, Vec<String>>> = BTreeMap::new();
        let mut suite = None;
        let mut reason = String::new();
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(case) = line.strip_prefix("  - ") {
                let Some(suite) = &suite else {
                    bail!("line {number}: a case stands in no suite");
                };
                ensure!(!reason.is_empty(), "line {number}: {case} has no reason");
                let suites = reasons.entry(reason.clone()).or_default();
                let cases = suites.entry(String::clone(suite)).or_default();
                cases.push(case.trim_matches('"').to_owned());
            } else if let Some(why) = line.strip_prefix("  # ") {
                why.clone_into(&mut reason);
            } else if let Some(name) = line.strip_suffix(':') {
                suite = Some(name.to_owned());
                reason.clear();
            } else {
                let comment = line.is_empty() || line.starts_with("# ");
                ensure!(
                    comment,
                    "line {number}: {line:?} is neither `suite:`, `  # reason` nor `  - case`"
                );
            }
        }
        Ok(Self { reasons })
    }

    /// Whether this case is known not to pass.
    pub(crate) fn holds(&self, suite: &str, case: &str) -> bool {
        let mut suites = self.reasons.values().filter_map(|suites| suites.get(suite));
        suites.any(|cases| cases.iter().any(|known| known == case))
    }

    /// A table of the reasons, in Markdown.
    #[cfg(test)]
    fn table(&self) -> String {
        let mut out = "| why | cases | of the suites |\n|---|---|---|\n".to_owned();
        for (reason, suites) in &self.reasons {
            let count: usize = suites.values().map(Vec::len).sum();
            let names: Vec<_> = suites.keys().map(|suite| format!("`{suite}`")).collect();
            out.push_str(&format!("| {reason} | {count} | {} |\n", names.join(", ")));
        }
        out
    }

    /// How many cases there are.
    pub(crate) fn len(&self) -> usize {
        let suites = self.reasons.values().flat_map(BTreeMap::values);
        suites.map(Vec::len).sum()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn the_reference_says_what_is_expected() {
        let root = crate::workspace::root();
        let expected = Expected::read(&root.join(crate::conformance::EXPECTED)).unwrap();
        let reference = fs::read_to_string(root.join("docs/reference/conformance.md")).unwrap();
        let table = expected.table();
        assert!(reference.contains(&table), "it should hold\n{table}");
    }

    #[test]
    fn each_case_has_a_reason() {
        let text = "# Head.\n\na/b:\n  # too old\n  - x\n  - \"y\"\n  # too new\n  - z\nc:\n  # too old\n  - x\n";
        let expected = Expected::parse(text).unwrap();
        assert_eq!(expected.len(), 4);
        assert_eq!(expected.reasons["too old"]["a/b"], ["x", "y"]);
        assert_eq!(expected.reasons["too old"]["c"], ["x"]);
        for (text, error) in [
            ("a:\n  - x\n", "line 2: x has no reason"),
            ("  - x\n", "line 1: a case stands in no suite"),
            (
                "a:\n   - x\n",
                "line 2: \"   - x\" is neither `suite:`, `  # reason` nor `  - case`",
            ),
        ] {
            assert_eq!(Expected::parse(text).unwrap_err().to_string(), error);
        }
    }
}
