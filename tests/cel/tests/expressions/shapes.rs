//! What the expressions are evaluated against.

use cel_test::shapes::v1::shape::{Choice, Match};
use cel_test::shapes::v1::{Colour, Leaf, Shape};
use prost_types::{Duration, FieldMask, Timestamp};

/// Nothing is set.
pub(crate) fn empty() -> Shape {
    Shape::default()
}

fn leaf(name: &str, weight: i32, next: Option<Leaf>) -> Leaf {
    Leaf {
        name: name.to_owned(),
        weight,
        next: next.map(Box::new),
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn span(seconds: i64, nanos: i32) -> Duration {
    Duration { seconds, nanos }
}

/// Most expressions are true of this.
pub(crate) fn full() -> Shape {
    Shape {
        flag: true,
        i32: 7,
        i64: -5,
        s32: -6,
        sf64: -7,
        u32: 8,
        u64: 9,
        f32: 10,
        float: 1.5,
        double: 2.5,
        text: "text".to_owned(),
        raw: b"\0raw".as_slice().into(),
        colour: Colour::Blue.into(),
        leaf: Some(leaf("leaf", 1, Some(leaf("next", 2, None)))),
        maybe_flag: Some(true),
        maybe_i32: Some(1),
        maybe_u64: Some(2),
        maybe_float: Some(0.5),
        maybe_text: Some("maybe".to_owned()),
        maybe_raw: Some(b"maybe".as_slice().into()),
        maybe_colour: Some(Colour::Red.into()),
        ints: vec![1, 2, 3],
        uints: vec![1],
        doubles: vec![1.0, 1.0],
        texts: texts(&["a", "b"]),
        raws: vec![b"x".as_slice().into()],
        colours: vec![Colour::Blue.into()],
        leaves: vec![leaf("one", 1, Some(leaf("deep", 0, None)))],
        spans: vec![span(1, 0), span(2, 0)],
        flags: vec![true, false],
        counts: [("one", 1), ("two", 2)]
            .map(|(key, value)| (key.to_owned(), value))
            .into(),
        names: [(2, "two".to_owned())].into(),
        trees: [(7, leaf("tree", 0, None))].into(),
        pair: [(true, b"yes".as_slice().into())].into(),
        colour_of: [("red".to_owned(), Colour::Red.into())].into(),
        choice: Some(Choice::Word("word".to_owned())),
        at: Some(Timestamp {
            seconds: 1_735_687_800,
            nanos: 250_000_000,
        }),
        span: Some(span(5400, 500_000_000)),
        mask: Some(FieldMask {
            paths: texts(&["a", "b.c"]),
        }),
        empty: Some(()),
        any: Some(prost_types::Any::default()),
        anys: Vec::new(),
        bool_value: Some(true),
        int_value: Some(3),
        uint_value: Some(4),
        float_value: Some(0.5),
        text_value: Some("wrapped".to_owned()),
        bytes_value: Some(b"wrapped".to_vec()),
        text_values: texts(&["x", "x"]),
        r#type: 1,
        self_: "self".to_owned(),
        r#match: Some(Match::Ref("ref".to_owned())),
    }
}

/// What lies at the edges: zeros that are set, numbers that are none, a long text.
pub(crate) fn odd() -> Shape {
    Shape {
        i32: i32::MIN,
        i64: i64::MAX,
        s32: 0,
        u32: u32::MAX,
        u64: u64::MAX,
        float: f32::NAN,
        double: f64::NAN,
        text: "h\u{e9}\u{1f600}llo text".to_owned(),
        raw: vec![0xff, b'r', b'a'].into(),
        colour: 77,
        leaf: Some(leaf("", 0, Some(leaf("", 0, None)))),
        maybe_flag: Some(false),
        maybe_i32: Some(0),
        maybe_text: Some(String::new()),
        ints: vec![1, 0, 2],
        doubles: vec![f64::NAN, 0.0, -0.0],
        texts: texts(&["", "b", "b"]),
        raws: vec![b"x".as_slice().into(), b"x".as_slice().into()],
        leaves: vec![Leaf::default(), leaf("", 1, None)],
        spans: vec![span(-1, -500_000_000)],
        flags: vec![true, true],
        counts: [("two".to_owned(), 0)].into(),
        names: [(0, String::new()), (2, "zwei".to_owned())].into(),
        choice: Some(Choice::Number(0)),
        at: Some(Timestamp {
            seconds: -1,
            nanos: 999_999_999,
        }),
        span: Some(span(-1, -500_000_000)),
        bool_value: Some(false),
        int_value: Some(0),
        text_value: Some(String::new()),
        text_values: texts(&["x", "y"]),
        r#match: Some(Match::Move(false)),
        ..Shape::default()
    }
}
