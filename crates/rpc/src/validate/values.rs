//! What generated checks ask of values.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// As many items as are compared with each other; more are sorted into a set.
const FEW: usize = 16;

/// Whether no two items are equal.
pub fn are_unique<T: Ord>(items: &[T]) -> bool {
    if items.len() <= FEW {
        return items
            .iter()
            .enumerate()
            .all(|(index, item)| !items[..index].contains(item));
    }
    let mut seen = BTreeSet::new();
    items.iter().all(|item| seen.insert(item))
}

/// Whether no two numbers are equal. NaN equals none; negative zero equals zero.
pub fn are_unique_numbers<T: Copy + Into<f64>>(items: &[T]) -> bool {
    let mut seen = BTreeSet::new();
    items
        .iter()
        .map(|item| (*item).into())
        .filter(|number: &f64| !number.is_nan())
        .all(|number| seen.insert((number + 0.0).to_bits()))
}

/// Seconds and nanoseconds, as google.protobuf.Duration and Timestamp have them, in nanoseconds.
pub fn nanoseconds(seconds: i64, nanos: i32) -> i128 {
    i128::from(seconds) * 1_000_000_000 + i128::from(nanos)
}

/// Whether the path of a field mask is one of these, or of something within one.
pub fn is_within(path: &str, paths: &[&str]) -> bool {
    paths.iter().any(|outer| {
        path.strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

/// The key of a map as paths have it: in quotes, with what would be mistaken or not be seen escaped.
pub fn quoted(key: &str) -> String {
    let mut out = String::with_capacity(key.len() + 2);
    out.push('"');
    for c in key.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_unique() {
        assert!(are_unique::<i32>(&[]) && are_unique(&["a", "b"]) && !are_unique(&["a", "b", "a"]));
        let many: Vec<i32> = (0..100).collect();
        assert!(are_unique(&many));
        assert!(!are_unique(&[&many[..], &[7]].concat()));
        assert!(are_unique_numbers(&[f64::NAN, f64::NAN, 1.0]));
        assert!(!are_unique_numbers(&[0.0_f32, -0.0]));
    }

    #[test]
    fn paths_of_masks() {
        for (path, expect) in [
            ("a", true),
            ("a.b", true),
            ("ab", false),
            ("c.d", true),
            ("c", false),
        ] {
            assert_eq!(is_within(path, &["a", "c.d"]), expect, "{path}");
        }
    }

    #[test]
    fn keys_are_quoted() {
        assert_eq!(quoted("a\"\\\n\0é"), r#""a\"\\\n\u0000é""#);
    }
}
