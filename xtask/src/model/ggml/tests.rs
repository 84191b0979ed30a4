#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::super::ct2::tests::encode;
use super::*;

const SMALL: Shape = Shape {
    vocabulary: 5,
    audio_context: 3,
    text_context: 2,
    state: 2,
    heads: 1,
    layers: 1,
};

/// Every variable of a model of shape `SMALL`; each element of a variable is `1.0`, key biases are zero.
fn variables() -> Vec<(String, Vec<usize>, Vec<u8>)> {
    let mut all = Vec::new();
    let mut add = |name: String, dims: &[usize]| {
        let count: usize = dims.iter().product();
        all.push((name, dims.to_vec(), 0x3c00_u16.to_le_bytes().repeat(count)));
    };
    for (name, dims) in [
        ("encoder/position_encodings/encodings", &[3, 2][..]),
        ("encoder/conv1/bias", &[2]),
        ("encoder/conv1/weight", &[2, 80, 3]),
        ("encoder/conv2/bias", &[2]),
        ("encoder/conv2/weight", &[2, 2, 3]),
        ("decoder/position_encodings/encodings", &[2, 2]),
        ("decoder/embeddings/weight", &[5, 2]),
    ] {
        add(name.to_owned(), dims);
    }
    for norm in [
        "encoder/layer_norm",
        "decoder/layer_norm",
        "encoder/layer_0/self_attention/layer_norm",
        "encoder/layer_0/ffn/layer_norm",
        "decoder/layer_0/self_attention/layer_norm",
        "decoder/layer_0/attention/layer_norm",
        "decoder/layer_0/ffn/layer_norm",
    ] {
        add(format!("{norm}/gamma"), &[2]);
        add(format!("{norm}/beta"), &[2]);
    }
    for (linear, rows, columns) in [
        ("encoder/layer_0/self_attention/linear_0", 6, 2),
        ("encoder/layer_0/self_attention/linear_1", 2, 2),
        ("encoder/layer_0/ffn/linear_0", 8, 2),
        ("encoder/layer_0/ffn/linear_1", 2, 8),
        ("decoder/layer_0/self_attention/linear_0", 6, 2),
        ("decoder/layer_0/self_attention/linear_1", 2, 2),
        ("decoder/layer_0/attention/linear_0", 2, 2),
        ("decoder/layer_0/attention/linear_1", 4, 2),
        ("decoder/layer_0/attention/linear_2", 2, 2),
        ("decoder/layer_0/ffn/linear_0", 8, 2),
        ("decoder/layer_0/ffn/linear_1", 2, 8),
    ] {
        add(format!("{linear}/weight"), &[rows, columns]);
        add(format!("{linear}/bias"), &[rows]);
    }
    for (name, key_bias) in [
        ("encoder/layer_0/self_attention/linear_0/bias", 4..8),
        ("decoder/layer_0/self_attention/linear_0/bias", 4..8),
        ("decoder/layer_0/attention/linear_1/bias", 0..4),
    ] {
        let (.., data) = all.iter_mut().find(|(other, ..)| other == name).unwrap();
        data[key_bias].fill(0);
    }
    all
}

fn file(variables: &[(String, Vec<usize>, Vec<u8>)]) -> Vec<u8> {
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, dims, data)| (name.as_str(), dims.as_slice(), 4, data.clone()))
        .collect();
    encode(6, &variables, &[])
}

fn converted(variables: &[(String, Vec<usize>, Vec<u8>)]) -> Result<Vec<u8>> {
    let file = file(variables);
    let mut out = Vec::new();
    write(
        &mut out,
        &SMALL,
        &[b"a".to_vec(), b" b".to_vec()],
        &Model::parse(&file)?,
    )?;
    Ok(out)
}

/// Name, type and dimensions of each tensor, read the way whisper.cpp does.
fn tensors(file: &[u8]) -> Vec<(String, i32, Vec<i32>)> {
    fn number(rest: &mut &[u8]) -> i32 {
        let (head, tail) = rest.split_first_chunk().unwrap();
        *rest = tail;
        i32::from_le_bytes(*head)
    }
    let mut rest = &file[12 * 4 + 8 + 80 * 201 * 4..];
    for _ in 0..number(&mut rest) {
        let len = usize::try_from(number(&mut rest)).unwrap();
        rest = &rest[len..];
    }
    let mut tensors = Vec::new();
    while !rest.is_empty() {
        let [rank, len, storage] = [(); 3].map(|()| number(&mut rest));
        let dims: Vec<i32> = (0..rank).map(|_| number(&mut rest)).collect();
        let (name, tail) = rest.split_at(usize::try_from(len).unwrap());
        let size = dims.iter().product::<i32>() * if storage == 0 { 4 } else { 2 };
        rest = &tail[usize::try_from(size).unwrap()..];
        tensors.push((String::from_utf8(name.to_vec()).unwrap(), storage, dims));
    }
    tensors
}

#[test]
fn the_header_is_what_whisper_cpp_reads() {
    let file = converted(&variables()).unwrap();
    let header: Vec<i32> = file[..14 * 4]
        .chunks_exact(4)
        .map(|bytes| i32::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    assert_eq!(&file[..4], b"lmgg");
    assert_eq!(header[1..], [5, 3, 2, 1, 1, 2, 2, 1, 1, 80, 1, 80, 201]);
}

#[test]
fn every_tensor_is_there_once_in_the_layout_that_whisper_cpp_expects() {
    fn check(tensors: &[(String, i32, Vec<i32>)], name: &str, storage: i32, dims: &[i32]) {
        let found: Vec<_> = tensors.iter().filter(|(other, ..)| other == name).collect();
        assert_eq!(found, [&(name.to_owned(), storage, dims.to_vec())]);
    }
    let tensors = tensors(&converted(&variables()).unwrap());
    // As whisper.cpp counts: 11 outside the layers, 15 in each encoder layer, 24 in each decoder layer.
    assert_eq!(tensors.len(), 11 + 15 + 24);
    check(&tensors, "encoder.positional_embedding", 0, &[2, 3]);
    check(&tensors, "encoder.conv1.weight", 1, &[3, 80, 2]);
    check(&tensors, "encoder.conv1.bias", 0, &[1, 2]);
    check(&tensors, "decoder.token_embedding.weight", 1, &[2, 5]);
    check(&tensors, "encoder.blocks.0.attn.value.weight", 1, &[2, 2]);
    check(&tensors, "decoder.blocks.0.cross_attn.query.bias", 0, &[2]);
    check(&tensors, "decoder.blocks.0.mlp.2.weight", 1, &[8, 2]);
    assert!(tensors.iter().all(|(name, ..)| !name.ends_with("key.bias")));
}

#[test]
fn a_model_that_is_not_whisper_is_refused_with_the_reason() {
    fn check(change: impl FnOnce(&mut Vec<(String, Vec<usize>, Vec<u8>)>), expect: &str) {
        let mut variables = variables();
        change(&mut variables);
        let error = format!("{:#}", converted(&variables).unwrap_err());
        assert!(error.contains(expect), "`{error}` does not say `{expect}`");
    }
    let find = |all: &[(String, Vec<usize>, Vec<u8>)], name: &str| {
        all.iter().position(|(other, ..)| other == name).unwrap()
    };
    check(
        |all| {
            let at = find(all, "decoder/layer_norm/beta");
            all.remove(at);
        },
        "variable `decoder/layer_norm/beta` is missing",
    );
    check(
        |all| {
            let at = find(all, "encoder/conv1/bias");
            all[at].1 = vec![1, 2];
        },
        "variable `encoder/conv1/bias` is F16 [1, 2]; F16 [2] was expected",
    );
    check(
        |all| {
            let at = find(all, "decoder/layer_0/attention/linear_1/bias");
            all[at].2.fill(1);
        },
        "`decoder/layer_0/attention/linear_1` has a key bias",
    );
}

#[test]
fn half_precision_numbers_keep_their_value() {
    fn check(half: u16, expect: f32) {
        assert_eq!(widen(half).to_bits(), expect.to_bits(), "{half:#06x}");
    }
    check(0x0000, 0.0);
    check(0x8000, -0.0);
    check(0x3c00, 1.0);
    check(0xc000, -2.0);
    check(0x3555, 0.333_251_95);
    check(0x7bff, 65_504.0);
    check(0x0400, 2.0_f32.powi(-14));
    check(0x0001, 2.0_f32.powi(-24));
    check(0x83ff, -1023.0 * 2.0_f32.powi(-24));
    check(0x7c00, f32::INFINITY);
    check(0xfc00, f32::NEG_INFINITY);
    assert!(widen(0x7e00).is_nan());
}
