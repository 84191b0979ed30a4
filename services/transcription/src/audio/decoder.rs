//! Containers and codecs, through symphonia.

use std::io::{Cursor, ErrorKind};
use std::time::Duration;

use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::common::Limit;
use symphonia::core::errors::Error as Fault;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;

use super::resample::Sink;
use super::{Error, Limits, Pcm, frames_at, wav};

/// How much may be damaged, and becomes silence, before the whole recording is refused.
const FORGIVEN: Duration = Duration::from_millis(250);
/// How many packets without any audio may follow each other: no real file has that many, a crafted one billions.
const BARREN: u32 = 10_000;
/// Samples of all channels a second that are decoded on average: 48 kHz stereo.
const WORK: u64 = 96_000;

/// Decodes all of it.
pub(super) fn run(bytes: &[u8], limits: &Limits) -> Result<Pcm, Error> {
    let source: Box<dyn MediaSource + '_> = match wav::inspect(bytes)? {
        Some(wav) => Box::new(wav.source(bytes)),
        None if begins_like_audio(bytes) => Box::new(Cursor::new(bytes)),
        None => {
            return Err(Error::Unsupported {
                detail: "it begins like no audio format".to_owned(),
            });
        }
    };
    let stream = MediaSourceStream::new(source, MediaSourceStreamOptions::default());
    // Nobody reads the tags and pictures: they are not worth memory.
    let metadata = MetadataOptions::default()
        .limit_tag_bytes(Limit::Maximum(4096))
        .limit_visual_bytes(Limit::Maximum(0));
    let format = symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), metadata)
        .map_err(|fault| refuse(fault, Duration::ZERO, None))?;
    let mut decoding = Decoding::new(format, limits)?;
    while decoding.step()? {}
    decoding.sink.finish()
}

/// Whether the first bytes are those of a container or codec that is read. Without this, a decoder that looks for
/// a frame anywhere would find one in a picture.
fn begins_like_audio(bytes: &[u8]) -> bool {
    let padding = bytes.iter().take(4096).take_while(|&&b| b == 0).count();
    let head = &bytes[padding..];
    let magic: [&[u8]; 4] = [b"fLaC", b"OggS", b"ID3", b"\x1A\x45\xDF\xA3"];
    if magic.iter().any(|magic| head.starts_with(magic)) {
        return true;
    }
    match head {
        [
            b'F',
            b'O',
            b'R',
            b'M',
            _,
            _,
            _,
            _,
            b'A',
            b'I',
            b'F',
            b'F' | b'C',
            ..,
        ] => true,
        // An MPEG audio or ADTS frame: eleven bits of sync, and not the reserved version.
        [0xFF, second, ..] if second & 0xE0 == 0xE0 => second & 0x18 != 0x08,
        // An ISO base media file begins with a box; its length comes first and begins with zeros.
        _ => matches!(
            bytes.get(4..8),
            Some(b"ftyp" | b"moov" | b"mdat" | b"free" | b"skip" | b"wide" | b"styp")
        ),
    }
}

struct Decoding<'a> {
    format: Box<dyn FormatReader + 'a>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    promised: Option<Duration>,
    sink: Sink,
    interleaved: Vec<f32>,
    mono: Vec<f32>,
    /// Frames and rate of the last good packet: what a damaged one most likely held.
    last: Option<(usize, u32)>,
    damage: Option<(Duration, &'static str)>,
    damaged: Duration,
    barren: u32,
    work: u64,
    limits: Limits,
}

impl<'a> Decoding<'a> {
    fn new(format: Box<dyn FormatReader + 'a>, limits: &Limits) -> Result<Self, Error> {
        let (track, decoder, promised) = select(format.as_ref())?;
        Ok(Self {
            format,
            decoder,
            track,
            promised,
            sink: Sink::new(limits.max_duration),
            interleaved: Vec::new(),
            mono: Vec::new(),
            last: None,
            damage: None,
            damaged: Duration::ZERO,
            barren: 0,
            work: 0,
            limits: *limits,
        })
    }

    /// Decodes one packet; `false` at the end.
    fn step(&mut self) -> Result<bool, Error> {
        let packet = match self.format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => return Ok(false),
            Err(Fault::ResetRequired) => {
                // A chained stream: another recording follows in the same file.
                (self.track, self.decoder, _) = select(self.format.as_ref())?;
                return self.count_barren().map(|()| true);
            }
            Err(Fault::IoError(fault))
                if fault.kind() == ErrorKind::UnexpectedEof && self.ends_anywhere() =>
            {
                return Ok(false);
            }
            Err(fault) => return Err(refuse(fault, self.sink.position(), self.promised)),
        };
        if packet.track_id != self.track {
            return self.count_barren().map(|()| true);
        }
        match self.decoder.decode(&packet) {
            Ok(buffer) => {
                let rate = buffer.spec().rate();
                let channels = buffer.spec().channels().count();
                buffer.copy_to_vec_interleaved(&mut self.interleaved);
                self.take(channels, rate)?;
            }
            Err(Fault::DecodeError(detail)) => self.damage(detail)?,
            Err(Fault::IoError(_)) => self.damage("a packet that ends early")?,
            Err(fault) => return Err(refuse(fault, self.sink.position(), self.promised)),
        }
        Ok(true)
    }

    /// Averages the channels and hands them on.
    fn take(&mut self, channels: usize, rate: u32) -> Result<(), Error> {
        let frames = self.interleaved.len().checked_div(channels).unwrap_or(0);
        if frames == 0 {
            return self.count_barren();
        }
        self.barren = 0;
        self.work = self.work.saturating_add(self.interleaved.len() as u64);
        if self.work
            > self
                .limits
                .max_duration
                .as_secs()
                .max(1)
                .saturating_mul(WORK)
        {
            return Err(Error::TooLong {
                limit: self.limits.max_duration,
            });
        }
        self.last = Some((frames, rate));
        #[expect(
            clippy::cast_precision_loss,
            reason = "channels are fewer than a hundred"
        )]
        let share = 1.0 / channels as f32;
        self.mono.clear();
        self.mono
            .extend(self.interleaved.chunks_exact(channels).map(|frame| {
                let mean = frame.iter().sum::<f32>() * share;
                // Float files hold anything; what is no number would spoil its neighbours in the filter.
                if mean.is_nan() {
                    0.0
                } else {
                    mean.clamp(-1.0, 1.0)
                }
            }));
        self.sink.push(&self.mono, rate)
    }

    /// Puts silence in the place of a damaged packet, so that what follows keeps its time.
    fn damage(&mut self, detail: &'static str) -> Result<(), Error> {
        self.count_barren()?;
        let (at, first) = *self.damage.get_or_insert((self.sink.position(), detail));
        // MPEG audio that was cut out of a longer file begins with frames that need their predecessors.
        let Some((frames, rate)) = self.last else {
            return if self.barren > 8 {
                Err(Error::Corrupt { at, detail: first })
            } else {
                Ok(())
            };
        };
        self.damaged += frames_at(frames as u64, rate);
        if self.damaged > FORGIVEN {
            return Err(Error::Corrupt { at, detail: first });
        }
        self.mono.clear();
        self.mono.resize(frames, 0.0);
        self.sink.push(&self.mono, rate)
    }

    fn count_barren(&mut self) -> Result<(), Error> {
        self.barren += 1;
        if self.barren > BARREN {
            return Err(Error::Corrupt {
                at: self.sink.position(),
                detail: "packets without audio",
            });
        }
        Ok(())
    }

    /// Whether the format promises no length, so that the end of the bytes is the end of the recording.
    fn ends_anywhere(&self) -> bool {
        matches!(
            self.format.format_info().short_name,
            "mp1" | "mp2" | "mp3" | "aac" | "adts" | "ogg"
        )
    }
}

type Selected = (u32, Box<dyn AudioDecoder>, Option<Duration>);

/// The audio track, its decoder, and how long it says that it is.
fn select(format: &dyn FormatReader) -> Result<Selected, Error> {
    let unsupported = |detail: &str| Error::Unsupported {
        detail: detail.to_owned(),
    };
    let track = format
        .default_track(TrackType::Audio)
        .ok_or_else(|| unsupported("it has no audio track"))?;
    let parameters = track
        .codec_params
        .as_ref()
        .and_then(|parameters| parameters.audio())
        .ok_or_else(|| unsupported("its audio track names no codec"))?;
    let decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|_| {
            unsupported(if parameters.codec == CODEC_ID_OPUS {
                "Opus audio"
            } else {
                "a codec that is not read"
            })
        })?;
    Ok((track.id, decoder, promise(track)))
}

fn promise(track: &Track) -> Option<Duration> {
    let rate = track.codec_params.as_ref()?.audio()?.sample_rate?;
    Some(frames_at(track.num_frames?, rate))
}

fn refuse(fault: Fault, at: Duration, promised: Option<Duration>) -> Error {
    match fault {
        Fault::IoError(fault) if fault.kind() == ErrorKind::UnexpectedEof => Error::Truncated {
            promised,
            found: at,
        },
        Fault::Unsupported(detail) => Error::Unsupported {
            detail: detail.to_owned(),
        },
        Fault::DecodeError(detail) | Fault::LimitError(detail) => Error::Corrupt { at, detail },
        // The enum may grow: whatever it is, there is no reading on.
        Fault::IoError(_) | Fault::SeekError(_) | Fault::ResetRequired | _ => Error::Corrupt {
            at,
            detail: "it cannot be read on",
        },
    }
}
