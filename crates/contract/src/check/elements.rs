//! What a contract is made of, alike: a name, a place, options.

use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, EnumValueDescriptor, FieldDescriptor,
    FileDescriptor, MessageDescriptor, MethodDescriptor, OneofDescriptor, ServiceDescriptor,
};
use scribemed_codegen::options::Fields as _;
use serde::Serialize;

/// Where something stands. Line and column count from 1; they are missing where the image has no source info.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The file, as imports name it.
    pub file: String,
    /// The line.
    pub line: Option<usize>,
    /// The column.
    pub column: Option<usize>,
}

/// An element of a contract.
pub(super) trait Element {
    fn name(&self) -> String;
    fn file(&self) -> FileDescriptor;
    fn at(&self) -> Vec<i32>;
    fn element_options(&self) -> DynamicMessage;

    fn is_deprecated(&self) -> bool {
        self.element_options().flag("deprecated").unwrap_or(false)
    }

    fn place(&self) -> Place {
        place(&self.file(), &self.at())
    }
}

macro_rules! elements {
    ($($kind:ty),*) => {$(
        impl Element for $kind {
            fn name(&self) -> String {
                self.full_name().to_owned()
            }

            fn file(&self) -> FileDescriptor {
                self.parent_file()
            }

            fn at(&self) -> Vec<i32> {
                self.path().to_vec()
            }

            fn element_options(&self) -> DynamicMessage {
                self.options()
            }
        }
    )*};
}

elements!(
    ServiceDescriptor,
    MethodDescriptor,
    MessageDescriptor,
    FieldDescriptor,
    OneofDescriptor,
    EnumDescriptor
);

impl Element for EnumValueDescriptor {
    fn name(&self) -> String {
        self.full_name().to_owned()
    }

    fn file(&self) -> FileDescriptor {
        self.parent_enum().parent_file()
    }

    fn at(&self) -> Vec<i32> {
        self.path().to_vec()
    }

    fn element_options(&self) -> DynamicMessage {
        self.options()
    }
}

/// Where the part of a file with this path stands.
pub(super) fn place(file: &FileDescriptor, path: &[i32]) -> Place {
    let locations = file.file_descriptor_proto().source_code_info.as_ref();
    let mut locations = locations.into_iter().flat_map(|info| &info.location);
    let span = locations
        .find(|location| location.path == path)
        .map(|location| location.span.as_slice());
    let count = |part: usize| {
        let from_zero = span.and_then(|span| usize::try_from(*span.get(part)?).ok());
        from_zero.map(|number| number + 1)
    };
    Place {
        file: file.name().to_owned(),
        line: count(0),
        column: count(1),
    }
}

/// The top of the file of this name, for what is not there any more.
pub(super) fn gone(name: &str) -> Place {
    Place {
        file: name.to_owned(),
        line: None,
        column: None,
    }
}

/// Whether the files of a package are made elsewhere; they are kept compatible there.
pub(super) fn is_vendored(package: &str) -> bool {
    let first = package.split('.').next().unwrap_or_default();
    matches!(first, "google" | "buf" | "grpc")
}

/// The services of the contract, not those of others.
pub(super) fn services(pool: &DescriptorPool) -> impl Iterator<Item = ServiceDescriptor> {
    pool.services()
        .filter(|service| !is_vendored(service.package_name()))
}

/// The messages of the contract, those in messages included.
pub(crate) fn messages(pool: &DescriptorPool) -> impl Iterator<Item = MessageDescriptor> {
    pool.all_messages()
        .filter(|message| !is_vendored(message.package_name()) && !message.is_map_entry())
}

/// The enums of the contract.
pub(super) fn enums(pool: &DescriptorPool) -> impl Iterator<Item = EnumDescriptor> {
    pool.all_enums()
        .filter(|kind| !is_vendored(kind.package_name()))
}

/// The method of this name.
pub(super) fn method(service: &ServiceDescriptor, name: &str) -> Option<MethodDescriptor> {
    service.methods().find(|method| method.name() == name)
}
