//! Writes whisper.cpp's model file ("ggml") of tiny.en from the `CTranslate2` model.
//!
//! Little-endian: magic, eleven sizes, mel filters, vocabulary, then each tensor (number of dimensions, length of the
//! name, type, dimensions innermost first, name, data). `whisper_model_load` in whisper.cpp is the reference.

use std::io::Write;

use anyhow::{Context as _, Result, ensure};

use super::ct2::{DataType, Model};
use super::mel;

/// The first four bytes of every such file, as a little-endian number.
pub(crate) const MAGIC: u32 = 0x6767_6d6c;

const MEL_BANDS: usize = 80;
/// Frames that one convolution step sees.
const KERNEL: usize = 3;

/// The sizes of a model; audio and text sides share width, heads and depth, as in every Whisper model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Rows of the token embedding: text tokens, then the special ones.
    pub(crate) vocabulary: usize,
    pub(crate) audio_context: usize,
    pub(crate) text_context: usize,
    pub(crate) state: usize,
    pub(crate) heads: usize,
    pub(crate) layers: usize,
}

impl Shape {
    pub(crate) const TINY_EN: Self = Self {
        vocabulary: 51_864,
        audio_context: 1_500,
        text_context: 448,
        state: 384,
        heads: 6,
        layers: 4,
    };
}

/// How whisper.cpp wants a tensor stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Storage {
    F32 = 0,
    F16 = 1,
}

/// Writes the whole file. The same input gives the same bytes on every machine.
///
/// `tokens` are the text tokens in order of their number; whisper.cpp makes up the special ones behind them itself.
///
/// # Errors
/// When the model is not a half-precision Whisper model of this shape, or when writing fails.
pub(crate) fn write(
    out: &mut impl Write,
    shape: &Shape,
    tokens: &[Vec<u8>],
    model: &Model<'_>,
) -> Result<()> {
    ensure!(
        model.spec == "WhisperSpec",
        "the model is a `{}`; a `WhisperSpec` was expected",
        model.spec
    );
    header(out, shape)?;
    filters(out)?;
    put(out, tokens.len())?;
    for token in tokens {
        put(out, token.len())?;
        out.write_all(token)?;
    }
    let mut tensors = Tensors {
        out,
        model,
        state: shape.state,
    };
    tensors.encoder(shape)?;
    tensors.decoder(shape)
}

fn header(out: &mut impl Write, shape: &Shape) -> Result<()> {
    out.write_all(&MAGIC.to_le_bytes())?;
    let Shape {
        vocabulary,
        audio_context,
        text_context,
        state,
        heads,
        layers,
    } = *shape;
    let audio = [audio_context, state, heads, layers];
    let text = [text_context, state, heads, layers];
    put(out, vocabulary)?;
    for size in audio
        .into_iter()
        .chain(text)
        .chain([MEL_BANDS, Storage::F16 as usize])
    {
        put(out, size)?;
    }
    Ok(())
}

fn filters(out: &mut impl Write) -> Result<()> {
    put(out, mel::BANDS.into())?;
    put(out, mel::BINS.into())?;
    for weight in mel::filter_bank() {
        out.write_all(&weight.to_le_bytes())?;
    }
    Ok(())
}

fn put(out: &mut impl Write, number: usize) -> Result<()> {
    Ok(out.write_all(&i32::try_from(number)?.to_le_bytes())?)
}

/// Copies tensors from one naming scheme and layout to the other.
struct Tensors<'a, W> {
    out: &'a mut W,
    model: &'a Model<'a>,
    state: usize,
}

impl<'a, W: Write> Tensors<'a, W> {
    fn encoder(&mut self, shape: &Shape) -> Result<()> {
        let state = self.state;
        self.positions("encoder", shape.audio_context)?;
        for (name, channels) in [("conv1", MEL_BANDS), ("conv2", state)] {
            let bias = self.read(&format!("encoder/{name}/bias"), &[state])?;
            let weight = self.read(
                &format!("encoder/{name}/weight"),
                &[state, channels, KERNEL],
            )?;
            self.put(
                &format!("encoder.{name}.weight"),
                Storage::F16,
                &[state, channels, KERNEL],
                weight,
            )?;
            // A column, because whisper.cpp adds it to a matrix of frames.
            self.put(
                &format!("encoder.{name}.bias"),
                Storage::F32,
                &[state, 1],
                bias,
            )?;
        }
        for layer in 0..shape.layers {
            let from = format!("encoder/layer_{layer}");
            let to = format!("encoder.blocks.{layer}");
            self.self_attention(&from, &to)?;
            self.feed_forward(&from, &to)?;
        }
        self.norm("encoder/layer_norm", "encoder.ln_post")
    }

    fn decoder(&mut self, shape: &Shape) -> Result<()> {
        let dims = [shape.vocabulary, self.state];
        self.positions("decoder", shape.text_context)?;
        let embeddings = self.read("decoder/embeddings/weight", &dims)?;
        self.put(
            "decoder.token_embedding.weight",
            Storage::F16,
            &dims,
            embeddings,
        )?;
        for layer in 0..shape.layers {
            let from = format!("decoder/layer_{layer}");
            let to = format!("decoder.blocks.{layer}");
            self.self_attention(&from, &to)?;
            self.cross_attention(&from, &to)?;
            self.feed_forward(&from, &to)?;
        }
        self.norm("decoder/layer_norm", "decoder.ln")
    }

    fn positions(&mut self, side: &str, context: usize) -> Result<()> {
        let dims = [context, self.state];
        let data = self.read(&format!("{side}/position_encodings/encodings"), &dims)?;
        self.put(
            &format!("{side}.positional_embedding"),
            Storage::F32,
            &dims,
            data,
        )
    }

    fn self_attention(&mut self, from: &str, to: &str) -> Result<()> {
        self.norm(
            &format!("{from}/self_attention/layer_norm"),
            &format!("{to}.attn_ln"),
        )?;
        self.linear(
            &format!("{from}/self_attention/linear_0"),
            &format!("{to}.attn"),
            &["query", "key", "value"],
        )?;
        self.linear(
            &format!("{from}/self_attention/linear_1"),
            &format!("{to}.attn"),
            &["out"],
        )
    }

    fn cross_attention(&mut self, from: &str, to: &str) -> Result<()> {
        self.norm(
            &format!("{from}/attention/layer_norm"),
            &format!("{to}.cross_attn_ln"),
        )?;
        let to = format!("{to}.cross_attn");
        self.linear(&format!("{from}/attention/linear_0"), &to, &["query"])?;
        self.linear(
            &format!("{from}/attention/linear_1"),
            &to,
            &["key", "value"],
        )?;
        self.linear(&format!("{from}/attention/linear_2"), &to, &["out"])
    }

    /// Takes a fused projection apart into its parts of `state` rows each. Whisper's key projection has no bias: what
    /// `CTranslate2` stores for it is zero.
    fn linear(&mut self, from: &str, to: &str, parts: &[&str]) -> Result<()> {
        let state = self.state;
        let weight = self.read(&format!("{from}/weight"), &[parts.len() * state, state])?;
        let bias = self.read(&format!("{from}/bias"), &[parts.len() * state])?;
        let size = DataType::F16.size();
        let blocks = weight
            .chunks_exact(state * state * size)
            .zip(bias.chunks_exact(state * size));
        for (part, (weight, bias)) in parts.iter().zip(blocks) {
            self.put(
                &format!("{to}.{part}.weight"),
                Storage::F16,
                &[state, state],
                weight,
            )?;
            if *part == "key" {
                ensure!(
                    bias.iter().all(|byte| *byte == 0),
                    "`{from}` has a key bias, which Whisper does not"
                );
            } else {
                self.put(&format!("{to}.{part}.bias"), Storage::F32, &[state], bias)?;
            }
        }
        Ok(())
    }

    fn feed_forward(&mut self, from: &str, to: &str) -> Result<()> {
        let (inner, outer) = (4 * self.state, self.state);
        self.norm(&format!("{from}/ffn/layer_norm"), &format!("{to}.mlp_ln"))?;
        for (source, target, dims) in [
            ("linear_0", "mlp.0", [inner, outer]),
            ("linear_1", "mlp.2", [outer, inner]),
        ] {
            let weight = self.read(&format!("{from}/ffn/{source}/weight"), &dims)?;
            let bias = self.read(&format!("{from}/ffn/{source}/bias"), &dims[..1])?;
            self.put(
                &format!("{to}.{target}.weight"),
                Storage::F16,
                &dims,
                weight,
            )?;
            self.put(
                &format!("{to}.{target}.bias"),
                Storage::F32,
                &dims[..1],
                bias,
            )?;
        }
        Ok(())
    }

    fn norm(&mut self, from: &str, to: &str) -> Result<()> {
        let dims = [self.state];
        for (source, target) in [("gamma", "weight"), ("beta", "bias")] {
            let data = self.read(&format!("{from}/{source}"), &dims)?;
            self.put(&format!("{to}.{target}"), Storage::F32, &dims, data)?;
        }
        Ok(())
    }

    fn read(&self, name: &str, dims: &[usize]) -> Result<&'a [u8]> {
        Ok(self.model.get(name, DataType::F16, dims)?.data)
    }

    /// Writes one tensor; `data` is half precision, `dims` are outermost first.
    fn put(&mut self, name: &str, storage: Storage, dims: &[usize], data: &[u8]) -> Result<()> {
        put(self.out, dims.len())?;
        put(self.out, name.len())?;
        put(self.out, storage as usize)?;
        for dim in dims.iter().rev() {
            put(self.out, *dim)?;
        }
        self.out.write_all(name.as_bytes())?;
        match storage {
            Storage::F16 => self.out.write_all(data)?,
            Storage::F32 => {
                for half in data.chunks_exact(2) {
                    let half = half
                        .try_into()
                        .map(u16::from_le_bytes)
                        .context("half-precision data")?;
                    self.out.write_all(&widen(half).to_le_bytes())?;
                }
            }
        }
        Ok(())
    }
}

/// The same number in single precision; every half-precision number has one (IEEE 754).
fn widen(half: u16) -> f32 {
    let sign = u32::from(half >> 15) << 31;
    let exponent = u32::from(half >> 10 & 0x1f);
    let fraction = u32::from(half & 0x3ff);
    match exponent {
        // Subnormal: `fraction` counts steps of 2^-24.
        0 => {
            let size = f32::from(half & 0x3ff) / 16_777_216.0;
            f32::from_bits(sign | size.to_bits())
        }
        0x1f => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

#[cfg(test)]
mod tests;
