//! A rule: which batch items it matches, how often it acts, and what it does.

use kmip::vocabulary::Operation;
use serde::{Deserialize, Serialize};

use super::action::{Action, OperationName, VersionText};
use super::concern::concerns;
use crate::subject::names;

/// Longest name of a rule, in characters.
const NAME_MAX: usize = 100;
/// Longest delay and longest window of time: a day.
const MS_MAX: u64 = 24 * 60 * 60 * 1000;
/// Longest response that is made: what a proxy must not hold in memory several times over.
const BYTES_MAX: usize = 256 << 20;

/// One rule, as it is written.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Rule {
    /// Name by which it is counted.
    pub(crate) name: String,
    /// Subject of the client's certificate: the whole name, or the Common Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<String>,
    /// Operations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<OneOrMany<OperationName>>,
    /// Unique Identifier in the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) object: Option<String>,
    /// Version in the header of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<VersionText>,
    /// The first match that it acts on, from 1.
    #[serde(default = "one")]
    pub(crate) from: u64,
    /// How often it acts; always, if unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) times: Option<u64>,
    /// Part of the matches that it acts on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) probability: Option<f64>,
    /// Seed of the random numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<u64>,
    /// Begins so long after the rule was added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) after_ms: Option<u64>,
    /// Ends so long after it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) for_ms: Option<u64>,
    /// What it does.
    pub(crate) action: Action,
}

const fn one() -> u64 {
    1
}

/// One value, or a list.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(untagged, expecting = "an operation, or a list of operations, by their names")]
pub(crate) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl Rule {
    /// Checks what the form alone does not say.
    pub(super) fn check(&self) -> Result<(), String> {
        let length = self.name.chars().count();
        if length == 0 || length > NAME_MAX || self.name.chars().any(char::is_control) {
            return Err(format!("name must have 1 to {NAME_MAX} characters, none of control"));
        }
        if self.from == 0 {
            return Err("from must be 1 or more: the first match is number 1".to_owned());
        }
        if self.times == Some(0) {
            return Err("times must be 1 or more; to switch a rule off, delete it".to_owned());
        }
        if let Some(probability) = self.probability {
            if !(0.0..=1.0).contains(&probability) {
                return Err("probability must be between 0 and 1".to_owned());
            }
            if self.seed.is_none() {
                return Err("probability needs a seed, so that a run can be repeated".to_owned());
            }
        }
        if [self.after_ms, self.for_ms].into_iter().flatten().any(|ms| ms > MS_MAX) {
            return Err(format!("after-ms and for-ms must be at most {MS_MAX}"));
        }
        if let Some(OneOrMany::Many(operations)) = &self.operation
            && operations.is_empty()
        {
            return Err("operation must name one at least".to_owned());
        }
        self.check_action()
    }

    fn check_action(&self) -> Result<(), String> {
        if let Some(operation) = self
            .operations()
            .into_iter()
            .flatten()
            .find(|operation| !concerns(&self.action, Some(*operation)))
        {
            return Err(format!("the action has nothing to change in {operation:?}"));
        }
        if let Action::Delay { ms, .. } | Action::CloseWhenIdle { ms } = &self.action
            && *ms > MS_MAX
        {
            return Err(format!("ms must be at most {MS_MAX}"));
        }
        if let Action::TooLarge { bytes } = &self.action
            && !(1..=BYTES_MAX).contains(bytes)
        {
            return Err(format!("bytes must be between 1 and {BYTES_MAX}"));
        }
        if let Action::CorruptLength { by: 0, .. } = &self.action {
            return Err("by must not be 0".to_owned());
        }
        if let Action::ReplicaLag { ms, messages, .. } = &self.action
            && ms.is_some() == messages.is_some()
        {
            return Err("replica-lag needs either ms or messages".to_owned());
        }
        Ok(())
    }

    /// The operations that are named; `None` if none is.
    pub(crate) fn operations(&self) -> Option<Vec<Operation>> {
        self.operation.as_ref().map(|named| match named {
            OneOrMany::One(OperationName(operation)) => vec![*operation],
            OneOrMany::Many(all) => all.iter().map(|OperationName(operation)| *operation).collect(),
        })
    }

    /// Returns whether the rule is for clients with this subject.
    pub(crate) fn is_for_client(&self, subject: &str) -> bool {
        self.client.as_deref().is_none_or(|client| names(client, subject))
    }
}
