//! How methods are called over HTTP.

use prost_reflect::MethodDescriptor;

use super::Finding;
use super::rule;
use crate::reference::http::{self, Binding, Segment};

pub(super) fn method(old: &MethodDescriptor, new: &MethodDescriptor, out: &mut Vec<Finding>) {
    let was = http::read(old.parent_pool(), old);
    let is = http::read(new.parent_pool(), new);
    for binding in &was {
        let address = Address::of(binding);
        if is.iter().any(|binding| Address::of(binding) == address) {
            continue;
        }
        if is.is_empty() {
            let reason = format!("{} -> none", show(binding));
            out.push(Finding::new(&rule::HTTP_BINDING_REMOVED, new, reason));
        } else {
            let now: Vec<String> = is.iter().map(show).collect();
            let reason = format!("{} -> {}", show(binding), now.join(", "));
            out.push(Finding::new(&rule::HTTP_BINDING_CHANGED, new, reason));
        }
    }
}

/// What a caller sees of a binding: not how the fields in the path are called.
#[derive(PartialEq)]
struct Address<'a> {
    verb: &'a str,
    path: Vec<&'a str>,
    body: Option<&'a str>,
    response_body: Option<&'a str>,
}

impl<'a> Address<'a> {
    fn of(binding: &'a Binding) -> Self {
        let path = binding.path.iter().map(|segment| match segment {
            Segment::Literal(text) => text.as_str(),
            Segment::Variable { pattern, .. } => pattern.as_str(),
        });
        Self {
            verb: &binding.verb,
            path: path.collect(),
            body: binding.body.as_deref(),
            response_body: binding.response_body.as_deref(),
        }
    }
}

fn show(binding: &Binding) -> String {
    let mut text = format!("{} {}", binding.verb, binding.template);
    if let Some(body) = &binding.body {
        text.push_str(&format!(" body {body:?}"));
    }
    if let Some(body) = &binding.response_body {
        text.push_str(&format!(" response_body {body:?}"));
    }
    text
}
