//! The two branches of `?`.

use crate::cel::Refusal;
use crate::cel::lex::refuse;
use crate::cel::types::{Sort, Type};
use crate::cel::value::{Hold, Value};

use super::items;

/// Both branches of a choice, as Rust of one type.
pub(super) fn alike(at: usize, yes: Value, no: Value) -> Result<(Value, Value), Refusal> {
    let settle = |value: Value| Value {
        code: format!("::core::option::Option::Some({})", value.code),
        sort: Sort::Nullable(Box::new(value.sort.clone())),
        loose: false,
        known: None,
        ..value
    };
    let null = |value: Value, sort: &Sort| Value {
        code: "::core::option::Option::None".to_owned(),
        sort: sort.clone(),
        ..value
    };
    let fits = yes.sort.fits(&no.sort);
    match (yes.sort.clone(), no.sort.clone()) {
        (Sort::Nothing, _) | (_, Sort::Nothing) => Ok((yes, no)),
        (Sort::Nullable(inner), other) if *inner == other && yes.sort != other => {
            Ok((yes, settle(no)))
        }
        (other, Sort::Nullable(inner)) if *inner == other && no.sort != other => {
            Ok((settle(yes), no))
        }
        (Sort::Nullable(_), Sort::Null) => {
            let sort = yes.sort.clone();
            Ok((yes, null(no, &sort)))
        }
        (Sort::Null, Sort::Nullable(_)) => {
            let sort = no.sort.clone();
            Ok((null(yes, &sort), no))
        }
        (Sort::List(a), Sort::List(b))
            if fits && (a != b || yes.hold.max(no.hold) == Hold::Owned) =>
        {
            let kind = if a.sort == Sort::Nothing { &b } else { &a };
            let sort = Type::canonical(kind.sort.clone());
            Ok((items(yes, Some(&sort)), items(no, Some(&sort))))
        }
        (Sort::Rules(_) | Sort::Type(_), _) | (_, Sort::Rules(_) | Sort::Type(_)) => refuse(
            at,
            "what `?` chooses between is known when it is evaluated; choose between values",
        ),
        _ if fits => Ok((yes, no)),
        (a, b) => refuse(
            at,
            format!(
                "what `?` chooses between is of one type, not a {} and a {}",
                a.name(),
                b.name()
            ),
        ),
    }
}
