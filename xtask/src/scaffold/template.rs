//! Templates: text with `{{placeholders}}`.

use anyhow::{Context as _, Result};

/// Fills in the placeholders.
///
/// # Errors
/// The template has one that stands for nothing: a fault of the template.
pub(super) fn render(template: &str, values: &[(&'static str, String)]) -> Result<String> {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let (name, after) = after
            .split_once("}}")
            .context("a placeholder of a template is not closed")?;
        let (_, value) = values
            .iter()
            .find(|(known, _)| *known == name)
            .with_context(|| {
                format!("the placeholder {{{{{name}}}}} of a template stands for nothing")
            })?;
        out.push_str(value);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn placeholders_are_filled_in_and_nothing_is_left_over() {
        let values = [("one", "1".to_owned())];
        assert_eq!(
            render("a {{one}} {b} {{one}}", &values).unwrap(),
            "a 1 {b} 1"
        );
        assert!(render("{{two}}", &values).is_err());
        assert!(render("{{one", &values).is_err());
    }
}
