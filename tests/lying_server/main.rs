//! Rekeys in every direction, while a proxy changes the k-th answer of a key server, or all from
//! the k-th on.
//!
//! ```text
//! node-sim, a process --- kmip-proxy --- kmip-server A
//!   2 nodes, 4 drives \-- kmip-proxy --- kmip-server B
//!                          ^ one rule: the k-th Get, Create, Locate ... of the rekey
//! the test: Element's API, /sim/v1, and both key servers directly
//! ```
//!
//! Whatever a key server answers, no block changes, no living key is reported as destroyed, and no
//! key is left at a key server without a fault or a rekey that knows of it. Once the answers are
//! true again, and the cluster was killed and started, all data reads and one master key is left.
//!
//! A sample of the cases by default; with `SOAK=1` all of them. `LIES_SEED` repeats a sample,
//! `LIES_CASES` runs all cases whose names begin with it, and `LIES_TABLE` names a file for the
//! table of the outcomes.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it says"
)]

mod case;
mod checks;
mod fixture;
mod kills;
mod lie;
mod outcome;
mod quiet;
mod round;
mod selection;
mod table;
mod workers;

use selection::Selection;

#[test]
fn no_answer_of_a_key_server_costs_data_or_hides_a_key() {
    let selection = Selection::from_environment();
    let rounds = workers::run(&selection);
    let table = table::markdown(&rounds);
    println!("{table}");
    if let Some(file) = std::env::var_os("LIES_TABLE") {
        std::fs::write(file, &table).unwrap();
    }
    let wrong: Vec<String> = rounds.iter().flat_map(round::Round::violations).collect();
    assert!(wrong.is_empty(), "{} violations, {selection}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(!rounds.is_empty(), "no case has such a name: {selection}");
}
