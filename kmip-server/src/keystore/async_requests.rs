//! Where requests wait that are answered later, and their results until they are polled
//! (1.4, 6.8; 2.1, 7.2 and 9.1).
//!
//! ```text
//! Submitted -> InProcess -> Completed -> polled
//!     |
//!     +-> canceled
//! ```
//!
//! It lives as long as the process, and nothing of it is on a disk: a result is here only once its
//! batch is durable, so what a client was told of is never lost, and what it was not told of it
//! finds as after a connection that broke. Results hold keys: they are kept encoded, in bytes that
//! are wiped, and no longer than [`KEPT`].
//!
//! A client sees its own requests only. `dispatch::asynchronous` performs them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand;
use kmip::codec::DateTimeExtended;
use kmip::message::ResponseBatchItem;
use kmip::payload::AsynchronousRequest;
use kmip::vocabulary::{
    CancellationResult, Operation, ProcessingStage as Stage, ResultReason, ResultStatus, tags,
};
use kmip::{Decode as _, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep, timeout};
use ttlv::Reader;

use crate::objects::error::{OperationError, Result};
use crate::secret::SecretBuffer;

/// The most items of one client that wait, or whose results wait. A client that submits more than
/// it polls is told so, instead of filling the memory of all.
pub(crate) const ITEMS_PER_CLIENT_MAX: usize = 256;

/// The most items of all clients together.
pub(crate) const ITEMS_MAX: usize = 16 * 1024;

/// The most bytes of one client's requests and results: a few of the longest messages.
pub(crate) const BYTES_PER_CLIENT_MAX: usize = 4 << 20;

/// The most bytes of all clients together.
pub(crate) const BYTES_MAX: usize = 256 << 20;

/// How long a result waits to be polled: a device that sleeps between its requests wakes hourly.
pub(crate) const KEPT: Duration = Duration::from_secs(2 * 60 * 60);

/// How long a result can be polled again: the answer to the first Poll may have been lost with its
/// connection.
pub(crate) const KEPT_AGAIN: Duration = Duration::from_secs(60);

/// How long Process waits for a request to be done. The slowest one, a long RSA key pair, takes
/// some seconds.
const PROCESS_MAX: Duration = Duration::from_secs(60);

/// A correlation value: random, so that a client that tries values finds none.
pub(crate) type Value = [u8; 16];

/// The place of one item.
#[derive(Clone, Debug)]
pub(crate) struct RequestSlot {
    /// What the client polls for.
    pub value: Value,
    /// What it asked for.
    pub operation: Operation,
}

/// The places of a message's items, in order.
pub(crate) struct RequestSlots {
    /// What they share.
    pub job: Arc<Job>,
    /// One for each item.
    pub all: Vec<RequestSlot>,
}

/// A message: how far it is, and whether somebody waits for it.
pub(crate) struct Job {
    stage: watch::Sender<Option<Stage>>,
    items: usize,
    len: usize,
}

struct Entry {
    operation: Operation,
    submitted: DateTimeExtended,
    job: Arc<Job>,
    result: Option<Kept>,
    /// Bytes of the result that is to be kept once its batch is durable.
    reserved: usize,
    /// Processed by request: that is done once.
    processed: bool,
    /// From when on nobody needs it: it was polled, or canceled.
    told: Option<Instant>,
}

/// A result that waits.
struct Kept {
    version: Version,
    succeeded: bool,
    item: Arc<SecretBuffer>,
}

/// What a Poll finds.
pub(crate) enum Polled {
    /// It is not done.
    Waiting,
    /// It was canceled.
    Canceled,
    /// It is done.
    Done(Finished),
}

/// A result as it is kept: it is read apart from what all clients wait for.
pub(crate) struct Finished {
    version: Version,
    item: Arc<SecretBuffer>,
}

impl Finished {
    /// Its bytes.
    pub(crate) fn len(&self) -> usize {
        self.item.len()
    }

    /// The result.
    pub(crate) fn read(&self) -> Option<Box<ResponseBatchItem>> {
        decode(self.version, &self.item).map(Box::new)
    }
}

type Entries = HashMap<Value, Entry>;

/// The requests of all clients.
#[derive(Default)]
pub(crate) struct AsyncRequests {
    by_owner: Mutex<HashMap<String, Entries>>,
    /// One message of a client at a time.
    turns: Mutex<HashMap<String, Weak<Semaphore>>>,
}

impl AsyncRequests {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Entries>> {
        // Every statement leaves the map whole, so a panic elsewhere spoils nothing.
        self.by_owner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does this with the entries of one client, without those that nobody needs any more.
    fn of<T>(&self, owner: &str, act: impl FnOnce(&mut Entries) -> T) -> T {
        let mut all = self.all();
        let mut none = Entries::new();
        let entries = all.get_mut(owner).unwrap_or(&mut none);
        let now = Instant::now();
        entries
            .retain(|_, entry| entry.told.is_none_or(|told| now.duration_since(told) < KEPT_AGAIN));
        act(entries)
    }

    /// RequestSlots for the items of a message of `len` bytes.
    pub(crate) fn submit(
        &self,
        owner: &str,
        operations: &[Operation],
        len: usize,
    ) -> Result<RequestSlots> {
        self.of(owner, |_| {});
        let mut all = self.all();
        let (mut items, mut bytes) = (operations.len(), len);
        for entries in all.values() {
            items = items.saturating_add(entries.len());
            bytes = bytes.saturating_add(bytes_of(entries));
        }
        let mine = all.get(owner);
        let my_items = mine.map_or(0, HashMap::len).saturating_add(operations.len());
        let my_bytes = mine.map_or(0, bytes_of).saturating_add(len);
        let full = items > ITEMS_MAX || bytes > BYTES_MAX;
        if full || my_items > ITEMS_PER_CLIENT_MAX || my_bytes > BYTES_PER_CLIENT_MAX {
            return Err(OperationError::new(
                ResultReason::ServerLimitExceeded,
                "too many requests wait to be answered later: poll those that are done first",
            ));
        }
        let (stage, _) = watch::channel(Some(Stage::Submitted));
        let items = operations.len();
        let job = Arc::new(Job { stage, items, len });
        let submitted = now();
        let mut places = Vec::with_capacity(operations.len());
        let entries = all.entry(owner.to_owned()).or_default();
        for operation in operations {
            let mut value = Value::default();
            rand::fill(&mut value).map_err(|_| OperationError::internal("make a random number"))?;
            let entry = Entry {
                operation: *operation,
                submitted,
                job: Arc::clone(&job),
                result: None,
                reserved: 0,
                processed: false,
                told: None,
            };
            entries.insert(value, entry);
            places.push(RequestSlot { value, operation: *operation });
        }
        Ok(RequestSlots { job, all: places })
    }

    /// Turns of a client's messages.
    fn turns_of(&self, owner: &str) -> Arc<Semaphore> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = turns.get(owner).and_then(Weak::upgrade) {
            return own;
        }
        turns.retain(|_, own| own.strong_count() > 0);
        let own = Arc::new(Semaphore::new(1));
        turns.insert(owner.to_owned(), Arc::downgrade(&own));
        own
    }

    /// Waits until no message of the client is in process that came before; none if this one was
    /// canceled meanwhile. The processor has turns of its own: one for each slow item.
    pub(crate) async fn turn(&self, owner: &str, job: &Job) -> Option<OwnedSemaphorePermit> {
        let mut stage = job.stage.subscribe();
        let turn = tokio::select! {
            biased;
            // The semaphore is never closed.
            turn = self.turns_of(owner).acquire_owned() => turn.ok()?,
            _ = stage.wait_for(Option::is_none) => return None,
        };
        let begun = job.stage.send_if_modified(|stage| {
            let waits = *stage == Some(Stage::Submitted);
            if waits {
                *stage = Some(Stage::InProcess);
            }
            waits
        });
        begun.then_some(turn)
    }

    /// Reserves room for results of these lengths, one for each place; none if that is more than
    /// one client, or all together, may have.
    pub(crate) fn reserve(&self, owner: &str, places: &[RequestSlot], lens: &[usize]) -> bool {
        self.of(owner, |_| {});
        let mut all = self.all();
        let is_meant = |value: &Value| places.iter().any(|place| place.value == *value);
        let results = |entries: &Entries| {
            let others = entries.iter().filter(|(value, _)| !is_meant(value));
            others.fold(0_usize, |sum, (_, entry)| sum.saturating_add(result_len(entry)))
        };
        let new = lens.iter().copied().fold(0, usize::saturating_add);
        let own = all.get(owner).map_or(0, results).saturating_add(new);
        let total = all.values().map(results).fold(new, usize::saturating_add);
        if own > BYTES_PER_CLIENT_MAX || total > BYTES_MAX {
            return false;
        }
        let Some(entries) = all.get_mut(owner) else { return true };
        for (place, len) in places.iter().zip(lens) {
            if let Some(entry) = entries.get_mut(&place.value) {
                entry.reserved = *len;
            }
        }
        true
    }

    /// The message is done, and durable.
    pub(crate) fn keep(
        &self,
        owner: &str,
        job: &Job,
        version: Version,
        places: &[RequestSlot],
        results: Vec<SecretBuffer>,
    ) {
        let kept: Vec<Kept> = results
            .into_iter()
            .map(|item| {
                let status = decode(version, &item).map(|item| item.result_status);
                let succeeded = status == Some(ResultStatus::Success);
                Kept { version, succeeded, item: Arc::new(item) }
            })
            .collect();
        self.of(owner, |entries| {
            for (place, kept) in places.iter().zip(kept) {
                let Some(entry) = entries.get_mut(&place.value) else { continue };
                entry.result = Some(kept);
            }
        });
        job.stage.send_replace(Some(Stage::Completed));
    }

    /// Forgets what was kept for these places when its time is over.
    pub(crate) async fn forget_in_time(&self, owner: &str, places: &[RequestSlot]) {
        sleep(KEPT).await;
        let mut all = self.all();
        if let Some(entries) = all.get_mut(owner) {
            places.iter().for_each(|place| drop(entries.remove(&place.value)));
            if entries.is_empty() {
                all.remove(owner);
            }
        }
    }

    /// How far a request is; none if the client has no such request.
    pub(crate) fn poll(&self, owner: &str, value: &[u8]) -> Option<Polled> {
        self.of(owner, |entries| {
            let entry = entries.get(value)?;
            if entry.job.stage.borrow().is_none() {
                return Some(Polled::Canceled);
            }
            Some(match &entry.result {
                None => Polled::Waiting,
                Some(Kept { version, item, .. }) => {
                    Polled::Done(Finished { version: *version, item: Arc::clone(item) })
                }
            })
        })
    }

    /// The client was told the result.
    pub(crate) fn told(&self, owner: &str, value: &[u8]) {
        self.of(owner, |entries| {
            if let Some(entry) = entries.get_mut(value) {
                entry.told.get_or_insert_with(Instant::now);
            }
        });
    }

    /// Gives a request up, if it is not being worked on. A message is done as a whole, so one item
    /// of several is not taken out of it.
    pub(crate) fn cancel(&self, owner: &str, value: &[u8]) -> CancellationResult {
        self.of(owner, |entries| {
            let Some(entry) = entries.get_mut(value) else {
                return CancellationResult::Unavailable;
            };
            if let Some(kept) = &entry.result {
                return match kept.succeeded {
                    true => CancellationResult::Completed,
                    false => CancellationResult::Failed,
                };
            }
            let is_alone = entry.job.items == 1;
            let canceled = entry.job.stage.send_if_modified(|stage| {
                let may = is_alone && *stage == Some(Stage::Submitted);
                if may {
                    *stage = None;
                }
                may
            });
            if canceled {
                entry.told = Some(Instant::now());
            }
            match entry.job.stage.borrow().is_none() {
                true => CancellationResult::Canceled,
                false => CancellationResult::UnableToCancel,
            }
        })
    }

    /// Waits until a request is done, which it is in its client's turn.
    pub(crate) async fn process(&self, owner: &str, value: &[u8]) -> Result<()> {
        let job = self.of(owner, |entries| {
            let entry = entries.get_mut(value).ok_or_else(unknown)?;
            if std::mem::replace(&mut entry.processed, true) {
                return Err(OperationError::new(
                    ResultReason::DuplicateProcessRequest,
                    "the request has been processed already: poll it",
                ));
            }
            Ok(Arc::clone(&entry.job))
        })?;
        let mut stage = job.stage.subscribe();
        let over = |stage: &Option<Stage>| matches!(*stage, None | Some(Stage::Completed));
        match timeout(PROCESS_MAX, stage.wait_for(over)).await {
            Ok(_) => Ok(()),
            Err(_) => Err(OperationError::new(
                ResultReason::GeneralFailure,
                format!("the request is not done after {PROCESS_MAX:?}, and still under way"),
            )),
        }
    }

    /// The requests whose results the client has not been told: of these values, or these
    /// operations; of neither, all.
    pub(crate) fn outstanding(
        &self,
        owner: &str,
        values: &[Vec<u8>],
        operations: &[Operation],
    ) -> Vec<AsynchronousRequest> {
        let all = values.is_empty() && operations.is_empty();
        let mut found: Vec<AsynchronousRequest> = self.of(owner, |entries| {
            let untold = entries.iter().filter(|(_, entry)| entry.told.is_none());
            let meant = untold.filter(|(value, entry)| {
                let named = values.iter().any(|named| named.as_slice() == value.as_slice());
                all || named || operations.contains(&entry.operation)
            });
            meant
                .map(|(value, entry)| AsynchronousRequest {
                    asynchronous_correlation_value: value.to_vec(),
                    operation: entry.operation,
                    submission_date: entry.submitted,
                    processing_stage: entry.job.stage.borrow().unwrap_or(Stage::Completed),
                })
                .collect()
        });
        found.sort_by_key(|request| {
            (request.submission_date, request.asynchronous_correlation_value.clone())
        });
        found
    }
}

/// The client has no such request.
pub(crate) fn unknown() -> OperationError {
    OperationError::new(
        ResultReason::InvalidAsynchronousCorrelationValue,
        "no request waits under this Asynchronous Correlation Value",
    )
}

/// The bytes of a result that is kept, or is to be.
fn result_len(entry: &Entry) -> usize {
    entry.result.as_ref().map_or(entry.reserved, |kept| kept.item.len())
}

/// The bytes that entries take: a message counts until it is done, and its results after that.
fn bytes_of(entries: &Entries) -> usize {
    entries.values().fold(0, |sum, entry| {
        let message = match entry.result {
            Some(_) => 0,
            None => entry.job.len.checked_div(entry.job.items).unwrap_or(0),
        };
        sum.saturating_add(message).saturating_add(result_len(entry))
    })
}

fn decode(version: Version, item: &[u8]) -> Option<ResponseBatchItem> {
    let decoded = ResponseBatchItem::decode(tags::BatchItem, &mut Reader::new(item), version);
    decoded.inspect_err(|why| tracing::error!(%why, "a kept result cannot be read")).ok()
}

/// Microseconds since 1970. A clock before that is taken for 1970.
fn now() -> DateTimeExtended {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    DateTimeExtended(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
