//! `docs`: a reference of the contract, as a site that needs no network and as Markdown.

mod block;
mod content;
mod html;
mod index;
mod markdown;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::reference::Reference;

/// What the reference is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A static site: pages, one style sheet, one script for the search.
    Html,
    /// Markdown, for the repository.
    Markdown,
}

/// The reference could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be {what}: {source}", path.display())]
pub struct Error {
    path: PathBuf,
    what: &'static str,
    source: std::io::Error,
}

/// The files of the reference: their names and what is in them.
pub fn files(reference: &Reference, forms: &[Form]) -> Vec<(String, String)> {
    let pages = content::pages(reference);
    let mut files = Vec::new();
    for form in forms {
        match form {
            Form::Html => files.extend(html::files(&pages)),
            Form::Markdown => {
                let name = |page: &block::Page| match page.name.as_str() {
                    block::INDEX => "README.md".to_owned(),
                    name => format!("{name}.md"),
                };
                files.extend(pages.iter().map(|page| (name(page), markdown::page(page))));
            }
        }
    }
    files
}

/// Writes the reference into `folder`, which is made where it is missing. Pages of packages that are gone are removed:
/// every file that begins as those that are written here. Returns how many files were written.
///
/// # Errors
/// [`Error`] names the file.
pub fn write(reference: &Reference, forms: &[Form], folder: &Path) -> Result<usize, Error> {
    let failed = |path: &Path, what| {
        let path = path.to_owned();
        move |source| Error { path, what, source }
    };
    std::fs::create_dir_all(folder).map_err(failed(folder, "made"))?;
    let files = files(reference, forms);
    let names: BTreeSet<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    for entry in std::fs::read_dir(folder).map_err(failed(folder, "read"))? {
        let path = entry.map_err(failed(folder, "read"))?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let extension = path.extension().and_then(|extension| extension.to_str());
        let ours = match extension {
            Some("html") => forms.contains(&Form::Html).then_some(html::HEAD),
            Some("md") => forms.contains(&Form::Markdown).then_some(markdown::HEAD),
            _ => None,
        };
        if let Some(head) = ours
            && !names.contains(name)
            && std::fs::read_to_string(&path).is_ok_and(|text| text.starts_with(head))
        {
            std::fs::remove_file(&path).map_err(failed(&path, "removed"))?;
        }
    }
    for (name, text) in &files {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(failed(&path, "written"))?;
    }
    Ok(files.len())
}
