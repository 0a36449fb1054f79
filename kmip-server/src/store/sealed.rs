//! A store over a store: what reaches the one below is sealed.
//!
//! Keys go through as they are. Whoever writes a key must have hashed what may not be seen in it.

use super::record_seal::Seal;
use super::root_key::RootKey;
use super::{
    Change, KEY_FIRST, Key, OpenError, Order, Outcome, Pending, Range, Record, Store, StoreError,
    To,
};
use crate::secret::SecretBuffer;

/// The one record of the seal's own: it opens under the right root key and under no other.
const CHECK_KEY: &[u8] = b"\x01check";
const CHECK: &[u8] = b"sealed under the root key of this store";

/// A store whose values nobody reads without the root key.
pub(crate) struct Sealed<S> {
    store: S,
    seal: Seal,
}

impl<S: Store> Sealed<S> {
    /// Seals what is written to `store`. If it holds records, they must have been sealed under
    /// this root key; `place` says where that came from.
    pub(crate) async fn open(store: S, root_key: &RootKey, place: &str) -> Result<Self, OpenError> {
        let sealed = Self { store, seal: Seal::new(root_key) };
        match sealed.store.get(CHECK_KEY).await? {
            Some(record) => match sealed.seal.open(CHECK_KEY, record) {
                Ok(record) if record.value.as_slice() == CHECK => Ok(sealed),
                Ok(_) | Err(_) => Err(OpenError::WrongKey { place: place.to_owned() }),
            },
            None => sealed.set_up().await,
        }
    }

    async fn set_up(self) -> Result<Self, OpenError> {
        if !self.store.scan(Range::prefix(&[], 1, Order::Ascending)).await?.is_empty() {
            return Err(OpenError::NotSealed);
        }
        let to = To::Put(SecretBuffer::new(CHECK.to_vec()));
        let mut check = Change { key: CHECK_KEY.to_vec(), expected: 0, to };
        self.seal(&mut check)?;
        match self.store.commit(vec![check]).await? {
            Outcome::Durable => Ok(self),
            Outcome::Conflict { .. } => Err(OpenError::SetUpTwice),
        }
    }

    fn seal(&self, change: &mut Change) -> Result<(), StoreError> {
        match &mut change.to {
            // The plain value is wiped as the sealed one takes its place.
            To::Put(value) => {
                let revision = change.expected.saturating_add(1);
                *value = self.seal.seal(&change.key, revision, value)?;
            }
            To::Remove | To::Keep => {}
        }
        Ok(())
    }
}

fn is_callers(key: &[u8]) -> bool {
    key.first().is_some_and(|first| *first >= KEY_FIRST)
}

impl<S: Store> Store for Sealed<S> {
    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Record>> {
        Box::pin(async move {
            if !is_callers(key) {
                return Ok(None);
            }
            let record = self.store.get(key).await?;
            record.map(|record| self.seal.open(key, record)).transpose()
        })
    }

    fn scan(&self, mut range: Range) -> Pending<'_, Vec<(Key, Record)>> {
        Box::pin(async move {
            if !is_callers(&range.from) {
                range.from = vec![KEY_FIRST];
            }
            let open = |(key, record): (Key, Record)| {
                let record = self.seal.open(&key, record)?;
                Ok((key, record))
            };
            self.store.scan(range).await?.into_iter().map(open).collect()
        })
    }

    fn commit(&self, mut changes: Vec<Change>) -> Pending<'_, Outcome> {
        Box::pin(async move {
            for change in &mut changes {
                if change.key.first().is_some_and(|first| (1..KEY_FIRST).contains(first)) {
                    return Err(StoreError::Refused("a key begins with a byte of the seal's own"));
                }
                self.seal(change)?;
            }
            self.store.commit(changes).await
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::contract_tests::{put, remove};
    use crate::store::engine::memory::MemoryStore;
    use crate::store::root_key::KEY_LEN;
    use zeroize::Zeroizing;

    fn root(byte: u8) -> RootKey {
        RootKey::new(Zeroizing::new([byte; KEY_LEN]))
    }

    async fn sealed(below: &Arc<MemoryStore>, byte: u8) -> Result<impl Store, OpenError> {
        Sealed::open(Arc::clone(below), &root(byte), "the test").await
    }

    #[tokio::test]
    async fn the_store_below_sees_no_value() {
        let below = Arc::new(MemoryStore::default());
        let store = sealed(&below, 1).await.unwrap();
        store.commit(vec![put("key", 0, "plain value"), put("index", 0, "")]).await.unwrap();
        let page = below.scan(Range::prefix(&[], 9, Order::Ascending)).await.unwrap();
        let lens: Vec<_> = page.iter().map(|(_, record)| record.value.len()).collect();
        assert_eq!(lens, [CHECK.len() + 41, 17, b"plain value".len() + 41]);
        assert!(page.iter().all(|(_, r)| !r.value.windows(5).any(|bytes| bytes == b"plain")));
    }

    #[tokio::test]
    async fn another_root_key_is_told_at_once() {
        let below = Arc::new(MemoryStore::default());
        sealed(&below, 1).await.unwrap();
        let error = sealed(&below, 2).await.map(drop).unwrap_err();
        assert!(error.to_string().contains("another root key than the one in the test"));
        sealed(&below, 1).await.unwrap();
    }

    #[tokio::test]
    async fn records_that_were_never_sealed_are_not_taken_for_sealed_ones() {
        let below = Arc::new(MemoryStore::default());
        below.commit(vec![put("key", 0, "plain")]).await.unwrap();
        assert!(matches!(sealed(&below, 1).await.map(drop), Err(OpenError::NotSealed)));
    }

    #[tokio::test]
    async fn the_check_is_out_of_reach() {
        let below = Arc::new(MemoryStore::default());
        let store = sealed(&below, 1).await.unwrap();
        assert!(store.get(CHECK_KEY).await.unwrap().is_none());
        let all = Range::prefix(&[], 9, Order::Descending);
        assert!(store.scan(all).await.unwrap().is_empty());
        let error = store.commit(vec![remove(CHECK_KEY, 1)]).await.unwrap_err();
        assert!(matches!(error, StoreError::Refused(_)));
    }

    #[tokio::test]
    async fn a_record_moved_or_put_back_below_is_damaged_above() {
        let below = Arc::new(MemoryStore::default());
        let store = sealed(&below, 1).await.unwrap();
        store.commit(vec![put("a", 0, "first")]).await.unwrap();
        let first = below.get(b"a").await.unwrap().unwrap().value;
        store.commit(vec![put("a", 1, "second")]).await.unwrap();
        below.commit(vec![put("a", 2, &first), put("b", 0, &first)]).await.unwrap();
        for key in [b"a", b"b"] {
            assert!(matches!(store.get(key).await, Err(StoreError::Damaged(_))));
        }
        let page = store.scan(Range::prefix(b"b", 9, Order::Ascending)).await;
        assert!(matches!(page, Err(StoreError::Damaged(_))));
    }
}
