//! The rules in use, and what they have seen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::object_log::ObjectLog;
use crate::actions::Recent;
use crate::rules::{Action, LiveRule, Rule};

/// Rules in use at once: each is compared with every message.
const RULES_MAX: usize = 1000;

/// All rules, and what they have seen. Shared by all connections.
#[derive(Default)]
pub(crate) struct Engine {
    state: Mutex<EngineState>,
}

#[derive(Default)]
pub(super) struct EngineState {
    pub(super) rules: Vec<Arc<LiveRule>>,
    pub(super) objects: ObjectLog,
    pub(super) recent: Recent,
}

/// A rule with its counts, as it is shown.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RuleCounts {
    #[serde(flatten)]
    pub(crate) rule: Rule,
    /// Batch items that met its conditions.
    pub(crate) matched: u64,
    /// How often it changed something.
    pub(crate) fired: u64,
}

/// Reason for which a rule is not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Taken {
    /// Another rule has its name.
    #[error("another rule has this name")]
    Name,
    /// There is no room.
    #[error("there are {RULES_MAX} rules already")]
    Full,
}

impl Engine {
    /// Takes a rule into use.
    pub(crate) fn add(&self, rule: Rule, now: Duration) -> Result<(), Taken> {
        let mut state = self.state();
        if state.rules.len() >= RULES_MAX {
            return Err(Taken::Full);
        }
        if state.rules.iter().any(|live| live.rule.name == rule.name) {
            return Err(Taken::Name);
        }
        let live = Arc::new(LiveRule::new(rule, now));
        // An object that is named is forgotten from the start, also by Locate.
        let rule = &live.rule;
        let at_once = rule.from == 1
            && rule.operation.is_none()
            && rule.version.is_none()
            && rule.probability.is_none()
            && rule.times.is_none()
            && rule.after_ms.is_none()
            && rule.for_ms.is_none();
        if let (Action::Forget, Some(object), true) = (&rule.action, &rule.object, at_once) {
            state.objects.forget(object, &live);
        }
        state.rules.push(live);
        Ok(())
    }

    /// Removes the rule of this name, or all; returns how many were removed.
    pub(crate) fn remove(&self, name: Option<&str>) -> usize {
        let mut state = self.state();
        let (removed, kept): (Vec<_>, Vec<_>) =
            state.rules.drain(..).partition(|live| name.is_none_or(|name| live.rule.name == name));
        state.rules = kept;
        for rule in &removed {
            state.objects.remove(rule);
        }
        if !state.needs_answers() {
            state.recent.clear();
        }
        if !state.has_lag() {
            state.objects.clear_answers();
        }
        removed.len()
    }

    /// All rules with their counts, in the order in which they were added.
    pub(crate) fn counts(&self) -> Vec<RuleCounts> {
        let state = self.state();
        let counts = state.rules.iter().map(|live| RuleCounts {
            rule: live.rule.clone(),
            matched: live.matched(),
            fired: live.fired(),
        });
        counts.collect()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, EngineState> {
        // What is kept is right after every statement, so a panic elsewhere spoils nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EngineState {
    /// Returns whether changes are shown to others later.
    pub(super) fn has_lag(&self) -> bool {
        self.rules.iter().any(|live| matches!(live.rule.action, Action::ReplicaLag { .. }))
    }

    /// Returns whether a rule may need the last real answers.
    pub(super) fn needs_answers(&self) -> bool {
        let needs =
            |live: &Arc<LiveRule>| matches!(live.rule.action, Action::Succeed { payload: None });
        self.rules.iter().any(needs)
    }
}
