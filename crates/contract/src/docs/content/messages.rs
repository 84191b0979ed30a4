//! Messages and enums.

use super::{anchored, link_to_type};
use crate::docs::block::{Block, Inline, code, comment, prose, text};
use crate::reference::{Enum, Field, FieldType, Message, Presence, Reference, Shape};

pub(super) fn message(reference: &Reference, message: &Message, blocks: &mut Vec<Block>) {
    blocks.push(anchored(
        3,
        &message.name,
        &message.full_name,
        "message",
        &message.comment,
    ));
    if message.deprecated {
        blocks.push(Block::Notice(vec![text("Deprecated.")]));
    }
    blocks.extend(comment(&message.comment));
    if !message.rules.is_empty() {
        blocks.push(Block::List(
            message.rules.iter().map(|rule| prose(rule)).collect(),
        ));
    }
    if message.fields.is_empty() {
        blocks.push(Block::Text(vec![text("It has no fields.")]));
    } else {
        blocks.push(fields(reference, message));
    }
}

/// The fields of a message.
pub(super) fn fields(reference: &Reference, message: &Message) -> Block {
    let row = |field: &Field| {
        let mut about = prose(&field.comment.line());
        let rules = field.rules.words();
        if !rules.is_empty() {
            if !about.is_empty() {
                about.push(Inline::Break);
            }
            about.extend(prose(&format!("Rules: {}.", rules.join("; "))));
        }
        vec![name(message, field), kind(reference, field), about]
    };
    Block::Table {
        head: vec!["field", "type", "what it is, and what it must be like"],
        rows: message.fields.iter().map(row).collect(),
    }
}

fn name(message: &Message, field: &Field) -> Vec<Inline> {
    let mut words = vec![code(field.name.clone())];
    let mut tag = |word: &str| words.push(Inline::Tag(word.to_owned()));
    if field.is_required() {
        tag("required");
    }
    for behavior in &field.behavior {
        match *behavior {
            "REQUIRED" | "OPTIONAL" => {}
            other => tag(&other.to_lowercase().replace('_', " ")),
        }
    }
    if field.deprecated {
        tag("deprecated");
    }
    if let Some(oneof) = &field.oneof {
        let found = message.oneofs.iter().find(|known| known.name == *oneof);
        let must = if found.is_some_and(|found| found.required) {
            "exactly one"
        } else {
            "at most one"
        };
        words.push(Inline::Break);
        words.push(text(format!("{must} of ")));
        words.push(code(oneof.clone()));
    }
    words
}

fn kind(reference: &Reference, field: &Field) -> Vec<Inline> {
    let held = match field.holds() {
        FieldType::Scalar(name) => code(*name),
        FieldType::Message(name) | FieldType::Enum(name) => {
            // Within the package its own name is enough.
            let package = reference.package_of(name);
            let short = package.and_then(|package| {
                Some(
                    name.strip_prefix(package.name.as_str())?
                        .trim_start_matches('.'),
                )
            });
            link_to_type(reference, name, short.unwrap_or(name))
        }
    };
    match &field.shape {
        Shape::List(_) => vec![text("list of "), held],
        Shape::Map(key, _) => vec![text("map from "), code(*key), text(" to "), held],
        Shape::One(FieldType::Scalar(_) | FieldType::Enum(_))
            if field.presence == Presence::Explicit && field.oneof.is_none() =>
        {
            vec![text("optional "), held]
        }
        Shape::One(_) => vec![held],
    }
}

pub(super) fn enumeration(found: &Enum, blocks: &mut Vec<Block>) {
    blocks.push(anchored(
        3,
        &found.name,
        &found.full_name,
        "enum",
        &found.comment,
    ));
    blocks.extend(comment(&found.comment));
    let rows = found.values.iter().map(|value| {
        vec![
            vec![code(value.name.clone())],
            vec![text(value.number.to_string())],
            prose(&value.comment.line()),
        ]
    });
    blocks.push(Block::Table {
        head: vec!["value", "number", "meaning"],
        rows: rows.collect(),
    });
}
