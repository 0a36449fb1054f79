//! What is changed in an answer, as a rule of the proxy, and how the cluster names it.

use serde_json::{Value, json};

use crate::case::{Case, Frequency, Operation};

/// Longest time that the cluster waits for an answer, in milliseconds.
pub(crate) const DEADLINE_MS: u64 = 300;

/// Time that a request is held back, in milliseconds; it is done when the cluster does not wait for
/// it any more.
pub(crate) const DELAY_MS: u64 = 600;

/// How late a Create can be done, in milliseconds: longer than it is held back, on a busy machine
/// too.
pub(crate) const CREATE_LATE_MAX_MS: u64 = 2000;

/// What is changed in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lie {
    /// The key has other bytes.
    OtherBytes,
    /// There is no such object; to Locate, no object is found.
    NotFound,
    /// Permission denied.
    Refused,
    /// The request is done when nobody waits for its answer any more.
    Delayed,
    /// Success, but the server was not asked. What only reads is answered as the time before, and
    /// if there was none, Locate with nothing and Get with random bytes.
    NotDone,
    /// It is done, and the answer is lost.
    NotAnswered,
}

impl Lie {
    pub(crate) const ALL: [Self; 6] = [
        Self::OtherBytes,
        Self::NotFound,
        Self::Refused,
        Self::Delayed,
        Self::NotDone,
        Self::NotAnswered,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::OtherBytes => "other bytes",
            Self::NotFound => "not found",
            Self::Refused => "refused",
            Self::Delayed => "delayed",
            Self::NotDone => "answered, not done",
            Self::NotAnswered => "done, not answered",
        }
    }

    /// Whether there is such an answer to this operation.
    pub(crate) fn concerns(self, operation: Operation) -> bool {
        self != Self::OtherBytes || operation == Operation::Get
    }

    /// Whether the cluster does not get an answer in time, for which it waits without end.
    pub(crate) const fn is_silence(self) -> bool {
        matches!(self, Self::Delayed | Self::NotAnswered)
    }

    /// Whether a text of the cluster names this as a cause.
    pub(crate) fn is_named_in(self, text: &str) -> bool {
        self.causes().iter().any(|cause| text.contains(cause))
    }

    /// The cluster's words for it.
    const fn causes(self) -> &'static [&'static str] {
        match self {
            Self::OtherBytes => &["other bytes", "another key"],
            Self::NotFound => &[
                "ItemNotFound",
                "ObjectNotFound",
                "has no master key",
                "none shows master key",
                "does not show that object in Locate",
            ],
            Self::Refused => &["PermissionDenied"],
            Self::Delayed | Self::NotAnswered => &["took longer than"],
            Self::NotDone => &[
                "with success and shows",
                "has no master key",
                "none shows master key",
                "does not show that object in Locate",
                "other bytes",
                "another key",
                // It is refused what a stale State asks for.
                "WrongKeyLifecycleState",
                "ObjectDestroyed",
            ],
        }
    }

    fn action(self) -> Value {
        match self {
            Self::OtherBytes => json!({ "key-bytes": { "how": "flip-bit" } }),
            Self::NotFound => json!("not-found"),
            Self::Refused => json!({ "fail": { "reason": "Permission Denied" } }),
            Self::Delayed => json!({ "delay": { "ms": DELAY_MS, "at": "request" } }),
            Self::NotDone => json!({ "succeed": {} }),
            Self::NotAnswered => json!({ "drop": { "at": "response" } }),
        }
    }
}

/// Name of the rule of a case.
pub(crate) const RULE: &str = "lie";

/// The rule of a case for the proxy.
pub(crate) fn rule(case: &Case) -> Value {
    let mut rule = json!({
        "name": RULE,
        "operation": case.operation.name(),
        "from": case.k,
        "action": case.lie.action(),
    });
    if case.frequency == Frequency::Once {
        rule["times"] = json!(1);
    }
    rule
}

/// A rule that changes nothing and counts the calls of an operation.
pub(crate) fn counting_rule(operation: Operation) -> Value {
    json!({
        "name": operation.name(),
        "operation": operation.name(),
        "from": u32::MAX,
        "action": Lie::Refused.action(),
    })
}
