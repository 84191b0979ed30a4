//! Whether there is a speech model.

use std::io::Read as _;
use std::path::Path;

use super::Finding;

/// How every ggml file begins.
const MAGIC: [u8; 4] = *b"lmgg";

/// The model file.
pub(super) fn check(path: &Path) -> Finding {
    let shown = path.display();
    let mend = "`cargo xtask model` installs tiny.en; TRANSCRIPTION_MODEL or --model names another ggml file";
    let begin = std::fs::File::open(path).and_then(|mut file| {
        let mut begin = [0; 4];
        file.read_exact(&mut begin)?;
        Ok(begin)
    });
    match begin {
        Ok(MAGIC) => Finding::Good(shown.to_string()),
        Ok(_) => Finding::bad(format!("{shown} is no ggml file"), mend),
        Err(error) => Finding::bad(format!("{shown} cannot be read: {error}"), mend),
    }
}
