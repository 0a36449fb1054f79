//! Decisions on a request.

use std::sync::Arc;
use std::time::Duration;

use kmip::vocabulary::{BatchErrorContinuationOption, ResultReason};
use kmip::{Version, tags};

use super::batch::stop_after_failure;
use super::exchange::{Clock, Connection, End, Exchange, ItemPlan, Outcome, add};
use super::past_answers::Question;
use super::state::{Engine, EngineState};
use super::whole_message;
use crate::actions::{
    self, located_nothing, not_found, not_supported, refuses, success, unsupported_version,
};
use crate::message::{BatchItem, Envelope, Item, Kind};
use crate::rules::{Action, Asked, Direction, LiveRule, Personality, Reason, Template, creates};

/// What has been decided so far on one request.
struct Decision<'a> {
    state: &'a mut EngineState,
    now: Duration,
    /// Rules that change the request as a whole.
    rules: Vec<Arc<LiveRule>>,
    exchange: Exchange,
    outcome: Outcome,
}

impl Engine {
    /// Decides on a request: what is passed on to the server, and what is to be done with the
    /// response. There is none to a request that is lost.
    pub(crate) fn request(
        &self,
        frame: &[u8],
        connection: &Connection,
        clock: Clock,
    ) -> (Outcome, Option<Exchange>) {
        let envelope = Envelope::parse(frame, Kind::Request).ok();
        let mut state = self.state();
        state.objects.note_request(clock.since_start);
        let mut decision = Decision {
            state: &mut state,
            now: clock.since_start,
            rules: Vec::new(),
            exchange: Exchange {
                connection: connection.clone(),
                version: envelope.as_ref().map(Envelope::version),
                items: Vec::new(),
                whole: None,
                rules: Vec::new(),
                continuation: continuation(envelope.as_ref()),
                is_forwarded: true,
            },
            outcome: Outcome::default(),
        };
        match &envelope {
            Some(envelope) => {
                for item in envelope.batch_items() {
                    decision.plan(&item, envelope.version());
                }
            }
            None => decision.unreadable(),
        }
        let Decision { rules, mut exchange, mut outcome, .. } = decision;
        drop(state);
        let changed = envelope.and_then(|envelope| forwarded(envelope, &mut exchange));
        outcome.bytes = changed.map(|envelope| envelope.encode());
        for rule in rules {
            whole_message::change(&rule, Kind::Request, frame, &mut outcome);
        }
        let is_answered = !matches!(outcome.end, Some(End::Drop | End::Reset));
        (outcome, is_answered.then_some(exchange))
    }
}

fn continuation(envelope: Option<&Envelope>) -> BatchErrorContinuationOption {
    let option = envelope
        .and_then(|envelope| envelope.header_item(tags::BatchErrorContinuationOption))
        .and_then(|item| item.as_enumeration());
    option.map_or(BatchErrorContinuationOption::Stop, BatchErrorContinuationOption)
}

impl Decision<'_> {
    /// Lets the rules act on a message that cannot be read.
    fn unreadable(&mut self) {
        let client = Arc::clone(&self.exchange.connection.client);
        let asked = Asked { client: &client, version: None, operation: None, objects: &[] };
        for rule in self.acting(&asked) {
            self.whole_message(&rule);
        }
    }

    /// The rules that act, each of whose matches is counted.
    fn acting(&self, asked: &Asked<'_>) -> Vec<Arc<LiveRule>> {
        let rules = self.state.rules.iter().filter(|rule| rule.acts_on(asked, self.now));
        rules.map(Arc::clone).collect()
    }

    /// Lets the rules act on one item.
    fn plan(&mut self, item: &BatchItem, version: Version) {
        let (operation, named) = (item.operation(), item.all_identifiers());
        let client = Arc::clone(&self.exchange.connection.client);
        let asked = Asked { client: &client, version: Some(version), operation, objects: &named };
        let keeps = self.state.has_lag();
        let mut plan = ItemPlan {
            operation,
            batch_id: item.batch_id().map(<[u8]>::to_vec),
            objects: item.identifiers(),
            question: Question::of(item, version, &client).filter(|_| keeps),
            made: None,
            edits: Vec::new(),
            old_state: None,
        };
        for rule in self.acting(&asked) {
            if !self.whole_message(&rule) {
                self.one_item(&rule, item, version, &mut plan);
            }
        }
        self.hide(item, version, &mut plan);
        self.exchange.items.push(plan);
    }

    /// Notes a rule that is about the message as a whole.
    fn whole_message(&mut self, rule: &Arc<LiveRule>) -> bool {
        match whole_message::direction(&rule.rule.action) {
            Some(Direction::Request) => add(&mut self.rules, rule),
            Some(Direction::Response) => add(&mut self.exchange.rules, rule),
            None => return false,
        }
        true
    }

    /// Lets a rule act on one item: it is answered here, or its answer is changed later.
    fn one_item(
        &mut self,
        rule: &Arc<LiveRule>,
        item: &BatchItem,
        version: Version,
        plan: &mut ItemPlan,
    ) {
        let Some(operation) = item.operation() else { return };
        match &rule.rule.action {
            Action::Fail { reason: Reason(reason), message, forward: false } => {
                let message = message.as_deref().unwrap_or("refused by a rule of the proxy");
                self.refuse(rule, item, plan, *reason, message);
            }
            Action::Succeed { payload } => {
                self.succeed(rule, item, version, plan, payload.as_ref());
            }
            Action::NotFound => self.not_found(rule, item, version, plan),
            Action::ReadOnly => {
                let message = format!("operation {operation:?} refused: this server is read-only");
                self.refuse(rule, item, plan, ResultReason::PermissionDenied, &message);
            }
            Action::Forget if !creates(operation) && !rule.named(&plan.objects).is_empty() => {
                for object in rule.named(&plan.objects) {
                    self.state.objects.forget(&object, rule);
                }
            }
            Action::Personality(personality) => {
                self.personality(rule, item, version, plan, *personality);
            }
            Action::Fail { .. }
            | Action::State { .. }
            | Action::Identifier { .. }
            | Action::KeyBytes { .. }
            | Action::Forget
            | Action::ReplicaLag { .. } => add(&mut plan.edits, rule),
            Action::Delay { .. }
            | Action::Drop { .. }
            | Action::Reset { .. }
            | Action::Truncate { .. }
            | Action::CorruptLength { .. }
            | Action::CloseWhenIdle { .. }
            | Action::Version { .. }
            | Action::TooLarge { .. } => {}
        }
    }

    /// Answers an item with a success that nobody performs.
    fn succeed(
        &mut self,
        rule: &LiveRule,
        item: &BatchItem,
        version: Version,
        plan: &mut ItemPlan,
        template: Option<&Template>,
    ) {
        if plan.made.is_some() {
            return;
        }
        let recent = &self.state.recent;
        plan.made = rule.random(|random| success(item, version, template, recent, random));
        match plan.made {
            Some(_) => self.outcome.fire(rule),
            None => tracing::warn!(
                "rule {:?}: no answer to {:?} is known; the item is passed on",
                rule.rule.name,
                item.operation()
            ),
        }
    }

    /// Answers an item as if the object did not exist: Locate finds nothing.
    fn not_found(
        &mut self,
        rule: &LiveRule,
        item: &BatchItem,
        version: Version,
        plan: &mut ItemPlan,
    ) {
        if plan.made.is_some() {
            return;
        }
        if let Some(empty) = located_nothing(item) {
            plan.made = Some(empty);
            self.outcome.fire(rule);
            return;
        }
        let message = match plan.objects.first() {
            Some(object) => format!("object {object:?} not found"),
            None => "object not found".to_owned(),
        };
        self.refuse(rule, item, plan, not_found(version), &message);
    }

    /// Refuses what a server of this kind does not have.
    fn personality(
        &mut self,
        rule: &Arc<LiveRule>,
        item: &BatchItem,
        version: Version,
        plan: &mut ItemPlan,
        personality: Personality,
    ) {
        let Some(operation) = item.operation() else { return };
        if let Some(served) = actions::version(personality)
            && served != version
        {
            let (reason, message) = unsupported_version(served, version);
            let answer = BatchItem::failure(None, None, reason.0, &message);
            if self.exchange.whole.is_none() {
                self.exchange.whole = Some((served, answer));
                self.outcome.fire(rule);
            }
        } else if refuses(personality, operation) {
            let (reason, message) = not_supported(operation);
            self.refuse(rule, item, plan, reason, &message);
        } else {
            add(&mut plan.edits, rule);
        }
    }

    /// Answers an item with a failure, unless another rule has answered it.
    fn refuse(
        &mut self,
        rule: &LiveRule,
        item: &BatchItem,
        plan: &mut ItemPlan,
        reason: ResultReason,
        message: &str,
    ) {
        if plan.made.is_none() {
            let made = BatchItem::failure(item.operation(), item.batch_id(), reason.0, message);
            plan.made = Some(made);
            self.outcome.fire(rule);
        }
    }

    /// The answer about an object before a change that this client does not see.
    fn past_answer(&self, object: &str, plan: &ItemPlan) -> Option<(Arc<LiveRule>, Item)> {
        let question = plan.question.as_ref()?;
        self.state.objects.past_answer(object, question, &self.exchange.connection)
    }

    /// Answers as the server has before a change.
    fn answer_as_before(
        &mut self,
        rule: &LiveRule,
        item: &BatchItem,
        payload: Item,
        plan: &mut ItemPlan,
    ) {
        if let (None, Some(operation)) = (&plan.made, item.operation()) {
            plan.made = Some(BatchItem::success(operation, item.batch_id(), payload));
            self.outcome.fire(rule);
        }
    }

    /// Answers that an object is not there or as it was, or notes that its State is shown so.
    fn hide(&mut self, item: &BatchItem, version: Version, plan: &mut ItemPlan) {
        let connection = self.exchange.connection.clone();
        let objects = plan.objects.clone();
        for object in &objects {
            if let Some(rule) = self.state.objects.hidden(object, &connection) {
                let message = format!("object {object:?} not found");
                self.refuse(&rule, item, plan, not_found(version), &message);
            } else if let Some((rule, payload)) = self.past_answer(object, plan) {
                self.answer_as_before(&rule, item, payload, plan);
            } else if plan.old_state.is_none() {
                plan.old_state = self.state.objects.old_state(object, &connection);
            }
        }
    }
}

/// The request without the items that the server is not asked; `None` if it asks for all of them,
/// or for nothing.
fn forwarded(mut envelope: Envelope, exchange: &mut Exchange) -> Option<Envelope> {
    let mut items = envelope.batch_items();
    let asked = items.len();
    if exchange.whole.is_some() {
        exchange.is_forwarded = false;
        return None;
    }
    stop_after_failure(&mut exchange.items, exchange.continuation);
    let mut made = exchange.items.iter().map(|plan| plan.made.is_some());
    // What is after the end of the plan is not to be done.
    items.retain(|_| made.next() == Some(false));
    exchange.is_forwarded = !items.is_empty() || asked == 0;
    if items.len() == asked || items.is_empty() {
        return None;
    }
    envelope.set_batch_items(items);
    Some(envelope)
}
