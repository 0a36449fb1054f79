//! Profiles by versions: how many cases held, of how many.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use kmip::Version;

use crate::run::{Outcome, Verdict};

/// How many cases of one profile and version held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Those that held.
    pub(crate) held: usize,
    /// Those that failed or could not be run.
    pub(crate) bad: usize,
    /// Those that are for servers of another policy.
    pub(crate) others: usize,
}

/// All cells.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matrix {
    /// The columns.
    pub(crate) versions: BTreeSet<Version>,
    /// The rows, by profile.
    pub(crate) rows: BTreeMap<String, BTreeMap<Version, Cell>>,
    /// All together.
    pub(crate) total: Cell,
}

impl Matrix {
    /// Counts outcomes.
    pub(crate) fn from_outcomes<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Self {
        let mut matrix = Self::default();
        for outcome in outcomes {
            matrix.versions.insert(outcome.version);
            let row = matrix.rows.entry(outcome.profile.clone()).or_default();
            row.entry(outcome.version).or_default().count(&outcome.verdict);
            matrix.total.count(&outcome.verdict);
        }
        matrix
    }

    /// The cell of a profile and a version; empty where the committee has no case.
    pub(crate) fn cell(&self, profile: &str, version: Version) -> Option<Cell> {
        self.rows.get(profile)?.get(&version).copied()
    }
}

impl Cell {
    fn count(&mut self, verdict: &Verdict) {
        let number = match verdict {
            Verdict::Held => &mut self.held,
            Verdict::Failed(_) | Verdict::NotRun(_) => &mut self.bad,
            Verdict::OtherPolicy(_) => &mut self.others,
        };
        *number = number.saturating_add(1);
    }

    /// Those that count: all but those for another policy.
    pub(crate) const fn all(self) -> usize {
        self.held.saturating_add(self.bad)
    }
}

impl fmt::Display for Cell {
    /// `7`, or `5 of 7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bad {
            0 => write!(f, "{}", self.held),
            _ => write!(f, "{} of {}", self.held, self.all()),
        }
    }
}
