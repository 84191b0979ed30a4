//! Methods and how they fail.

use prost_reflect::prost_types::MethodOptions;
use prost_reflect::{DescriptorPool, DynamicMessage};
use scribemed_codegen::policy;

use super::comment::{Comment, Comments, Paragraph};
use super::http::{self, Binding};
use super::policy::Origins;

/// A way in which a method fails, as its comment tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Names of status codes: `NOT_FOUND`.
    pub codes: Vec<String>,
    /// When.
    pub when: String,
}

/// A method.
#[derive(Debug)]
pub struct Method {
    /// `GetNote`.
    pub name: String,
    /// `scribemed.documentation.v2.DocumentationService.GetNote`.
    pub full_name: String,
    /// The path on the wire: `/scribemed.documentation.v2.DocumentationService/GetNote`.
    pub path: String,
    /// What it does. How it fails is in `failures`.
    pub comment: Comment,
    /// What the contract says of errors, besides the list.
    pub errors_note: Option<String>,
    /// How it fails.
    pub failures: Vec<Failure>,
    /// The full name of its request.
    pub request: String,
    /// The full name of its response.
    pub response: String,
    /// Whether `option deprecated` is set on it or on its service.
    pub deprecated: bool,
    /// How it is called over HTTP. Empty: not at all.
    pub http: Vec<Binding>,
    /// What is in force for its calls.
    pub policy: policy::Method,
    /// Where each part of that comes from.
    pub origins: Origins,
}

pub(super) fn read(
    pool: &DescriptorPool,
    comments: &Comments,
    service_policy: &DynamicMessage,
    service_deprecated: bool,
    policy: policy::Method,
) -> Method {
    let descriptor = &policy.descriptor;
    let service = descriptor.parent_service().full_name();
    let deprecated = descriptor.method_descriptor_proto().options.as_ref();
    let (comment, errors_note, failures) = without_errors(comments.at(descriptor.path()));
    Method {
        name: descriptor.name().to_owned(),
        full_name: descriptor.full_name().to_owned(),
        path: format!("/{service}/{}", descriptor.name()),
        comment,
        errors_note,
        failures,
        request: descriptor.input().full_name().to_owned(),
        response: descriptor.output().full_name().to_owned(),
        deprecated: service_deprecated || deprecated.is_some_and(MethodOptions::deprecated),
        http: http::read(pool, descriptor),
        origins: Origins::read(pool, descriptor, service_policy),
        policy,
    }
}

/// Takes apart `Errors:` and the list behind it from the rest.
fn without_errors(comment: Comment) -> (Comment, Option<String>, Vec<Failure>) {
    let mut rest = Vec::new();
    let mut note = None;
    let mut failures = Vec::new();
    let mut paragraphs = comment.0.into_iter().peekable();
    while let Some(paragraph) = paragraphs.next() {
        match &paragraph {
            Paragraph::Text(text) if text.starts_with("Errors:") => {
                let said = text.trim_start_matches("Errors:").trim();
                if !said.is_empty() {
                    note = Some(capitalised(said));
                }
                while let Some(Paragraph::List(items)) =
                    paragraphs.next_if(|next| matches!(next, Paragraph::List(_)))
                {
                    failures.extend(items.iter().map(|item| failure(item)));
                }
            }
            Paragraph::Text(text) if text.starts_with("No errors") => note = Some(text.clone()),
            Paragraph::Text(_) | Paragraph::List(_) => rest.push(paragraph),
        }
    }
    (Comment(rest), note, failures)
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), chars.as_str())
}

/// `NOT_FOUND: there is none`; what names no code at its beginning is told as it stands.
fn failure(item: &str) -> Failure {
    let is_code = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    };
    if let Some((codes, when)) = item.split_once(": ") {
        let codes: Vec<&str> = codes
            .split(", ")
            .flat_map(|part| part.split(" or "))
            .collect();
        if codes.iter().all(|code| is_code(code)) {
            return Failure {
                codes: codes.into_iter().map(str::to_owned).collect(),
                when: when.to_owned(),
            };
        }
    }
    Failure {
        codes: Vec::new(),
        when: item.to_owned(),
    }
}
