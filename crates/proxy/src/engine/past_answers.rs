//! Answers to reads, kept while replicas lag: what others are shown of an object after it was
//! changed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kmip::Version;
use kmip::vocabulary::Operation;

use crate::message::{BatchItem, Item};

/// Longest answer that is kept, in bytes.
const ANSWER_LEN_MAX: usize = 16 << 10;

/// A read, as a client asks it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Question {
    client: Arc<str>,
    version: (i32, i32),
    operation: u32,
    payload: Vec<u8>,
}

impl Question {
    /// The question in an item of a request; `None` if its answer is not that of a read.
    pub(super) fn of(item: &BatchItem, version: Version, client: &Arc<str>) -> Option<Self> {
        let operation = item.operation()?;
        let is_read = matches!(
            operation,
            Operation::Get
                | Operation::GetAttributes
                | Operation::GetAttributeList
                | Operation::Locate
        );
        is_read.then(|| Self {
            client: Arc::clone(client),
            version: (version.major, version.minor),
            operation: operation.0,
            payload: item.payload().map(|payload| payload.encode().to_vec()).unwrap_or_default(),
        })
    }

    fn is_locate(&self) -> bool {
        self.operation == Operation::Locate.0
    }
}

/// The last answer of the server to each question. They may hold keys.
#[derive(Default)]
pub(super) struct PastAnswers(HashMap<Question, PastAnswer>);

struct PastAnswer {
    objects: Vec<String>,
    payload: Item,
}

impl PastAnswers {
    /// Keeps an answer of the server; to a question that is new, if there is room.
    pub(super) fn keep(&mut self, question: Question, answer: &BatchItem, has_room: bool) {
        let Some(payload) = answer.payload() else { return };
        let is_kept = has_room || self.0.contains_key(&question);
        if is_kept && payload.encode().len() <= ANSWER_LEN_MAX {
            let (objects, payload) = (answer.identifiers(), payload.clone());
            self.0.insert(question, PastAnswer { objects, payload });
        }
    }

    /// How many answers are kept.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes the answers about this object out, all but those to Locate.
    pub(super) fn take_about(&mut self, object: &str) -> HashMap<Question, Item> {
        let is_about = |question: &Question, answer: &mut PastAnswer| {
            !question.is_locate() && answer.objects.iter().any(|named| named == object)
        };
        let taken = self.0.extract_if(is_about);
        taken.map(|(question, answer)| (question, answer.payload)).collect()
    }

    /// The Locate requests whose answer named this object.
    pub(super) fn located(&self, object: &str) -> HashSet<Question> {
        let found = self.0.iter().filter(|(question, answer)| {
            question.is_locate() && answer.objects.iter().any(|named| named == object)
        });
        found.map(|(question, _)| question.clone()).collect()
    }

    /// Wipes all.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
