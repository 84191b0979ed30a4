//! `explain`: the policy that is in force for a method, and where each part comes from.

mod operator;
mod parts;

use std::path::PathBuf;

use crate::json::Json;
use crate::near::{Unknown, near};
use crate::reference::{Method, Origin, Reference, Service};

pub use parts::{Part, of as parts};

/// Why nothing is explained.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such method.
    #[error(transparent)]
    Unknown(#[from] Unknown),
    /// The name stands for several.
    #[error("{asked:?} is a method of several services; name one of them: {}", .found.join(", "))]
    Ambiguous {
        /// What was asked for.
        asked: String,
        /// The full names.
        found: Vec<String>,
    },
    /// The operator's service config cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The operator's service config is refused, as the client would refuse it.
    #[error("{}: {reason}", path.display())]
    ServiceConfig {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// What is in force for a method.
#[derive(Debug)]
pub struct Explanation {
    /// Its full name.
    pub method: String,
    /// Its path on the wire.
    pub path: String,
    /// The parts of its policy.
    pub parts: Vec<Part>,
    /// What the reader of the service config has to say.
    pub notes: Vec<String>,
}

/// The policy of `name`: a full name (`inn.v1.Inn.Book`), a path (`/inn.v1.Inn/Book`), or the short name of a method that
/// only one service has. `service_config` is the operator's file.
///
/// # Errors
/// [`Error`], in one line.
pub fn of(
    reference: &Reference,
    name: &str,
    service_config: Option<&std::path::Path>,
) -> Result<Explanation, Error> {
    let (service, method) = find(reference, name)?;
    let mut parts = parts::of(service, method);
    let mut notes = Vec::new();
    if let Some(path) = service_config {
        let json = std::fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        notes =
            operator::apply(reference, service, method, &json, &mut parts).map_err(|reason| {
                Error::ServiceConfig {
                    path: path.to_owned(),
                    reason,
                }
            })?;
    }
    Ok(Explanation {
        method: method.full_name.clone(),
        path: method.path.clone(),
        parts,
        notes,
    })
}

fn find<'a>(reference: &'a Reference, name: &str) -> Result<(&'a Service, &'a Method), Error> {
    let asked = name.trim_start_matches('/').replace('/', ".");
    let is_asked = |(_, method): &(&Service, &Method)| {
        method.full_name == asked || (method.name == asked && !asked.contains('.'))
    };
    let found: Vec<_> = reference.methods().filter(is_asked).collect();
    match found.as_slice() {
        [only] => Ok(*only),
        [] => {
            let names = reference
                .methods()
                .map(|(_, method)| method.full_name.as_str());
            Err(Error::Unknown(Unknown {
                what: "method",
                asked: name.to_owned(),
                near: near(&asked, names),
                list: "`docs` lists all of them",
            }))
        }
        several => Err(Error::Ambiguous {
            asked: name.to_owned(),
            found: several
                .iter()
                .map(|(_, method)| method.full_name.clone())
                .collect(),
        }),
    }
}

impl Explanation {
    /// For people: one line for each part.
    pub fn text(&self) -> String {
        let width = |get: &dyn Fn(&Part) -> usize| self.parts.iter().map(get).max().unwrap_or(0);
        let names = width(&|part| part.name.len());
        let origins = width(&|part| part.origin.to_string().len());
        let mut out = format!("{}\n", self.method);
        for part in &self.parts {
            let origin = part.origin.to_string();
            out.push_str(&format!(
                "  {:names$}  {origin:origins$}  {}",
                part.name, part.words
            ));
            if let Some(instead) = &part.instead_of {
                out.push_str(&format!(" (contract: {instead})"));
            }
            out.push('\n');
        }
        for note in &self.notes {
            out.push_str(&format!("  note: {note}\n"));
        }
        out
    }

    /// For programs.
    pub fn json(&self) -> Json {
        let part = |part: &Part| {
            let mut json = Json::object([
                ("name", part.name.into()),
                ("value", part.value.clone()),
                ("from", origin(part.origin).into()),
            ]);
            if let Some(instead) = &part.instead_of {
                json.put("contract", instead.clone());
            }
            json
        };
        Json::object([
            ("method", self.method.clone().into()),
            ("path", self.path.clone().into()),
            ("policy", Json::List(self.parts.iter().map(part).collect())),
            ("notes", Json::texts(self.notes.clone())),
        ])
    }
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Method => "method",
        Origin::ServiceDefaults => "service_defaults",
        Origin::Service => "service",
        Origin::Product => "product",
        Origin::Operator => "service_config",
    }
}
