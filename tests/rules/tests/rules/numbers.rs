//! Numbers.

use rules_test::v1::{
    DoubleRules, Fixed32Rules, Fixed64Rules, FloatRules, Int32Rules, Int64Rules, Sfixed32Rules,
    Sfixed64Rules, Sint32Rules, Sint64Rules, Uint32Rules, Uint64Rules,
};

use crate::{broken, check};

/// Rules and messages that all numbers have.
macro_rules! numbers {
    ($($test:ident: $message:ident, $kind:literal, {$($more:tt)*};)*) => {$(
        #[test]
        fn $test() {
            let valid = $message {
                r#const: 5_u8.into(),
                lt: 9_u8.into(),
                lte: 10_u8.into(),
                gt: 2_u8.into(),
                gte: 1_u8.into(),
                r#in: 2_u8.into(),
                not_in: 2_u8.into(),
                inside: 10_u8.into(),
                outside: 10_u8.into(),
                $($more)*
            };
            check(
                &valid,
                &[
                    (|m| m.r#const = 6_u8.into(), concat!("const: must equal 5 [", $kind, ".const]")),
                    (|m| m.lt = 10_u8.into(), concat!("lt: must be less than 10 [", $kind, ".lt]")),
                    (|m| m.lte = 11_u8.into(), concat!("lte: must be less than or equal to 10 [", $kind, ".lte]")),
                    (|m| m.gt = 1_u8.into(), concat!("gt: must be greater than 1 [", $kind, ".gt]")),
                    (|m| m.gte = 0_u8.into(), concat!("gte: must be greater than or equal to 1 [", $kind, ".gte]")),
                    (|m| m.r#in = 3_u8.into(), concat!("in: must be in list [1, 2] [", $kind, ".in]")),
                    (|m| m.not_in = 4_u8.into(), concat!("not_in: must not be in list [3, 4] [", $kind, ".not_in]")),
                    (
                        |m| m.inside = 1_u8.into(),
                        concat!(
                            "inside: must be greater than 1 and less than or equal to 10 [",
                            $kind, ".gt_lte] by [",
                            $kind, ".gt]"
                        ),
                    ),
                    (
                        |m| m.inside = 11_u8.into(),
                        concat!(
                            "inside: must be greater than 1 and less than or equal to 10 [",
                            $kind, ".gt_lte] by [",
                            $kind, ".gt]"
                        ),
                    ),
                    (|m| m.outside = 0_u8.into(), ""),
                    (
                        |m| m.outside = 1_u8.into(),
                        concat!(
                            "outside: must be greater than or equal to 10 or less than 1 [",
                            $kind, ".gte_lt_exclusive] by [",
                            $kind, ".gte]"
                        ),
                    ),
                    (
                        |m| m.outside = 9_u8.into(),
                        concat!(
                            "outside: must be greater than or equal to 10 or less than 1 [",
                            $kind, ".gte_lt_exclusive] by [",
                            $kind, ".gte]"
                        ),
                    ),
                ],
            );
        }
    )*};
}

numbers! {
    int32: Int32Rules, "int32", {};
    int64: Int64Rules, "int64", {};
    uint32: Uint32Rules, "uint32", {};
    uint64: Uint64Rules, "uint64", {};
    sint32: Sint32Rules, "sint32", {};
    sint64: Sint64Rules, "sint64", {};
    fixed32: Fixed32Rules, "fixed32", {};
    fixed64: Fixed64Rules, "fixed64", {};
    sfixed32: Sfixed32Rules, "sfixed32", {};
    sfixed64: Sfixed64Rules, "sfixed64", {};
    float: FloatRules, "float", {finite: 0.0};
    double: DoubleRules, "double", {finite: 0.0};
}

/// No rule but those that exclude a value is kept by what is no number.
#[test]
fn what_is_no_number_breaks_what_asks_for_one() {
    let nan = DoubleRules {
        r#const: f64::NAN,
        lt: f64::NAN,
        lte: f64::NAN,
        gt: f64::NAN,
        gte: f64::NAN,
        r#in: f64::NAN,
        not_in: f64::NAN,
        inside: f64::NAN,
        outside: f64::NAN,
        finite: f64::NAN,
    };
    let fields: Vec<_> = broken(&nan)
        .iter()
        .map(|text| text.split(':').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        fields,
        [
            "const", "lt", "lte", "gt", "gte", "in", "inside", "outside", "finite"
        ]
    );
}
