//! Changes of a key server, before, during and after a rekey in every direction.
//!
//! ```text
//! node-sim, a process ---- kmip-server at 127.0.0.1:PORT   the first host: it has the keys
//!   2 nodes, 2 drives  \-- kmip-server at 127.0.0.2:PORT   an empty replica of it
//!                       \- kmip-server at 127.0.0.3:PORT   the first, after it was moved
//!   the same for provider B. The test asks each of them directly, as either client.
//! ```
//!
//! The first host stops, the server is pointed to another address, or the client certificate is
//! exchanged. A change that would lock the cluster is refused unless an operator insists. Whatever
//! was changed, no block changes, no living key is reported as destroyed, and no key is left at a
//! host without a fault or a rekey that knows of it; drives are locked exactly if no key that wraps
//! them is shown, with faults that name the hosts. Once the change is taken back, all data reads
//! and one master key is left.
//!
//! A fixed sample by default, in which every change meets every moment; with `SOAK=1` in every
//! direction. `CHANGES_CASES` runs the case of this name, or all whose names begin with it.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it says"
)]

mod case;
mod change;
mod checks;
mod fixture;
mod hosts;
mod progress;
mod round;
mod wake;
mod workers;

use std::collections::BTreeMap;

#[test]
fn no_change_of_a_key_server_costs_data_or_hides_a_key() {
    let rounds = workers::run(case::selected());
    assert!(!rounds.is_empty(), "no case has such a name");
    let mut counts = BTreeMap::new();
    for round in &rounds {
        for seen in &round.seen {
            *counts.entry(*seen).or_insert(0_usize) += 1;
        }
    }
    println!("{} cases: {counts:?}", rounds.len());
    let wrong: Vec<String> = rounds.iter().flat_map(round::Round::violations).collect();
    assert!(wrong.is_empty(), "{} violations:\n{}", wrong.len(), wrong.join("\n"));
    if std::env::var_os(case::NAME_VARIABLE).is_none() {
        for seen in round::Seen::ALL {
            assert!(counts.contains_key(&seen), "in no case: {seen:?}");
        }
    }
}
