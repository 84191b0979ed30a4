//! Reads the model file of `CTranslate2` (`model.bin`, binary version 6).
//!
//! Little-endian throughout: `u32` version, specification name, `u32` revision, `u32` count and that many variables
//! (name, `u8` rank, `u32` per dimension, `u8` type, `u32` size, data), then `u32` count and that many pairs of names
//! (alias, variable). A name is a `u16` length, which counts the closing NUL, and its bytes.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};

const VERSION: u32 = 6;
const MAX_RANK: u8 = 4;

/// How the elements of a variable are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DataType {
    F32,
    I8,
    I16,
    I32,
    F16,
}

impl DataType {
    fn from_code(code: u8) -> Result<Self> {
        Ok(match code {
            0 => Self::F32,
            1 => Self::I8,
            2 => Self::I16,
            3 => Self::I32,
            4 => Self::F16,
            other => bail!("element type {other} is unknown; types 0 (f32) to 4 (f16) exist"),
        })
    }

    /// Size of one element in bytes.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::I8 => 1,
            Self::I16 | Self::F16 => 2,
            Self::F32 | Self::I32 => 4,
        }
    }
}

/// One tensor of the model; its data stays in the buffer that was parsed.
#[derive(Debug, Clone)]
pub(crate) struct Variable<'a> {
    /// Outermost dimension first; empty for a scalar.
    pub(crate) dims: Vec<usize>,
    pub(crate) data_type: DataType,
    /// `product(dims) * data_type.size()` bytes.
    pub(crate) data: &'a [u8],
}

/// A parsed model file.
#[derive(Debug)]
pub(crate) struct Model<'a> {
    /// Name of the architecture, for example `WhisperSpec`.
    pub(crate) spec: String,
    variables: BTreeMap<String, Variable<'a>>,
}

impl<'a> Model<'a> {
    /// Parses a whole file.
    ///
    /// # Errors
    /// When the file is truncated, of another version, inconsistent, or followed by anything else.
    pub(crate) fn parse(file: &'a [u8]) -> Result<Self> {
        let mut input = Input {
            rest: file,
            len: file.len(),
        };
        let version = input.u32().context("reading the version")?;
        ensure!(
            version == VERSION,
            "the file has version {version}; version {VERSION} can be converted"
        );
        let spec = input.name().context("reading the specification name")?;
        input.u32().context("reading the revision")?;

        let count = input.u32().context("reading the number of variables")?;
        let mut variables = BTreeMap::new();
        for index in 0..count {
            let name = input
                .name()
                .with_context(|| format!("reading the name of variable {index} of {count}"))?;
            let variable = input
                .variable()
                .with_context(|| format!("reading variable `{name}`"))?;
            ensure!(
                variables.insert(name.clone(), variable).is_none(),
                "variable `{name}` is there twice"
            );
        }

        let count = input.u32().context("reading the number of aliases")?;
        for index in 0..count {
            let context = || format!("reading alias {index} of {count}");
            let alias = input.name().with_context(context)?;
            let target = input.name().with_context(context)?;
            let variable = variables.get(&target).cloned();
            let variable = variable
                .with_context(|| format!("alias `{alias}` names `{target}`, which is not there"))?;
            variables.insert(alias, variable);
        }
        ensure!(
            input.rest.is_empty(),
            "{} bytes follow the end of the model",
            input.rest.len()
        );
        Ok(Self { spec, variables })
    }

    /// The variable of this name, when it has these dimensions and this type.
    ///
    /// # Errors
    /// When it is absent or looks different; the error names what is there.
    pub(crate) fn get(
        &self,
        name: &str,
        data_type: DataType,
        dims: &[usize],
    ) -> Result<&Variable<'a>> {
        let variable = self
            .variables
            .get(name)
            .with_context(|| format!("variable `{name}` is missing"))?;
        ensure!(
            variable.dims == dims && variable.data_type == data_type,
            "variable `{name}` is {:?} {:?}; {data_type:?} {dims:?} was expected",
            variable.data_type,
            variable.dims,
        );
        Ok(variable)
    }
}

/// What is left to read of a file of `len` bytes.
struct Input<'a> {
    rest: &'a [u8],
    len: usize,
}

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let Some((head, tail)) = self.rest.split_at_checked(count) else {
            bail!(
                "the file ends too early: {count} bytes are needed at offset {}, {} are left",
                self.len - self.rest.len(),
                self.rest.len(),
            );
        };
        self.rest = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        Ok(self.take(N)?.try_into()?)
    }

    fn u8(&mut self) -> Result<u8> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn name(&mut self) -> Result<String> {
        let len = self.u16()?;
        let bytes = self.take(len.into())?;
        let name = bytes
            .strip_suffix(b"\0")
            .context("a name does not end in NUL")?;
        Ok(str::from_utf8(name)
            .context("a name is not UTF-8")?
            .to_owned())
    }

    fn variable(&mut self) -> Result<Variable<'a>> {
        let rank = self.u8()?;
        ensure!(
            rank <= MAX_RANK,
            "it has rank {rank}; at most {MAX_RANK} is possible"
        );
        let dims = (0..rank)
            .map(|_| Ok(usize::try_from(self.u32()?)?))
            .collect::<Result<Vec<_>>>()?;
        let data_type = DataType::from_code(self.u8()?)?;
        let bytes = usize::try_from(self.u32()?)?;
        let expected = dims
            .iter()
            .try_fold(data_type.size(), |size, dim| size.checked_mul(*dim));
        ensure!(
            expected == Some(bytes),
            "its size is {bytes} bytes, which does not fit {data_type:?} {dims:?}"
        );
        Ok(Variable {
            dims,
            data_type,
            data: self.take(bytes)?,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// Writes model files for tests.
    pub(crate) fn encode(
        version: u32,
        variables: &[(&str, &[usize], u8, Vec<u8>)],
        aliases: &[(&str, &str)],
    ) -> Vec<u8> {
        let mut file = Vec::new();
        file.extend(version.to_le_bytes());
        name(&mut file, "WhisperSpec");
        file.extend(3_u32.to_le_bytes());
        file.extend(u32::try_from(variables.len()).unwrap().to_le_bytes());
        for (variable, dims, data_type, data) in variables {
            name(&mut file, variable);
            file.push(u8::try_from(dims.len()).unwrap());
            for dim in *dims {
                file.extend(u32::try_from(*dim).unwrap().to_le_bytes());
            }
            file.push(*data_type);
            file.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
            file.extend(data);
        }
        file.extend(u32::try_from(aliases.len()).unwrap().to_le_bytes());
        for (alias, target) in aliases {
            name(&mut file, alias);
            name(&mut file, target);
        }
        file
    }

    fn name(file: &mut Vec<u8>, name: &str) {
        file.extend(u16::try_from(name.len() + 1).unwrap().to_le_bytes());
        file.extend(name.as_bytes());
        file.push(0);
    }

    fn good() -> Vec<u8> {
        encode(
            6,
            &[
                ("scale", &[], 1, vec![7]),
                ("weight", &[2, 3], 4, vec![1; 12]),
            ],
            &[("tied", "weight")],
        )
    }

    #[test]
    fn a_well_formed_file_gives_its_variables_and_aliases() {
        let file = good();
        let model = Model::parse(&file).unwrap();
        assert_eq!(model.spec, "WhisperSpec");
        assert_eq!(
            model.get("tied", DataType::F16, &[2, 3]).unwrap().data,
            [1; 12]
        );
        assert_eq!(model.get("scale", DataType::I8, &[]).unwrap().data, [7]);
    }

    #[test]
    fn a_malformed_file_is_refused_with_the_reason() {
        fn check(file: &[u8], expect: &str) {
            let error = format!("{:#}", Model::parse(file).unwrap_err());
            assert!(error.contains(expect), "`{error}` does not say `{expect}`");
        }
        let file = good();
        check(
            b"",
            "reading the version: the file ends too early: 4 bytes are needed at offset 0, 0 are left",
        );
        check(
            &file[..40],
            "reading variable `scale`: the file ends too early",
        );
        check(&file[..60], "reading variable `weight`");
        check(
            &file[..file.len() - 1],
            "reading alias 0 of 1: the file ends too early",
        );
        check(&[&file[..], b"!"].concat(), "1 bytes follow the end");
        check(
            &encode(5, &[], &[]),
            "the file has version 5; version 6 can be converted",
        );
        check(b"PK\x03\x04 and more", "the file has version 67324752");
        check(
            &encode(6, &[("w", &[1; 200], 0, vec![0; 4])], &[]),
            "reading variable `w`: it has rank 200; at most 4",
        );
        check(
            &encode(6, &[("w", &[1], 9, vec![0; 4])], &[]),
            "element type 9 is unknown",
        );
        check(
            &encode(6, &[("w", &[3], 0, vec![0; 4])], &[]),
            "its size is 4 bytes, which does not fit F32 [3]",
        );
        let huge = [usize::try_from(u32::MAX).unwrap(); 4];
        check(
            &encode(6, &[("w", &huge, 0, vec![0; 4])], &[]),
            "does not fit",
        );
        check(
            &encode(6, &[("w", &[], 1, vec![0]), ("w", &[], 1, vec![0])], &[]),
            "variable `w` is there twice",
        );
        check(
            &encode(6, &[], &[("a", "b")]),
            "alias `a` names `b`, which is not there",
        );
    }

    #[test]
    fn every_truncation_is_an_error_and_never_a_panic() {
        let file = good();
        for len in 0..file.len() {
            assert!(
                Model::parse(&file[..len]).is_err(),
                "{len} bytes of {} were accepted",
                file.len()
            );
        }
    }

    #[test]
    fn a_variable_of_another_shape_is_named_with_both_shapes() {
        let file = good();
        let error = Model::parse(&file)
            .unwrap()
            .get("weight", DataType::F16, &[3, 2])
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "variable `weight` is F16 [2, 3]; F16 [3, 2] was expected"
        );
    }
}
