//! Golden files: one for each package, entries divided by blank lines.
//!
//! ```text
//! message scribemed.auth.v1.RotateKeysRequest
//! bytes 0a0c726571756573745f6964
//! json {"requestId":"request_id"}
//! ```
//!
//! Entries are added by a release and never changed. One that need not hold any more, because its message went with its
//! version, gets a line `retired` with the reason. Lines that begin with `#` are comments.

use std::path::Path;

use super::Sample;

const HEADER: &str = "\
# What messages look like on the wire and as JSON, since the first release that had them. `cargo xtask release-contract` adds to
# this file. An entry is never changed or removed: callers were built with it. One whose message was removed after its sunset
# gets a line `retired REASON`.
";

/// An entry of a golden file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The line that it begins in, from 1.
    pub line: usize,
    /// What was released.
    pub sample: Sample,
    /// Why it need not hold any more.
    pub retired: Option<String>,
}

/// A file that is not of this form. The command ends with exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Malformed {
    line: usize,
    reason: String,
}

/// Reads the text of a golden file.
///
/// # Errors
/// [`Malformed`], with the first line that is wrong.
pub fn parse(text: &str) -> Result<Vec<Entry>, Malformed> {
    let mut entries = Vec::new();
    let lines: Vec<(usize, &str)> = (1..).zip(text.lines()).collect();
    for block in lines.split(|(_, line)| line.trim().is_empty()) {
        let block: Vec<_> = block
            .iter()
            .copied()
            .filter(|(_, line)| !line.starts_with('#'))
            .collect();
        if let Some((first, _)) = block.first() {
            entries.push(entry(*first, &block)?);
        }
    }
    Ok(entries)
}

fn entry(first: usize, block: &[(usize, &str)]) -> Result<Entry, Malformed> {
    let [message, bytes, json, rest @ ..] = block else {
        let reason = "an entry is of three lines: message, bytes, json".to_owned();
        return Err(Malformed {
            line: first,
            reason,
        });
    };
    let value = |(line, text): &(usize, &str), key: &str| {
        let value = text
            .strip_prefix(key)
            .and_then(|text| text.strip_prefix(' '));
        let value = value.map(str::trim).filter(|value| !value.is_empty());
        let reason = || format!("it must be `{key}` and its value, not {text:?}");
        value.map(str::to_owned).ok_or_else(|| Malformed {
            line: *line,
            reason: reason(),
        })
    };
    let sample = Sample {
        message: value(message, "message")?,
        // A message without fields has no bytes.
        bytes: match bytes.1.trim_end() {
            "bytes" => Vec::new(),
            _ => unhex(&value(bytes, "bytes")?).ok_or_else(|| Malformed {
                line: bytes.0,
                reason: "the bytes must be pairs of hexadecimal digits".to_owned(),
            })?,
        },
        json: value(json, "json")?,
    };
    let retired = match rest {
        [] => None,
        [reason] => Some(value(reason, "retired")?),
        [_, (line, text), ..] => {
            return Err(Malformed {
                line: *line,
                reason: format!("an entry ends before {text:?}; divide entries by a blank line"),
            });
        }
    };
    Ok(Entry {
        line: first,
        sample,
        retired,
    })
}

/// Adds those of `samples` that are not there yet to the text of a golden file, which may be empty. None when all are there.
///
/// # Errors
/// [`Malformed`], with the first line of `text` that is wrong.
pub fn add(text: &str, samples: &[Sample]) -> Result<Option<String>, Malformed> {
    let known = parse(text)?;
    let mut out = if text.is_empty() {
        HEADER.to_owned()
    } else {
        text.to_owned()
    };
    let before = out.len();
    for sample in samples {
        // An entry of other JSON is changed, not missing: tests tell.
        let is_there = known.iter().any(|entry| {
            entry.sample.message == sample.message && entry.sample.bytes == sample.bytes
        });
        if !is_there {
            let bytes = hex(&sample.bytes);
            let bytes = format!("bytes {bytes}");
            out.push_str(&format!(
                "\nmessage {}\n{}\njson {}\n",
                sample.message,
                bytes.trim_end(),
                sample.json
            ));
        }
    }
    Ok((out.len() > before).then_some(out))
}

/// The name of the golden file of a package.
pub fn file_name(package: &str) -> String {
    format!("{package}.txt")
}

/// Whether this is a golden file, by its name.
pub fn is_golden(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "txt")
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
    let digits = |byte: &u8| [digit(byte >> 4), digit(byte & 0xf)];
    bytes.iter().flat_map(digits).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| {
            let pair = std::str::from_utf8(pair)
                .ok()
                .filter(|pair| pair.len() == 2)?;
            u8::from_str_radix(pair, 16).ok()
        })
        .collect()
}
