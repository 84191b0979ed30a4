//! Functions: conversions, sizes, formats, and which part of this module has the others.

use super::expr::Translator;
use super::lex::refuse;
use super::macros::is_macro;
use super::parse::{Expr, Node};
use super::types::Sort;
use super::value::Value;
use super::{CEL, Refusal, convert, pattern, strings, time};

/// How functions are called, for those who call them otherwise.
const USAGE: [&str; 57] = [
    "has(message.field)",
    "size(value)",
    "value.size()",
    "int(value)",
    "uint(value)",
    "double(value)",
    "string(value)",
    "bytes(string)",
    "bool(string)",
    "duration(string)",
    "timestamp(string or int)",
    "type(value)",
    "dyn(value)",
    "getField(message, 'name')",
    "matches(string, pattern)",
    "string.matches(pattern)",
    "string.startsWith(string)",
    "string.endsWith(string)",
    "string.contains(string)",
    "string.charAt(int)",
    "string.indexOf(string[, int])",
    "string.lastIndexOf(string[, int])",
    "list.join([string])",
    "string.lowerAscii()",
    "string.upperAscii()",
    "string.replace(string, string[, int])",
    "string.split(string[, int])",
    "string.substring(int[, int])",
    "string.trim()",
    "string.reverse()",
    "string.format([values])",
    "strings.quote(string)",
    "string.isEmail()",
    "string.isHostname()",
    "string.isHostAndPort(bool)",
    "string.isIp([int])",
    "string.isIpPrefix([int][, bool])",
    "string.isUri()",
    "string.isUriRef()",
    "double.isNan()",
    "double.isInf([int])",
    "list.unique()",
    "list.all(item, condition)",
    "list.exists(item, condition)",
    "list.exists_one(item, condition)",
    "list.filter(item, condition)",
    "list.map(item[, condition], value)",
    "timestamp.getFullYear([zone])",
    "timestamp.getMonth([zone])",
    "timestamp.getDayOfYear([zone])",
    "timestamp.getDayOfMonth([zone])",
    "timestamp.getDate([zone])",
    "timestamp.getDayOfWeek([zone])",
    "timestamp.getHours([zone]), duration.getHours()",
    "timestamp.getMinutes([zone]), duration.getMinutes()",
    "timestamp.getSeconds([zone]), duration.getSeconds()",
    "timestamp.getMilliseconds([zone]), duration.getMilliseconds()",
];

impl Translator<'_> {
    pub(super) fn call(
        &mut self,
        at: usize,
        receiver: Option<&Expr>,
        name: &str,
        arguments: &[Expr],
    ) -> Result<Value, Refusal> {
        match (receiver, name, arguments) {
            (None, "has", [field]) => return self.has(at, field),
            (None, "dyn", [value]) => {
                let value = self.value(value)?;
                return Ok(Value {
                    dynamic: true,
                    ..value
                });
            }
            (None, "type", [value]) => {
                let value = self.settled(value)?;
                return Ok(Value::new(at, Sort::Type(value.sort.type_name()), "()"));
            }
            (None, "getField", [message, field]) => {
                let Node::Text(name) = &field.node else {
                    return refuse(
                        field.at,
                        "the name of the field is written out: getField(message, 'name')",
                    );
                };
                return self.select(at, message, name);
            }
            (Some(receiver), "format", [arguments]) => return self.format(at, receiver, arguments),
            (Some(receiver), name, arguments) if is_macro(name, arguments.len()) => {
                return self.macros(at, receiver, name, arguments);
            }
            (Some(receiver), "quote", [text])
                if receiver.node == Node::Ident("strings".to_owned()) =>
            {
                let text = self.settled(text)?;
                if text.sort == Sort::Text {
                    let code = format!("{CEL}::quote({})", text.borrowed());
                    return Ok(Value::new(at, Sort::Text, code).owned().of(&[&text]));
                }
                return unknown(at, name, &[text]);
            }
            (Some(_), "all" | "exists" | "exists_one" | "map" | "filter", arguments)
                if arguments.len() > 2 =>
            {
                return refuse(
                    at,
                    format!("{name}() with two variables is no part of the language of rules"),
                );
            }
            _ => {}
        }
        let mut operands = Vec::new();
        for operand in receiver.into_iter().chain(arguments) {
            let operand = self.settled(operand)?;
            if operand.sort == Sort::Nothing {
                return Ok(operand);
            }
            operands.push(operand);
        }
        let found = if receiver.is_none() {
            global(at, name, &operands)?
        } else {
            match member(at, name, &operands) {
                Some(value) => Some(value),
                None => strings::member(at, name, &operands).or(time::member(at, name, &operands)?),
            }
        };
        let found = match found {
            Some(value) => Some(value),
            None => either(at, name, &operands)?,
        };
        match found {
            Some(value) => {
                let operands: Vec<&Value> = operands.iter().collect();
                Ok(value.of(&operands))
            }
            None => unknown(at, name, &operands),
        }
    }
}

/// What can be called both ways.
fn either(at: usize, name: &str, operands: &[Value]) -> Result<Option<Value>, Refusal> {
    Ok(match (name, operands) {
        ("size", [value]) => {
            let code = match value.sort {
                Sort::Text => {
                    format!("{CEL}::size({}.chars().count())", value.borrowed_operand())
                }
                Sort::Bytes | Sort::Map(..) => {
                    format!("{CEL}::size({}.len())", value.borrowed_operand())
                }
                Sort::List(ref item) if item.sort == Sort::Nothing => "0i64".to_owned(),
                Sort::List(_) => format!("{CEL}::size({}.len())", value.borrowed_operand()),
                _ => return Ok(None),
            };
            Some(Value::new(at, Sort::Int, code))
        }
        ("matches", [text, pattern]) if text.sort == Sort::Text && pattern.sort == Sort::Text => {
            Some(pattern::matches(at, text, pattern)?)
        }
        _ => None,
    })
}

fn unknown(at: usize, name: &str, operands: &[Value]) -> Result<Value, Refusal> {
    let usages: Vec<&str> = USAGE
        .into_iter()
        .filter(|usage| {
            let call = usage.split('(').next().unwrap_or_default();
            call.rsplit('.').next() == Some(name)
        })
        .collect();
    if usages.is_empty() {
        return refuse(at, format!("there is no function {name}() for rules"));
    }
    let sorts: Vec<String> = operands.iter().map(|operand| operand.sort.name()).collect();
    refuse(
        at,
        format!(
            "there is no {name}() of {}; there is {}",
            sorts.join(", "),
            usages.join(" and ")
        ),
    )
}

/// Conversions.
fn global(at: usize, name: &str, operands: &[Value]) -> Result<Option<Value>, Refusal> {
    let [value] = operands else {
        return Ok(None);
    };
    if let Some(known) = &value.known
        && let Some(folded) = convert::folded(name, known)
    {
        let Ok((sort, known)) = folded else {
            return refuse(
                value.at,
                format!(
                    "this {} is no {name}: evaluating this would always fail",
                    value.sort.name()
                ),
            );
        };
        return Ok(Some(Value::known(at, sort, known)));
    }
    let (code, operand) = (value.borrowed(), value.borrowed_operand());
    let new = |sort, code: String| Some(Value::new(at, sort, code));
    let tried = |sort, function: &str| {
        Some(Value::new(at, sort, format!("{CEL}::{function}({code})")).tried())
    };
    Ok(match (name, &value.sort) {
        ("int", Sort::Int)
        | ("uint", Sort::Uint)
        | ("double", Sort::Double)
        | ("string", Sort::Text)
        | ("bytes", Sort::Bytes)
        | ("bool", Sort::Bool)
        | ("duration", Sort::Duration)
        | ("timestamp", Sort::Timestamp) => Some(value.clone()),
        ("int", Sort::Uint) => tried(Sort::Int, "int_of_uint"),
        ("int", Sort::Double) => tried(Sort::Int, "int_of_double"),
        ("int", Sort::Text) => tried(Sort::Int, "int_of_text"),
        ("int", Sort::Duration) => tried(Sort::Int, "int_of_duration"),
        ("int", Sort::Timestamp) => new(Sort::Int, format!("{CEL}::seconds({code})")),
        ("uint", Sort::Int) => tried(Sort::Uint, "uint_of_int"),
        ("uint", Sort::Double) => tried(Sort::Uint, "uint_of_double"),
        ("uint", Sort::Text) => tried(Sort::Uint, "uint_of_text"),
        ("double", Sort::Int | Sort::Uint) => {
            Some(Value::new(at, Sort::Double, format!("{operand} as f64")).loose())
        }
        ("double", Sort::Text) => tried(Sort::Double, "double_of_text"),
        ("bool", Sort::Text) => tried(Sort::Bool, "bool_of_text"),
        ("string", Sort::Int | Sort::Uint | Sort::Bool) => {
            Some(Value::new(at, Sort::Text, format!("{operand}.to_string()")).owned())
        }
        ("string", Sort::Double) => {
            Some(Value::new(at, Sort::Text, format!("{CEL}::text_of_double({code})")).owned())
        }
        ("string", Sort::Timestamp) => {
            Some(Value::new(at, Sort::Text, format!("{CEL}::text_of_timestamp({code})")).owned())
        }
        ("string", Sort::Duration) => {
            Some(Value::new(at, Sort::Text, format!("{CEL}::text_of_duration({code})")).owned())
        }
        ("string", Sort::Bytes) => Some(
            Value::new(at, Sort::Text, format!("{CEL}::text_of_bytes({code})"))
                .holding(value.lent())
                .tried(),
        ),
        ("bytes", Sort::Text) => {
            Some(Value::new(at, Sort::Bytes, format!("{operand}.as_bytes()")).holding(value.lent()))
        }
        ("duration" | "timestamp", Sort::Text) => Some(time::of_text(at, name, value)?),
        ("timestamp", Sort::Int) => tried(Sort::Timestamp, "timestamp_of_int"),
        _ => None,
    })
}

/// Formats, and what is of lists and doubles.
fn member(at: usize, name: &str, operands: &[Value]) -> Option<Value> {
    let (receiver, arguments) = operands.split_first()?;
    let sorts: Vec<&Sort> = arguments.iter().map(|argument| &argument.sort).collect();
    let codes: Vec<String> = arguments.iter().map(Value::borrowed).collect();
    let code = |index: usize| codes.get(index).map_or("", String::as_str);
    let answer = |code: String| Some(Value::new(at, Sort::Bool, code));
    let text = receiver.borrowed();
    let format = |call: &str| answer(format!("::scribemed_rpc::validate::formats::{call}"));
    match (&receiver.sort, name, sorts.as_slice()) {
        (Sort::Text, "isEmail", []) => format(&format!("is_email({text})")),
        (Sort::Text, "isHostname", []) => format(&format!("is_hostname({text})")),
        (Sort::Text, "isHostAndPort", [Sort::Bool]) => {
            format(&format!("is_host_and_port({text}, {})", code(0)))
        }
        (Sort::Text, "isIp", []) => format(&format!("is_ip({text}, 0)")),
        (Sort::Text, "isIp", [Sort::Int]) => format(&format!("is_ip({text}, {})", code(0))),
        (Sort::Text, "isIpPrefix", []) => format(&format!("is_ip_prefix({text}, 0, false)")),
        (Sort::Text, "isIpPrefix", [Sort::Int]) => {
            format(&format!("is_ip_prefix({text}, {}, false)", code(0)))
        }
        (Sort::Text, "isIpPrefix", [Sort::Bool]) => {
            format(&format!("is_ip_prefix({text}, 0, {})", code(0)))
        }
        (Sort::Text, "isIpPrefix", [Sort::Int, Sort::Bool]) => {
            format(&format!("is_ip_prefix({text}, {}, {})", code(0), code(1)))
        }
        (Sort::Text, "isUri", []) => format(&format!("is_uri({text})")),
        (Sort::Text, "isUriRef", []) => format(&format!("is_uri_ref({text})")),
        (Sort::Double, "isNan", []) => answer(format!("{}.is_nan()", receiver.operand())),
        (Sort::Double, "isInf", []) => answer(format!("{}.is_infinite()", receiver.operand())),
        (Sort::Double, "isInf", [Sort::Int]) => answer(format!(
            "{CEL}::is_infinite({}, {})",
            receiver.code,
            code(0)
        )),
        (Sort::List(item), "unique", [])
            if matches!(
                item.sort,
                Sort::Bool | Sort::Int | Sort::Uint | Sort::Double | Sort::Text | Sort::Bytes
            ) =>
        {
            answer(format!(
                "{CEL}::unique({}.iter().map(|item| {}))",
                receiver.borrowed_operand(),
                item.read_from("item")
            ))
        }
        (Sort::List(item), "unique", []) if item.sort == Sort::Nothing => answer("true".to_owned()),
        (Sort::List(item), "join", [] | [Sort::Text]) if item.sort == Sort::Text => {
            let separator = if arguments.is_empty() {
                "\"\""
            } else {
                code(0)
            };
            let code = format!(
                "{CEL}::join({}.iter().map(|item| {}), {separator})",
                receiver.borrowed_operand(),
                item.read_from("item")
            );
            Some(Value::new(at, Sort::Text, code).owned())
        }
        _ => None,
    }
}
