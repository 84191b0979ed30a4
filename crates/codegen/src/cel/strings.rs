//! Functions of texts and bytes: cel-spec's, and cel-go's extension for strings.

use super::CEL;
use super::types::{Sort, Store, Type};
use super::value::{Hold, Value};

/// The function `name` of the first of `operands`, if there is one for such types.
pub(super) fn member(at: usize, name: &str, operands: &[Value]) -> Option<Value> {
    let (receiver, arguments) = operands.split_first()?;
    let sorts: Vec<&Sort> = arguments.iter().map(|argument| &argument.sort).collect();
    let codes: Vec<String> = arguments.iter().map(Value::borrowed).collect();
    let code = |index: usize| codes.get(index).map_or("", String::as_str);
    let operand = receiver.borrowed_operand();
    let text = receiver.borrowed();
    let owned = |code: String| Some(Value::new(at, Sort::Text, code).owned());
    // A part of the text, and as lasting as that.
    let part =
        |code: String| Value::new(at, Sort::Text, code).holding(receiver.lent().max(Hold::Plain));
    let int = |code: String| Value::new(at, Sort::Int, code);
    Some(match (&receiver.sort, name, sorts.as_slice()) {
        (Sort::Text, "startsWith" | "endsWith" | "contains", [Sort::Text])
        | (Sort::Bytes, "startsWith" | "endsWith", [Sort::Bytes]) => {
            let method = match name {
                "startsWith" => "starts_with",
                "endsWith" => "ends_with",
                _ => "contains",
            };
            Value::new(at, Sort::Bool, format!("{operand}.{method}({})", code(0)))
        }
        (Sort::Bytes, "contains", [Sort::Bytes]) => Value::new(
            at,
            Sort::Bool,
            format!("{CEL}::has_bytes({text}, {})", code(0)),
        ),
        (Sort::Text, "charAt", [Sort::Int]) => {
            part(format!("{CEL}::char_at({text}, {})", code(0))).tried()
        }
        (Sort::Text, "substring", [Sort::Int]) => part(format!(
            "{CEL}::substring({text}, {}, ::core::option::Option::None)",
            code(0)
        ))
        .tried(),
        (Sort::Text, "substring", [Sort::Int, Sort::Int]) => part(format!(
            "{CEL}::substring({text}, {}, ::core::option::Option::Some({}))",
            code(0),
            code(1)
        ))
        .tried(),
        (Sort::Text, "trim", []) => part(format!("{operand}.trim()")),
        (Sort::Text, "indexOf", [Sort::Text]) => {
            int(format!("{CEL}::index_of({text}, {})", code(0)))
        }
        (Sort::Text, "indexOf", [Sort::Text, Sort::Int]) => int(format!(
            "{CEL}::index_of_from({text}, {}, {})",
            code(0),
            code(1)
        ))
        .tried(),
        (Sort::Text, "lastIndexOf", [Sort::Text]) => {
            int(format!("{CEL}::last_index_of({text}, {})", code(0)))
        }
        (Sort::Text, "lastIndexOf", [Sort::Text, Sort::Int]) => int(format!(
            "{CEL}::last_index_of_from({text}, {}, {})",
            code(0),
            code(1)
        ))
        .tried(),
        (Sort::Text, "lowerAscii", []) => return owned(format!("{operand}.to_ascii_lowercase()")),
        (Sort::Text, "upperAscii", []) => return owned(format!("{operand}.to_ascii_uppercase()")),
        (Sort::Text, "reverse", []) => {
            return owned(format!(
                "{operand}.chars().rev().collect::<::std::string::String>()"
            ));
        }
        (Sort::Text, "replace", [Sort::Text, Sort::Text]) => {
            return owned(format!("{operand}.replace({}, {})", code(0), code(1)));
        }
        (Sort::Text, "replace", [Sort::Text, Sort::Text, Sort::Int]) => {
            return owned(format!(
                "{CEL}::replace({text}, {}, {}, {})",
                code(0),
                code(1),
                code(2)
            ));
        }
        (Sort::Text, "split", [Sort::Text]) => split(at, receiver, code(0), "-1"),
        (Sort::Text, "split", [Sort::Text, Sort::Int]) => split(at, receiver, code(0), code(1)),
        _ => return None,
    })
}

/// The parts of `text`; owned where the text itself is only passing.
fn split(at: usize, text: &Value, separator: &str, limit: &str) -> Value {
    let passing = text.lent() == Hold::Passing;
    let code = format!("{CEL}::split({}, {separator}, {limit})", text.borrowed());
    let (code, store) = if passing {
        let code = format!("{code}.into_iter().map(str::to_owned).collect::<::std::vec::Vec<_>>()");
        (code, Store::Owned)
    } else {
        (code, Store::Canonical)
    };
    let item = Type {
        sort: Sort::Text,
        store,
    };
    Value::new(at, Sort::List(Box::new(item)), code).owned()
}
