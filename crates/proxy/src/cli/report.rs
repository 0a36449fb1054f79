//! How often each rule fired.

use std::fmt::Write as _;

use crate::engine::RuleCounts;

/// Returns a line for each rule, with a warning for each that never fired.
pub(super) fn text(counts: &[RuleCounts]) -> String {
    let mut text = String::new();
    for RuleCounts { rule, matched, fired } in counts {
        // Writing to a string does not fail.
        let _ = match fired {
            0 => writeln!(
                text,
                "kmip-proxy: warning: rule {:?} never fired; it matched {matched} times",
                rule.name
            ),
            _ => writeln!(
                text,
                "kmip-proxy: rule {:?} fired {fired} times; it matched {matched} times",
                rule.name
            ),
        };
    }
    text
}

/// Returns whether a rule never fired.
pub(super) fn has_unfired(counts: &[RuleCounts]) -> bool {
    counts.iter().any(|counts| counts.fired == 0)
}
