//! What the search of the site finds.

use super::block::{Block, Page};
use crate::json::Json;

/// One entry for each anchor: name, kind, where, and one sentence.
pub(super) fn entries(pages: &[Page]) -> Json {
    let mut entries = Vec::new();
    for page in pages {
        for block in &page.blocks {
            if let Block::Heading {
                text,
                anchor: Some(anchor),
                ..
            } = block
            {
                entries.push(Json::object([
                    ("name", text.clone().into()),
                    ("full", anchor.id.clone().into()),
                    ("kind", anchor.kind.into()),
                    ("to", format!("{}.html#{}", page.name, anchor.id).into()),
                    ("about", anchor.summary.clone().into()),
                ]));
            }
        }
    }
    Json::List(entries)
}
