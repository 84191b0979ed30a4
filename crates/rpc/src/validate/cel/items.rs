//! Logic, lists and maps.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

use super::Failure;

/// `a && b`. What fails on one side does not matter if the other one is false.
///
/// # Errors
/// One side fails, and the other one does not decide.
pub fn and(
    a: impl FnOnce() -> Result<bool, Failure>,
    b: impl FnOnce() -> Result<bool, Failure>,
) -> Result<bool, Failure> {
    match a() {
        Ok(false) => Ok(false),
        Ok(true) => b(),
        Err(failure) => match b() {
            Ok(false) => Ok(false),
            Ok(true) | Err(_) => Err(failure),
        },
    }
}

/// `a || b`. What fails on one side does not matter if the other one is true.
///
/// # Errors
/// One side fails, and the other one does not decide.
pub fn or(
    a: impl FnOnce() -> Result<bool, Failure>,
    b: impl FnOnce() -> Result<bool, Failure>,
) -> Result<bool, Failure> {
    match a() {
        Ok(true) => Ok(true),
        Ok(false) => b(),
        Err(failure) => match b() {
            Ok(true) => Ok(true),
            Ok(false) | Err(_) => Err(failure),
        },
    }
}

/// Whether `condition` holds for all items. What fails does not matter if it does not hold for another one.
///
/// # Errors
/// The first failure, if the condition holds for all others.
pub fn all<T>(
    items: impl Iterator<Item = T>,
    mut condition: impl FnMut(T) -> Result<bool, Failure>,
) -> Result<bool, Failure> {
    let mut failure = None;
    for item in items {
        match condition(item) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(found) => failure = failure.or(Some(found)),
        }
    }
    failure.map_or(Ok(true), Err)
}

/// Whether `condition` holds for an item. What fails does not matter if it holds for another one.
///
/// # Errors
/// The first failure, if the condition holds for no other.
pub fn exists<T>(
    items: impl Iterator<Item = T>,
    mut condition: impl FnMut(T) -> Result<bool, Failure>,
) -> Result<bool, Failure> {
    let mut failure = None;
    for item in items {
        match condition(item) {
            Ok(false) => {}
            Ok(true) => return Ok(true),
            Err(found) => failure = failure.or(Some(found)),
        }
    }
    failure.map_or(Ok(false), Err)
}

/// Whether `condition` holds for exactly one item.
///
/// # Errors
/// The first failure.
pub fn exists_one<T>(
    items: impl Iterator<Item = T>,
    mut condition: impl FnMut(T) -> Result<bool, Failure>,
) -> Result<bool, Failure> {
    let mut count = 0_usize;
    for item in items {
        count += usize::from(condition(item)?);
    }
    Ok(count == 1)
}

/// What `map` makes of the items, without those of which it makes nothing.
///
/// # Errors
/// The first failure.
pub fn pick<T, R>(
    items: impl Iterator<Item = T>,
    mut map: impl FnMut(T) -> Result<Option<R>, Failure>,
) -> Result<Vec<R>, Failure> {
    items.filter_map(|item| map(item).transpose()).collect()
}

/// Whether `wanted` is one of `items`.
#[allow(
    clippy::needless_pass_by_value,
    reason = "values are passed in canonical form: a reference, or copied"
)]
pub fn contains<T: PartialEq>(mut items: impl Iterator<Item = T>, wanted: T) -> bool {
    items.any(|item| item == wanted)
}

/// The item at `index`, from 0.
///
/// # Errors
/// [`Failure::OutOfRange`].
pub fn at<T>(items: &[T], index: i64) -> Result<&T, Failure> {
    usize::try_from(index)
        .ok()
        .and_then(|index| items.get(index))
        .ok_or(Failure::OutOfRange)
}

/// How many there are.
pub fn size(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The items of both lists.
pub fn joined<T>(mut a: Vec<T>, mut b: Vec<T>) -> Vec<T> {
    a.append(&mut b);
    a
}

/// The texts, with `separator` between them.
pub fn join<'a>(items: impl Iterator<Item = &'a str>, separator: &str) -> String {
    let mut out = String::new();
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push_str(separator);
        }
        out.push_str(item);
    }
    out
}

/// The value for a key of a map whose keys are of a narrower type than those of the language.
pub fn narrow<Wide, Narrow, V>(map: &HashMap<Narrow, V, impl BuildHasher>, key: Wide) -> Option<&V>
where
    Narrow: TryFrom<Wide> + Eq + Hash,
{
    map.get(&Narrow::try_from(key).ok()?)
}

/// Keys of a map, in their order.
pub fn sorted<'a, K: Ord>(keys: impl Iterator<Item = &'a K>) -> Vec<&'a K> {
    let mut keys: Vec<&K> = keys.collect();
    keys.sort_unstable();
    keys
}

/// Whether no two items are equal. Values that are no number are equal to nothing. Nothing is allocated up to 16 items.
pub fn unique<T: PartialOrd>(items: impl Iterator<Item = T> + Clone) -> bool {
    if items.clone().nth(16).is_none() {
        let mut rest = items;
        while let Some(item) = rest.next() {
            if rest.clone().any(|other| other == item) {
                return false;
            }
        }
        return true;
    }
    #[allow(clippy::eq_op, reason = "this is what NaN is not")]
    let mut items: Vec<T> = items.filter(|item| item == item).collect();
    items.sort_unstable_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    items.windows(2).all(|pair| match pair {
        [a, b] => a != b,
        _ => true,
    })
}
