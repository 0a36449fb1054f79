//! A vault in memory, for tests: key servers that can be switched off and that fail as often as
//! they are told to. What it holds outlives the cluster that uses it, as a key server's keys do.

use super::{Answer, KeyPlace, KeyVault, VaultError};
use crate::crypto::aead;
use crate::crypto::master_key::{MASTER_KEY_LEN, MasterKey};
use crate::state::key_ring::{KeyId, NodeId, RetiredKey};
use crate::state::key_server_registry::KeyServerId;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a vault can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    /// [`KeyVault::test`].
    Test,
    /// [`KeyVault::ensure`].
    Ensure,
    /// [`KeyVault::fetch`].
    Fetch,
    /// [`KeyVault::destroy`].
    Destroy,
}

/// When a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Before anything is done.
    Before,
    /// When it is done: the answer is lost.
    After,
}

/// Key servers in memory.
#[derive(Default)]
pub(crate) struct MemoryVault(Mutex<World>);

#[derive(Default)]
struct World {
    keys: BTreeMap<(KeyServerId, KeyId), [u8; MASTER_KEY_LEN]>,
    /// Every key that ever was, to prove that none was made twice.
    made: Vec<(KeyServerId, KeyId)>,
    away: BTreeMap<KeyServerId, VaultError>,
    hanging: BTreeSet<KeyServerId>,
    faults: Vec<(Verb, When, u32, VaultError)>,
    calls: Vec<(Verb, NodeId, KeyServerId)>,
}

impl MemoryVault {
    /// Key servers without keys.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// From now on this server answers nothing but this error.
    pub(crate) fn switch_off(&self, server: KeyServerId, error: VaultError) {
        self.world().away.insert(server, error);
    }

    /// From now on this server answers nothing at all.
    pub(crate) fn hang(&self, server: KeyServerId) {
        self.world().hanging.insert(server);
    }

    /// The server answers again.
    pub(crate) fn switch_on(&self, server: KeyServerId) {
        self.world().hanging.remove(&server);
        self.world().away.remove(&server);
    }

    /// The next `count` calls of this verb fail.
    pub(crate) fn fail(&self, verb: Verb, when: When, count: u32, error: VaultError) {
        self.world().faults.push((verb, when, count, error));
    }

    /// The keys that the server holds.
    #[must_use]
    pub(crate) fn keys(&self, server: KeyServerId) -> BTreeSet<KeyId> {
        let world = self.world();
        world.keys.keys().filter(|(s, _)| *s == server).map(|(_, key)| *key).collect()
    }

    /// Every key that the server ever made, in order.
    #[must_use]
    pub(crate) fn made(&self, server: KeyServerId) -> Vec<KeyId> {
        let world = self.world();
        world.made.iter().filter(|(s, _)| *s == server).map(|(_, key)| *key).collect()
    }

    /// The bytes of a key, to prove that they are nowhere else.
    #[must_use]
    pub(crate) fn bytes(&self, server: KeyServerId, key_id: KeyId) -> Option<[u8; MASTER_KEY_LEN]> {
        self.world().keys.get(&(server, key_id)).copied()
    }

    /// Puts a key there that another vault of this kind held.
    pub(crate) fn put(&self, server: KeyServerId, key_id: KeyId, bytes: [u8; MASTER_KEY_LEN]) {
        self.world().keys.insert((server, key_id), bytes);
    }

    /// Loses a key, as a key server may that was set back to an old backup.
    pub(crate) fn lose(&self, server: KeyServerId, key_id: KeyId) {
        self.world().keys.remove(&(server, key_id));
    }

    /// The nodes that asked for this, in order.
    #[must_use]
    pub(crate) fn callers(&self, verb: Verb) -> Vec<NodeId> {
        let world = self.world();
        world.calls.iter().filter(|(v, ..)| *v == verb).map(|(_, node, _)| *node).collect()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn call<T>(
        &self,
        verb: Verb,
        place: &KeyPlace,
        act: impl FnOnce(&mut World, KeyServerId) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        let server = place.servers.first().map(|server| server.key_server_id);
        let server = server.ok_or_else(|| VaultError::server("no key server was named"))?;
        self.world().calls.push((verb, place.node_id, server));
        let hangs = self.world().hanging.contains(&server);
        if hangs {
            std::future::pending::<()>().await;
        }
        let mut world = self.world();
        if let Some(error) = world.away.get(&server) {
            return Err(error.clone());
        }
        world.strike(verb, When::Before)?;
        let answer = act(&mut world, server)?;
        world.strike(verb, When::After)?;
        Ok(answer)
    }
}

impl World {
    fn strike(&mut self, verb: Verb, when: When) -> Result<(), VaultError> {
        let due =
            self.faults.iter_mut().find(|(v, w, left, _)| *v == verb && *w == when && *left > 0);
        match due {
            Some((_, _, left, error)) => {
                *left = left.saturating_sub(1);
                Err(error.clone())
            }
            None => Ok(()),
        }
    }
}

impl KeyVault for MemoryVault {
    fn test<'a>(&'a self, place: &'a KeyPlace) -> Answer<'a, ()> {
        Box::pin(async move { self.call(Verb::Test, place, |_, _| Ok(())).await })
    }

    fn ensure<'a>(&'a self, place: &'a KeyPlace, key_id: KeyId) -> Answer<'a, ()> {
        Box::pin(async move {
            self.call(Verb::Ensure, place, |world, server| {
                if let Entry::Vacant(vacant) = world.keys.entry((server, key_id)) {
                    let mut bytes = [0; MASTER_KEY_LEN];
                    aead::random(&mut bytes).map_err(|e| VaultError::server(e.to_string()))?;
                    vacant.insert(bytes);
                    world.made.push((server, key_id));
                }
                Ok(())
            })
            .await
        })
    }

    fn fetch<'a>(&'a self, place: &'a KeyPlace, key_id: KeyId) -> Answer<'a, MasterKey> {
        Box::pin(async move {
            self.call(Verb::Fetch, place, |world, server| {
                let bytes = world.keys.get(&(server, key_id));
                let key = bytes.and_then(|bytes| MasterKey::from_bytes(bytes));
                key.ok_or_else(|| VaultError::server(format!("master key {key_id} is not there")))
            })
            .await
        })
    }

    fn destroy<'a>(&'a self, place: &'a KeyPlace, key: &'a RetiredKey) -> Answer<'a, ()> {
        Box::pin(async move {
            self.call(Verb::Destroy, place, |world, server| {
                world.keys.remove(&(server, key.key_id()));
                Ok(())
            })
            .await
        })
    }
}
