//! Puts a model file in its place: whole, verified and on the disk, or not at all.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::ggml;

/// A model file in the making. Dropped without [`Draft::finish`], it leaves nothing behind.
pub(crate) struct Draft {
    file: NamedTempFile,
    dest: PathBuf,
}

impl Draft {
    /// Starts the file that is to become `dest`, in the same folder, so that it can be renamed.
    ///
    /// # Errors
    /// When the folder cannot be made or written.
    pub(crate) fn new(dest: &Path) -> Result<Self> {
        let folder = dest
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        fs::create_dir_all(folder)
            .with_context(|| format!("making the folder {}", folder.display()))?;
        let file = tempfile::Builder::new()
            .prefix(".model-")
            .tempfile_in(folder)
            .with_context(|| format!("making a file in {}", folder.display()))?;
        Ok(Self {
            file,
            dest: dest.to_owned(),
        })
    }

    /// Where the content goes for now.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Writes the content through this.
    pub(crate) fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Verifies the content, makes it durable, gives it its name and records its hash beside it.
    ///
    /// # Errors
    /// When it is not a ggml model, when its hash is not `expected`, or when writing fails; `dest` is as it was then.
    pub(crate) fn finish(self, expected: Option<&str>) -> Result<String> {
        let found = hash(self.file.path())?;
        if let Some(expected) = expected {
            ensure!(
                found == expected,
                "its sha256 is {found}; {expected} was expected, so it was not kept"
            );
        }
        ensure_ggml(self.file.path())?;
        self.file
            .as_file()
            .sync_all()
            .context("writing the model to the disk")?;
        let to = || format!("writing {}", self.dest.display());
        readable_by_all(self.file.as_file()).with_context(to)?;
        self.file.persist(&self.dest).with_context(to)?;
        record(&self.dest, &found)?;
        Ok(found)
    }
}

/// The sha256 of a file in lower-case hexadecimal.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn hash(path: &Path) -> Result<String> {
    let read = || -> io::Result<_> {
        let mut file = File::open(path)?;
        let mut hasher = Sha256::new();
        let mut block = vec![0; 1 << 20];
        loop {
            match file.read(&mut block)? {
                0 => return Ok(hasher.finalize()),
                count => hasher.update(&block[..count]),
            }
        }
    };
    let digest = read().with_context(|| format!("reading {}", path.display()))?;
    let mut hex = String::with_capacity(64);
    for byte in digest {
        write!(hex, "{byte:02x}")?;
    }
    Ok(hex)
}

/// The hash that was recorded when the model was put in place, in the format of `sha256sum`; none was when `None`.
///
/// # Errors
/// When there is a record which cannot be read.
pub(crate) fn recorded(model: &Path) -> Result<Option<String>> {
    let path = record_path(model);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text.split_whitespace().next().map(str::to_owned)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

/// Records the hash of a model beside it, in the format of `sha256sum`.
///
/// # Errors
/// When writing fails.
pub(crate) fn record(model: &Path, hash: &str) -> Result<()> {
    let name = model
        .file_name()
        .context("the model has no file name")?
        .to_string_lossy();
    let path = record_path(model);
    fs::write(&path, format!("{hash}  {name}\n"))
        .with_context(|| format!("writing {}", path.display()))
}

/// Checks that a file begins as whisper.cpp's model files do.
///
/// # Errors
/// When it does not, or cannot be read.
pub(crate) fn ensure_ggml(path: &Path) -> Result<()> {
    let mut magic = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    let is_ggml = match read {
        Ok(()) => u32::from_le_bytes(magic) == ggml::MAGIC,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => false,
        Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
    };
    ensure!(
        is_ggml,
        "it is not a ggml model; a file such as whisper.cpp's ggml-tiny.en.bin was expected"
    );
    Ok(())
}

fn record_path(model: &Path) -> PathBuf {
    let mut path = model.as_os_str().to_owned();
    path.push(".sha256");
    path.into()
}

/// A temporary file is for its owner only; a model may be read by the account that a service runs as.
#[cfg(unix)]
fn readable_by_all(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_all(_: &File) -> io::Result<()> {
    Ok(())
}
