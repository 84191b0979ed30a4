//! Who may call.

use prost_reflect::MethodDescriptor;

use super::Finding;
use super::effective::{Access, Effective};
use super::rule;

pub(super) fn method(old: &MethodDescriptor, new: &MethodDescriptor, out: &mut Vec<Finding>) {
    let (was, is) = (Effective::of(old).access, Effective::of(new).access);
    match (was, is) {
        (Access::Public, Access::Permissions(asked)) => {
            let reason = format!("public -> permissions: {}", list(&asked));
            out.push(Finding::new(&rule::PUBLIC_CLOSED, new, reason));
        }
        (Access::Permissions(was), Access::Permissions(is)) => permissions(&was, &is, new, out),
        // What did not say was open to nobody; what does not say is refused by the build.
        (Access::Unsaid, _) | (_, Access::Unsaid | Access::Public) => {}
    }
}

fn permissions(was: &[String], is: &[String], new: &MethodDescriptor, out: &mut Vec<Finding>) {
    let only = |these: &[String], others: &[String]| -> Vec<String> {
        these
            .iter()
            .filter(|name| !others.contains(name))
            .cloned()
            .collect()
    };
    let (added, removed) = (only(is, was), only(was, is));
    if added.is_empty() {
        return;
    }
    // One taken away for each that came is a change of names; more than that is more to be granted.
    let rule = if added.len() <= removed.len() {
        &rule::PERMISSION_RENAMED
    } else {
        &rule::PERMISSION_ADDED
    };
    let reason = format!("permissions: {} -> {}", list(was), list(is));
    out.push(Finding::new(rule, new, reason));
}

fn list(names: &[String]) -> String {
    format!("[{}]", names.join(", "))
}
