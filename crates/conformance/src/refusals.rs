//! Which messages the code generator refused, and why.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};
use prost_types::FileDescriptorSet;

/// The refusals, by the message that they are of.
pub(crate) struct Refusals<'a> {
    messages: BTreeMap<String, Vec<&'a str>>,
    /// Everything else: files that could not be read.
    files: BTreeMap<&'a str, &'a str>,
}

impl<'a> Refusals<'a> {
    /// Sorts what was refused, each an element and a reason.
    pub(crate) fn of(pool: &DescriptorPool, refused: &[(&'a str, &'a str)]) -> Self {
        let mut out = Self {
            messages: BTreeMap::new(),
            files: BTreeMap::new(),
        };
        for &(element, why) in refused {
            // A message, or a field or oneof of it.
            let parent = element.rsplit_once('.').map(|(parent, _)| parent);
            let message = [Some(element), parent]
                .into_iter()
                .flatten()
                .find_map(|name| pool.get_message_by_name(name));
            if let Some(message) = message {
                let name = message.full_name().to_owned();
                out.messages.entry(name).or_default().push(why);
            } else {
                out.files.insert(element, why);
            }
        }
        out
    }

    /// Why the code generator refuses `message`, or a message that it holds, if it does.
    pub(crate) fn why(&self, message: &MessageDescriptor) -> Option<String> {
        let mut reached = BTreeSet::from([message.full_name().to_owned()]);
        let mut next = vec![message.clone()];
        while let Some(message) = next.pop() {
            if let Some(why) = self.messages.get(message.full_name()) {
                return Some(format!("{}: {}", message.full_name(), why.join("; ")));
            }
            for field in message.fields() {
                if let Kind::Message(inner) = field.kind()
                    && reached.insert(inner.full_name().to_owned())
                {
                    next.push(inner);
                }
            }
        }
        None
    }

    /// Why nothing was generated for a message, which `files` declare.
    pub(crate) fn unread(&self, files: &FileDescriptorSet, message: &str) -> String {
        let file = files
            .file
            .iter()
            .find(|file| {
                let name = message
                    .strip_prefix(file.package())
                    .and_then(|name| name.strip_prefix('.'))
                    .and_then(|name| name.split('.').next());
                file.message_type
                    .iter()
                    .any(|message| name == Some(message.name()))
            })
            .map(|file| file.name().to_owned())
            .unwrap_or_default();
        let why = self.files.get(file.as_str()).copied();
        let why = why.unwrap_or("it is in no file that this executor was built with");
        format!("nothing was generated for {message}: {why}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use prost_types::{DescriptorProto, FileDescriptorProto};

    use super::*;
    use crate::sample;

    #[test]
    fn a_message_is_refused_for_what_it_holds() {
        let pool = sample::pool();
        let refused = [
            ("sample.Root.choice", "says no"),
            ("sample.Root", "is no message of ours"),
            ("other.proto", "cannot be read"),
        ];
        let refusals = Refusals::of(&pool, &refused);
        let why = |name| refusals.why(&pool.get_message_by_name(name).unwrap());
        let expect = Some("sample.Root: says no; is no message of ours".to_owned());
        assert_eq!(why("sample.Root"), expect);
        assert_eq!(why("sample.Holder"), expect);
        assert_eq!(why("sample.Other"), None);
        // One that holds itself is looked at once.
        assert_eq!(why("sample.Leaf"), None);
    }

    #[test]
    fn a_message_that_is_not_there_is_explained_by_its_file() {
        let refusals = Refusals::of(&sample::pool(), &[("b.proto", "cannot be read")]);
        let file = |name: &str, message: &str| FileDescriptorProto {
            name: Some(name.to_owned()),
            package: Some("p.q".to_owned()),
            message_type: vec![DescriptorProto {
                name: Some(message.to_owned()),
                ..DescriptorProto::default()
            }],
            ..FileDescriptorProto::default()
        };
        let files = FileDescriptorSet {
            file: vec![file("a.proto", "A"), file("b.proto", "B")],
        };
        let why = |message| refusals.unread(&files, message);
        assert_eq!(
            why("p.q.B.C"),
            "nothing was generated for p.q.B.C: cannot be read"
        );
        assert_eq!(
            why("p.q.A"),
            "nothing was generated for p.q.A: it is in no file that this executor was built with"
        );
    }
}
