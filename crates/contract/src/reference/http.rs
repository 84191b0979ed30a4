//! How a method is called over HTTP (`google.api.http`).

use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use scribemed_codegen::options::{Fields as _, extension};

/// A part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// As it is.
    Literal(String),
    /// The value of a field.
    Variable {
        /// The path of the field: `note_id`, `note.id`.
        field: String,
        /// What it must look like: `*` is one segment, `**` any number.
        pattern: String,
    },
}

/// One way to call a method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// In capitals: `GET`.
    pub verb: String,
    /// As the contract has it: `/v2/notes/{note_id}:sign`.
    pub template: String,
    /// The path, taken apart.
    pub path: Vec<Segment>,
    /// The field that the body holds; `*`: all that the path does not; `None`: there is no body.
    pub body: Option<String>,
    /// The field of the response that is answered; `None`: the response.
    pub response_body: Option<String>,
}

impl Binding {
    /// The fields that the path holds.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.path.iter().filter_map(|segment| match segment {
            Segment::Literal(_) => None,
            Segment::Variable { field, .. } => Some(field.as_str()),
        })
    }

    /// The path as OpenAPI has it: `/v2/notes/{note_id}:sign`, without the patterns.
    pub fn plain_path(&self) -> String {
        let parts = self.path.iter().map(|segment| match segment {
            Segment::Literal(text) => text.clone(),
            Segment::Variable { field, .. } => format!("{{{field}}}"),
        });
        parts.collect()
    }
}

/// The bindings of a method: its own and its additional ones. What has neither verb nor path is none.
pub(crate) fn read(pool: &DescriptorPool, method: &MethodDescriptor) -> Vec<Binding> {
    let Some(rule) = extension(pool, &method.options(), "google.api.http") else {
        return Vec::new();
    };
    let additional = rule.list("additional_bindings");
    let additional = additional.iter().filter_map(|value| value.as_message());
    std::iter::once(&rule)
        .chain(additional)
        .filter_map(binding)
        .collect()
}

fn binding(rule: &DynamicMessage) -> Option<Binding> {
    let verbs = ["get", "put", "post", "delete", "patch"];
    let simple = verbs
        .iter()
        .find_map(|verb| Some((verb.to_uppercase(), rule.text(verb)?)));
    let (verb, template) = simple.or_else(|| {
        let custom = rule.message("custom")?;
        Some((custom.text("kind")?, custom.text("path")?))
    })?;
    Some(Binding {
        verb,
        path: segments(&template),
        template,
        body: rule.text("body"),
        response_body: rule.text("response_body"),
    })
}

fn segments(template: &str) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut rest = template;
    while let Some((literal, behind)) = rest.split_once('{') {
        let (inner, behind) = behind.split_once('}').unwrap_or((behind, ""));
        if !literal.is_empty() {
            segments.push(Segment::Literal(literal.to_owned()));
        }
        let (field, pattern) = inner.split_once('=').unwrap_or((inner, "*"));
        segments.push(Segment::Variable {
            field: field.to_owned(),
            pattern: pattern.to_owned(),
        });
        rest = behind;
    }
    if !rest.is_empty() {
        segments.push(Segment::Literal(rest.to_owned()));
    }
    segments
}
