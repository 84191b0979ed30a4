//! `openapi`: OpenAPI 3.1 from `google.api.http`.
//!
//! Bodies are in protobuf's JSON mapping (64-bit numbers as text, bytes in base64, enums by name). Rules are keywords of JSON
//! Schema where there are such, and always in words. Methods without an HTTP rule are named in the description of the whole.

mod operation;
mod schema;
mod status;

use std::collections::BTreeMap;

use crate::json::Json;
use crate::reference::Reference;

/// A contract that has no OpenAPI form.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No method has an HTTP rule.
    #[error("no method has a google.api.http option, so there is no path to describe")]
    NoPath,
    /// Two methods have the same path and verb.
    #[error(
        "{verb} {path} is the path of both {first} and {second}; give one of them another google.api.http rule"
    )]
    Twice {
        /// The verb.
        verb: String,
        /// The path.
        path: String,
        /// The method that came first.
        first: String,
        /// The other one.
        second: String,
    },
    /// OpenAPI has no word for a verb.
    #[error(
        "{method}: OpenAPI 3.1 has no operation for the verb {verb}; use get, put, post, delete, patch, options, head or trace"
    )]
    Verb {
        /// The method.
        method: String,
        /// The verb.
        verb: String,
    },
}

const VERBS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// The document.
///
/// # Errors
/// [`Error`], in one line.
pub fn of(reference: &Reference) -> Result<Json, Error> {
    let mut schemas = schema::Schemas::new(reference);
    let mut taken: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut paths: BTreeMap<String, Vec<(String, Json)>> = BTreeMap::new();
    for (service, method) in reference.methods() {
        for (index, binding) in method.http.iter().enumerate() {
            let (verb, path) = (binding.verb.to_lowercase(), binding.plain_path());
            if !VERBS.contains(&verb.as_str()) {
                return Err(Error::Verb {
                    method: method.full_name.clone(),
                    verb,
                });
            }
            // To OpenAPI, paths that differ in the names of their variables are the same.
            if let Some(first) =
                taken.insert((verb.clone(), unnamed(binding)), method.full_name.clone())
            {
                return Err(Error::Twice {
                    verb: binding.verb.clone(),
                    path,
                    first,
                    second: method.full_name.clone(),
                });
            }
            let operation = operation::of(&mut schemas, service, method, binding, index);
            paths.entry(path).or_default().push((verb, operation));
        }
    }
    if paths.is_empty() {
        return Err(Error::NoPath);
    }
    let tag = |service: &crate::reference::Service| {
        Json::object([
            ("name", service.full_name.clone().into()),
            ("description", service.comment.markdown().into()),
        ])
    };
    let components = Json::object([
        ("schemas", schemas.finish()),
        ("responses", status::responses()),
        (
            "securitySchemes",
            Json::object([(
                "bearer",
                Json::object([
                    ("type", "http".into()),
                    ("scheme", "bearer".into()),
                    ("bearerFormat", "JWT".into()),
                    (
                        "description",
                        "An access token of the service that is called (RFC 9068). What it must grant stands with each operation."
                            .into(),
                    ),
                ]),
            )]),
        ),
    ]);
    Ok(Json::object([
        ("openapi", "3.1.0".into()),
        ("info", info(reference)),
        ("tags", Json::List(reference.services().map(tag).collect())),
        (
            "paths",
            Json::Object(
                paths
                    .into_iter()
                    .map(|(path, item)| (path, Json::Object(item)))
                    .collect(),
            ),
        ),
        ("components", components),
    ]))
}

fn unnamed(binding: &crate::reference::Binding) -> String {
    use crate::reference::Segment;

    let parts = binding.path.iter().map(|segment| match segment {
        Segment::Literal(text) => text.as_str(),
        Segment::Variable { .. } => "{}",
    });
    parts.collect()
}

fn info(reference: &Reference) -> Json {
    let names: Vec<&str> = reference
        .services()
        .map(|service| service.full_name.as_str())
        .collect();
    let mut description = format!(
        "Generated from the contract of {}.\n\nMessages are in protobuf's JSON mapping: 64-bit numbers are text, bytes are \
         base64, enums are names, a field that is left out has its zero value. Errors are google.rpc.Status.",
        names.join(", ")
    );
    let without: Vec<&str> = reference
        .methods()
        .filter(|(_, method)| method.http.is_empty())
        .map(|(_, method)| method.full_name.as_str())
        .collect();
    if !without.is_empty() {
        description.push_str(&format!("\n\nOnly over gRPC: {}.", without.join(", ")));
    }
    let owner = reference.services().next().map_or("", |service| {
        service.package.split('.').next().unwrap_or_default()
    });
    Json::object([
        ("title", format!("{owner} services").into()),
        // The contract has no version of its own: its packages do.
        ("version", "1".into()),
        ("description", description.into()),
    ])
}
