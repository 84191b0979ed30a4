//! The rules of google.protobuf.Any.

use prost_reflect::DynamicMessage;

use super::rules::unknown;
use super::site::Site;
use super::{Context, bounds};
use crate::options::Fields as _;

pub(super) fn checks(context: &mut Context<'_>, site: &Site<'_>, typed: &DynamicMessage) -> String {
    let list = |name: &str| -> Vec<String> {
        let list = typed.list(name);
        list.iter()
            .filter_map(|item| item.as_str().map(|item| format!("{item:?}")))
            .collect()
    };
    let (allowed, forbidden) = (list("in"), list("not_in"));
    bounds::sets(context, site, None, &allowed, &forbidden);
    let is_in = |items: &[String]| {
        format!(
            "matches!(&{}.type_url[..], {})",
            site.place,
            items.join(" | ")
        )
    };
    let mut out = String::new();
    for (rule, _) in typed.fields() {
        out += &match rule.name() {
            "in" => site.refuse_if(
                &format!("!{}", is_in(&allowed)),
                "any.in",
                "type URL must be in the allow list",
            ),
            "not_in" => site.refuse_if(
                &is_in(&forbidden),
                "any.not_in",
                "type URL must not be in the block list",
            ),
            other => {
                unknown(context, site.field, &format!("{}any.{other}", site.prefix));
                String::new()
            }
        };
    }
    out
}
