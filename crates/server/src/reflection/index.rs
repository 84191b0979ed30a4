//! Where each name is declared.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use prost::Message as _;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    ServiceDescriptorProto,
};

use super::DescriptorError;

/// A `google.protobuf.FileDescriptorSet` whose files stay as they were encoded: decoded, they would lose their custom options.
#[derive(Clone, PartialEq, prost::Message)]
struct EncodedSet {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    file: Vec<Bytes>,
}

/// A file, by its place in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileId(usize);

/// The files that a stream has sent.
#[derive(Debug, Default)]
pub(super) struct Sent(BTreeSet<FileId>);

/// The files of some descriptor sets. Of files of one name the first counts.
#[derive(Debug, Default)]
pub(super) struct Index {
    files: Vec<File>,
    names: BTreeMap<String, FileId>,
    symbols: BTreeMap<String, FileId>,
    messages: BTreeSet<String>,
    /// By the extended message, then by number.
    extensions: BTreeMap<String, BTreeMap<i32, FileId>>,
}

#[derive(Debug)]
struct File {
    encoded: Bytes,
    imports: Vec<FileId>,
}

impl Index {
    pub(super) fn new(
        sets: impl IntoIterator<Item = &'static [u8]>,
    ) -> Result<Self, DescriptorError> {
        let mut index = Self::default();
        let mut imports = Vec::new();
        for set in sets {
            let set = EncodedSet::decode(Bytes::from_static(set))?;
            for encoded in set.file {
                let file = FileDescriptorProto::decode(encoded.clone())?;
                if index.names.contains_key(file.name()) {
                    continue;
                }
                let id = FileId(index.files.len());
                index.names.insert(file.name().to_owned(), id);
                index.add(id, &file);
                index.files.push(File {
                    encoded,
                    imports: Vec::new(),
                });
                imports.push((file.name().to_owned(), file.dependency));
            }
        }
        for (file, (name, imports)) in index.files.iter_mut().zip(imports) {
            for import in imports {
                let Some(id) = index.names.get(&import) else {
                    return Err(DescriptorError::ImportMissing { file: name, import });
                };
                file.imports.push(*id);
            }
        }
        Ok(index)
    }

    /// The file of this name.
    pub(super) fn file(&self, name: &str) -> Option<FileId> {
        self.names.get(name).copied()
    }

    /// The file that declares a service, method, message, field, oneof, enum, enum value or extension.
    pub(super) fn symbol(&self, name: &str) -> Option<FileId> {
        self.symbols.get(name).copied()
    }

    /// The file that declares the extension of `message` with this number.
    pub(super) fn extension(&self, message: &str, number: i32) -> Option<FileId> {
        self.extensions.get(message)?.get(&number).copied()
    }

    /// The numbers of all extensions of `message`, in order. `None`: there is no such message.
    pub(super) fn extension_numbers(&self, message: &str) -> Option<Vec<i32>> {
        match self.extensions.get(message) {
            Some(numbers) => Some(numbers.keys().copied().collect()),
            None => self.messages.contains(message).then(Vec::new),
        }
    }

    /// The file and whatever it imports, directly or not, but for what was sent before. The file itself always.
    pub(super) fn with_imports(&self, file: FileId, sent: &mut Sent) -> Vec<Bytes> {
        sent.0.insert(file);
        let mut files = vec![file];
        let mut next = 0;
        while let Some(file) = files.get(next).and_then(|id| self.files.get(id.0)) {
            next += 1;
            let new = file.imports.iter().copied();
            files.extend(new.filter(|import| sent.0.insert(*import)));
        }
        let encoded = files.iter().filter_map(|id| self.files.get(id.0));
        encoded.map(|file| file.encoded.clone()).collect()
    }

    fn add(&mut self, id: FileId, file: &FileDescriptorProto) {
        let scope = file.package();
        for message in &file.message_type {
            self.message(id, scope, message);
        }
        for of_enum in &file.enum_type {
            self.enumeration(id, scope, of_enum);
        }
        for service in &file.service {
            self.service(id, scope, service);
        }
        for extension in &file.extension {
            self.extend(id, scope, extension);
        }
    }

    fn name(&mut self, id: FileId, scope: &str, name: &str) -> String {
        let full = if scope.is_empty() {
            name.to_owned()
        } else {
            format!("{scope}.{name}")
        };
        self.symbols.entry(full.clone()).or_insert(id);
        full
    }

    fn message(&mut self, id: FileId, scope: &str, message: &DescriptorProto) {
        let scope = &self.name(id, scope, message.name());
        self.messages.insert(scope.clone());
        for nested in &message.nested_type {
            self.message(id, scope, nested);
        }
        for of_enum in &message.enum_type {
            self.enumeration(id, scope, of_enum);
        }
        for field in &message.field {
            self.name(id, scope, field.name());
        }
        for oneof in &message.oneof_decl {
            self.name(id, scope, oneof.name());
        }
        for extension in &message.extension {
            self.extend(id, scope, extension);
        }
    }

    /// The values of an enum are its siblings, as in C++.
    fn enumeration(&mut self, id: FileId, scope: &str, of_enum: &EnumDescriptorProto) {
        self.name(id, scope, of_enum.name());
        for value in &of_enum.value {
            self.name(id, scope, value.name());
        }
    }

    fn service(&mut self, id: FileId, scope: &str, service: &ServiceDescriptorProto) {
        let scope = &self.name(id, scope, service.name());
        for method in &service.method {
            self.name(id, scope, method.name());
        }
    }

    fn extend(&mut self, id: FileId, scope: &str, extension: &FieldDescriptorProto) {
        self.name(id, scope, extension.name());
        let message = extension.extendee().trim_start_matches('.');
        self.extensions
            .entry(message.to_owned())
            .or_default()
            .entry(extension.number())
            .or_insert(id);
    }
}
