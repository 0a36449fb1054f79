//! Random numbers that are the same for the same seed on every machine (SplitMix64).

/// Sequence of random numbers of one seed. Not for keys.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Returns `true` in so many cases of a million.
    pub(crate) const fn one_of(&mut self, millionths: u64) -> bool {
        self.next() % 1_000_000 < millionths
    }

    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let random = self.next().to_be_bytes();
            for (byte, random) in chunk.iter_mut().zip(random) {
                *byte = random;
            }
        }
    }

    /// Returns an identifier in the form of a UUID.
    pub(crate) fn identifier(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        let hex = format!("{high:016x}{low:016x}");
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        let parts = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)];
        parts.join("-")
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn seed_gives_the_same_sequence_everywhere() {
        // The first numbers of the reference implementation for the seed 1234567.
        let mut random = Random::new(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
        let fired = (0..10_000).filter(|_| random.one_of(250_000)).count();
        assert!((2_300..2_700).contains(&fired), "{fired}");
        assert_eq!(random.identifier().len(), 36);
    }
}
