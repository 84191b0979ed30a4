//! `string.format([values])`: cel-spec's extensions/strings.md, "Format".

use super::expr::{Translator, settled};
use super::lex::refuse;
use super::parse::{Expr, Node};
use super::types::Sort;
use super::value::Value;
use super::{CEL, Refusal};

/// A part of a format.
enum Part {
    Text(String),
    /// A clause: its letter and its precision, 6 if it names none.
    Clause(char, usize),
}

impl Translator<'_> {
    pub(super) fn format(
        &mut self,
        at: usize,
        receiver: &Expr,
        arguments: &Expr,
    ) -> Result<Value, Refusal> {
        let receiver = self.value(receiver)?;
        let Some(format) = receiver.known_text() else {
            return refuse(
                receiver.at,
                "the format is written out: 'text %s'.format([value])",
            );
        };
        let Node::List(arguments) = &arguments.node else {
            return refuse(
                arguments.at,
                "the values are written as a list: 'text %s'.format([value])",
            );
        };
        let mut values = Vec::new();
        for argument in arguments {
            values.push(self.value(argument)?);
        }
        let mut rest = values.iter_mut();
        let mut codes = Vec::new();
        for part in parts(receiver.at, format)? {
            codes.push(match part {
                Part::Text(text) => format!("{text:?}"),
                Part::Clause(letter, precision) => match rest.next() {
                    Some(value) => {
                        // Only %s shows null.
                        if letter != 's' {
                            *value = settled(value.clone());
                        }
                        self.clause(letter, precision, value)?
                    }
                    None => return refuse(at, "the format has more clauses than there are values"),
                },
            });
        }
        if let Some(left) = rest.next() {
            return refuse(
                left.at,
                "the format has no clause for this value; %s is one for any value",
            );
        }
        let code = if codes.is_empty() {
            "::std::string::String::new()".to_owned()
        } else {
            format!("[{}].concat()", codes.join(", "))
        };
        let values: Vec<&Value> = values.iter().collect();
        Ok(Value::new(at, Sort::Text, code).owned().of(&values))
    }

    /// The code of a `&str`.
    fn clause(&mut self, letter: char, precision: usize, value: &Value) -> Result<String, Refusal> {
        let radix =
            |radix: u32| format!("{CEL}::radix(i128::from({}), {radix}).as_str()", value.code);
        Ok(match (letter, &value.sort) {
            ('s', _) | ('d', Sort::Int | Sort::Uint | Sort::Double) => self.shown(value)?,
            ('f' | 'e', Sort::Int | Sort::Uint | Sort::Double) => {
                let name = if letter == 'f' { "fixed" } else { "scientific" };
                format!(
                    "{CEL}::{name}({} as f64, {precision}).as_str()",
                    value.operand()
                )
            }
            ('b', Sort::Bool) => format!("(if {} {{ \"1\" }} else {{ \"0\" }})", value.code),
            ('b', Sort::Int | Sort::Uint) => radix(2),
            ('o', Sort::Int | Sort::Uint) => radix(8),
            ('x', Sort::Int | Sort::Uint) => radix(16),
            ('X', Sort::Int | Sort::Uint) => {
                format!(
                    "{CEL}::radix(i128::from({}), 16).to_ascii_uppercase().as_str()",
                    value.code
                )
            }
            ('x', Sort::Text | Sort::Bytes) => format!("{CEL}::hex({}).as_str()", bytes(value)),
            ('X', Sort::Text | Sort::Bytes) => {
                format!("{CEL}::hex({}).to_ascii_uppercase().as_str()", bytes(value))
            }
            (_, other) => {
                return refuse(
                    value.at,
                    format!("%{letter} does not show a {}; %s does", other.name()),
                );
            }
        })
    }

    /// The code of a `&str` that shows a value as `%s` does.
    fn shown(&mut self, value: &Value) -> Result<String, Refusal> {
        let code = value.borrowed();
        let operand = value.borrowed_operand();
        Ok(match &value.sort {
            Sort::Text => code,
            Sort::Bool | Sort::Int | Sort::Uint => format!("{operand}.to_string().as_str()"),
            Sort::Double => format!("{CEL}::shown_double({code}).as_str()"),
            Sort::Timestamp => format!("{CEL}::text_of_timestamp({code}).as_str()"),
            Sort::Duration => format!("{CEL}::text_of_duration({code}).as_str()"),
            Sort::Bytes => format!("::std::string::String::from_utf8_lossy({code}).as_ref()"),
            Sort::Null => "\"null\"".to_owned(),
            Sort::Type(name) => format!("{name:?}"),
            Sort::Nullable(inner) => {
                let item = self.fresh("value");
                let shown = self.shown(&Value::new(value.at, (**inner).clone(), item.clone()))?;
                format!(
                    "{operand}.map_or_else(|| ::std::string::String::from(\"null\"), |{item}| \
                     ::std::string::String::from({shown})).as_str()"
                )
            }
            Sort::List(item) if item.sort == Sort::Nothing => "\"[]\"".to_owned(),
            Sort::List(item) => {
                let name = self.fresh("item");
                let shown = self.shown(
                    &Value::new(value.at, item.sort.clone(), item.read_from(&name)).loose(),
                )?;
                format!(
                    "{CEL}::shown_list({operand}.iter().map(|{name}| ::std::string::String::from({shown}))).as_str()"
                )
            }
            Sort::Map(key, item) => {
                let name = self.fresh("item");
                let entry = |kind: &super::Type, part: &str| {
                    let place = format!("(*{name}.{part})");
                    Value::new(value.at, kind.sort.clone(), kind.read(&place)).loose()
                };
                let (key, item) = (entry(key, "0"), entry(item, "1"));
                let (key, item) = (self.shown(&key)?, self.shown(&item)?);
                format!(
                    "{CEL}::shown_map({operand}.iter().map(|{name}| (::std::string::String::from({key}), \
                     ::std::string::String::from({item})))).as_str()"
                )
            }
            Sort::Message(_) | Sort::Rules(_) | Sort::Nothing | Sort::Dynamic(_) => {
                return refuse(
                    value.at,
                    format!("%s does not show a {}; show its fields", value.sort.name()),
                );
            }
        })
    }
}

fn bytes(value: &Value) -> String {
    match value.sort {
        Sort::Text => format!("{}.as_bytes()", value.borrowed_operand()),
        _ => value.borrowed(),
    }
}

fn parts(at: usize, format: &str) -> Result<Vec<Part>, Refusal> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = format;
    while let Some(percent) = rest.find('%') {
        let (before, after) = rest.split_at(percent);
        text.push_str(before);
        rest = after.get(1..).unwrap_or_default();
        if let Some(after) = rest.strip_prefix('%') {
            text.push('%');
            rest = after;
            continue;
        }
        let mut precision = 6;
        if let Some(after) = rest.strip_prefix('.') {
            let digits = after
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(after.len());
            let (number, after) = after.split_at(digits);
            precision = match number.parse() {
                Ok(precision) if precision <= 100 => precision,
                _ => {
                    return refuse(
                        at,
                        format!("the precision %.{number} is none from 0 to 100"),
                    );
                }
            };
            rest = after;
        }
        let Some(letter) = rest
            .chars()
            .next()
            .filter(|letter| "sdfebxXo".contains(*letter))
        else {
            return refuse(
                at,
                "a % in the format is no clause; %s, %d, %f, %e, %b, %x, %X and %o are, and %% is a %",
            );
        };
        rest = rest.get(1..).unwrap_or_default();
        if !text.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut text)));
        }
        parts.push(Part::Clause(letter, precision));
    }
    text.push_str(rest);
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    Ok(parts)
}
