//! The functions at the edges of what they take; expressions are tested as they are translated, in tests/cel.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::cmp::Ordering;

use super::*;

#[test]
fn whole_numbers_fail_where_they_have_no_place() {
    assert_eq!(add(i64::MAX, 1), Err(Failure::Overflow));
    assert_eq!(subtract(0u64, 1), Err(Failure::Overflow));
    assert_eq!(multiply(i64::MAX, 2), Err(Failure::Overflow));
    assert_eq!(divide(7i64, 0), Err(Failure::DivisionByZero));
    assert_eq!(divide(i64::MIN, -1), Err(Failure::Overflow));
    assert_eq!(divide(-7i64, 2), Ok(-3));
    assert_eq!(remainder(-7i64, 2), Ok(-1));
    assert_eq!(remainder(7u64, 0), Err(Failure::DivisionByZero));
    assert_eq!(negative(i64::MIN), Err(Failure::Overflow));
}

#[test]
fn numbers_of_different_types_have_an_exact_order() {
    for (whole, double, expect) in [
        (1, 1.0, Some(Ordering::Equal)),
        (1, 1.5, Some(Ordering::Less)),
        (-1, -1.5, Some(Ordering::Greater)),
        // As a double, 2^53 + 1 is 2^53.
        (
            (1 << 53) + 1,
            9_007_199_254_740_992.0,
            Some(Ordering::Greater),
        ),
        (
            i128::from(u64::MAX),
            18_446_744_073_709_551_616.0,
            Some(Ordering::Less),
        ),
        (0, f64::INFINITY, Some(Ordering::Less)),
        (0, f64::NEG_INFINITY, Some(Ordering::Greater)),
        (0, f64::NAN, None),
    ] {
        assert_eq!(order(whole, double), expect, "{whole} {double}");
    }
}

#[test]
fn an_answer_absorbs_a_failure() {
    let fails = || Err(Failure::Overflow);
    assert_eq!(and(fails, || Ok(false)), Ok(false));
    assert_eq!(and(fails, || Ok(true)), Err(Failure::Overflow));
    assert_eq!(or(fails, || Ok(true)), Ok(true));
    assert_eq!(or(fails, || Ok(false)), Err(Failure::Overflow));
    let check = |item: &i64| {
        if *item == 0 {
            Err(Failure::Overflow)
        } else {
            Ok(*item > 0)
        }
    };
    assert_eq!(all([0, -1].iter(), check), Ok(false));
    assert_eq!(all([0, 1].iter(), check), Err(Failure::Overflow));
    assert_eq!(exists([0, 1].iter(), check), Ok(true));
    assert_eq!(exists([0, -1].iter(), check), Err(Failure::Overflow));
    assert_eq!(exists_one([1, 0].iter(), check), Err(Failure::Overflow));
}

#[test]
fn unique_knows_few_and_many() {
    let many: Vec<i64> = (0..40).collect();
    assert!(unique(many.iter()));
    assert!(!unique(many.iter().chain([&20])));
    assert!(!unique([1.0, 0.0, -0.0].iter()));
    assert!(unique([f64::NAN, f64::NAN].iter()));
    let not_numbers = [f64::NAN; 20];
    assert!(unique(not_numbers.iter()));
    assert!(!unique(not_numbers.iter().chain(&[0.0, -0.0])));
}

#[test]
fn texts_are_counted_in_characters() {
    let text = "h\u{e9}llo";
    assert_eq!(char_at(text, 1), Ok("\u{e9}"));
    assert_eq!(char_at(text, 5), Ok(""));
    assert_eq!(char_at(text, 6), Err(Failure::OutOfRange));
    assert_eq!(substring(text, 1, Some(3)), Ok("\u{e9}l"));
    assert_eq!(substring(text, 3, Some(1)), Err(Failure::OutOfRange));
    assert_eq!(index_of(text, "l"), 2);
    assert_eq!(index_of_from(text, "l", 3), Ok(3));
    assert_eq!(index_of_from(text, "", 9), Ok(5));
    assert_eq!(last_index_of(text, "l"), 3);
    assert_eq!(last_index_of(text, "x"), -1);
}

#[test]
fn positions_are_those_of_cel_go() {
    // The examples of cel-go's ext/strings.go.
    let text = "hello mellow";
    assert_eq!(index_of_from(text, "ello", 2), Ok(7));
    assert_eq!(index_of_from(text, "ello", 20), Ok(-1));
    assert_eq!(index_of_from(text, "ello", -1), Err(Failure::OutOfRange));
    assert_eq!(last_index_of(text, ""), 12);
    assert_eq!(last_index_of_from(text, "ello", 6), Ok(1));
    assert_eq!(last_index_of_from(text, "ello", 7), Ok(7));
    assert_eq!(last_index_of_from(text, "ello", 20), Ok(-1));
    assert_eq!(last_index_of_from("\u{e9}\u{e9}a", "\u{e9}", 1), Ok(1));
    assert_eq!(last_index_of_from("a\u{e9}a", "a", 1), Ok(0));
    assert_eq!(last_index_of_from("aaa", "aa", 0), Ok(0));
    assert_eq!(replace("hello hello", "he", "we", 1), "wello hello");
    assert_eq!(replace("hello", "", "_", -1), "_h_e_l_l_o_");
    assert_eq!(split("a b c", " ", 0), Vec::<&str>::new());
    assert_eq!(split("a b c", " ", 2), ["a", "b c"]);
    assert_eq!(split("abc", "", -1), ["a", "b", "c"]);
    assert_eq!(split("abc", "", 2), ["a", "bc"]);
    assert_eq!(split("", ",", -1), [""]);
}

#[test]
fn times_are_read_and_written() {
    for (text, expect) in [
        ("1970-01-01T00:00:00Z", Some(0)),
        ("1970-01-01T01:00:00.5+01:00", Some(500_000_000)),
        ("2024-02-29t12:00:00z", Some(1_709_208_000_000_000_000)),
        ("0001-01-01T00:00:00Z", Some(-62_135_596_800_000_000_000)),
        ("2023-02-29T12:00:00Z", None),
        ("2024-02-29T12:00:00", None),
        ("2024-02-29T24:00:00Z", None),
        ("2024-02-29T12:00:00,5Z", None),
        ("2024-02-29T12:00:00.Z", None),
        ("2024-2-29T12:00:00Z", None),
        ("0000-01-01T00:00:00Z", None),
    ] {
        assert_eq!(timestamp_of_text(text).ok(), expect, "{text}");
    }
    assert_eq!(
        text_of_timestamp(1_709_208_000_120_000_000),
        "2024-02-29T12:00:00.12Z"
    );
    assert_eq!(text_of_timestamp(-1), "1969-12-31T23:59:59.999999999Z");
    for (text, expect) in [
        ("1h30m", Some(5_400_000_000_000)),
        ("-1.5s", Some(-1_500_000_000)),
        ("1ms2us3ns", Some(1_002_003)),
        (".5m", Some(30_000_000_000)),
        ("0", Some(0)),
        ("", None),
        ("1", None),
        ("1.2.3s", None),
        ("300000h", Some(1_080_000_000_000_000_000)),
        ("3000000h", None),
    ] {
        assert_eq!(duration_of_text(text).ok(), expect, "{text}");
    }
    assert_eq!(text_of_duration(-1_500_000_000), "-1.5s");
    assert_eq!(text_of_duration(60_000_000_000), "60s");
}

#[test]
fn days_are_those_of_the_calendar() {
    // 2024-12-31T23:30:00.25Z, a Tuesday.
    let at = 1_735_687_800_250_000_000;
    assert_eq!(
        (full_year(at, 0), month(at, 0), date(at, 0)),
        (2024, 11, 31)
    );
    assert_eq!(
        (day_of_month(at, 0), day_of_year(at, 0), day_of_week(at, 0)),
        (30, 365, 2)
    );
    assert_eq!(
        (
            hours(at, 0),
            minutes(at, 0),
            seconds_of_minute(at, 0),
            milliseconds(at, 0)
        ),
        (23, 30, 0, 250)
    );
    assert_eq!(
        (full_year(at, 3600), day_of_year(at, 3600), hours(at, 3600)),
        (2025, 0, 0)
    );
    assert_eq!((full_year(-1, 0), day_of_week(-1, 0)), (1969, 3));
    assert_eq!(instant(253_402_300_800_000_000_000), Err(Failure::Overflow));
    assert_eq!(span(i128::from(i64::MAX) + 1), Err(Failure::Overflow));
}

#[test]
fn values_convert() {
    assert_eq!(int_of_double(-1.9), Ok(-1));
    assert_eq!(
        int_of_double(9_223_372_036_854_775_808.0),
        Err(Failure::Overflow)
    );
    assert_eq!(int_of_double(f64::NAN), Err(Failure::Overflow));
    assert_eq!(uint_of_double(-0.5), Err(Failure::Overflow));
    assert_eq!(uint_of_text("+1"), Err(Failure::Conversion("uint")));
    assert_eq!(uint_of_int(-1), Err(Failure::Overflow));
    assert_eq!(int_of_uint(u64::MAX), Err(Failure::Overflow));
    assert_eq!(bool_of_text("yes"), Err(Failure::Conversion("bool")));
    assert_eq!(text_of_bytes(&[0xff]), Err(Failure::Conversion("string")));
    for (value, expect) in [
        (1.0, "1"),
        (0.1, "0.1"),
        (1e21, "1e+21"),
        (1e20, "100000000000000000000"),
        (0.00001, "1e-05"),
        (-1.5e300, "-1.5e+300"),
        (f64::INFINITY, "+Inf"),
    ] {
        assert_eq!(text_of_double(value), expect);
    }
    assert!(is_infinite(f64::NEG_INFINITY, -1) && !is_infinite(f64::NEG_INFINITY, 1));
}

#[test]
fn values_are_shown() {
    assert_eq!(fixed(2.5, 1), "2.5");
    assert_eq!(scientific(2.5, 6), "2.500000e+00");
    assert_eq!(scientific(f64::NAN, 6), "NaN");
    assert_eq!(radix(-5, 2), "-101");
    assert_eq!(hex(b"\x0fz"), "0f7a");
    assert_eq!(quote("a\"\n"), "\"a\\\"\\n\"");
    let entries = [("b", "1"), ("a", "2")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(shown_map(entries.into_iter()), "{a: 2, b: 1}");
}
