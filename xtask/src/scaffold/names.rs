//! What may be called how, and the forms of a name.

use anyhow::{Result, ensure};

/// Words that Rust keeps for itself and that could be meant as a name.
const KEYWORDS: [&str; 42] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try",
];
const MORE_KEYWORDS: [&str; 9] = [
    "type", "typeof", "union", "unsafe", "unsized", "use", "virtual", "where", "while",
];
/// Options of `scribemed up`, names of containers and files, and what the platform calls itself.
const TAKEN: [&str; 14] = [
    "all",
    "audio",
    "ca",
    "data",
    "free",
    "golden",
    "help",
    "log",
    "model",
    "operator",
    "options",
    "scribemed",
    "setup",
    "vendor",
];
/// Names of the modules, tables and variables that a service has anyway.
const TAKEN_RESOURCES: [&str; 21] = [
    "client", "config", "convert", "core", "error", "handler", "health", "id", "list", "made",
    "name", "page", "refusal", "request", "row", "seen", "service", "store", "title", "token",
    "world",
];

/// A service and what it keeps, in every form in which a template needs them.
#[derive(Debug)]
pub(super) struct Names {
    /// `billing`
    pub(super) name: String,
    /// `unpaid_invoice`
    pub(super) resource: String,
}

impl Names {
    pub(super) fn new(name: &str, resource: &str) -> Self {
        Self {
            name: name.to_owned(),
            resource: resource.to_owned(),
        }
    }

    /// `unpaid_invoices`
    pub(super) fn resources(&self) -> String {
        plural(&self.resource)
    }

    /// `unpaid-invoices`, in paths and permissions.
    pub(super) fn path(&self) -> String {
        self.resources().replace('_', "-")
    }

    /// What stands for each placeholder.
    pub(super) fn values(&self, port: u16) -> Vec<(&'static str, String)> {
        let resources = self.resources();
        let things = resources.replace('_', " ");
        vec![
            ("name", self.name.clone()),
            ("Name", camel(&self.name)),
            ("NAME", self.name.to_uppercase()),
            ("resource", self.resource.clone()),
            ("Resource", camel(&self.resource)),
            ("RESOURCE", self.resource.to_uppercase()),
            ("Resources", camel(&resources)),
            ("resources", resources),
            ("thing", self.resource.replace('_', " ")),
            ("Things", capital(&things)),
            ("things", things),
            ("path", self.path()),
            ("id_path", format!("{{{}_id}}", self.resource)),
            ("port", port.to_string()),
        ]
    }
}

/// A discovery name.
///
/// # Errors
/// What would be right.
pub(super) fn parse_word(text: &str) -> Result<String> {
    ensure!(
        (2..=24).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase()),
        "a service is named by one word of 2 to 24 letters in lower case, as `billing`"
    );
    not_reserved(text)?;
    ensure!(
        !TAKEN.contains(&text),
        "the platform uses the name {text:?} for something else; choose another"
    );
    Ok(text.to_owned())
}

/// What a service keeps.
///
/// # Errors
/// What would be right.
pub(super) fn parse_words(text: &str) -> Result<String> {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    ensure!(
        (2..=40).contains(&text.len()) && text.split('_').all(word),
        "a resource is named in the singular, by words in lower case joined by underscores, as `unpaid_invoice`"
    );
    not_reserved(text)?;
    ensure!(
        !TAKEN_RESOURCES.contains(&text),
        "each service uses the name {text:?} for something else; choose another, as `unpaid_invoice`"
    );
    Ok(text.to_owned())
}

/// A method.
///
/// # Errors
/// What would be right.
pub(super) fn parse_method(text: &str) -> Result<String> {
    ensure!(
        (3..=60).contains(&text.len())
            && text.starts_with(|first: char| first.is_ascii_uppercase())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && !text
                .as_bytes()
                .windows(2)
                .any(|two| two.iter().all(u8::is_ascii_uppercase)),
        "a method is named in UpperCamelCase, a verb first, as `SendInvoice`"
    );
    not_reserved(&snake(text))?;
    Ok(text.to_owned())
}

fn not_reserved(text: &str) -> Result<()> {
    ensure!(
        !KEYWORDS.contains(&text) && !MORE_KEYWORDS.contains(&text),
        "{text:?} is a word of Rust; choose another"
    );
    Ok(())
}

/// `unpaid_invoice` -> `UnpaidInvoice`
pub(super) fn camel(text: &str) -> String {
    text.split('_').map(capital).collect()
}

/// `SendInvoice` -> `send_invoice`
pub(super) fn snake(text: &str) -> String {
    let mut out = String::new();
    for (i, letter) in text.char_indices() {
        if letter.is_ascii_uppercase() && i > 0 {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn plural(text: &str) -> String {
    let consonant_y = text
        .strip_suffix('y')
        .filter(|rest| !rest.ends_with(['a', 'e', 'i', 'o', 'u']));
    let hisses = ["s", "x", "z", "ch", "sh"]
        .iter()
        .any(|ending| text.ends_with(ending));
    match consonant_y {
        Some(rest) => format!("{rest}ies"),
        None if hisses => format!("{text}es"),
        None => format!("{text}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_cannot_be_used_is_told_why() {
        fn check(parse: fn(&str) -> Result<String>, text: &str, expect: Option<&str>) {
            let refused = parse(text).err().map(|error| error.to_string());
            match expect {
                None => assert_eq!(refused, None, "{text}"),
                Some(part) => assert!(
                    refused.as_ref().is_some_and(|error| error.contains(part)),
                    "{text}: {refused:?}"
                ),
            }
        }
        check(parse_word, "billing", None);
        for text in [
            "", "b", "Billing", "bill_ing", "bill-ing", "b2b", "../up", "billing ",
        ] {
            check(parse_word, text, Some("one word of 2 to 24 letters"));
        }
        check(parse_word, "match", Some("a word of Rust"));
        check(parse_word, "setup", Some("something else"));
        check(parse_words, "unpaid_invoice", None);
        for text in ["", "_", "unpaid__invoice", "Invoice", "invoice_", "a-b"] {
            check(parse_words, text, Some("joined by underscores"));
        }
        check(parse_words, "request", Some("something else"));
        check(parse_method, "SendInvoice", None);
        for text in ["", "sendInvoice", "Send_Invoice", "SendPDF", "Do"] {
            check(parse_method, text, Some("UpperCamelCase"));
        }
        check(parse_method, "Match", Some("a word of Rust"));
    }

    #[test]
    fn forms() {
        assert_eq!(camel("unpaid_invoice"), "UnpaidInvoice");
        assert_eq!(snake("SendInvoice2"), "send_invoice2");
        for (one, many) in [
            ("invoice", "invoices"),
            ("entry", "entries"),
            ("day", "days"),
            ("match", "matches"),
            ("address", "addresses"),
        ] {
            assert_eq!(plural(one), many);
        }
    }
}
