//! Numbers from one seed, so that a run can be had again (Steele, Lea and Flood, "SplitMix").

/// A sequence of numbers.
pub struct Random(u64);

impl Random {
    /// The sequence of a seed and a place in the run.
    pub fn new(seed: u64, place: usize) -> Self {
        Self(seed ^ u64::try_from(place).expect("a place").wrapping_mul(0xff51_afd7_ed55_8ccd))
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let end = u64::try_from(end).expect("an end of 64 bits");
        usize::try_from((z ^ (z >> 31)).checked_rem(end).expect("an end above 0"))
            .expect("below it")
    }
}

/// Returns the seed of this run: the variable's value, or the clock.
pub fn seed(variable: &str) -> u64 {
    let given = std::env::var(variable).ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| {
        let now =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        now.as_secs() ^ u64::from(now.subsec_nanos()).rotate_left(20)
    })
}
