//! The model's file.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::RangeInclusive;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::super::LoadError;

/// The magic number of ggml, little endian.
const MAGIC: [u8; 4] = *b"lmgg";
/// The sizes that follow the magic number, and what whisper models have. whisper.cpp believes what it reads and
/// allocates accordingly, so that rubbish is better stopped here.
const SIZES: [(&str, RangeInclusive<u32>); 10] = [
    ("vocabulary", 50_000..=60_000),
    ("audio context", 1..=1_500),
    ("audio state", 64..=2_048),
    ("audio heads", 1..=64),
    ("audio layers", 1..=64),
    ("text context", 1..=1_024),
    ("text state", 64..=2_048),
    ("text heads", 1..=64),
    ("text layers", 1..=64),
    ("mel bands", 80..=128),
];

/// Bytes and weights of a block of each type of tensor, by ggml's number of the type.
const TYPES: [(u32, u64, u64); 13] = [
    (0, 4, 1),
    (1, 2, 1),
    (2, 18, 32),
    (3, 20, 32),
    (6, 22, 32),
    (7, 24, 32),
    (8, 34, 32),
    (10, 84, 256),
    (11, 110, 256),
    (12, 144, 256),
    (13, 176, 256),
    (14, 210, 256),
    (30, 2, 1),
];

/// Checks that the file is a whole whisper model and returns its SHA-256 in hex.
///
/// whisper.cpp does not notice when a file is cut off within a tensor: it fills up with whatever was in memory, and
/// such a model writes nonsense. So each tensor is looked at here, while the file is read for its hash anyway.
pub(super) fn verify(path: &Path) -> Result<String, LoadError> {
    let walk = File::open(path).map_err(Fault::Io).and_then(|file| {
        let mut walk = Walk {
            file: BufReader::with_capacity(1 << 20, file),
            hash: Sha256::new(),
            buffer: vec![0; 1 << 16],
        };
        walk.model()?;
        Ok(walk.hash.finalize())
    });
    match walk {
        Ok(hash) => Ok(hash
            .iter()
            .fold(String::with_capacity(64), |mut hex, byte| {
                // Writing to a string cannot fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            })),
        Err(Fault::Io(source)) if source.kind() != io::ErrorKind::UnexpectedEof => {
            Err(LoadError::Unreadable {
                path: path.to_owned(),
                source,
            })
        }
        Err(Fault::Io(_)) => Err(LoadError::NotAModel {
            path: path.to_owned(),
            detail: "it is cut off".to_owned(),
        }),
        Err(Fault::Format(detail)) => Err(LoadError::NotAModel {
            path: path.to_owned(),
            detail,
        }),
    }
}

enum Fault {
    Io(io::Error),
    Format(String),
}

impl From<io::Error> for Fault {
    fn from(fault: io::Error) -> Self {
        Self::Io(fault)
    }
}

struct Walk {
    file: BufReader<File>,
    hash: Sha256,
    buffer: Vec<u8>,
}

impl Walk {
    fn model(&mut self) -> Result<(), Fault> {
        let mut magic = [0; 4];
        self.file.read_exact(&mut magic)?;
        self.hash.update(magic);
        match &magic {
            &MAGIC => {}
            b"GGUF" => return Err(Fault::Format("it is a GGUF file, for llama.cpp".to_owned())),
            _ => return Err(Fault::Format("it begins otherwise".to_owned())),
        }
        for (name, range) in SIZES {
            let value = self.number()?;
            if !range.contains(&value) {
                return Err(Fault::Format(format!("its {name} is {value}")));
            }
        }
        let _kind_of_weights = self.number()?;
        // The mel filters, then the words.
        let filters = u64::from(self.number()?) * u64::from(self.number()?);
        self.skip(filters * 4)?;
        for _ in 0..self.number()? {
            let length = self.number()?;
            self.skip(length.into())?;
        }
        while !self.file.fill_buf()?.is_empty() {
            self.tensor()?;
        }
        Ok(())
    }

    fn tensor(&mut self) -> Result<(), Fault> {
        let [dimensions, name, kind] = [self.number()?, self.number()?, self.number()?];
        let block = TYPES.iter().find(|&&(number, ..)| number == kind);
        let Some(&(_, bytes, weights)) = block.filter(|_| (1..=4).contains(&dimensions)) else {
            return Err(Fault::Format("a tensor of an unknown type".to_owned()));
        };
        let mut count = 1_u64;
        for _ in 0..dimensions {
            count = count.saturating_mul(self.number()?.into());
        }
        self.skip(u64::from(name).saturating_add((count / weights).saturating_mul(bytes)))
    }

    fn number(&mut self) -> Result<u32, Fault> {
        let mut bytes = [0; 4];
        self.file.read_exact(&mut bytes)?;
        self.hash.update(bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn skip(&mut self, mut bytes: u64) -> Result<(), Fault> {
        while bytes > 0 {
            let now = usize::try_from(bytes)
                .unwrap_or(usize::MAX)
                .min(self.buffer.len());
            let buffer = &mut self.buffer[..now];
            self.file.read_exact(buffer)?;
            self.hash.update(&*buffer);
            bytes -= now as u64;
        }
        Ok(())
    }
}
