//! A store that fails at a counted step: for tests. The count is chosen, never drawn.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Change, Key, Outcome, Pending, Range, Record, Store, StoreError};

/// Which call fails, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The call that fails, counted from 1 over all three verbs.
    pub(crate) at: u64,
    /// What the failed call did.
    pub(crate) effect: Effect,
    /// What becomes of the calls after it.
    pub(crate) then: Then,
}

/// What a failed call did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing: it failed before.
    None,
    /// All it was asked to: only the answer was lost.
    Whole,
}

/// What becomes of the calls after the failed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// They are carried out.
    Recovers,
    /// They fail too, with no effect, as after a power cut.
    Stops,
}

/// A store over another one, that fails as told.
pub(crate) struct Faulty<S> {
    store: S,
    fault: Fault,
    calls: AtomicU64,
}

impl<S: Store> Faulty<S> {
    /// Puts `fault` in the way of `store`.
    pub(crate) fn new(store: S, fault: Fault) -> Self {
        Self { store, fault, calls: AtomicU64::new(0) }
    }

    /// How many calls came: a fault that is later than the last one never happened.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// The effect that a call now has: `Ok` for a whole one that is answered.
    fn next(&self) -> Result<(), Effect> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        match call.cmp(&self.fault.at) {
            std::cmp::Ordering::Less => Ok(()),
            std::cmp::Ordering::Equal => Err(self.fault.effect),
            std::cmp::Ordering::Greater => match self.fault.then {
                Then::Recovers => Ok(()),
                Then::Stops => Err(Effect::None),
            },
        }
    }

    async fn call<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let fault = self.next();
        if fault != Err(Effect::None) {
            let answer = call.await;
            if fault.is_ok() {
                return answer;
            }
        }
        Err(StoreError::Stopped(format!("a fault was set at call {}", self.fault.at)))
    }
}

impl<S: Store> Store for Faulty<S> {
    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Record>> {
        Box::pin(async move { self.call(self.store.get(key)).await })
    }

    fn scan(&self, range: Range) -> Pending<'_, Vec<(Key, Record)>> {
        Box::pin(async move { self.call(self.store.scan(range)).await })
    }

    fn commit(&self, changes: Vec<Change>) -> Pending<'_, Outcome> {
        // A memory engine acts when it is called, not when it is awaited: so it is called late.
        Box::pin(self.call(async move { self.store.commit(changes).await }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::contract_tests::put;
    use crate::store::engine::memory::MemoryStore;

    /// Three commits under a fault: which were answered, and which are there.
    async fn three(fault: Fault) -> (Vec<bool>, Vec<bool>) {
        let memory = std::sync::Arc::new(MemoryStore::default());
        let store = Faulty::new(memory.clone(), fault);
        let (mut answered, mut there) = (Vec::new(), Vec::new());
        for key in ["a", "b", "c"] {
            answered.push(store.commit(vec![put(key, 0, "v")]).await.is_ok());
        }
        for key in ["a", "b", "c"] {
            there.push(memory.get(key.as_bytes()).await.unwrap().is_some());
        }
        assert_eq!(store.calls(), 3);
        (answered, there)
    }

    #[tokio::test]
    async fn the_counted_call_fails_with_its_effect_and_those_after_it_as_told() {
        let rows = [
            (2, Effect::None, Then::Recovers, [true, false, true], [true, false, true]),
            (2, Effect::Whole, Then::Recovers, [true, false, true], [true, true, true]),
            (2, Effect::None, Then::Stops, [true, false, false], [true, false, false]),
            (2, Effect::Whole, Then::Stops, [true, false, false], [true, true, false]),
            (4, Effect::None, Then::Stops, [true, true, true], [true, true, true]),
        ];
        for (at, effect, then, answered, there) in rows {
            let fault = Fault { at, effect, then };
            let got = three(fault).await;
            assert_eq!(got, (answered.to_vec(), there.to_vec()), "{fault:?}");
        }
    }
}
