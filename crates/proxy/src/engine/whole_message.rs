//! Actions on a message as a whole, in either direction.

use std::time::Duration;

use super::exchange::{End, Outcome};
use crate::actions::{corrupt_length, too_large};
use crate::message::{Envelope, Kind};
use crate::rules::{Action, Direction, LiveRule, TagName, VersionText};

/// Which of the two messages an action changes as a whole; `None` if it is about single items.
pub(super) const fn direction(action: &Action) -> Option<Direction> {
    match action {
        Action::Delay { at, .. }
        | Action::Drop { at }
        | Action::Reset { at }
        | Action::Truncate { at, .. }
        | Action::CorruptLength { at, .. }
        | Action::Version { at, .. } => Some(*at),
        Action::CloseWhenIdle { .. } | Action::TooLarge { .. } => Some(Direction::Response),
        Action::Fail { .. }
        | Action::Succeed { .. }
        | Action::NotFound
        | Action::State { .. }
        | Action::Identifier { .. }
        | Action::KeyBytes { .. }
        | Action::ReadOnly
        | Action::Forget
        | Action::ReplicaLag { .. }
        | Action::Personality(_) => None,
    }
}

/// Lets a rule act on the message that `came`; what rules before it have made is in `outcome`.
pub(super) fn change(rule: &LiveRule, kind: Kind, came: &[u8], outcome: &mut Outcome) {
    let current = outcome.bytes.as_ref().map_or(came, |bytes| bytes.as_slice());
    let changed = match &rule.rule.action {
        Action::Delay { ms, .. } => {
            outcome.delay = outcome.delay.saturating_add(Duration::from_millis(*ms));
            None
        }
        Action::Drop { .. } => return end(rule, End::Drop, outcome),
        Action::Reset { .. } => return end(rule, End::Reset, outcome),
        Action::Truncate { bytes, .. } => return end(rule, End::Truncate(*bytes), outcome),
        Action::CloseWhenIdle { ms } => {
            outcome.idle = Some(Duration::from_millis(*ms));
            None
        }
        Action::CorruptLength { by, tag, .. } => {
            let tag = tag.map(|TagName(tag)| tag);
            let Some(changed) = corrupt_length(current, *by, tag) else { return };
            Some(changed)
        }
        Action::Version { version: VersionText(version), .. } => {
            let Ok(mut envelope) = Envelope::parse(current, kind) else { return };
            envelope.set_version(*version);
            Some(envelope.encode())
        }
        Action::TooLarge { bytes } => {
            let Ok(mut envelope) = Envelope::parse(current, kind) else { return };
            let mut items = envelope.batch_items();
            let Some(first) = items.first_mut() else { return };
            if !too_large(first, *bytes, current.len()) {
                return;
            }
            envelope.set_batch_items(items);
            Some(envelope.encode())
        }
        Action::Fail { .. }
        | Action::Succeed { .. }
        | Action::NotFound
        | Action::State { .. }
        | Action::Identifier { .. }
        | Action::KeyBytes { .. }
        | Action::ReadOnly
        | Action::Forget
        | Action::ReplicaLag { .. }
        | Action::Personality(_) => return,
    };
    if changed.is_some() {
        outcome.bytes = changed;
    }
    outcome.fire(rule);
}

/// Ends the way of a message, unless an earlier rule has.
fn end(rule: &LiveRule, end: End, outcome: &mut Outcome) {
    if outcome.end.is_none() {
        outcome.end = Some(end);
        outcome.fire(rule);
    }
}
