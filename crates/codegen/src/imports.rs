//! Which versions of a contract may know of each other: none (AIP-215).

use prost_reflect::FileDescriptor;

use crate::error::Problem;
use crate::place;

/// Tells which imports of `file` are of another version of its own package.
pub(crate) fn check(file: &FileDescriptor, problems: &mut Vec<Problem>) {
    let Some((name, version)) = versioned(file.package_name()) else {
        return;
    };
    for (index, imported) in file.dependencies().enumerate() {
        let Some((other, other_version)) = versioned(imported.package_name()) else {
            continue;
        };
        if other == name && other_version != version {
            problems.push(Problem {
                file: file.name().to_owned(),
                element: file.package_name().to_owned(),
                message: format!(
                    "imports {}, which is of another version; a version stands by itself, so that the other can be removed: \
                     declare what it needs in {}",
                    imported.name(),
                    file.package_name()
                ),
                place: place::of_import(file, index),
            });
        }
    }
}

/// `scribemed.notes.v2`: the name and the version.
fn versioned(package: &str) -> Option<(&str, &str)> {
    let (name, version) = package.rsplit_once('.')?;
    let number = version.strip_prefix('v')?;
    number
        .starts_with(|digit: char| digit.is_ascii_digit())
        .then_some((name, version))
}
