//! Messages as JSON, in protobuf's own mapping (<https://protobuf.dev/programming-guides/json/>).

use anyhow::Context as _;
use prost::{Message, Name};
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};

/// `message` as a JSON value; fields with default values included.
pub(crate) fn of<M: Message + Name>(message: &M) -> anyhow::Result<serde_json::Value> {
    let pool = DescriptorPool::decode(scribemed_proto::DESCRIPTOR_SET)
        .context("the contract cannot be read")?;
    let name = M::full_name();
    let descriptor = pool
        .get_message_by_name(&name)
        .with_context(|| format!("the contract has no message {name}"))?;
    let mut dynamic = DynamicMessage::new(descriptor);
    dynamic.transcode_from(message)?;
    let options = SerializeOptions::new().skip_default_fields(false);
    Ok(dynamic.serialize_with_options(serde_json::value::Serializer, &options)?)
}
