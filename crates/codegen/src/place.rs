//! Where in its file an element is declared.

use prost_reflect::{DescriptorPool, FileDescriptor};

use crate::error::Place;

/// The number of `dependency` in google.protobuf.FileDescriptorProto.
const DEPENDENCY: i32 = 3;

/// The place of a service, method, message, field or oneof, by its full name.
pub(crate) fn of(file: &FileDescriptor, element: &str) -> Option<Place> {
    at(file, &path(file.parent_pool(), element)?)
}

/// The place of the import with this index.
pub(crate) fn of_import(file: &FileDescriptor, index: usize) -> Option<Place> {
    at(file, &[DEPENDENCY, i32::try_from(index).ok()?])
}

fn at(file: &FileDescriptor, path: &[i32]) -> Option<Place> {
    let source = file.file_descriptor_proto().source_code_info.as_ref()?;
    let found = source
        .location
        .iter()
        .find(|location| location.path == path)?;
    let [line, column, ..] = found.span.as_slice() else {
        return None;
    };
    let from_one = |number: i32| u32::try_from(number).ok()?.checked_add(1);
    Some(Place {
        line: from_one(*line)?,
        column: from_one(*column)?,
    })
}

/// The path of an element in its file's descriptor.
fn path(pool: &DescriptorPool, element: &str) -> Option<Vec<i32>> {
    if let Some(service) = pool.get_service_by_name(element) {
        return Some(service.path().to_owned());
    }
    if let Some(message) = pool.get_message_by_name(element) {
        return Some(message.path().to_owned());
    }
    let (parent, name) = element.rsplit_once('.')?;
    if let Some(service) = pool.get_service_by_name(parent) {
        let method = service.methods().find(|method| method.name() == name)?;
        return Some(method.path().to_owned());
    }
    let message = pool.get_message_by_name(parent)?;
    if let Some(field) = message.get_field_by_name(name) {
        return Some(field.path().to_owned());
    }
    let oneof = message.oneofs().find(|oneof| oneof.name() == name)?;
    Some(oneof.path().to_owned())
}
