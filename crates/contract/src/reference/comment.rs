//! Comments: paragraphs and lists.

use std::collections::BTreeMap;

use prost_reflect::FileDescriptor;

/// A part of a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paragraph {
    /// Running text, in one line. Code stands between backticks.
    Text(String),
    /// The items of a list.
    List(Vec<String>),
}

/// A comment. It may be empty: an image need not hold any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comment(pub Vec<Paragraph>);

impl Comment {
    /// Reads the text behind the slashes: empty lines part paragraphs, `- ` begins an item, indented lines go on with it.
    pub fn parse(text: &str) -> Self {
        let mut paragraphs: Vec<Paragraph> = Vec::new();
        let mut open = false;
        for line in text.lines() {
            let indented = line.starts_with("   ");
            let line = line.trim();
            if line.is_empty() {
                open = false;
            } else if let Some(item) = line.strip_prefix("- ") {
                match paragraphs.last_mut() {
                    Some(Paragraph::List(items)) if open => items.push(item.to_owned()),
                    _ => paragraphs.push(Paragraph::List(vec![item.to_owned()])),
                }
                open = true;
            } else {
                match paragraphs.last_mut() {
                    Some(Paragraph::Text(text)) if open => append(text, line),
                    Some(Paragraph::List(items)) if open && indented => {
                        if let Some(item) = items.last_mut() {
                            append(item, line);
                        }
                    }
                    _ => paragraphs.push(Paragraph::Text(line.to_owned())),
                }
                open = true;
            }
        }
        Self(paragraphs)
    }

    /// The first sentence, for lists; `""` where there is none.
    pub fn summary(&self) -> &str {
        match self.0.first() {
            Some(Paragraph::Text(text)) => {
                let end = text.find(". ").map_or(text.len(), |at| at + 1);
                text.get(..end).unwrap_or(text)
            }
            _ => "",
        }
    }

    /// All of it in one line.
    pub fn line(&self) -> String {
        let parts = self.0.iter().map(|paragraph| match paragraph {
            Paragraph::Text(text) => text.clone(),
            Paragraph::List(items) => items.join("; "),
        });
        parts.collect::<Vec<_>>().join(" ")
    }

    /// All of it as Markdown.
    pub fn markdown(&self) -> String {
        let parts = self.0.iter().map(|paragraph| match paragraph {
            Paragraph::Text(text) => text.clone(),
            Paragraph::List(items) => items
                .iter()
                .map(|item| format!("- {item}"))
                .collect::<Vec<_>>()
                .join("\n"),
        });
        parts.collect::<Vec<_>>().join("\n\n")
    }
}

fn append(text: &mut String, line: &str) {
    text.push(' ');
    text.push_str(line);
}

/// The comments of a file, by the path of what they stand above.
pub(super) struct Comments(BTreeMap<Vec<i32>, Comment>);

/// `FileDescriptorProto.syntax`: what stands above it is about the file.
const SYNTAX: [i32; 1] = [12];

impl Comments {
    pub(super) fn of(file: &FileDescriptor) -> Self {
        let info = file.file_descriptor_proto().source_code_info.iter();
        let comments = info.flat_map(|info| &info.location).filter_map(|location| {
            let comment = Comment::parse(location.leading_comments.as_deref()?);
            Some((location.path.clone(), comment))
        });
        Self(comments.collect())
    }

    pub(super) fn at(&self, path: &[i32]) -> Comment {
        self.0.get(path).cloned().unwrap_or_default()
    }

    pub(super) fn of_file(&self) -> Comment {
        self.at(&SYNTAX)
    }
}
