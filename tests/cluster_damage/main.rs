//! Damage to one file of a stopped cluster, in each state of the cluster: **all data is readable
//! afterwards, or a refusal or a cluster fault names the file; only what is damaged is lost, and no
//! living key or share is destroyed.**
//!
//! ```text
//! node-sim --- kmip-server A        states: internal, external, and each step of a rekey in each
//! 3 nodes  \-- kmip-server B        direction; the cluster is stopped there with SIGKILL
//!
//! state -> one file: bit flipped, cut, emptied, removed, exchanged, an older copy
//!       -> start -> refused: nothing was changed                -> file put back -> settled
//!                -> serves: each block as written, or an error
//!                           and a fault, none elsewhere         -> file put back -> settled
//! ```
//!
//! Settled: no drive is locked, all data reads, no rekey runs, no fault is left, and one master key
//! lives, in its place. The cases of a state begin with the same files, also at the key servers.
//!
//! 100 cases by default, 300 if `KMIP_CI` is set, 3,000 with `SOAK=1`. `CLUSTER_DAMAGE_SEED`
//! repeats a run, `CLUSTER_DAMAGE_CASE` runs the case of this number alone, and `DAMAGE_TABLE`
//! names a file for the table of the outcomes.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it says"
)]

mod checks;
mod contents;
mod damage;
mod file_kind;
mod fixture;
mod outcome;
mod round;
mod stages;
mod state;
mod table;
mod workers;

use harness::{rounds, seed};

/// Cases of a sample: what two cores do within a minute and a half.
const SAMPLE: usize = 100;
/// Cases where CI runs.
const CI: usize = 300;
/// Cases of a soak.
const SOAK: usize = 3_000;

#[test]
fn damage_to_one_file_is_named_and_costs_only_what_is_damaged() {
    let seed = seed("CLUSTER_DAMAGE_SEED");
    let only = std::env::var("CLUSTER_DAMAGE_CASE").ok().map(|number| number.parse().unwrap());
    let sample = if std::env::var_os("KMIP_CI").is_some() { CI } else { SAMPLE };
    println!("CLUSTER_DAMAGE_SEED={seed}");
    let rounds = workers::run(seed, rounds(sample, SOAK), only);
    let table = table::markdown(&rounds);
    println!("{table}");
    if let Some(file) = std::env::var_os("DAMAGE_TABLE") {
        std::fs::write(file, &table).unwrap();
    }
    let wrong: Vec<String> = rounds.iter().flat_map(round::Round::violations).collect();
    let count = wrong.len();
    assert!(
        wrong.is_empty(),
        "CLUSTER_DAMAGE_SEED={seed}, {count} violations:\n{}",
        wrong.join("\n")
    );
    assert!(!rounds.is_empty(), "no case has this number");
}
