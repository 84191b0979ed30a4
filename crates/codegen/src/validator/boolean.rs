//! The rules of booleans.

use prost_reflect::DynamicMessage;

use super::Context;
use super::rules::unknown;
use super::site::Site;

pub(super) fn checks(context: &mut Context<'_>, site: &Site<'_>, typed: &DynamicMessage) -> String {
    let mut out = String::new();
    for (rule, value) in typed.fields() {
        match (rule.name(), value.as_bool()) {
            ("const", Some(expected)) => {
                let condition = format!("{} != {expected}", site.place);
                out += &site.refuse_if(&condition, "bool.const", &format!("must equal {expected}"));
            }
            ("example", _) => {}
            (other, _) => unknown(context, site.field, &format!("{}bool.{other}", site.prefix)),
        }
    }
    out
}
