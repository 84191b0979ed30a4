//! Finding tokens again without keeping them.

use highway::{HighwayHash as _, HighwayHasher, Key};

/// HighwayHash of 128 bits under a key that is drawn at random and told to nobody.
///
/// Two tokens never meet by chance: 10,000 tokens that are known and a million forged ones a second would do so once in 10^21
/// years. And nobody can look for two that meet, as the hash of a token never comes out.
pub(crate) struct KeyedHash {
    /// Made once: making it looks for what the processor can do.
    fresh: HighwayHasher,
}

impl KeyedHash {
    /// With a key of its own.
    pub(crate) fn new() -> Self {
        Self {
            fresh: HighwayHasher::new(Key(rand::random())),
        }
    }

    /// The hash of all bytes of `text`.
    pub(crate) fn of(&self, text: &str) -> u128 {
        let [low, high] = self.fresh.clone().hash128(text.as_bytes());
        u128::from(high) << 64 | u128::from(low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_key_of_its_own() {
        let (one, other) = (KeyedHash::new(), KeyedHash::new());
        assert_eq!(one.of("token"), one.of("token"));
        assert_ne!(one.of("token"), one.of("tokem"));
        assert_ne!(one.of("token"), other.of("token"));
    }
}
