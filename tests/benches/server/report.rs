//! The figures as a table, in the form of docs/performance.md.

use std::collections::BTreeMap;

use crate::ENGINES;
use crate::load::Measured;

/// Which row a row is measured by, and what is asked of the ratio, if anything.
const RATIOS: &[(&str, &str, usize, Option<f64>)] = &[
    ("Get", "echo of a Get", 1, None),
    ("Get", "echo of a Get", 8, Some(0.5)),
    ("Get", "echo of a Get", 64, None),
    ("Create", "echo of a Create, committed in groups", 1, None),
    ("Create", "echo of a Create, committed in groups", 8, None),
    ("Create", "echo of a Create, committed in groups", 64, Some(0.5)),
    ("Create", "bare group-commit loop, no socket", 64, None),
    ("Locate by Name, 100 k objects", "Locate by Name, 1 k objects", 1, Some(0.8)),
    ("Locate by Name, 100 k objects", "Locate by Name, 1 k objects", 8, Some(0.8)),
    ("Locate by Name, 100 k objects", "Locate by Name, 1 k objects", 64, Some(0.8)),
    ("storage array's mix, 100 k objects", "echo of a Get", 8, None),
    ("Get, new connection", "echo of a Get, new connection", 1, None),
    ("Get, new connection", "echo of a Get, new connection", 8, None),
];

/// In the place of the engine, where there is none.
pub(crate) const NO_ENGINE: &str = "-";

/// Name, engine, connections.
type Row = (String, &'static str, usize);

#[derive(Default)]
pub(crate) struct Report(BTreeMap<Row, Vec<Measured>>);

impl Report {
    pub(crate) fn add(
        &mut self,
        name: &str,
        engine: &'static str,
        connections: usize,
        measured: Measured,
    ) {
        self.0.entry((name.to_owned(), engine, connections)).or_default().push(measured);
    }

    /// The round in the middle.
    fn median(&self, name: &str, engine: &'static str, connections: usize) -> Option<Measured> {
        let mut rounds = self.0.get(&(name.to_owned(), engine, connections))?.clone();
        rounds.sort_by(|a, b| a.rate.total_cmp(&b.rate));
        Some(rounds[rounds.len() / 2])
    }

    pub(crate) fn print(&self) {
        println!("| what | engine | connections | a second | processor of the server, us each |");
        println!("|---|---|---|---|---|");
        for (name, engine, connections) in self.0.keys() {
            let Some(median) = self.median(name, engine, *connections) else { continue };
            let used = median.processor_us.map_or("-".to_owned(), |us| format!("{us:.1}"));
            println!("| {name} | {engine} | {connections} | {:.0} | {used} |", median.rate);
        }
        println!("\n| what | beside | engine | connections | ratio | wanted |");
        println!("|---|---|---|---|---|---|");
        for (name, beside, connections, wanted) in RATIOS {
            for engine in ENGINES {
                let a = self.median(name, engine, *connections);
                let b = self.median(beside, NO_ENGINE, *connections);
                let b = b.or_else(|| self.median(beside, engine, *connections));
                let (Some(a), Some(b)) = (a, b) else { continue };
                let wanted = wanted.map_or("-".to_owned(), |wanted| format!("at least {wanted}"));
                let ratio = a.rate / b.rate;
                println!(
                    "| {name} | {beside} | {engine} | {connections} | {ratio:.2} | {wanted} |"
                );
            }
        }
    }
}
