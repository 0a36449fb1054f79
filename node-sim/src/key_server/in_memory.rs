//! Key servers in memory, for tests: they can be switched off and can be made to fail. Their keys
//! outlive the cluster that uses them.

use super::{KeyProviderAccess, KeyServerClient, KeyServerError, KeyServerFuture};
use crate::crypto::aead;
use crate::crypto::master_key::{MASTER_KEY_LEN, MasterKey};
use crate::state::key_ring::{KeyId, NodeId, RetiredKey};
use crate::state::key_server_registry::KeyServerId;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Call of [`KeyServerClient`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    /// [`KeyServerClient::test`].
    Test,
    /// [`KeyServerClient::ensure`].
    Ensure,
    /// [`KeyServerClient::fetch`].
    Fetch,
    /// [`KeyServerClient::destroy`].
    Destroy,
}

/// Moment at which an injected fault occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultTiming {
    /// Before anything is done.
    Before,
    /// After it was done: the response is lost.
    After,
}

/// Key servers in memory.
#[derive(Default)]
pub(crate) struct InMemoryKeyServers(Mutex<ServerState>);

#[derive(Default)]
struct ServerState {
    keys: BTreeMap<(KeyServerId, KeyId), [u8; MASTER_KEY_LEN]>,
    /// Every key that ever was, to prove that none was made twice.
    made: Vec<(KeyServerId, KeyId)>,
    away: BTreeMap<KeyServerId, KeyServerError>,
    hanging: BTreeSet<KeyServerId>,
    faults: Vec<(Call, FaultTiming, u32, KeyServerError)>,
    calls: Vec<(Call, NodeId, KeyServerId)>,
}

impl InMemoryKeyServers {
    /// Key servers without keys.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// From now on this server answers nothing but this error.
    pub(crate) fn switch_off(&self, server: KeyServerId, error: KeyServerError) {
        self.state().away.insert(server, error);
    }

    /// From now on this server answers nothing at all.
    pub(crate) fn hang(&self, server: KeyServerId) {
        self.state().hanging.insert(server);
    }

    /// The server answers again.
    pub(crate) fn switch_on(&self, server: KeyServerId) {
        self.state().hanging.remove(&server);
        self.state().away.remove(&server);
    }

    /// Makes the next `count` calls of this kind fail.
    pub(crate) fn fail(&self, call: Call, timing: FaultTiming, count: u32, error: KeyServerError) {
        self.state().faults.push((call, timing, count, error));
    }

    /// The keys that the server holds.
    #[must_use]
    pub(crate) fn keys(&self, server: KeyServerId) -> BTreeSet<KeyId> {
        let state = self.state();
        state.keys.keys().filter(|(s, _)| *s == server).map(|(_, key)| *key).collect()
    }

    /// Every key that the server ever made, in order.
    #[must_use]
    pub(crate) fn made(&self, server: KeyServerId) -> Vec<KeyId> {
        let state = self.state();
        state.made.iter().filter(|(s, _)| *s == server).map(|(_, key)| *key).collect()
    }

    /// The bytes of a key, to prove that they are nowhere else.
    #[must_use]
    pub(crate) fn bytes(&self, server: KeyServerId, key_id: KeyId) -> Option<[u8; MASTER_KEY_LEN]> {
        self.state().keys.get(&(server, key_id)).copied()
    }

    /// Adds a key, as a restored backup does.
    pub(crate) fn put(&self, server: KeyServerId, key_id: KeyId, bytes: [u8; MASTER_KEY_LEN]) {
        self.state().keys.insert((server, key_id), bytes);
    }

    /// Removes a key, as the restore of an old backup does.
    pub(crate) fn lose(&self, server: KeyServerId, key_id: KeyId) {
        self.state().keys.remove(&(server, key_id));
    }

    /// The nodes that made this call, in order.
    #[must_use]
    pub(crate) fn callers(&self, call: Call) -> Vec<NodeId> {
        let state = self.state();
        state.calls.iter().filter(|(v, ..)| *v == call).map(|(_, node, _)| *node).collect()
    }

    fn state(&self) -> MutexGuard<'_, ServerState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn call<T>(
        &self,
        call: Call,
        provider: &KeyProviderAccess,
        act: impl FnOnce(&mut ServerState, KeyServerId) -> Result<T, KeyServerError>,
    ) -> Result<T, KeyServerError> {
        let server = provider.servers.first().map(|server| server.key_server_id);
        let server = server.ok_or_else(|| KeyServerError::server("no key server was named"))?;
        self.state().calls.push((call, provider.node_id, server));
        let hangs = self.state().hanging.contains(&server);
        if hangs {
            std::future::pending::<()>().await;
        }
        let mut state = self.state();
        if let Some(error) = state.away.get(&server) {
            return Err(error.clone());
        }
        state.inject(call, FaultTiming::Before)?;
        let answer = act(&mut state, server)?;
        state.inject(call, FaultTiming::After)?;
        Ok(answer)
    }
}

impl ServerState {
    fn inject(&mut self, call: Call, timing: FaultTiming) -> Result<(), KeyServerError> {
        let due =
            self.faults.iter_mut().find(|(v, w, left, _)| *v == call && *w == timing && *left > 0);
        match due {
            Some((_, _, left, error)) => {
                *left = left.saturating_sub(1);
                Err(error.clone())
            }
            None => Ok(()),
        }
    }
}

impl KeyServerClient for InMemoryKeyServers {
    fn test<'a>(&'a self, provider: &'a KeyProviderAccess) -> KeyServerFuture<'a, ()> {
        Box::pin(async move { self.call(Call::Test, provider, |_, _| Ok(())).await })
    }

    fn ensure<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        key_id: KeyId,
    ) -> KeyServerFuture<'a, ()> {
        Box::pin(async move {
            self.call(Call::Ensure, provider, |state, server| {
                if let Entry::Vacant(vacant) = state.keys.entry((server, key_id)) {
                    let mut bytes = [0; MASTER_KEY_LEN];
                    aead::random(&mut bytes).map_err(|e| KeyServerError::server(e.to_string()))?;
                    vacant.insert(bytes);
                    state.made.push((server, key_id));
                }
                Ok(())
            })
            .await
        })
    }

    fn fetch<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        key_id: KeyId,
    ) -> KeyServerFuture<'a, MasterKey> {
        Box::pin(async move {
            self.call(Call::Fetch, provider, |state, server| {
                let bytes = state.keys.get(&(server, key_id));
                let key = bytes.and_then(|bytes| MasterKey::from_bytes(bytes));
                key.ok_or_else(|| {
                    KeyServerError::server(format!("master key {key_id} is not there"))
                })
            })
            .await
        })
    }

    fn destroy<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        key: &'a RetiredKey,
    ) -> KeyServerFuture<'a, ()> {
        Box::pin(async move {
            self.call(Call::Destroy, provider, |state, server| {
                state.keys.remove(&(server, key.key_id()));
                Ok(())
            })
            .await
        })
    }
}
