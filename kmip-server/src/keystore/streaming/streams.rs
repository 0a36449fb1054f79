//! State of cryptographic operations in parts, and how far a batch has brought it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kmip::vocabulary::{Operation, ResultReason};

use super::terms::Terms;
use crate::auth::held_bytes::SharedHeld;
use crate::auth::reservations::{Limit, Reservation, Reservations};
use crate::crypto::asymmetric::signature::Message;
use crate::crypto::cipher::Cipher;
use crate::crypto::hash::Hash;
use crate::crypto::hash::mac::Mac;
use crate::crypto::random;
use crate::objects::error::{OperationError, Result};

/// The most streams of one client: it finishes one before it needs so many more.
pub(super) const STREAMS_PER_OWNER_MAX: usize = 32;

/// The most streams of all clients: each may hold some megabytes.
pub(super) const STREAMS_MAX: usize = 512;

/// How long a stream waits for its next part. A client that is cut off begins again.
pub(crate) const IDLE_MAX: Duration = Duration::from_secs(5 * 60);

/// Bytes of a Correlation Value, all random: it cannot be guessed.
const CORRELATION_LEN: usize = 16;

/// What a Correlation Value looks like.
pub(crate) type Correlation = Vec<u8>;

/// What an operation has between two parts.
#[derive(Clone)]
pub(crate) enum State {
    /// Encrypt or Decrypt.
    Cipher(Cipher),
    /// MAC or MAC Verify.
    Mac(Mac),
    /// Hash.
    Hash(Hash),
    /// Sign or Signature Verify.
    Message(Message),
}

impl State {
    /// Bytes of the message that are held until its end.
    pub(crate) fn held_len(&self) -> usize {
        match self {
            Self::Cipher(cipher) => cipher.held_len(),
            Self::Message(message) => message.held_len(),
            Self::Mac(_) | Self::Hash(_) => 0,
        }
    }
}

/// A stream that waits for its next part.
#[derive(Clone)]
pub(crate) struct Stream {
    /// Whose it is: to every other client it does not exist.
    pub owner: String,
    /// What is being done.
    pub operation: Operation,
    /// The key, if there is one.
    pub object: Option<String>,
    /// What its first part said.
    pub terms: Arc<Terms>,
    /// The code or the signature to be verified, once a part has brought it.
    pub proof: Option<Arc<[u8]>>,
    /// What it holds of its client's share of memory.
    pub bytes: Arc<SharedHeld>,
    /// How far it is.
    pub state: State,
}

impl Stream {
    /// Bytes that it holds: of the message, and of what was said of it.
    pub(crate) fn held_len(&self) -> usize {
        let proof = self.proof.as_ref().map_or(0, |proof| proof.len());
        self.state.held_len().saturating_add(self.terms.held_len()).saturating_add(proof)
    }
}

pub(crate) fn unknown(why: &str) -> OperationError {
    OperationError::new(ResultReason::InvalidCorrelationValue, why)
}

/// A stream as it stands.
struct Standing {
    stream: Stream,
    touched: Instant,
    is_taken: Arc<AtomicBool>,
}

/// All streams.
#[derive(Default)]
pub(crate) struct Streams {
    all: Mutex<BTreeMap<Correlation, Standing>>,
    /// Those that batches have begun which are not durable yet.
    reserved: Reservations,
}

/// The right to work on a stream: given back when dropped.
pub(crate) struct Turn(Arc<AtomicBool>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Streams {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Correlation, Standing>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of a client's stream, and the right to be the one who works on it.
    pub(crate) fn take(&self, owner: &str, correlation: &[u8]) -> Result<(Stream, Turn)> {
        let mut streams = self.lock();
        forget_idle(&mut streams);
        let standing =
            streams
                .get(correlation)
                .filter(|standing| standing.stream.owner == owner)
                .ok_or_else(|| unknown("no stream of this client has the Correlation Value"))?;
        if standing.is_taken.swap(true, Ordering::AcqRel) {
            return Err(unknown("another part of the stream is under way: send one after another"));
        }
        Ok((standing.stream.clone(), Turn(Arc::clone(&standing.is_taken))))
    }

    /// Reserves a place for one more stream of the client.
    pub(crate) fn reserve(&self, owner: &str) -> Result<Reservation> {
        let mut streams = self.lock();
        forget_idle(&mut streams);
        let own = streams.values().filter(|standing| standing.stream.owner == owner).count();
        let most = Limit { own: STREAMS_PER_OWNER_MAX, all: STREAMS_MAX };
        self.reserved.reserve(owner, Limit { own, all: streams.len() }, most).ok_or_else(|| {
            OperationError::new(
                ResultReason::ServerLimitExceeded,
                format!(
                    "too many streams are open: a client may have {STREAMS_PER_OWNER_MAX}, and all \
                     clients {STREAMS_MAX}; finish one, or wait"
                ),
            )
        })
    }

    /// A stream has come so far, or is at its end.
    fn put(&self, correlation: Correlation, stream: Option<Stream>) {
        let mut streams = self.lock();
        match stream {
            None => drop(streams.remove(&correlation)),
            Some(stream) => {
                let is_taken = streams
                    .get(&correlation)
                    .map_or_else(Arc::default, |standing| Arc::clone(&standing.is_taken));
                let standing = Standing { stream, touched: Instant::now(), is_taken };
                streams.insert(correlation, standing);
            }
        }
    }
}

fn forget_idle(streams: &mut BTreeMap<Correlation, Standing>) {
    streams.retain(|_, standing| {
        standing.is_taken.load(Ordering::Acquire) || standing.touched.elapsed() < IDLE_MAX
    });
}

/// How far a batch has brought its streams: what an item did is the batch's once it is done.
#[derive(Default)]
pub(crate) struct Advances {
    batch: BTreeMap<Correlation, Advance>,
    item: BTreeMap<Correlation, Step>,
}

/// How far one stream has come. The turn is there if it stood before this batch, and the place if
/// it did not.
struct Advance {
    stream: Option<Stream>,
    turn: Option<Turn>,
    place: Option<Reservation>,
}

/// How far an item has brought one stream; none when it is at its end.
struct Step {
    stream: Option<Stream>,
    place: Option<Reservation>,
}

impl Advances {
    /// The client's stream as this batch sees it, for its next part.
    pub(crate) fn take(
        &mut self,
        streams: &Streams,
        owner: &str,
        correlation: &[u8],
    ) -> Result<Stream> {
        if let Some(advance) = self.batch.get(correlation) {
            return advance.stream.clone().ok_or_else(|| unknown("the stream is at its end"));
        }
        let (stream, turn) = streams.take(owner, correlation)?;
        let kept = Advance { stream: Some(stream.clone()), turn: Some(turn), place: None };
        self.batch.insert(correlation.to_vec(), kept);
        Ok(stream)
    }

    /// A new stream begins. Gives the Correlation Value to be answered.
    pub(crate) fn begin(&mut self, streams: &Streams, stream: Stream) -> Result<Correlation> {
        let place = Some(streams.reserve(&stream.owner)?);
        let correlation = random::fresh(CORRELATION_LEN)?.to_vec();
        self.item.insert(correlation.clone(), Step { stream: Some(stream), place });
        Ok(correlation)
    }

    /// The stream has come so far; none when it is at its end.
    pub(crate) fn advance(&mut self, correlation: Correlation, stream: Option<Stream>) {
        self.item.insert(correlation, Step { stream, place: None });
    }

    /// The item under way is done.
    pub(crate) fn keep_item(&mut self) {
        for (correlation, Step { stream, place }) in std::mem::take(&mut self.item) {
            match self.batch.get_mut(&correlation) {
                Some(advance) => {
                    if stream.is_none() {
                        advance.place = None;
                    }
                    advance.stream = stream;
                }
                None => drop(self.batch.insert(correlation, Advance { stream, turn: None, place })),
            }
        }
    }

    /// The item under way failed: the streams are where they were.
    pub(crate) fn drop_item(&mut self) {
        self.item.clear();
    }

    /// Carries out what the batch did; each turn and each place is given back after its stream has
    /// moved on.
    pub(crate) fn carry_out(self, streams: &Streams) {
        for (correlation, Advance { stream, turn, place }) in self.batch {
            streams.put(correlation, stream);
            drop((turn, place));
        }
    }

    /// Has the batch moved any stream?
    pub(crate) fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }
}
