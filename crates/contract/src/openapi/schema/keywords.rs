//! Rules as keywords of JSON Schema. What has none stands in the description alone.

use prost_reflect::Value;

use crate::json::Json;
use crate::reference::{Rules, number};

/// A value of one of protobuf's own types.
pub(super) fn scalar(kind: &str, rules: &Rules) -> Json {
    let schema = match kind {
        "string" => string(rules),
        "bytes" => bytes(rules),
        "bool" => {
            let mut schema = Json::object([("type", "boolean".into())]);
            if let Some(wanted) = rules.get("const").and_then(Value::as_bool) {
                schema.put("const", wanted);
            }
            schema
        }
        "int64" | "sint64" | "sfixed64" => wide("int64", "^-?[0-9]+$", rules),
        "uint64" | "fixed64" => wide("uint64", "^[0-9]+$", rules),
        "float" | "double" => numeric("number", kind, rules),
        "uint32" | "fixed32" => numeric("integer", "uint32", rules),
        _ => numeric("integer", "int32", rules),
    };
    let zero: Json = match kind {
        "string" | "bytes" => "".into(),
        "bool" => return schema,
        "int64" | "sint64" | "sfixed64" | "uint64" | "fixed64" => "0".into(),
        _ => 0.into(),
    };
    // What accepts everything accepts zero.
    if rules.unless_zero && schema != scalar(kind, &Rules::default()) {
        let zero = Json::object([("const", zero)]);
        return Json::object([("anyOf", Json::List(vec![zero, schema]))]);
    }
    schema
}

/// A number of items, of pairs.
pub(super) fn size(schema: &mut Json, rules: &Rules, rule: &str, keyword: &str) {
    if let Some(size) = rules.get(rule).and_then(Value::as_u64) {
        schema.put(keyword, size);
    }
}

fn string(rules: &Rules) -> Json {
    let mut schema = Json::object([("type", "string".into())]);
    let formats = [
        ("uuid", "uuid"),
        ("email", "email"),
        ("hostname", "hostname"),
        ("ipv4", "ipv4"),
        ("ipv6", "ipv6"),
        ("uri", "uri"),
        ("uri_ref", "uri-reference"),
    ];
    let format = formats
        .iter()
        .find(|(rule, _)| rules.get(rule).and_then(Value::as_bool) == Some(true));
    if let Some((_, format)) = format {
        schema.put("format", *format);
    }
    if let Some(wanted) = rules.get("const").and_then(Value::as_str) {
        schema.put("const", wanted);
    }
    listed(&mut schema, rules, |value| Some(value.as_str()?.into()));
    for (rule, keyword) in [("min_len", "minLength"), ("max_len", "maxLength")] {
        size(&mut schema, rules, rule, keyword);
    }
    if let Some(length) = rules.get("len").and_then(Value::as_u64) {
        schema.put("minLength", length);
        schema.put("maxLength", length);
    }
    // At least so many bytes are so many characters at most; the other way round says little, so it is left to the words.
    if let (None, Some(most)) = (
        rules.get("max_len"),
        rules.get("max_bytes").and_then(Value::as_u64),
    ) {
        schema.put("maxLength", most);
    }
    let text = |rule: &str| rules.get(rule).and_then(Value::as_str);
    let escaped = |text: &str| regex::escape(text);
    let patterns: Vec<String> = [
        text("pattern").map(str::to_owned),
        text("prefix").map(|text| format!("^{}", escaped(text))),
        text("suffix").map(|text| format!("{}$", escaped(text))),
        text("contains").map(escaped),
    ]
    .into_iter()
    .flatten()
    .collect();
    match patterns.as_slice() {
        [] => {}
        [pattern] => schema.put("pattern", pattern.clone()),
        several => {
            let each = several
                .iter()
                .map(|pattern| Json::object([("pattern", pattern.clone().into())]));
            schema.put("allOf", Json::List(each.collect()));
        }
    }
    schema
}

/// Base64; lengths are those of the text.
fn bytes(rules: &Rules) -> Json {
    let mut schema = Json::object([
        ("type", "string".into()),
        ("contentEncoding", "base64".into()),
    ]);
    let exact = rules.get("len").and_then(Value::as_u64);
    let most = exact.or(rules.get("max_len").and_then(Value::as_u64));
    let least = exact.or(rules.get("min_len").and_then(Value::as_u64));
    // Without padding it may be shorter.
    if let Some(least) = least {
        schema.put("minLength", (least * 4).div_ceil(3));
    }
    if let Some(most) = most {
        schema.put("maxLength", most.div_ceil(3) * 4);
    }
    schema
}

fn numeric(kind: &str, format: &str, rules: &Rules) -> Json {
    let mut schema = Json::object([("type", kind.into()), ("format", format.into())]);
    if let Some(wanted) = rules.get("const").and_then(exact) {
        schema.put("const", wanted);
    }
    listed(&mut schema, rules, exact);
    let at = |rule: &str| rules.get(rule);
    let low = at("gte")
        .map(|low| ("minimum", low))
        .or(at("gt").map(|low| ("exclusiveMinimum", low)));
    let high = at("lte")
        .map(|high| ("maximum", high))
        .or(at("lt").map(|high| ("exclusiveMaximum", high)));
    let bounds: Vec<(&str, &Value)> = low.into_iter().chain(high).collect();
    let json: Vec<(&str, Json)> = bounds
        .iter()
        .filter_map(|(keyword, bound)| Some((*keyword, exact(bound)?)))
        .collect();
    // A lower bound above the upper one forbids what lies between.
    let (low, high) = (
        low.and_then(|(_, low)| number(low)),
        high.and_then(|(_, high)| number(high)),
    );
    if let (Some(low), Some(high)) = (low, high)
        && low > high
    {
        let each = json
            .into_iter()
            .map(|(keyword, bound)| Json::object([(keyword, bound)]));
        schema.put("anyOf", Json::List(each.collect()));
    } else {
        for (keyword, bound) in json {
            schema.put(keyword, bound);
        }
    }
    schema
}

/// 64 bits are text: of their bounds only that there is no sign can be said.
fn wide(format: &str, pattern: &str, rules: &Rules) -> Json {
    let not_negative = ["gte", "gt"]
        .iter()
        .any(|rule| rules.get(rule).and_then(number).is_some_and(|low| low >= 0.0))
        // Unless what lies between is what is forbidden.
        && rules.get("lt").is_none()
        && rules.get("lte").is_none();
    let pattern = if not_negative { "^[0-9]+$" } else { pattern };
    let mut schema = Json::object([
        ("type", "string".into()),
        ("format", format.into()),
        ("pattern", pattern.into()),
    ]);
    let text = |value: &Value| exact(value).map(|value| value.compact().into());
    if let Some(wanted) = rules.get("const").and_then(text) {
        schema.put("const", wanted);
    }
    listed(&mut schema, rules, text);
    schema
}

fn listed(schema: &mut Json, rules: &Rules, value: impl Fn(&Value) -> Option<Json>) {
    let items = |rule: &str| {
        let items = rules.get(rule).and_then(Value::as_list)?;
        Some(Json::List(items.iter().filter_map(&value).collect()))
    };
    if let Some(among) = items("in") {
        schema.put("enum", among);
    }
    if let Some(none) = items("not_in") {
        schema.put("not", Json::object([("enum", none)]));
    }
}

/// The number as it stands in the contract; `None` for what JSON has no number for.
fn exact(value: &Value) -> Option<Json> {
    Some(match value {
        Value::I32(value) | Value::EnumNumber(value) => (*value).into(),
        Value::I64(value) => (*value).into(),
        Value::U32(value) => (*value).into(),
        Value::U64(value) => (*value).into(),
        Value::F32(value) if value.is_finite() => value.to_string().parse::<f64>().ok()?.into(),
        Value::F64(value) if value.is_finite() => (*value).into(),
        Value::Bool(_)
        | Value::F32(_)
        | Value::F64(_)
        | Value::String(_)
        | Value::Bytes(_)
        | Value::Message(_)
        | Value::List(_)
        | Value::Map(_) => return None,
    })
}
