//! The values that the rules of a message name: near them are the ones worth trying.

use std::collections::BTreeSet;

use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, Value};

/// The values, and some that rules know by their form.
#[derive(Debug, Default)]
pub(crate) struct Harvest {
    pub(crate) numbers: Vec<i128>,
    pub(crate) fractions: Vec<f64>,
    pub(crate) texts: Vec<String>,
    pub(crate) bytes: Vec<Vec<u8>>,
}

/// Right and wrong, of each form that a rule can ask for.
const FORMS: &[&str] = &[
    "",
    "a",
    "ab",
    "é",
    "日本語",
    "foo",
    "bar",
    "foobar",
    "x\u{0}y",
    "Foo-Bar",
    "a b",
    "\n",
    "🎉🎉",
    "127.0.0.1",
    "256.0.0.1",
    "1.2.3",
    "::1",
    "::ffff:1.2.3.4",
    "fe80::1%eth0",
    "fe80::1%eth 0",
    "1:2:3:4:5:6:7:8",
    "12345::",
    "127.0.0.0/8",
    "127.0.0.1/8",
    "::/0",
    "2001:db8::/32",
    "2001:db8::1/32",
    "10.0.0.0/33",
    "example.com",
    "example..com",
    "-a.com",
    "a-.com",
    "a.1",
    "localhost",
    "localhost.",
    "a_b.com",
    "example.com:80",
    "example.com:65536",
    "[::1]:80",
    "127.0.0.1:0",
    "example.com:",
    "::1:80",
    "a@b.c",
    "a@b",
    "a b@c",
    "\"a\"@b.c",
    "a@b..c",
    "é@b.c",
    "@b",
    "a@",
    "https://example.com/a?b#c",
    "//example.com",
    "a:b",
    "/a/b",
    "http://[::1]/",
    "http://a b",
    "%zz",
    "?q",
    "a://é",
    "0198c0de-0000-7000-8000-000000000001",
    "0198c0de00007000800000000000000f",
    "0198c0de-0000-7000-8000-00000000000g",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "81ARZ3NDEKTSV4RRFFQ69G5FAV",
    "01ARZ3NDEKTSV4RRFFQ69G5FAI",
    "foo.bar",
    "foo.bar.v1",
    ".foo",
    "foo.",
    "foo..bar",
    "1foo",
    "_a._b",
    ":authority",
    "Content-Type",
    "x:y",
    "tab\there",
    "a.b_c",
    "a.1b",
];

impl Harvest {
    /// Those of `message` and of all that it holds.
    pub(crate) fn of(message: &MessageDescriptor, now: i64) -> Self {
        let mut harvest = Self {
            numbers: vec![0, 1, -1, now.into()],
            fractions: vec![0.0, -0.0, 0.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY],
            texts: FORMS.iter().map(ToString::to_string).collect(),
            bytes: vec![
                vec![],
                vec![0],
                vec![255],
                vec![127, 0, 0, 1],
                vec![0; 16],
                vec![1; 15],
            ],
        };
        let mut reached = BTreeSet::from([message.full_name().to_owned()]);
        let mut next = vec![message.clone()];
        while let Some(message) = next.pop() {
            harvest.options(&message.options());
            for oneof in message.oneofs() {
                harvest.options(&oneof.options());
            }
            for field in message.fields() {
                harvest.options(&field.options());
                if let Kind::Message(inner) = field.kind()
                    && reached.insert(inner.full_name().to_owned())
                {
                    next.push(inner);
                }
            }
        }
        // Each once more, so that a rule's own values are tried as often as all the others.
        let own = harvest.texts.split_off(FORMS.len());
        for _ in 0..FORMS.len() / (own.len() + 1) {
            harvest.texts.extend(own.iter().cloned());
        }
        harvest
    }

    fn options(&mut self, options: &DynamicMessage) {
        for (_, value) in options.extensions() {
            self.value(value);
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Bool(_) => {}
            Value::I32(n) | Value::EnumNumber(n) => self.numbers.push((*n).into()),
            Value::I64(n) => self.numbers.push((*n).into()),
            Value::U32(n) => self.numbers.push((*n).into()),
            Value::U64(n) => self.numbers.push((*n).into()),
            Value::F32(n) => self.fractions.push((*n).into()),
            Value::F64(n) => self.fractions.push(*n),
            Value::String(text) => {
                self.texts.push(text.clone());
                self.bytes.push(text.clone().into_bytes());
            }
            Value::Bytes(bytes) => self.bytes.push(bytes.to_vec()),
            Value::Message(message) => {
                for (_, value) in message.fields() {
                    self.value(value);
                }
                for (_, value) in message.extensions() {
                    self.value(value);
                }
            }
            Value::List(list) => list.iter().for_each(|value| self.value(value)),
            Value::Map(map) => map.values().for_each(|value| self.value(value)),
        }
    }
}
