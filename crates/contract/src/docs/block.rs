//! What pages are made of, whatever they are written in.

use crate::reference::{Comment, Paragraph};

/// The name of the first page.
pub(super) const INDEX: &str = "index";

/// A page.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Of its file, without the ending.
    pub(super) name: String,
    pub(super) title: String,
    pub(super) blocks: Vec<Block>,
}

/// A part of a page.
#[derive(Debug, Clone)]
pub(super) enum Block {
    /// A title. What has an anchor can be linked and searched for.
    Heading {
        level: u8,
        text: String,
        anchor: Option<Anchor>,
    },
    Text(Vec<Inline>),
    /// Something to take note of: the end of a version.
    Notice(Vec<Inline>),
    List(Vec<Vec<Inline>>),
    Table {
        head: Vec<&'static str>,
        rows: Vec<Vec<Vec<Inline>>>,
    },
    Code {
        language: &'static str,
        text: String,
    },
}

/// Where something stands.
#[derive(Debug, Clone)]
pub(super) struct Anchor {
    /// Its full name.
    pub(super) id: String,
    /// `method`.
    pub(super) kind: &'static str,
    /// One sentence, for the search.
    pub(super) summary: String,
}

/// Running text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Inline {
    Text(String),
    Code(String),
    /// To what stands on `page` at `anchor`; an empty anchor is the page.
    Link {
        page: String,
        anchor: String,
        text: String,
    },
    /// A word in a box: `deprecated`.
    Tag(String),
    Break,
}

pub(super) fn text(text: impl Into<String>) -> Inline {
    Inline::Text(text.into())
}

pub(super) fn code(text: impl Into<String>) -> Inline {
    Inline::Code(text.into())
}

/// Text with code between backticks.
pub(super) fn prose(words: &str) -> Vec<Inline> {
    let mut parts = Vec::new();
    for (index, part) in words.split('`').enumerate() {
        if !part.is_empty() {
            parts.push(if index % 2 == 0 {
                text(part)
            } else {
                code(part)
            });
        }
    }
    parts
}

/// A comment.
pub(super) fn comment(comment: &Comment) -> Vec<Block> {
    let block = |paragraph: &Paragraph| match paragraph {
        Paragraph::Text(words) => Block::Text(prose(words)),
        Paragraph::List(items) => Block::List(items.iter().map(|item| prose(item)).collect()),
    };
    comment.0.iter().map(block).collect()
}
