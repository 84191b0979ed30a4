//! `docs`.

use std::collections::BTreeSet;

use scribemed_contract::docs::{self, Form};
use scribemed_contract::reference::Reference;

use crate::support::{ours, reference, with_fields};

fn site(reference: &Reference) -> Vec<(String, String)> {
    docs::files(reference, &[Form::Html])
}

fn page<'a>(files: &'a [(String, String)], name: &str) -> &'a str {
    &files.iter().find(|(known, _)| known == name).unwrap().1
}

#[test]
fn every_service_method_message_and_enum_has_a_place_that_the_search_finds() {
    let reference = ours();
    let files = site(&reference);
    let entries = page(&files, "entries.js");
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for package in &reference.packages {
        names.extend(
            package
                .services
                .iter()
                .map(|found| found.full_name.as_str()),
        );
        names.extend(
            package
                .messages
                .iter()
                .map(|found| found.full_name.as_str()),
        );
        names.extend(package.enums.iter().map(|found| found.full_name.as_str()));
    }
    names.extend(
        reference
            .methods()
            .map(|(_, method)| method.full_name.as_str()),
    );
    assert!(names.len() > 100, "{}", names.len());
    for name in names {
        assert!(
            entries.contains(&format!("\"full\":\"{name}\"")),
            "{name} is not found"
        );
        let anchor = format!("id=\"{name}\"");
        assert_eq!(
            files
                .iter()
                .filter(|(_, text)| text.contains(&anchor))
                .count(),
            1,
            "{name}"
        );
    }
}

/// The targets of links of this form in a text.
fn targets<'a>(text: &'a str, before: &str, end: char) -> Vec<&'a str> {
    text.split(before)
        .skip(1)
        .filter_map(|rest| rest.split(end).next())
        .collect()
}

#[test]
fn no_link_leads_nowhere() {
    let reference = ours();
    for (form, before, end) in [(Form::Html, "href=\"", '"'), (Form::Markdown, "](", ')')] {
        let files = docs::files(&reference, &[form]);
        let mut count = 0;
        for (name, text) in files
            .iter()
            .filter(|(name, _)| name.ends_with("html") || name.ends_with("md"))
        {
            for target in targets(text, before, end)
                .into_iter()
                .filter(|to| !to.starts_with("data:"))
            {
                let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
                let file = if file.is_empty() { name } else { file };
                let found = &files
                    .iter()
                    .find(|(known, _)| known == file)
                    .unwrap_or_else(|| panic!("{name}: {target}"))
                    .1;
                let is_there = anchor.is_empty() || found.contains(&format!("id=\"{anchor}\""));
                assert!(is_there, "{name}: {target}");
                count += 1;
            }
        }
        assert!(count > 100, "{count}");
    }
}

#[test]
fn a_method_is_told_of_whole() {
    let files = docs::files(&ours(), &[Form::Markdown]);
    let text = page(&files, "scribemed.documentation.v2.md");
    let start = text.find("### UpdateNote\n").unwrap();
    let text = &text[start..start + text[start..].find("\n### SignNote\n").unwrap()];
    for part in [
        "| `etag` *required* | `string` | The `etag` of the note as it was read.<br>Rules: at least 1 character; at most 64 characters. |",
        "| `timeout` | 10 s | service default |",
        "| `permissions` | `write:notes` | method option |",
        "| `ABORTED` | the note has changed since it was read; read it again. |",
        "  -H \"authorization: Bearer $TOKEN\" \\",
        "scribemed.documentation.v2.DocumentationService/UpdateNote",
        "- `PATCH /v2/notes/{note_id}`, the other fields in the body",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let old = page(&files, "scribemed.transcription.v1.md");
    assert!(old.contains(
        "> **Note:** Deprecated since 2026-11-01; may be gone from 2027-11-01. Use [scribemed."
    ));
}

#[test]
fn what_a_contract_says_is_text_and_never_markup() {
    let text = with_fields(
        "\n// Rests <script>alert(1)</script> & \"sleeps\" | *well*.\n string bed = 1 [(buf.validate.field).string.const = \"it's </script>\"];",
    )
    .replace("rpc Rest", "// Is <b>bold</b>.</script><script>alert(2)//\n rpc Rest");
    let reference = reference(&text);
    let files = site(&reference);
    for (name, text) in files.iter().filter(|(name, _)| name.ends_with("html")) {
        assert!(
            !text.contains("<script>alert") && !text.contains("<b>bold"),
            "{name}"
        );
    }
    let html = page(&files, "inn.v1.html");
    assert!(
        html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;sleeps&quot; | *well*.")
    );
    // Scripts are files: their text cannot end them.
    assert!(!html.contains("window.ENTRIES"));
    // The quote ends the shell's text and begins it again.
    assert!(html.contains("it&#39;\\&#39;&#39;s"), "{html}");
    let markdown = docs::files(&reference, &[Form::Markdown]);
    let markdown = page(&markdown, "inn.v1.md");
    assert!(
        markdown.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; \"sleeps\" \\| \\*well\\*."),
        "{markdown}"
    );
}
