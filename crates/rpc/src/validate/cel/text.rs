//! Functions of texts. Positions are counted in characters, from 0.

use super::{Failure, size};

/// Where the character at `index` begins, in bytes; the end for one behind the last.
fn byte_at(text: &str, index: i64) -> Result<usize, Failure> {
    let index = usize::try_from(index).map_err(|_| Failure::OutOfRange)?;
    text.char_indices()
        .map(|(byte, _)| byte)
        .chain([text.len()])
        .nth(index)
        .ok_or(Failure::OutOfRange)
}

/// The character at `index`; nothing right behind the last one.
///
/// # Errors
/// [`Failure::OutOfRange`].
pub fn char_at(text: &str, index: i64) -> Result<&str, Failure> {
    let rest = &text[byte_at(text, index)?..];
    let end = rest.chars().next().map_or(0, char::len_utf8);
    Ok(&rest[..end])
}

/// From `start` to before `end`, or to the end.
///
/// # Errors
/// [`Failure::OutOfRange`], also where the end is before the start.
pub fn substring(text: &str, start: i64, end: Option<i64>) -> Result<&str, Failure> {
    let from = byte_at(text, start)?;
    let to = end.map_or(Ok(text.len()), |end| byte_at(text, end))?;
    text.get(from..to).ok_or(Failure::OutOfRange)
}

/// Where `wanted` is first found; -1 if nowhere.
pub fn index_of(text: &str, wanted: &str) -> i64 {
    position(text, text.find(wanted))
}

/// Where `wanted` is first found from `start` on; -1 if nowhere.
///
/// # Errors
/// [`Failure::OutOfRange`]: the start is negative.
pub fn index_of_from(text: &str, wanted: &str, start: i64) -> Result<i64, Failure> {
    if start < 0 {
        return Err(Failure::OutOfRange);
    }
    let Ok(from) = byte_at(text, start) else {
        // Nothing is found at the end, and something nowhere.
        return Ok(if wanted.is_empty() {
            size(text.chars().count())
        } else {
            -1
        });
    };
    Ok(position(
        text,
        text[from..].find(wanted).map(|found| from + found),
    ))
}

/// Where `wanted` is last found; -1 if nowhere.
pub fn last_index_of(text: &str, wanted: &str) -> i64 {
    position(text, text.rfind(wanted))
}

/// Where `wanted` is last found to begin at `start` or before; -1 if nowhere, or if there is no such start.
///
/// # Errors
/// [`Failure::OutOfRange`]: the start is negative.
pub fn last_index_of_from(text: &str, wanted: &str, start: i64) -> Result<i64, Failure> {
    if start < 0 {
        return Err(Failure::OutOfRange);
    }
    let count = size(text.chars().count());
    if wanted.is_empty() {
        return Ok(start.min(count));
    }
    if start >= count {
        return Ok(-1);
    }
    let end = (byte_at(text, start)? + wanted.len()).min(text.len());
    // The last byte of what is looked for may be within a character here.
    let end = (end..=text.len())
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(text.len());
    let found = text[..end]
        .rmatch_indices(wanted)
        .map(|(found, _)| position(text, Some(found)));
    Ok(found
        .into_iter()
        .find(|found| *found <= start)
        .unwrap_or(-1))
}

fn position(text: &str, byte: Option<usize>) -> i64 {
    byte.map_or(-1, |byte| size(text[..byte].chars().count()))
}

/// With the first `limit` of `old` replaced by `new`; all of them if that is negative.
pub fn replace(text: &str, old: &str, new: &str, limit: i64) -> String {
    text.replacen(old, new, usize::try_from(limit).unwrap_or(usize::MAX))
}

/// The parts between separators, at most `limit`, the last of which is all the rest; all of them if that is negative. Without
/// a separator, the characters.
pub fn split<'a>(text: &'a str, separator: &str, limit: i64) -> Vec<&'a str> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if !separator.is_empty() {
        return text.splitn(limit, separator).collect();
    }
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next()
        && parts.len() < limit
    {
        let (part, after) = if parts.len() + 1 == limit {
            (rest, "")
        } else {
            rest.split_at(next.len_utf8())
        };
        parts.push(part);
        rest = after;
    }
    parts
}

/// Whether `bytes` has `wanted` in it.
pub fn has_bytes(bytes: &[u8], wanted: &[u8]) -> bool {
    wanted.is_empty() || bytes.windows(wanted.len()).any(|window| window == wanted)
}
