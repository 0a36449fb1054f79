//! What a run of messages has covered: operations, versions, object types and attributes.

use std::collections::{BTreeMap, BTreeSet};

use kmip::Version;
use kmip::encoding::Element;
use kmip::message::{RequestMessage, ResponseMessage};
use kmip::payload::OPERATIONS;
use kmip::vocabulary::{Operation, ResultReason, ResultStatus};

/// How often an operation was asked for, and how it went.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcomes {
    pub(crate) successes: usize,
    pub(crate) failures: usize,
}

impl Outcomes {
    pub(crate) fn all(&self) -> usize {
        self.successes + self.failures
    }
}

/// What was sent and answered.
#[derive(Default)]
pub(crate) struct Coverage {
    pub(crate) messages: usize,
    pub(crate) operations: BTreeMap<Operation, Outcomes>,
    pub(crate) versions: BTreeSet<Version>,
    pub(crate) reasons: BTreeSet<ResultReason>,
    pub(crate) object_types: BTreeSet<String>,
    pub(crate) attributes: BTreeSet<String>,
    pub(crate) undone: usize,
    pub(crate) pending: usize,
}

impl Coverage {
    /// Counts the items of a message by what became of them.
    pub(crate) fn count(&mut self, request: &RequestMessage, response: &ResponseMessage) {
        self.versions.insert(request.header.protocol_version);
        for (asked, answer) in request.items.iter().zip(&response.items) {
            let outcomes = self.operations.entry(asked.payload.operation()).or_default();
            match answer.result_status {
                ResultStatus::Success => outcomes.successes += 1,
                ResultStatus::OperationUndone => self.undone += 1,
                ResultStatus::OperationPending => self.pending += 1,
                _ => outcomes.failures += 1,
            }
        }
    }

    /// Notes what an answer has.
    pub(crate) fn answer(&mut self, message: &Element) {
        self.messages += 1;
        self.note(message);
    }

    fn note(&mut self, element: &Element) {
        match element.name.as_ref() {
            "ObjectType" => self.object_types.extend(element.text().map(str::to_owned)),
            "AttributeName" => self.attributes.extend(element.text().map(str::to_owned)),
            "Attributes" => {
                let names = element.children().iter().map(|child| child.name.to_string());
                self.attributes.extend(names);
            }
            "ResultReason" => {
                self.reasons.extend(element.text().and_then(ResultReason::from_name));
            }
            _ => {}
        }
        element.children().iter().for_each(|child| self.note(child));
    }

    /// The operations of the table that have not had such an outcome.
    pub(crate) fn without(&self, has: impl Fn(&Outcomes) -> bool) -> Vec<Operation> {
        let lacks = |operation: &Operation| !self.operations.get(operation).is_some_and(&has);
        OPERATIONS.iter().copied().filter(lacks).collect()
    }
}
