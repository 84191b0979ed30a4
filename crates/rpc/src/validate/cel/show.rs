//! Values as texts: cel-spec's extensions/strings.md, "Format".

/// `NaN`, `Infinity`, or decimals without an exponent: the fewest that tell it from others.
pub fn shown_double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    format!("{value}")
}

/// With `precision` digits behind the point.
pub fn fixed(value: f64, precision: usize) -> String {
    if value.is_finite() {
        format!("{value:.precision$}")
    } else {
        shown_double(value)
    }
}

/// With `precision` digits behind the point, and an exponent of two digits or more: `1.500000e+00`.
pub fn scientific(value: f64, precision: usize) -> String {
    if value.is_finite() {
        with_exponent(&format!("{value:.precision$e}"))
    } else {
        shown_double(value)
    }
}

/// What Rust writes as `1e7`, with a sign and two digits, as Go and C write it: `1e+07`.
pub(super) fn with_exponent(text: &str) -> String {
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

/// A whole number in base 2, 8 or 16, with its sign.
pub fn radix(value: i128, base: u32) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let size = value.unsigned_abs();
    match base {
        2 => format!("{sign}{size:b}"),
        8 => format!("{sign}{size:o}"),
        _ => format!("{sign}{size:x}"),
    }
}

/// Two digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .flatten()
        .collect()
}

/// `[a, b]`.
pub fn shown_list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    format!("[{}]", items.join(", "))
}

/// `{key: value}`, in the order of the keys' texts.
pub fn shown_map(entries: impl Iterator<Item = (String, String)>) -> String {
    let mut entries: Vec<(String, String)> = entries.collect();
    entries.sort();
    let entries: Vec<String> = entries
        .iter()
        .map(|(key, value)| format!("{key}: {value}"))
        .collect();
    format!("{{{}}}", entries.join(", "))
}

/// The text in double quotes, with escapes for what is not seen.
pub fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
