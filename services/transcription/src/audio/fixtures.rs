//! Recordings for tests, made on the spot.

/// A deterministic random source (xorshift64*), so that a failing case can be run again.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap()
    }
}

/// One second parts of a tone of 440 Hz at half of full scale.
pub(super) fn tone(rate: u32, seconds: f64) -> Vec<f64> {
    let frames = (f64::from(rate) * seconds).round() as usize;
    (0..frames)
        .map(|i| 0.5 * (std::f64::consts::TAU * 440.0 * i as f64 / f64::from(rate)).sin())
        .collect()
}

/// How a WAV file stores a sample.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sample {
    U8,
    I16,
    I24,
    I32,
    F32,
    F64,
    ALaw,
    MuLaw,
}

impl Sample {
    pub(super) const ALL: [Self; 8] = [
        Self::U8,
        Self::I16,
        Self::I24,
        Self::I32,
        Self::F32,
        Self::F64,
        Self::ALaw,
        Self::MuLaw,
    ];

    fn tag(self) -> u16 {
        match self {
            Self::U8 | Self::I16 | Self::I24 | Self::I32 => 1,
            Self::F32 | Self::F64 => 3,
            Self::ALaw => 6,
            Self::MuLaw => 7,
        }
    }

    pub(super) fn bytes(self) -> u16 {
        match self {
            Self::U8 | Self::ALaw | Self::MuLaw => 1,
            Self::I16 => 2,
            Self::I24 => 3,
            Self::I32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    fn write(self, value: f64, out: &mut Vec<u8>) {
        match self {
            Self::U8 => out.push((value * 127.0 + 128.0) as u8),
            Self::I16 => out.extend(((value * 32_767.0) as i16).to_le_bytes()),
            Self::I24 => out.extend(&((value * 8_388_607.0) as i32).to_le_bytes()[..3]),
            Self::I32 => out.extend(((value * 2_147_483_647.0) as i32).to_le_bytes()),
            Self::F32 => out.extend((value as f32).to_le_bytes()),
            Self::F64 => out.extend(value.to_le_bytes()),
            Self::ALaw => out.push(a_law((value * 32_767.0) as i16)),
            Self::MuLaw => out.push(mu_law((value * 32_767.0) as i16)),
        }
    }
}

/// ITU-T G.711 mu-law.
fn mu_law(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = (i32::from(sample).abs().min(32_635)) + 132;
    let exponent = (0..8).rev().find(|e| magnitude >> (e + 7) != 0).unwrap();
    let mantissa = (magnitude >> (exponent + 3)) & 0x0F;
    !(sign | ((exponent as u8) << 4) | mantissa as u8)
}

/// ITU-T G.711 A-law.
fn a_law(sample: i16) -> u8 {
    let sign = if sample < 0 { 0 } else { 0x80 };
    let magnitude = (i32::from(sample).abs() >> 4).min(0x7FF);
    let exponent = (1..8)
        .rev()
        .find(|e| magnitude >> (e + 3) != 0)
        .unwrap_or(0);
    let mantissa = (magnitude >> (exponent.max(1) - 1)) & 0x0F;
    (sign | ((exponent as u8) << 4) | mantissa as u8) ^ 0x55
}

/// A WAV file with the same signal on every channel.
pub(super) fn wav(signal: &[f64], rate: u32, channels: u16, sample: Sample) -> Vec<u8> {
    let mut data = Vec::new();
    for &value in signal {
        for _ in 0..channels {
            sample.write(value, &mut data);
        }
    }
    let block = sample.bytes() * channels;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend(sample.tag().to_le_bytes());
    file.extend(channels.to_le_bytes());
    file.extend(rate.to_le_bytes());
    file.extend((rate * u32::from(block)).to_le_bytes());
    file.extend(block.to_le_bytes());
    file.extend((sample.bytes() * 8).to_le_bytes());
    file.extend(b"data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    file
}

/// Overwrites the size of the audio in a file of [`wav`].
pub(super) fn with_data_size(mut file: Vec<u8>, size: u32) -> Vec<u8> {
    file[40..44].copy_from_slice(&size.to_le_bytes());
    file
}

/// How a FLAC file stores a block of samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Subframe {
    /// One value for the whole block: 15 bytes for 4 seconds of silence.
    Constant(i16),
    /// The samples as they are.
    Verbatim,
}

/// A FLAC file of 16 kHz mono with blocks of 4096 samples (RFC 9639).
pub(super) fn flac(samples: &[i16], subframe: Subframe) -> Vec<u8> {
    let blocks = samples.len().div_ceil(4096);
    flac_blocks(blocks, samples.len() as u64, |index| {
        (
            &samples[index * 4096..samples.len().min((index + 1) * 4096)],
            subframe,
        )
    })
}

/// A FLAC file of many blocks that all hold one value.
pub(super) fn flac_constant(blocks: usize, value: i16) -> Vec<u8> {
    let block = [0; 4096];
    flac_blocks(blocks, blocks as u64 * 4096, |_| {
        (&block[..], Subframe::Constant(value))
    })
}

fn flac_blocks<'a>(
    blocks: usize,
    total: u64,
    block: impl Fn(usize) -> (&'a [i16], Subframe),
) -> Vec<u8> {
    let mut file = b"fLaC\x80\x00\x00\x22".to_vec();
    file.extend(4096_u16.to_be_bytes());
    file.extend(4096_u16.to_be_bytes());
    file.extend([0; 6]);
    // 20 bits of rate, 3 of channels - 1, 5 of bits - 1, 36 of samples.
    let packed = (16_000_u64 << 44) | (15 << 36) | total;
    file.extend(packed.to_be_bytes());
    file.extend([0; 16]);
    for index in 0..blocks {
        let (samples, subframe) = block(index);
        let start = file.len();
        // Fixed blocks; the block size follows in 16 bits; 16 kHz; mono; 16 bits a sample.
        file.extend([0xFF, 0xF8, 0x75, 0x08]);
        let mut number = [0; 4];
        let number = char::from_u32(index as u32)
            .unwrap()
            .encode_utf8(&mut number);
        file.extend(number.as_bytes());
        file.extend((samples.len() as u16 - 1).to_be_bytes());
        file.push(crc8(&file[start..]));
        match subframe {
            Subframe::Constant(value) => {
                file.push(0x00);
                file.extend(value.to_be_bytes());
            }
            Subframe::Verbatim => {
                file.push(0x02);
                file.extend(samples.iter().flat_map(|sample| sample.to_be_bytes()));
            }
        }
        let crc = crc16(&file[start..]);
        file.extend(crc.to_be_bytes());
    }
    file
}

fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc, _| {
            if crc & 0x80 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x07
            }
        })
    })
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x8005
            }
        })
    })
}
