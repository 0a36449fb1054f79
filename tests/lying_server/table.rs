//! The outcomes, counted in Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::case::{Direction, Frequency, Operation, Phase};
use crate::lie::Lie;
use crate::outcome::Outcome;
use crate::round::Round;

/// Outcomes of some cases.
#[derive(Default)]
struct Count {
    cases: usize,
    outcomes: BTreeMap<Option<Outcome>, usize>,
    locked: usize,
    wrong: usize,
}

impl Count {
    fn add(&mut self, round: &Round) {
        self.cases += 1;
        *self.outcomes.entry(round.outcome).or_default() += 1;
        self.locked += usize::from(round.locked > 0);
        self.wrong += usize::from(!round.is_right());
    }

    /// The outcomes in words.
    fn words(&self) -> String {
        let name = |outcome: &Option<Outcome>| outcome.map_or("stopped", Outcome::name);
        let outcomes = self.outcomes.iter();
        let outcomes = outcomes.map(|(outcome, count)| format!("{} {count}", name(outcome)));
        let locked = (self.locked > 0).then(|| format!("drives locked {}", self.locked));
        let wrong = (self.wrong > 0).then(|| format!("**violations {}**", self.wrong));
        outcomes.chain(locked).chain(wrong).collect::<Vec<_>>().join(", ")
    }
}

/// A table of all cases by part of the rekey, and one by what was changed.
pub(crate) fn markdown(rounds: &[Round]) -> String {
    let mut table = String::new();
    let _ = writeln!(table, "| direction | first changed answer | how often | cases | outcomes |");
    let _ = writeln!(table, "|---|---|---|---|---|");
    for direction in Direction::ALL {
        for phase in Phase::ALL {
            for frequency in Frequency::ALL {
                let count = counted(rounds, |round| {
                    let case = &round.case;
                    (case.direction, case.phase, case.frequency) == (direction, phase, frequency)
                });
                let names = [direction.name(), phase.name(), frequency.name()];
                row(&mut table, &names, &count);
            }
        }
    }
    let total = counted(rounds, |_| true);
    row(&mut table, &["all", "", ""], &total);
    let _ = writeln!(table, "\n| direction | operation | answer | how often | cases | outcomes |");
    let _ = writeln!(table, "|---|---|---|---|---|---|");
    for direction in Direction::ALL {
        for operation in Operation::ALL {
            for lie in Lie::ALL {
                for frequency in Frequency::ALL {
                    let count = counted(rounds, |round| {
                        let case = &round.case;
                        (case.direction, case.operation, case.lie, case.frequency)
                            == (direction, operation, lie, frequency)
                    });
                    let names = [direction.name(), operation.name(), lie.name(), frequency.name()];
                    row(&mut table, &names, &count);
                }
            }
        }
    }
    table
}

fn counted(rounds: &[Round], is_meant: impl Fn(&Round) -> bool) -> Count {
    let mut count = Count::default();
    rounds.iter().filter(|round| is_meant(round)).for_each(|round| count.add(round));
    count
}

fn row(table: &mut String, names: &[&str], count: &Count) {
    if count.cases > 0 {
        let _ = writeln!(table, "| {} | {} | {} |", names.join(" | "), count.cases, count.words());
    }
}
