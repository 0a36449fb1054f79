//! The outcomes, counted in Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::damage::DamageKind;
use crate::file_kind::FileKind;
use crate::outcome::Outcome;
use crate::round::Round;
use crate::state::State;

/// Outcomes of some cases.
#[derive(Default)]
struct Count {
    cases: usize,
    outcomes: BTreeMap<Outcome, usize>,
    wrong: usize,
}

/// A table by file and damage, one by state, and one by all three.
pub(crate) fn markdown(rounds: &[Round]) -> String {
    let mut table = String::new();
    head(&mut table, &["file", "damage"]);
    for (file, damage) in pairs() {
        let count = counted(rounds, |round| (round.file, round.damage) == (file, damage));
        row(&mut table, &[file.name(), damage.name()], &count);
    }
    row(&mut table, &["all", ""], &counted(rounds, |_| true));
    head(&mut table, &["state"]);
    for state in State::all() {
        let count = counted(rounds, |round| round.state == state);
        row(&mut table, &[&state.to_string()], &count);
    }
    head(&mut table, &["state", "file", "damage"]);
    for state in State::all() {
        for (file, damage) in pairs() {
            let count = counted(rounds, |round| {
                (round.state, round.file, round.damage) == (state, file, damage)
            });
            row(&mut table, &[&state.to_string(), file.name(), damage.name()], &count);
        }
    }
    table
}

fn pairs() -> impl Iterator<Item = (FileKind, DamageKind)> {
    FileKind::ALL.into_iter().flat_map(|file| DamageKind::ALL.map(|damage| (file, damage)))
}

fn counted(rounds: &[Round], is_meant: impl Fn(&Round) -> bool) -> Count {
    let mut count = Count::default();
    for round in rounds.iter().filter(|round| is_meant(round)) {
        count.cases += 1;
        count.wrong += usize::from(!round.is_right());
        if let Some(outcome) = round.outcome {
            *count.outcomes.entry(outcome).or_default() += 1;
        }
    }
    count
}

fn head(table: &mut String, names: &[&str]) {
    let outcomes = Outcome::ALL.map(Outcome::name).join(" | ");
    let columns = names.len() + Outcome::ALL.len() + 2;
    let begin = if table.is_empty() { "" } else { "\n" };
    let _ = writeln!(table, "{begin}| {} | cases | {outcomes} | silent |", names.join(" | "));
    let _ = writeln!(table, "|{}", "---|".repeat(columns));
}

fn row(table: &mut String, names: &[&str], count: &Count) {
    if count.cases == 0 {
        return;
    }
    let of = |outcome| count.outcomes.get(&outcome).copied().unwrap_or_default().to_string();
    let outcomes = Outcome::ALL.map(of).join(" | ");
    let (names, cases, wrong) = (names.join(" | "), count.cases, count.wrong);
    let _ = writeln!(table, "| {names} | {cases} | {outcomes} | {wrong} |");
}
