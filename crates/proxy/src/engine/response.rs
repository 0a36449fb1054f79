//! Decisions on a response.

use std::sync::Arc;
use std::time::Duration;

use kmip::vocabulary::Operation;

use super::batch::{Answered, merge};
use super::exchange::{Clock, Connection, Exchange, ItemPlan, Outcome};
use super::state::{Engine, EngineState};
use super::whole_message;
use crate::actions::{add_located, filter, identifiers, key_bytes, leave_out, state};
use crate::message::{BatchItem, Envelope, Kind};
use crate::rules::{Action, LiveRule, Reason, StateName, creates};

impl Engine {
    /// Decides on a response of the server, or on one that is made up, if the server is not asked.
    pub(crate) fn response(
        &self,
        exchange: &Exchange,
        frame: Option<&[u8]>,
        clock: Clock,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let envelope = match frame {
            Some(frame) => Envelope::parse(frame, Kind::Response).ok(),
            None => Some(made_up(exchange, clock)),
        };
        if let Some(mut envelope) = envelope {
            let changed = exchange.whole.is_none()
                && self.change_items(exchange, &mut envelope, clock, &mut outcome);
            if changed || frame.is_none() {
                outcome.bytes = Some(envelope.encode());
            }
        }
        for rule in &exchange.rules {
            let came = frame.unwrap_or_default();
            whole_message::change(rule, Kind::Response, came, &mut outcome);
        }
        outcome
    }

    /// Changes the items as the plan says; returns whether one is not as it came.
    fn change_items(
        &self,
        exchange: &Exchange,
        envelope: &mut Envelope,
        clock: Clock,
        outcome: &mut Outcome,
    ) -> bool {
        let merged = merge(&exchange.items, envelope.batch_items(), exchange.continuation);
        let mut state = self.state();
        let mut changed = false;
        let mut items = Vec::new();
        for Answered { plan, mut item } in merged {
            if let Some(plan) = plan {
                if plan.made.is_some() {
                    changed = true;
                } else {
                    state.learn(exchange, plan, &item, clock.since_start);
                    changed |= edit_all(plan, &mut item, outcome);
                }
                changed |= state.hide_located(&exchange.connection, &mut item, outcome);
                changed |= state.show_located(&exchange.connection, plan, &mut item, outcome);
            }
            items.push(item);
        }
        drop(state);
        if changed {
            envelope.set_batch_items(items);
        }
        changed
    }
}

/// A response whose items are all made up.
fn made_up(exchange: &Exchange, clock: Clock) -> Envelope {
    let (version, items) = match &exchange.whole {
        Some((version, item)) => (*version, vec![item.clone()]),
        None => (exchange.version.unwrap_or(kmip::Version::V1_0), Vec::new()),
    };
    Envelope::response(version, clock.unix_seconds, items)
}

impl EngineState {
    /// Keeps what later decisions need of the server's answer.
    fn learn(&mut self, exchange: &Exchange, plan: &ItemPlan, item: &BatchItem, now: Duration) {
        if !item.is_success() {
            return;
        }
        for rule in &plan.edits {
            if rule.rule.action == Action::Forget {
                let named = rule.named(&plan.objects).into_iter();
                let is_made = rule.rule.object.is_none() || plan.operation.is_some_and(creates);
                let made = if is_made { item.identifiers() } else { Vec::new() };
                named.chain(made).for_each(|object| self.objects.forget(&object, rule));
            }
            self.objects.note_change(rule, item, &exchange.connection, now);
        }
        if let Some(question) = &plan.question {
            self.objects.keep_answer(question.clone(), item);
        }
        if self.needs_answers()
            && let Some(version) = exchange.version
        {
            self.recent.keep(item, &plan.objects, version);
        }
    }

    /// Leaves the objects out of Locate that this client is not shown.
    fn hide_located(
        &self,
        asker: &Connection,
        item: &mut BatchItem,
        outcome: &mut Outcome,
    ) -> bool {
        if item.operation() != Some(Operation::Locate) {
            return false;
        }
        let mut rules: Vec<Arc<LiveRule>> = Vec::new();
        let hidden = leave_out(item, |object| {
            let rule = self.objects.hidden(object, asker);
            rules.extend(rule.clone());
            rule.is_some()
        });
        rules.iter().for_each(|rule| outcome.fire(rule));
        hidden > 0
    }
}

impl EngineState {
    /// Adds the objects to the answer to Locate that are destroyed, which this client is not shown.
    fn show_located(
        &self,
        asker: &Connection,
        plan: &ItemPlan,
        item: &mut BatchItem,
        outcome: &mut Outcome,
    ) -> bool {
        let Some(question) = plan.question.as_ref().filter(|_| item.is_success()) else {
            return false;
        };
        let mut changed = false;
        for (rule, object) in self.objects.still_located(question, asker) {
            if add_located(item, &object) {
                outcome.fire(&rule);
                changed = true;
            }
        }
        changed
    }
}

/// Lets all rules of the plan change the answer of the server.
fn edit_all(plan: &ItemPlan, item: &mut BatchItem, outcome: &mut Outcome) -> bool {
    let mut changed = false;
    if let Some((rule, old)) = &plan.old_state
        && state(item, *old)
    {
        outcome.fire(rule);
        changed = true;
    }
    for rule in &plan.edits {
        if edit(rule, plan, item) {
            outcome.fire(rule);
            changed = true;
        }
    }
    changed
}

/// Lets a rule change the answer of the server.
fn edit(rule: &LiveRule, plan: &ItemPlan, item: &mut BatchItem) -> bool {
    match &rule.rule.action {
        Action::Fail { reason: Reason(reason), message, .. } => {
            let message = message.as_deref().unwrap_or("refused by a rule of the proxy");
            let id = plan.batch_id.as_deref();
            *item = BatchItem::failure(plan.operation, id, reason.0, message);
            true
        }
        Action::State { state: StateName(new) } => state(item, *new),
        Action::Identifier { with } => identifiers(item, with.as_deref()),
        Action::KeyBytes { how } => rule.random(|random| key_bytes(item, *how, random)),
        Action::Personality(personality) => filter(*personality, item),
        // The rule acts on what is asked later.
        Action::Forget | Action::ReplicaLag { .. } => false,
        // The request was answered by these, or they change the message as a whole.
        Action::Succeed { .. }
        | Action::NotFound
        | Action::ReadOnly
        | Action::Delay { .. }
        | Action::Drop { .. }
        | Action::Reset { .. }
        | Action::Truncate { .. }
        | Action::CorruptLength { .. }
        | Action::CloseWhenIdle { .. }
        | Action::Version { .. }
        | Action::TooLarge { .. } => false,
    }
}
