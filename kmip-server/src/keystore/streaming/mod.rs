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

mod streams;
mod terms;

use std::sync::Arc;

use kmip::vocabulary::Operation;
use kmip::{Identifier, Version};

use crate::auth::held_bytes::{SharedHeld, too_much_held};
use crate::keystore::Context;
use streams::unknown;

use crate::objects::error::{OperationError, Result};
pub(crate) use streams::{Advances, Correlation, State, Stream, Streams};
pub(crate) use terms::Terms;

impl Stream {
    /// A stream of the client's that begins.
    pub(crate) fn of(
        cx: &Context<'_>,
        operation: Operation,
        object: Option<&str>,
        terms: Terms,
        state: State,
    ) -> Self {
        let (owner, object) = (cx.client.owner.clone(), object.map(str::to_owned));
        let (terms, bytes) = (Arc::new(terms), Arc::new(SharedHeld::of(cx.client.held.as_ref())));
        Self { owner, operation, object, terms, proof: None, bytes, state }
    }

    /// Keeps the code or the signature that a part brings, whichever part it is: the texts ask for
    /// it in no particular one (1.4, 4.32 and 4.34; 2.1, 6.1.33 and 6.1.56).
    pub(crate) fn keep_proof(&mut self, what: &str, proof: Option<&[u8]>) -> Result<()> {
        match (&self.proof, proof) {
            (_, None) => Ok(()),
            (None, Some(proof)) => {
                self.proof = Some(proof.into());
                Ok(())
            }
            (Some(kept), Some(proof)) if **kept == *proof => Ok(()),
            (Some(_), Some(_)) => Err(terms::differs(what)),
        }
    }
}

impl Context<'_> {
    /// The key that a part means: as [`Context::identify`], and where neither the request nor its
    /// batch names one, the key that the first part named.
    pub(crate) fn identify_in(
        &mut self,
        named: Option<&Identifier>,
        part: &Part,
    ) -> Result<String> {
        match (named, &self.id_placeholder, part) {
            (None, None, Part::Next(_) | Part::Last(_)) => self
                .stream_of(part)?
                .object
                .ok_or_else(|| unknown("the stream is one of another operation")),
            _ => self.identify(named),
        }
    }

    /// The stream of a part that is not the first, as this batch sees it. It must be one of the
    /// same operation with the same key, and the part must not say anything else than the first.
    pub(crate) fn stream(
        &mut self,
        part: &Part,
        operation: Operation,
        object: Option<&str>,
        said: &Terms,
    ) -> Result<Stream> {
        let stream = self.stream_of(part)?;
        if stream.operation != operation || stream.object.as_deref() != object {
            return Err(unknown("the stream is one of another operation or another key"));
        }
        stream.terms.check_repeated(said)?;
        Ok(stream)
    }

    fn stream_of(&mut self, part: &Part) -> Result<Stream> {
        let (Part::Next(correlation) | Part::Last(correlation)) = part else {
            return Err(unknown("the first part goes on with no stream"));
        };
        let owner = &self.client.owner;
        self.effects.streams.take(&self.state.streams, owner, correlation)
    }

    /// The message goes on: the stream stands where it is now once the batch is durable. Gives the
    /// Correlation Value to be answered.
    pub(crate) fn go_on(&mut self, part: Part, stream: Stream) -> Result<Correlation> {
        if !stream.bytes.grow_to(stream.held_len()) {
            return Err(too_much_held());
        }
        match part {
            Part::First => self.effects.streams.begin(&self.state.streams, stream),
            Part::Next(correlation) => {
                self.effects.streams.advance(correlation.clone(), Some(stream));
                Ok(correlation)
            }
            Part::Whole | Part::Last(_) => Err(OperationError::internal("go on after the end")),
        }
    }

    /// The message is at its end: its stream is gone once the batch is durable.
    pub(crate) fn end(&mut self, part: Part) {
        if let Part::Last(correlation) = part {
            self.effects.streams.advance(correlation, None);
        }
    }
}

/// Which part of a message a request holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
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
    /// Reads the three items that say so. Up to 1.2 no answer can say how to go on.
    pub(crate) fn of(
        version: Version,
        correlation: Option<Correlation>,
        init: Option<bool>,
        last: Option<bool>,
    ) -> Result<Self> {
        let part = Self::read(correlation, init, last)?;
        if part != Self::Whole && version < Version::V1_3 {
            return Err(OperationError::invalid_field(format!(
                "KMIP {version} has no operations in parts: send all of the data, or use KMIP 1.3"
            )));
        }
        Ok(part)
    }

    fn read(
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
    pub(crate) const fn begins(&self) -> bool {
        matches!(self, Self::Whole | Self::First)
    }

    /// Does the message end with this part?
    pub(crate) const fn ends(&self) -> bool {
        matches!(self, Self::Whole | Self::Last(_))
    }
}

#[cfg(test)]
mod tests {
    use super::streams::{STREAMS_MAX, STREAMS_PER_OWNER_MAX};
    use super::{Advances, Part, State, Stream, Streams};
    use crate::auth::held_bytes::SharedHeld;
    use crate::crypto::hash;
    use crate::crypto::hash::algorithms::digest;
    use kmip::Version;
    use kmip::vocabulary::{HashingAlgorithm, Operation, ResultReason};
    use std::sync::Arc;

    /// A stream that has hashed these bytes so far.
    fn stream(data: &[u8]) -> Stream {
        let mut hash = hash::hash(HashingAlgorithm::SHA_256).unwrap();
        hash.update(data);
        Stream {
            owner: "alice".to_owned(),
            operation: Operation::Hash,
            object: None,
            terms: Arc::default(),
            proof: None,
            bytes: Arc::new(SharedHeld::of(None)),
            state: State::Hash(hash),
        }
    }

    /// Returns whether a stream has hashed these bytes so far.
    fn has(stream: &Stream, data: &[u8]) -> bool {
        let State::Hash(hash) = &stream.state else { panic!("another state") };
        let expected = digest(HashingAlgorithm::SHA_256, &[data]).unwrap();
        *hash.clone().finish() == *expected
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
            assert!(has(&undone.take(&streams, "alice", &at).unwrap(), b"a"));
            undone.advance(at.clone(), Some(stream(b"ab")));
            undone.keep_item();
        }
        let mut done = Advances::default();
        done.take(&streams, "alice", &at).unwrap();
        done.advance(at.clone(), Some(stream(b"ab")));
        done.drop_item();
        assert!(has(&done.take(&streams, "alice", &at).unwrap(), b"a"), "the item failed");
        done.advance(at.clone(), Some(stream(b"ac")));
        done.keep_item();
        assert!(has(&done.take(&streams, "alice", &at).unwrap(), b"ac"), "the batch sees itself");
        done.carry_out(&streams);
        let mut last = Advances::default();
        assert!(has(&last.take(&streams, "alice", &at).unwrap(), b"ac"));
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

    /// What batches under way have begun counts too, until it is dropped or at its end.
    #[test]
    fn streams_of_batches_under_way_count() {
        let streams = Streams::default();
        let (mut one, mut other) = (Advances::default(), Advances::default());
        for _ in 0..STREAMS_PER_OWNER_MAX / 2 {
            one.begin(&streams, stream(b"")).unwrap();
            one.keep_item();
            other.begin(&streams, stream(b"")).unwrap();
        }
        let full = |batch: &mut Advances| batch.begin(&streams, stream(b"")).is_err();
        assert!(full(&mut one) && full(&mut other) && full(&mut Advances::default()));
        other.drop_item();
        let last = one.begin(&streams, stream(b"")).unwrap();
        one.keep_item();
        one.advance(last, None);
        one.keep_item();
        one.carry_out(&streams);
        for _ in 0..STREAMS_PER_OWNER_MAX / 2 {
            other.begin(&streams, stream(b"")).unwrap();
        }
        assert!(full(&mut other));
        drop(other);
        for owner in 0..STREAMS_MAX {
            let mut batch = Advances::default();
            let stream = Stream { owner: owner.to_string(), ..stream(b"") };
            let has_room = owner < STREAMS_MAX - STREAMS_PER_OWNER_MAX / 2;
            assert_eq!(batch.begin(&streams, stream).is_ok(), has_room, "{owner}");
            batch.keep_item();
            batch.carry_out(&streams);
        }
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
            for version in [Version::V1_2, Version::V1_3, Version::V2_1] {
                let is_there = version >= Version::V1_3 || part == Some(Part::Whole);
                let found = Part::of(version, correlation.clone(), init, last).ok();
                assert_eq!(found, part.clone().filter(|_| is_there), "{version}");
            }
        }
    }
}
