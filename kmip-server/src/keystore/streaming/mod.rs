//! Cryptographic operations in parts: what stands between one part and the next (1.4, 4.29 to 4.34
//! and 4.37; 2.1, 6.1.17; since 1.3).
//!
//! ```text
//! Init Indicator       a stream begins     -> Correlation Value
//! Correlation Value    its next part       -> the same
//! Final Indicator      its last part       -> it is gone
//! ```
//!
//! A batch may be done again, and it may be undone. So a part works on a **copy** of what stands
//! here, and the copy takes its place once the batch is durable. While a part is under way nobody
//! else may work on the stream: two parts at once would use a key stream twice.
//!
//! Nothing here survives the process. What is dropped is zeroized by its own type.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kmip::SecretBytes;
use kmip::vocabulary::{Operation, ResultReason};

use crate::crypto::asymmetric::signature::Message;
use crate::crypto::cipher::Cipher;
use crate::crypto::hash::Hash;
use crate::crypto::hash::mac::Mac;
use crate::crypto::random;
use crate::objects::error::{OperationError, Result};
use crate::operations::Context;

/// The most streams of one client: it finishes one before it needs so many more.
pub const STREAMS_PER_OWNER_MAX: usize = 32;

/// The most streams of all clients: each may hold some megabytes.
pub const STREAMS_MAX: usize = 512;

/// How long a stream waits for its next part. A client that is cut off begins again.
pub const IDLE_MAX: Duration = Duration::from_secs(5 * 60);

/// The most data that one stream gathers where the operation needs all of it at once.
pub const GATHERED_LEN_MAX: usize = 16 << 20;

/// Bytes of a Correlation Value, all random: it cannot be guessed.
const CORRELATION_LEN: usize = 16;

/// What a Correlation Value looks like.
pub type Correlation = Vec<u8>;

/// What an operation has between two parts.
#[derive(Clone)]
pub enum State {
    /// Encrypt or Decrypt.
    Cipher(Cipher),
    /// MAC or MAC Verify.
    Mac(Mac),
    /// Hash.
    Hash(Hash),
    /// Sign or Signature Verify.
    Message(Message),
    /// What is not a key's alone: all data so far.
    Data(SecretBytes),
}

/// A stream that waits for its next part.
#[derive(Clone)]
pub struct Stream {
    /// Whose it is: to every other client it does not exist.
    pub owner: String,
    /// What is being done.
    pub operation: Operation,
    /// The key, if there is one.
    pub object: Option<String>,
    /// How far it is.
    pub state: State,
}

impl Stream {
    /// A stream of the client's that begins.
    pub fn of(cx: &Context<'_>, operation: Operation, object: Option<&str>, state: State) -> Self {
        let (owner, object) = (cx.client.owner.clone(), object.map(str::to_owned));
        Self { owner, operation, object, state }
    }
}

impl Context<'_> {
    /// The stream of a part that is not the first, as this batch sees it. It must be one of the
    /// same operation with the same key.
    pub fn stream(
        &mut self,
        part: &Part,
        operation: Operation,
        object: Option<&str>,
    ) -> Result<Stream> {
        let (Part::Next(correlation) | Part::Last(correlation)) = part else {
            return Err(unknown("the first part goes on with no stream"));
        };
        let owner = &self.client.owner;
        let stream = self.effects.streams.take(&self.live.streams, owner, correlation)?;
        match stream.operation == operation && stream.object.as_deref() == object {
            true => Ok(stream),
            false => Err(unknown("the stream is one of another operation or another key")),
        }
    }

    /// The message goes on: the stream stands where it is now once the batch is durable. Gives the
    /// Correlation Value to be answered.
    pub fn go_on(&mut self, part: Part, stream: Stream) -> Result<Correlation> {
        match part {
            Part::First => self.effects.streams.begin(&self.live.streams, stream),
            Part::Next(correlation) => {
                self.effects.streams.advance(correlation.clone(), Some(stream));
                Ok(correlation)
            }
            Part::Whole | Part::Last(_) => Err(OperationError::internal("go on after the end")),
        }
    }

    /// The message is at its end: its stream is gone once the batch is durable.
    pub fn end(&mut self, part: Part) {
        if let Part::Last(correlation) = part {
            self.effects.streams.advance(correlation, None);
        }
    }
}

/// Which part of a message a request holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// The first of several.
    First,
    /// One that is neither the first nor the last.
    Next(Correlation),
    /// The last.
    Last(Correlation),
}

impl Part {
    /// Reads the three items that say so.
    pub fn of(
        correlation: Option<Correlation>,
        init: Option<bool>,
        last: Option<bool>,
    ) -> Result<Self> {
        match (correlation, init.unwrap_or(false), last.unwrap_or(false)) {
            (None, false, false) | (None, true, true) => Ok(Self::Whole),
            (None, true, false) => Ok(Self::First),
            (Some(correlation), false, false) => Ok(Self::Next(correlation)),
            (Some(correlation), false, true) => Ok(Self::Last(correlation)),
            (None, false, true) => Err(unknown("the last part needs the Correlation Value")),
            (Some(_), true, _) => Err(unknown("the first part has no Correlation Value yet")),
        }
    }

    /// Does the message begin with this part?
    pub const fn begins(&self) -> bool {
        matches!(self, Self::Whole | Self::First)
    }

    /// Does the message end with this part?
    pub const fn ends(&self) -> bool {
        matches!(self, Self::Whole | Self::Last(_))
    }
}

fn unknown(why: &str) -> OperationError {
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
pub struct Streams(Mutex<BTreeMap<Correlation, Standing>>);

/// The right to work on a stream: given back when dropped.
pub struct Turn(Arc<AtomicBool>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Streams {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Correlation, Standing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of a client's stream, and the right to be the one who works on it.
    pub fn take(&self, owner: &str, correlation: &[u8]) -> Result<(Stream, Turn)> {
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

    /// May the client begin one more?
    pub fn check_room(&self, owner: &str) -> Result<()> {
        let mut streams = self.lock();
        forget_idle(&mut streams);
        let own = streams.values().filter(|standing| standing.stream.owner == owner).count();
        match own >= STREAMS_PER_OWNER_MAX || streams.len() >= STREAMS_MAX {
            false => Ok(()),
            true => Err(OperationError::new(
                ResultReason::ServerLimitExceeded,
                format!(
                    "{own} streams of this client are open, and {} in all: finish one, or wait",
                    streams.len()
                ),
            )),
        }
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
pub struct Advances {
    batch: BTreeMap<Correlation, Advance>,
    item: BTreeMap<Correlation, Option<Stream>>,
}

/// How far one stream has come; the turn is there if it stood before this batch.
struct Advance {
    stream: Option<Stream>,
    turn: Option<Turn>,
}

impl Advances {
    /// The client's stream as this batch sees it, for its next part.
    pub fn take(&mut self, streams: &Streams, owner: &str, correlation: &[u8]) -> Result<Stream> {
        if let Some(advance) = self.batch.get(correlation) {
            return advance.stream.clone().ok_or_else(|| unknown("the stream is at its end"));
        }
        let (stream, turn) = streams.take(owner, correlation)?;
        let kept = Advance { stream: Some(stream.clone()), turn: Some(turn) };
        self.batch.insert(correlation.to_vec(), kept);
        Ok(stream)
    }

    /// A new stream begins. Gives the Correlation Value to be answered.
    pub fn begin(&mut self, streams: &Streams, stream: Stream) -> Result<Correlation> {
        streams.check_room(&stream.owner)?;
        let correlation = random::fresh(CORRELATION_LEN)?.to_vec();
        self.item.insert(correlation.clone(), Some(stream));
        Ok(correlation)
    }

    /// The stream has come so far; none when it is at its end.
    pub fn advance(&mut self, correlation: Correlation, stream: Option<Stream>) {
        self.item.insert(correlation, stream);
    }

    /// The item under way is done.
    pub fn keep_item(&mut self) {
        for (correlation, stream) in std::mem::take(&mut self.item) {
            match self.batch.get_mut(&correlation) {
                Some(advance) => advance.stream = stream,
                None => drop(self.batch.insert(correlation, Advance { stream, turn: None })),
            }
        }
    }

    /// The item under way failed: the streams are where they were.
    pub fn drop_item(&mut self) {
        self.item.clear();
    }

    /// Carries out what the batch did; each turn is given back after its stream has moved on.
    pub fn carry_out(self, streams: &Streams) {
        for (correlation, Advance { stream, turn }) in self.batch {
            streams.put(correlation, stream);
            drop(turn);
        }
    }

    /// Has the batch moved any stream?
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{Advances, Part, STREAMS_PER_OWNER_MAX, State, Stream, Streams};
    use kmip::SecretBytes;
    use kmip::vocabulary::{Operation, ResultReason};

    fn stream(data: &[u8]) -> Stream {
        Stream {
            owner: "alice".to_owned(),
            operation: Operation::Hash,
            object: None,
            state: State::Data(SecretBytes::new(data)),
        }
    }

    fn data(stream: &Stream) -> Vec<u8> {
        match &stream.state {
            State::Data(data) => data.as_bytes().to_vec(),
            State::Cipher(_) | State::Mac(_) | State::Hash(_) | State::Message(_) => {
                panic!("another state")
            }
        }
    }

    fn begun(streams: &Streams) -> Vec<u8> {
        let mut batch = Advances::default();
        let correlation = batch.begin(streams, stream(b"a")).unwrap();
        batch.keep_item();
        batch.carry_out(streams);
        correlation
    }

    #[test]
    fn a_part_counts_once_its_batch_is_durable() {
        let streams = Streams::default();
        let at = begun(&streams);
        for _ in 0..2 {
            let mut undone = Advances::default();
            assert_eq!(data(&undone.take(&streams, "alice", &at).unwrap()), b"a");
            undone.advance(at.clone(), Some(stream(b"ab")));
            undone.keep_item();
        }
        let mut done = Advances::default();
        done.take(&streams, "alice", &at).unwrap();
        done.advance(at.clone(), Some(stream(b"ab")));
        done.drop_item();
        assert_eq!(data(&done.take(&streams, "alice", &at).unwrap()), b"a", "the item failed");
        done.advance(at.clone(), Some(stream(b"ac")));
        done.keep_item();
        assert_eq!(
            data(&done.take(&streams, "alice", &at).unwrap()),
            b"ac",
            "the batch sees itself"
        );
        done.carry_out(&streams);
        let mut last = Advances::default();
        assert_eq!(data(&last.take(&streams, "alice", &at).unwrap()), b"ac");
        last.advance(at.clone(), None);
        last.keep_item();
        assert!(last.take(&streams, "alice", &at).is_err(), "at its end in this batch");
        last.carry_out(&streams);
        assert!(Advances::default().take(&streams, "alice", &at).is_err());
    }

    #[test]
    fn nobody_else_works_on_it_meanwhile() {
        let streams = Streams::default();
        let at = begun(&streams);
        let mut one = Advances::default();
        one.take(&streams, "alice", &at).unwrap();
        let reason = |owner| Advances::default().take(&streams, owner, &at).err().unwrap().reason;
        assert_eq!(reason("alice"), ResultReason::InvalidCorrelationValue, "two at once");
        drop(one);
        assert_eq!(reason("bob"), ResultReason::InvalidCorrelationValue, "another client");
        Advances::default().take(&streams, "alice", &at).unwrap();
    }

    #[test]
    fn a_client_has_so_many_and_no_more() {
        let streams = Streams::default();
        for _ in 0..STREAMS_PER_OWNER_MAX {
            begun(&streams);
        }
        let error = Advances::default().begin(&streams, stream(b"")).unwrap_err();
        assert_eq!(error.reason, ResultReason::ServerLimitExceeded);
        let others = Stream { owner: "bob".to_owned(), ..stream(b"") };
        Advances::default().begin(&streams, others).unwrap();
    }

    /// One row a request: Correlation Value, Init and Final Indicator, and the part.
    #[test]
    fn which_part_it_is() {
        let at = || Some(vec![1]);
        let rows = [
            (None, None, None, Some(Part::Whole)),
            (None, Some(false), Some(false), Some(Part::Whole)),
            (None, Some(true), Some(true), Some(Part::Whole)),
            (None, Some(true), None, Some(Part::First)),
            (at(), None, None, Some(Part::Next(vec![1]))),
            (at(), Some(false), Some(true), Some(Part::Last(vec![1]))),
            (None, None, Some(true), None),
            (at(), Some(true), None, None),
        ];
        for (correlation, init, last, part) in rows {
            assert_eq!(Part::of(correlation, init, last).ok(), part);
        }
    }
}
