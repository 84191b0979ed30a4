//! The rules of google.protobuf.FieldMask.

use prost_reflect::{DynamicMessage, Value};

use super::bounds::shown;
use super::rules::unknown;
use super::site::Site;
use super::{Context, VALIDATE};
use crate::options::Fields as _;

pub(super) fn checks(context: &mut Context<'_>, site: &Site<'_>, typed: &DynamicMessage) -> String {
    let paths = &format!("{}.paths", site.place);
    let mut out = String::new();
    for (rule, value) in typed.fields() {
        let id = format!("field_mask.{}", rule.name());
        let list = value.as_list().map(<[Value]>::to_vec);
        let items = value
            .as_message()
            .map(|mask| mask.list("paths"))
            .or(list)
            .unwrap_or_default();
        let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
        let list = shown(items.iter().copied());
        out += &match rule.name() {
            "const" => site.refuse_if(
                &format!(
                    "!{paths}.iter().map(|path| path.as_str()).eq({items:?} as [&str; {}])",
                    items.len()
                ),
                &id,
                &format!("must equal paths {list}"),
            ),
            "in" => site.refuse_if(
                &format!("!{paths}.iter().all(|path| {VALIDATE}::is_within(path, &{items:?}))"),
                &id,
                &format!("must only contain paths in {list}"),
            ),
            "not_in" => site.refuse_if(
                &format!("{paths}.iter().any(|path| {VALIDATE}::is_within(path, &{items:?}))"),
                &id,
                &format!("must not contain any paths in {list}"),
            ),
            "example" => String::new(),
            other => {
                unknown(
                    context,
                    site.field,
                    &format!("{}field_mask.{other}", site.prefix),
                );
                String::new()
            }
        };
    }
    out
}
