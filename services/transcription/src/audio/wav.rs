//! WAV headers: checked against the bytes behind them, and written.
//!
//! Recorders, browsers and pipes write headers of every quality. What the header says is compared with what there
//! is; where it makes sense the decoder gets a plain header instead, so that it never sees a size that is wrong.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use symphonia::core::io::MediaSource;

use super::resample::RATES;
use super::{Error, SAMPLE_RATE};

/// Sizes from here on mean "not known yet": a stream that was written before its length was known.
const STREAMING: u32 = 0x7FFF_0000;
/// The most channels that are read.
const MAX_CHANNELS: u16 = 26;

mod tag {
    pub(super) const PCM: u16 = 1;
    pub(super) const ADPCM_MS: u16 = 2;
    pub(super) const FLOAT: u16 = 3;
    pub(super) const A_LAW: u16 = 6;
    pub(super) const MU_LAW: u16 = 7;
    pub(super) const ADPCM_IMA: u16 = 0x11;
    pub(super) const EXTENSIBLE: u16 = 0xFFFE;
}

/// A WAV file whose header was found true.
#[derive(Debug)]
pub(super) struct Wav {
    header: Vec<u8>,
    data: Range<usize>,
}

impl Wav {
    /// The file for the decoder: a plain header and the audio.
    pub(super) fn source<'a>(&self, bytes: &'a [u8]) -> Source<'a> {
        Source {
            header: self.header.clone(),
            data: &bytes[self.data.clone()],
            position: 0,
        }
    }
}

/// Reads the header; `None` when this is no WAV file at all.
pub(super) fn inspect(bytes: &[u8]) -> Result<Option<Wav>, Error> {
    let (Some(b"RIFF" | b"RF64" | b"BW64"), Some(b"WAVE")) = (bytes.get(..4), bytes.get(8..12))
    else {
        return Ok(None);
    };
    let mut format = None;
    let mut long_size = None;
    let mut at = 12;
    while let (Some(name), Some(size)) = (bytes.get(at..at + 4), u32_at(bytes, at + 4)) {
        let body = at + 8;
        if name == b"data" {
            let format = format
                .as_ref()
                .ok_or_else(|| unsupported("a WAV file without a format chunk"))?;
            return data(bytes, body, size, long_size, format).map(Some);
        }
        let found = bytes.len() - body;
        let length = size as usize;
        if length > found {
            return Err(Error::LyingHeader {
                field: "a chunk before the audio (bytes)",
                promised: u64::from(size),
                found: found as u64,
            });
        }
        let chunk = &bytes[body..body + length];
        match name {
            b"fmt " => format = Some(Format::read(chunk)?),
            b"ds64" => {
                long_size = chunk
                    .get(8..16)
                    .and_then(|size| size.try_into().ok())
                    .map(u64::from_le_bytes);
            }
            _ => {}
        }
        at = body + length + length % 2;
    }
    Err(Error::Empty)
}

/// Writes a plain WAV file at [`SAMPLE_RATE`].
pub(super) fn write(samples: &[i16]) -> Vec<u8> {
    let format = Format {
        tag: tag::PCM,
        channels: 1,
        rate: SAMPLE_RATE,
        block: 2,
        bits: 16,
        extra: Vec::new(),
    };
    let mut file = format.header(samples.len() * 2);
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

/// Compares the promised size of the audio with what there is.
fn data(
    bytes: &[u8],
    body: usize,
    size: u32,
    long_size: Option<u64>,
    format: &Format,
) -> Result<Wav, Error> {
    let found = bytes.len() - body;
    let promised = match long_size {
        Some(long) if size == u32::MAX => long,
        _ => u64::from(size),
    };
    let streamed = (size >= STREAMING && long_size.is_none())
        || (promised == 0 && !is_trailer(&bytes[body..]));
    let lying = |found: usize| Error::LyingHeader {
        field: "the size of the audio (bytes)",
        promised,
        found: found as u64,
    };
    let length = if streamed {
        found
    } else {
        match usize::try_from(promised) {
            Ok(promised) if promised <= found => {
                let after = body + promised;
                let rest = &bytes[after..];
                let padded = rest.get(promised % 2..).unwrap_or_default();
                if rest.len() > format.slack() && !is_trailer(rest) && !is_trailer(padded) {
                    return Err(lying(found));
                }
                promised
            }
            // A recorder that lost its last buffer is forgiven, a lost minute is not.
            Ok(promised) if promised - found <= format.slack() => found,
            _ => return Err(lying(found)),
        }
    };
    let length = length - length % usize::from(format.block);
    if length == 0 {
        return Err(Error::Empty);
    }
    Ok(Wav {
        header: format.header(length),
        data: body..body + length,
    })
}

/// Whether these bytes after the audio are something else than audio: another chunk, a tag, padding.
fn is_trailer(rest: &[u8]) -> bool {
    let named = rest
        .get(..4)
        .is_some_and(|name| name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b' '));
    named || rest.iter().all(|&b| b == 0)
}

/// The format chunk, with the indirection of WAVEFORMATEXTENSIBLE resolved.
#[derive(Debug)]
struct Format {
    tag: u16,
    channels: u16,
    rate: u32,
    block: u16,
    bits: u16,
    /// What follows the 16 plain bytes, where the codec needs it.
    extra: Vec<u8>,
}

impl Format {
    fn read(chunk: &[u8]) -> Result<Self, Error> {
        let (Some(declared), Some(channels), Some(rate), Some(block), Some(bits)) = (
            u16_at(chunk, 0),
            u16_at(chunk, 2),
            u32_at(chunk, 4),
            u16_at(chunk, 12),
            u16_at(chunk, 14),
        ) else {
            return Err(Error::LyingHeader {
                field: "the format chunk (bytes)",
                promised: 16,
                found: chunk.len() as u64,
            });
        };
        // The first two bytes of the sub-format's GUID are the plain tag.
        let tag = match declared {
            tag::EXTENSIBLE => u16_at(chunk, 24)
                .ok_or_else(|| unsupported("a WAV file with half an extensible format"))?,
            plain => plain,
        };
        if !(1..=MAX_CHANNELS).contains(&channels) {
            return Err(unsupported(&format!(
                "{channels} channels, where 1 to {MAX_CHANNELS} are read"
            )));
        }
        if !RATES.contains(&rate) {
            return Err(unsupported(&format!(
                "a sample rate of {rate} Hz, where {} to {} Hz are read",
                RATES.start(),
                RATES.end()
            )));
        }
        let widths: &[u16] = match tag {
            tag::PCM => &[8, 16, 24, 32],
            tag::FLOAT => &[32, 64],
            tag::A_LAW | tag::MU_LAW => &[8],
            tag::ADPCM_MS | tag::ADPCM_IMA => &[4],
            other => return Err(unsupported(&format!("WAV codec {other:#06x}"))),
        };
        if !widths.contains(&bits) {
            return Err(unsupported(&format!(
                "{bits} bits a sample, where {widths:?} are read"
            )));
        }
        let packed = matches!(tag, tag::ADPCM_MS | tag::ADPCM_IMA);
        let frame = channels * (bits / 8);
        if packed && block == 0 || !packed && block != frame {
            return Err(Error::LyingHeader {
                field: "the block alignment (bytes of all channels' samples)",
                promised: u64::from(block),
                found: u64::from(frame),
            });
        }
        let extra = match tag {
            tag::PCM | tag::FLOAT => Vec::new(),
            tag::A_LAW | tag::MU_LAW => vec![0, 0],
            _ => chunk.get(16..).unwrap_or_default().to_vec(),
        };
        Ok(Self {
            tag,
            channels,
            rate,
            block,
            bits,
            extra,
        })
    }

    /// A plain header for `length` bytes of audio.
    fn header(&self, length: usize) -> Vec<u8> {
        let format = 16 + self.extra.len();
        let clamp = |size: usize| u32::try_from(size).unwrap_or(u32::MAX);
        let byte_rate = self.rate.saturating_mul(u32::from(self.block));
        let mut header = Vec::with_capacity(28 + format);
        header.extend_from_slice(b"RIFF");
        header.extend_from_slice(&clamp(20 + format + length).to_le_bytes());
        header.extend_from_slice(b"WAVEfmt ");
        header.extend_from_slice(&clamp(format).to_le_bytes());
        header.extend_from_slice(&self.tag.to_le_bytes());
        header.extend_from_slice(&self.channels.to_le_bytes());
        header.extend_from_slice(&self.rate.to_le_bytes());
        header.extend_from_slice(&byte_rate.to_le_bytes());
        header.extend_from_slice(&self.block.to_le_bytes());
        header.extend_from_slice(&self.bits.to_le_bytes());
        header.extend_from_slice(&self.extra);
        header.extend_from_slice(b"data");
        header.extend_from_slice(&clamp(length).to_le_bytes());
        header
    }

    /// How many bytes a size may be off before it is a lie: 100 ms, and never less than a block.
    fn slack(&self) -> usize {
        let bits = u64::from(self.rate) * u64::from(self.channels) * u64::from(self.bits);
        usize::try_from(bits / 80)
            .unwrap_or(usize::MAX)
            .max(usize::from(self.block))
    }
}

/// The header and the audio as one stream.
#[derive(Debug)]
pub(super) struct Source<'a> {
    header: Vec<u8>,
    data: &'a [u8],
    position: u64,
}

impl Source<'_> {
    fn len(&self) -> u64 {
        self.header.len() as u64 + self.data.len() as u64
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let at = usize::try_from(self.position).unwrap_or(usize::MAX);
        let mut rest = match at.checked_sub(self.header.len()) {
            None => &self.header[at..],
            Some(at) => self.data.get(at..).unwrap_or_default(),
        };
        let read = rest.read(buffer)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for Source<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len().checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

impl MediaSource for Source<'_> {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len())
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    bytes.try_into().ok().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    bytes.try_into().ok().map(u32::from_le_bytes)
}

fn unsupported(detail: &str) -> Error {
    Error::Unsupported {
        detail: detail.to_owned(),
    }
}
