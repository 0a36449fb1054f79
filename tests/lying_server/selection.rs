//! Which cases are run: a sample, all, or those of a name.

use std::fmt;

use harness::{Random, rounds, seed};

use crate::case::Case;

/// Cases of a sample: what two cores do within a minute.
const SAMPLE: usize = 32;

pub(crate) struct Selection {
    seed: u64,
    count: usize,
    beginning: Option<String>,
}

impl Selection {
    pub(crate) fn from_environment() -> Self {
        Self {
            seed: seed("LIES_SEED"),
            count: rounds(SAMPLE, usize::MAX),
            beginning: std::env::var("LIES_CASES").ok(),
        }
    }

    /// The cases to run.
    pub(crate) fn choose(&self, mut cases: Vec<Case>) -> Vec<Case> {
        if let Some(beginning) = &self.beginning {
            cases.retain(|case| case.to_string().starts_with(beginning));
            return cases;
        }
        let mut random = Random::new(self.seed, 0);
        while cases.len() > self.count {
            let place = random.below(cases.len());
            cases.swap_remove(place);
        }
        cases
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.beginning {
            Some(beginning) => write!(f, "LIES_CASES={beginning:?}"),
            None => write!(f, "LIES_SEED={}", self.seed),
        }
    }
}
