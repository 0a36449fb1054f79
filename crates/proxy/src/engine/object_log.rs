//! Objects that are forgotten, and changes that are not seen yet.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use kmip::vocabulary::{Operation, State};

use super::exchange::Connection;
use super::past_answers::{PastAnswers, Question};
use crate::message::{BatchItem, Item};
use crate::rules::{Action, LagScope, LiveRule, creates};

/// Most changes that are kept: more are seen at once.
const CHANGES_MAX: usize = 100_000;
/// Most answers that are kept: to more questions, others are shown what the server answers.
const ANSWERS_MAX: usize = 10_000;
/// Most objects that are forgotten.
const FORGOTTEN_MAX: usize = 100_000;

/// What is known of objects beside what the server says.
#[derive(Default)]
pub(super) struct ObjectLog {
    forgotten: HashMap<String, Vec<Arc<LiveRule>>>,
    changes: Vec<Change>,
    /// What the server last answered about objects.
    past: PastAnswers,
    /// Requests so far, of all clients.
    messages: u64,
}

/// A change that is not seen by all.
struct Change {
    object: String,
    effect: Effect,
    /// Answers about the object before the change.
    answers: HashMap<Question, Item>,
    /// Locate requests that found the object before it was destroyed.
    located: HashSet<Question>,
    by: Connection,
    seen_by: LagScope,
    until: Until,
    rule: Arc<LiveRule>,
}

#[derive(Clone, Copy)]
enum Effect {
    Created,
    /// The State before.
    State(State),
    /// Anything else of the object.
    Attributes,
}

#[derive(Clone, Copy)]
enum Until {
    Time(Duration),
    Message(u64),
}

impl ObjectLog {
    /// Forgets what a rule that is removed has brought.
    pub(super) fn remove(&mut self, rule: &Arc<LiveRule>) {
        for rules in self.forgotten.values_mut() {
            rules.retain(|known| !Arc::ptr_eq(known, rule));
        }
        self.forgotten.retain(|_, rules| !rules.is_empty());
        self.changes.retain(|change| !Arc::ptr_eq(&change.rule, rule));
    }

    /// Counts a request, and drops the changes that all have seen by now.
    pub(super) fn note_request(&mut self, now: Duration) {
        self.messages = self.messages.saturating_add(1);
        let messages = self.messages;
        self.changes.retain(|change| match change.until {
            Until::Time(until) => now < until,
            Until::Message(until) => messages <= until,
        });
    }

    pub(super) fn forget(&mut self, object: &str, rule: &Arc<LiveRule>) {
        if self.forgotten.len() < FORGOTTEN_MAX || self.forgotten.contains_key(object) {
            let rules = self.forgotten.entry(object.to_owned()).or_default();
            super::exchange::add(rules, rule);
        }
    }

    /// The rule by which this client is not shown the object.
    pub(super) fn hidden(&self, object: &str, asker: &Connection) -> Option<Arc<LiveRule>> {
        let rules = self.forgotten.get(object).map(Vec::as_slice).unwrap_or_default();
        let forgotten = rules.iter().find(|rule| rule.rule.is_for_client(&asker.client));
        forgotten.map(Arc::clone).or_else(|| {
            let created =
                self.unseen(object, asker).find(|change| matches!(change.effect, Effect::Created));
            created.map(|change| Arc::clone(&change.rule))
        })
    }

    /// The State that this client is shown, and the rule.
    pub(super) fn old_state(
        &self,
        object: &str,
        asker: &Connection,
    ) -> Option<(Arc<LiveRule>, State)> {
        self.unseen(object, asker).find_map(|change| match change.effect {
            Effect::State(state) => Some((Arc::clone(&change.rule), state)),
            Effect::Created | Effect::Attributes => None,
        })
    }

    /// Keeps an answer of the server, until the object is changed.
    pub(super) fn keep_answer(&mut self, question: Question, answer: &BatchItem) {
        let of_changes = self.changes.iter().map(|change| change.answers.len());
        let kept = of_changes.fold(self.past.len(), usize::saturating_add);
        self.past.keep(question, answer, kept < ANSWERS_MAX);
    }

    /// Wipes the answers that are kept for changes to come.
    pub(super) fn clear_answers(&mut self) {
        self.past.clear();
    }

    /// The answer to this question before a change that this client does not see, and the rule.
    pub(super) fn past_answer(
        &self,
        object: &str,
        question: &Question,
        asker: &Connection,
    ) -> Option<(Arc<LiveRule>, Item)> {
        self.unseen(object, asker).find_map(|change| {
            let payload = change.answers.get(question)?;
            Some((Arc::clone(&change.rule), payload.clone()))
        })
    }

    /// The objects that this Locate request found before they were destroyed, which this client
    /// does not see; each with the rule.
    pub(super) fn still_located(
        &self,
        question: &Question,
        asker: &Connection,
    ) -> Vec<(Arc<LiveRule>, String)> {
        let changes = self
            .changes
            .iter()
            .filter(|change| change.located.contains(question) && !change.is_seen_by(asker));
        changes.map(|change| (Arc::clone(&change.rule), change.object.clone())).collect()
    }

    /// Changes of the object that this client does not see, the oldest first.
    fn unseen(&self, object: &str, asker: &Connection) -> impl Iterator<Item = &Change> {
        self.changes
            .iter()
            .filter(move |change| change.object == object && !change.is_seen_by(asker))
    }

    /// Notes a change that the server has made.
    pub(super) fn note_change(
        &mut self,
        rule: &Arc<LiveRule>,
        item: &BatchItem,
        by: &Connection,
        now: Duration,
    ) {
        let Action::ReplicaLag { ms, messages, seen_by } = &rule.rule.action else { return };
        let until = match (ms, messages) {
            (Some(ms), _) => Until::Time(now.saturating_add(Duration::from_millis(*ms))),
            (None, messages) => Until::Message(self.messages.saturating_add(messages.unwrap_or(0))),
        };
        let effect = match item.operation() {
            Some(operation) if creates(operation) => Effect::Created,
            Some(Operation::Activate) => Effect::State(State::PreActive),
            Some(Operation::Revoke) => Effect::State(State::Active),
            Some(Operation::Destroy) => Effect::State(State::Deactivated),
            Some(operation) if changes_attributes(operation) => Effect::Attributes,
            _ => return,
        };
        for object in item.identifiers() {
            if self.changes.len() < CHANGES_MAX {
                let answers = self.past.take_about(&object);
                let located = match item.operation() {
                    Some(Operation::Destroy) => self.past.located(&object),
                    _ => HashSet::new(),
                };
                let (by, rule, seen_by) = (by.clone(), Arc::clone(rule), *seen_by);
                let change = Change { object, effect, answers, located, by, seen_by, until, rule };
                self.changes.push(change);
            }
        }
    }
}

impl Change {
    /// Whether this client sees the change at once.
    fn is_seen_by(&self, asker: &Connection) -> bool {
        match self.seen_by {
            LagScope::Connection => self.by.number == asker.number,
            LagScope::Client => self.by.client == asker.client,
            LagScope::Nobody => false,
        }
    }
}

/// Whether an operation changes attributes of the object that it names.
const fn changes_attributes(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::AddAttribute
            | Operation::AdjustAttribute
            | Operation::Archive
            | Operation::DeleteAttribute
            | Operation::ModifyAttribute
            | Operation::Recover
            | Operation::SetAttribute
    )
}
