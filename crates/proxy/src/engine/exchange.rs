//! What is decided on a request, and what is to be done with its response.

use std::sync::Arc;
use std::time::Duration;

use kmip::Version;
use kmip::vocabulary::{BatchErrorContinuationOption, Operation, State};
use zeroize::Zeroizing;

use super::past_answers::Question;
use crate::message::BatchItem;
use crate::rules::LiveRule;

/// The time of a decision.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    /// Since the program started.
    pub(crate) since_start: Duration,
    /// Seconds of Unix time, for the headers of answers that are made up.
    pub(crate) unix_seconds: i64,
}

/// A client's connection.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    /// Number of the connection, from 1.
    pub(crate) number: u64,
    /// Subject of the client's certificate.
    pub(crate) client: Arc<str>,
}

/// What is done in place of passing a message on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The message is lost; the connection stays open.
    Drop,
    /// The client's connection is reset.
    Reset,
    /// These first bytes are passed on, and the connection is closed.
    Truncate(usize),
}

/// What becomes of a message.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The bytes to pass on; `None` if they are those that came.
    pub(crate) bytes: Option<Zeroizing<Vec<u8>>>,
    /// How long it is held back.
    pub(crate) delay: Duration,
    /// What is done in place of passing it on.
    pub(crate) end: Option<End>,
    /// How long the connection may be idle from now on.
    pub(crate) idle: Option<Duration>,
    /// Names of the rules that acted.
    pub(crate) fired: Vec<String>,
}

impl Outcome {
    /// Counts that a rule acted on the message.
    pub(super) fn fire(&mut self, rule: &LiveRule) {
        rule.count();
        if !self.fired.contains(&rule.rule.name) {
            self.fired.push(rule.rule.name.clone());
        }
    }
}

/// A request under way, with what is to be done with its response.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(super) connection: Connection,
    /// Version of the request; `None` if its header cannot be read.
    pub(super) version: Option<Version>,
    pub(super) items: Vec<ItemPlan>,
    /// Answer to the whole message, and the version that it is in.
    pub(super) whole: Option<(Version, BatchItem)>,
    /// Rules that change the response as a whole.
    pub(super) rules: Vec<Arc<LiveRule>>,
    pub(super) continuation: BatchErrorContinuationOption,
    /// Whether the server is asked.
    pub(crate) is_forwarded: bool,
}

/// One batch item of a request under way.
#[derive(Debug)]
pub(super) struct ItemPlan {
    pub(super) operation: Option<Operation>,
    pub(super) batch_id: Option<Vec<u8>>,
    /// Identifiers in the request.
    pub(super) objects: Vec<String>,
    /// What it asks, if answers are kept.
    pub(super) question: Option<Question>,
    /// The answer, if it is made up.
    pub(super) made: Option<BatchItem>,
    /// Rules that change the answer of the server.
    pub(super) edits: Vec<Arc<LiveRule>>,
    /// The State to show instead of the one that a change has brought.
    pub(super) old_state: Option<(Arc<LiveRule>, State)>,
}

/// Adds a rule that is not there yet.
pub(super) fn add(rules: &mut Vec<Arc<LiveRule>>, rule: &Arc<LiveRule>) {
    if !rules.iter().any(|known| Arc::ptr_eq(known, rule)) {
        rules.push(Arc::clone(rule));
    }
}
