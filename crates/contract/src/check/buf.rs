//! What `buf breaking` is told: which removals are right.
//!
//! buf knows no sunsets and would hold on to a version for ever. It is told to overlook what is gone by announcement or by
//! name in the file of allowed breaks; nothing passes unseen, because each other removal is a finding of [`check`].

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{DescriptorPool, ServiceDescriptor};

use super::allow::Allowed;
use super::elements::{self, services};
use super::{check, rule};
use crate::json::Json;

/// What others make is theirs to keep compatible.
const VENDORED: [&str; 3] = ["buf", "google", "grpc"];

/// A configuration for `buf breaking NEW --against OLD --config`: the rules of the category FILE, for our own files.
///
/// - A package that is gone with all of its services is overlooked whole when each of them, and each of their methods, was
///   past its sunset on the day `today` (`YYYY-MM-DD`), or may go by `allowed`.
/// - In a file of which such a service or method is gone, and others stay, removals of services or of methods are left to
///   [`check`]. The messages stay buf's to watch: what others use cannot go, and what nobody uses harms nobody.
pub fn config(old: &DescriptorPool, new: &DescriptorPool, today: &str, allowed: &Allowed) -> Json {
    let findings = allowed.apply(check(old, new, today)).findings;
    let refused: BTreeSet<String> = findings
        .into_iter()
        .filter(|finding| {
            [&rule::REMOVED_BEFORE_SUNSET, &rule::REMOVED_UNANNOUNCED].contains(&finding.rule)
        })
        .map(|finding| finding.element)
        .collect();
    let may_go = |service: &ServiceDescriptor| {
        !refused.contains(service.full_name())
            && service
                .methods()
                .all(|method| !refused.contains(method.full_name()))
    };

    let mut over: BTreeMap<String, bool> = BTreeMap::new();
    let mut left_to_check: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for was in services(old) {
        let is = new.get_service_by_name(was.full_name());
        let is_over = is.is_none() && may_go(&was);
        over.entry(was.package_name().to_owned())
            .and_modify(|all| *all &= is_over)
            .or_insert(is_over);
        let file = was.parent_file().name().to_owned();
        match is {
            None if is_over => {
                left_to_check
                    .entry("SERVICE_NO_DELETE")
                    .or_default()
                    .insert(file);
            }
            None => {}
            Some(is) => {
                let is_gone = was.methods().any(|method| {
                    elements::method(&is, method.name()).is_none()
                        && !refused.contains(method.full_name())
                });
                if is_gone {
                    left_to_check
                        .entry("RPC_NO_DELETE")
                        .or_default()
                        .insert(file);
                }
            }
        }
    }
    let stays = |package: &str| new.files().any(|file| file.package_name() == package);
    over.retain(|package, is_over| *is_over && !stays(package));
    let overlooked = old
        .files()
        .filter(|file| over.contains_key(file.package_name()))
        .map(|file| file.name().to_owned());
    let ignore: Vec<String> = VENDORED
        .map(str::to_owned)
        .into_iter()
        .chain(overlooked)
        .collect();

    let mut breaking = Json::object([
        ("use", Json::texts(["FILE"])),
        ("ignore", Json::texts(ignore)),
    ]);
    if !left_to_check.is_empty() {
        let rules = left_to_check
            .into_iter()
            .map(|(rule, files)| (rule.to_owned(), Json::texts(files)))
            .collect();
        breaking.put("ignore_only", Json::Object(rules));
    }
    Json::object([("version", "v2".into()), ("breaking", breaking)])
}
