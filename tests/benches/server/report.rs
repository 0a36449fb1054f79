//! The figures as a table, in the form of docs/performance.md.

use std::collections::BTreeMap;

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

#[derive(Default)]
pub(crate) struct Report(BTreeMap<(String, usize), Vec<Measured>>);

impl Report {
    pub(crate) fn add(&mut self, name: &str, connections: usize, measured: Measured) {
        self.0.entry((name.to_owned(), connections)).or_default().push(measured);
    }

    /// The round in the middle.
    fn median(&self, name: &str, connections: usize) -> Measured {
        let mut rounds = self.0[&(name.to_owned(), connections)].clone();
        rounds.sort_by(|a, b| a.rate.total_cmp(&b.rate));
        rounds[rounds.len() / 2]
    }

    pub(crate) fn print(&self) {
        println!("| what | connections | a second | processor of the server, us each |");
        println!("|---|---|---|---|");
        for (name, connections) in self.0.keys() {
            let median = self.median(name, *connections);
            let used = median.processor_us.map_or("-".to_owned(), |us| format!("{us:.0}"));
            println!("| {name} | {connections} | {:.0} | {used} |", median.rate);
        }
        println!("\n| what | beside | connections | ratio | wanted |");
        println!("|---|---|---|---|---|");
        let is_there =
            |name: &str, connections| self.0.contains_key(&(name.to_owned(), connections));
        for (name, beside, connections, wanted) in RATIOS {
            if !is_there(name, *connections) || !is_there(beside, *connections) {
                continue;
            }
            let (a, b) = (self.median(name, *connections), self.median(beside, *connections));
            let wanted = wanted.map_or("-".to_owned(), |wanted| format!("at least {wanted}"));
            let ratio = a.rate / b.rate;
            println!("| {name} | {beside} | {connections} | {ratio:.2} | {wanted} |");
        }
    }
}
