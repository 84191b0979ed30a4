//! Versions stand apart.

use prost_reflect::FileDescriptor;

use super::elements::{is_vendored, place};
use super::rule;
use super::{Change, Finding};

/// The field `dependency` of a FileDescriptorProto.
const DEPENDENCY: i32 = 3;

pub(super) fn check(change: &Change<'_>, out: &mut Vec<Finding>) {
    for file in change
        .new
        .files()
        .filter(|file| !is_vendored(file.package_name()))
    {
        let imports: Vec<FileDescriptor> = file.dependencies().collect();
        for (index, import) in (0..).zip(&imports) {
            if is_other_version(file.package_name(), import.package_name()) {
                let reason = format!("{} imports {}", file.package_name(), import.name());
                let place = place(&file, &[DEPENDENCY, index]);
                let element = file.package_name().to_owned();
                out.push(Finding::at(
                    &rule::IMPORTS_OTHER_VERSION,
                    element,
                    place,
                    reason,
                ));
            }
        }
    }
}

/// `scribemed.auth.v1` and `scribemed.auth.v2`.
fn is_other_version(one: &str, other: &str) -> bool {
    match (split(one), split(other)) {
        (Some((stem, version)), Some((other_stem, other_version))) => {
            stem == other_stem && version != other_version
        }
        _ => false,
    }
}

fn split(package: &str) -> Option<(&str, &str)> {
    let (stem, version) = package.rsplit_once('.')?;
    let number = version.strip_prefix('v')?;
    number
        .starts_with(|first: char| first.is_ascii_digit())
        .then_some((stem, version))
}
