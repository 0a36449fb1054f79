//! A store over a store: what reaches the one below is sealed.
//!
//! Keys go through as they are. Whoever writes a key must have hashed what may not be seen in it.

use super::record_seal::Seal;
use super::{Change, Key, Outcome, Pending, Range, Record, Store, StoreError, To};

/// A store whose values nobody reads without its keys.
pub(crate) struct SealedStore<S> {
    store: S,
    seal: Seal,
}

impl<S: Store> SealedStore<S> {
    /// Seals what is written to `store`.
    pub(crate) fn new(store: S, seal: Seal) -> Self {
        Self { store, seal }
    }

    fn seal(&self, changes: &mut [Change]) -> Result<(), StoreError> {
        let puts = changes.iter_mut().filter_map(|change| match &mut change.to {
            To::Put(value) => Some((&change.key, value)),
            To::Remove | To::Keep => None,
        });
        let puts: Vec<_> = puts.collect();
        // One call for all: each is a call of the system's generator.
        let nonces = Seal::nonces(puts.len())?;
        for ((key, value), nonce) in puts.into_iter().zip(&nonces) {
            // The plain value is wiped as the sealed one takes its place.
            *value = self.seal.seal(key, value, nonce)?;
        }
        Ok(())
    }
}

impl<S: Store> Store for SealedStore<S> {
    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Record>> {
        Box::pin(async move {
            let record = self.store.get(key).await?;
            record.map(|record| self.seal.open(key, record)).transpose()
        })
    }

    fn scan(&self, range: Range) -> Pending<'_, Vec<(Key, Record)>> {
        Box::pin(async move {
            let open = |(key, record): (Key, Record)| {
                let record = self.seal.open(&key, record)?;
                Ok((key, record))
            };
            self.store.scan(range).await?.into_iter().map(open).collect()
        })
    }

    fn commit(&self, mut changes: Vec<Change>) -> Pending<'_, Outcome> {
        Box::pin(async move {
            self.seal(&mut changes)?;
            self.store.commit(changes).await
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::contract_tests::{put, stamp};
    use crate::store::key_ring::KeyRing;
    use crate::store::memory_store::MemoryStore;
    use crate::store::record_seal::SEAL_LEN;

    fn sealed() -> (Arc<MemoryStore>, impl Store) {
        let below = Arc::new(MemoryStore::default());
        let seal = Seal::new(&KeyRing::generate().unwrap()).unwrap();
        (Arc::clone(&below), SealedStore::new(below, seal))
    }

    #[tokio::test]
    async fn store_below_sees_no_value() {
        let (below, store) = sealed();
        store.commit(vec![put("key", 0, "plain value"), put("index", 0, "")]).await.unwrap();
        let page = below.scan(Range::prefix(&[], 9)).await.unwrap();
        let lens: Vec<_> = page.iter().map(|(_, record)| record.value.len()).collect();
        assert_eq!(lens, [SEAL_LEN, b"plain value".len() + SEAL_LEN]);
        assert!(page.iter().all(|(_, r)| !r.value.windows(5).any(|bytes| bytes == b"plain")));
    }

    #[tokio::test]
    async fn record_moved_below_is_damaged_above() {
        let (below, store) = sealed();
        store.commit(vec![put("a", 0, "first")]).await.unwrap();
        let first = below.get(b"a").await.unwrap().unwrap().value;
        below.commit(vec![put("b", stamp(&*below, "b").await, &first)]).await.unwrap();
        assert!(matches!(store.get(b"b").await, Err(StoreError::Damaged(_))));
        let page = store.scan(Range::prefix(b"b", 9)).await;
        assert!(matches!(page, Err(StoreError::Damaged(_))));
        assert_eq!(*store.get(b"a").await.unwrap().unwrap().value, b"first");
    }
}
