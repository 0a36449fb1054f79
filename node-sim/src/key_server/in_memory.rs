//! Key servers in memory, for tests: they can be switched off, made to fail, and made to lie. Their
//! keys outlive the cluster that uses them. A key server has the first host of its access only.

use super::object_inventory::{ListedObject, ObjectInventory};
use super::{
    Destruction, DigestProof, FetchedKey, HostReport, KeyProviderAccess, KeyServerAccess,
    KeyServerClient, KeyServerError, KeyServerFuture, ShownKey, SurveyFuture,
};
use crate::crypto::aead;
use crate::crypto::master_key::{MASTER_KEY_LEN, MasterKey};
use crate::state::key_ring::{KeyId, KeyOrigin, KnownKey, NodeId, RetiredKey};
use crate::state::key_server_registry::KeyServerId;
use kmip::vocabulary::State;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Call of [`KeyServerClient`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Call {
    /// [`KeyServerClient::test`] and [`KeyServerClient::choose_host`].
    Test,
    /// [`KeyServerClient::ensure`].
    Ensure,
    /// [`KeyServerClient::fetch`].
    Fetch,
    /// [`KeyServerClient::destroy`].
    Destroy,
    /// [`KeyServerClient::survey`].
    Survey,
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
    /// Keys that are shown as destroyed.
    destroyed: BTreeSet<(KeyServerId, KeyId)>,
    /// Fetches that answer other bytes: of which node, and how many.
    lies: Vec<(Option<NodeId>, u32)>,
    without_digest: BTreeSet<KeyServerId>,
    hidden: BTreeSet<KeyServerId>,
    destroys_not_done: u32,
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

    /// Makes the next `count` calls of this kind end with a permanent refusal.
    pub(crate) fn refuse(&self, call: Call, count: u32, message: &str) {
        let error = KeyServerError { permanent: true, ..KeyServerError::server(message) };
        self.fail(call, FaultTiming::Before, count, error);
    }

    /// Makes the next `count` fetches of this node, or of any, answer random bytes.
    pub(crate) fn lie(&self, node: Option<NodeId>, count: u32) {
        self.state().lies.push((node, count));
    }

    /// From now on the server keeps no Digest, so that a lie is not found out by it.
    pub(crate) fn no_digest(&self, server: KeyServerId) {
        self.state().without_digest.insert(server);
    }

    /// From now on the server does not show its keys, living or destroyed.
    pub(crate) fn hide(&self, server: KeyServerId) {
        self.state().hidden.insert(server);
    }

    /// The server shows its keys again.
    pub(crate) fn show(&self, server: KeyServerId) {
        self.state().hidden.remove(&server);
    }

    /// Makes the next `count` destructions answer success and not be done.
    pub(crate) fn do_not_destroy(&self, count: u32) {
        self.state().destroys_not_done = count;
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
        let server = first_server(provider)?.key_server_id;
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

    /// Counts down what is left to be done wrong for this node.
    fn lies_to(&mut self, node: NodeId) -> bool {
        let due =
            |(of, left): &&mut (Option<NodeId>, u32)| of.is_none_or(|of| of == node) && *left > 0;
        let due = self.lies.iter_mut().find(due);
        due.map(|(_, left)| *left = left.saturating_sub(1)).is_some()
    }

    fn fetch(
        &mut self,
        node: NodeId,
        server: KeyServerId,
        key_id: KeyId,
        known: &KnownKey,
    ) -> Result<(MasterKey, DigestProof), KeyServerError> {
        let key = self.shown(server, key_id);
        let absent = || KeyServerError::server(format!("master key {key_id} is not there"));
        let mut key = key.ok_or_else(absent)?;
        let has_digest = !self.without_digest.contains(&server);
        if self.lies_to(node) {
            if has_digest {
                return Err(KeyServerError::server("answered other bytes than its own Digest"));
            }
            key = random_key()?;
        }
        if known.check.as_ref().is_some_and(|check| *check != key.check_value(key_id)) {
            return Err(KeyServerError::server(format!("gives another key for {key_id}")));
        }
        Ok((key, if has_digest { DigestProof::Matches } else { DigestProof::NotGiven }))
    }

    fn destroy(
        &mut self,
        server: KeyServerId,
        key: &RetiredKey,
    ) -> Result<Destruction, KeyServerError> {
        let key_id = key.key_id();
        let Some(living) = self.shown(server, key_id) else {
            let hidden = self.hidden.contains(&server);
            if !hidden && self.destroyed.contains(&(server, key_id)) {
                return Ok(Destruction::Confirmed);
            }
            let reason = format!("key server {server} does not show master key {key_id}");
            return Ok(Destruction::NotConfirmed { reason, origin_asked: true });
        };
        if key.check().is_some_and(|check| check != living.check_value(key_id)) {
            return Err(KeyServerError::server(format!("holds another key named {key_id}")));
        }
        if self.destroys_not_done > 0 {
            self.destroys_not_done = self.destroys_not_done.saturating_sub(1);
            return Err(KeyServerError::server("answered Destroy with success and did not"));
        }
        self.keys.remove(&(server, key_id));
        self.destroyed.insert((server, key_id));
        Ok(Destruction::Confirmed)
    }

    /// The living key, if the server shows it.
    fn shown(&self, server: KeyServerId, key_id: KeyId) -> Option<MasterKey> {
        let bytes = self.keys.get(&(server, key_id)).filter(|_| !self.hidden.contains(&server));
        bytes.and_then(|bytes| MasterKey::from_bytes(bytes))
    }
}

fn first_server(provider: &KeyProviderAccess) -> Result<&KeyServerAccess, KeyServerError> {
    provider.servers.first().ok_or_else(|| KeyServerError::server("no key server was named"))
}

fn first_host(provider: &KeyProviderAccess) -> Result<String, KeyServerError> {
    let host = first_server(provider)?.hosts().next();
    host.ok_or_else(|| KeyServerError::server("no host was named"))
}

fn random_key() -> Result<MasterKey, KeyServerError> {
    let mut bytes = [0; MASTER_KEY_LEN];
    aead::random(&mut bytes).map_err(|error| KeyServerError::server(error.to_string()))?;
    MasterKey::from_bytes(&bytes).ok_or_else(|| KeyServerError::server("not a master key"))
}

/// The Unique Identifier that a server gives a key.
fn identifier(key_id: KeyId) -> String {
    format!("object-{key_id}")
}

impl KeyServerClient for InMemoryKeyServers {
    fn test<'a>(&'a self, provider: &'a KeyProviderAccess) -> KeyServerFuture<'a, ()> {
        Box::pin(async move { self.call(Call::Test, provider, |_, _| Ok(())).await })
    }

    fn choose_host<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
    ) -> KeyServerFuture<'a, KeyOrigin> {
        let origin = |_: &mut ServerState, _| Ok(provider.origin(first_host(provider)?));
        Box::pin(async move { self.call(Call::Test, provider, origin).await })
    }

    fn ensure<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        origin: &'a KeyOrigin,
        key_id: KeyId,
    ) -> KeyServerFuture<'a, ()> {
        Box::pin(async move {
            self.call(Call::Ensure, provider, |state, server| {
                let lost = |_| KeyServerError::server(format!("{origin:?} is not a host"));
                provider.server_of(origin).map_err(lost)?;
                if let Entry::Vacant(vacant) = state.keys.entry((server, key_id)) {
                    vacant.insert(*random_key()?.bytes());
                    state.made.push((server, key_id));
                }
                let absent = || KeyServerError {
                    key_exists: true,
                    ..KeyServerError::server("does not show the key that it created")
                };
                state.shown(server, key_id).map(drop).ok_or_else(absent)
            })
            .await
        })
    }

    fn fetch<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        key_id: KeyId,
        known: &'a KnownKey,
    ) -> KeyServerFuture<'a, FetchedKey> {
        Box::pin(async move {
            self.call(Call::Fetch, provider, |state, server| {
                let host = first_host(provider)?;
                let (key, digest) = state.fetch(provider.node_id, server, key_id, known)?;
                Ok(FetchedKey { key, host, identifier: identifier(key_id), digest })
            })
            .await
        })
    }

    fn destroy<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        key: &'a RetiredKey,
    ) -> KeyServerFuture<'a, Destruction> {
        Box::pin(async move {
            self.call(Call::Destroy, provider, |state, server| state.destroy(server, key)).await
        })
    }

    fn survey<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        key_id: KeyId,
        _: Option<&'a str>,
    ) -> SurveyFuture<'a> {
        Box::pin(async move {
            let shown = self
                .call(Call::Survey, provider, |state, server| {
                    let as_state = |state| ShownKey { identifier: identifier(key_id), state };
                    let hidden = state.hidden.contains(&server);
                    let destroyed = state.destroyed.contains(&(server, key_id));
                    Ok(match state.shown(server, key_id) {
                        Some(_) => Some(as_state(State::Active)),
                        None if destroyed && !hidden => Some(as_state(State::Destroyed)),
                        None => None,
                    })
                })
                .await;
            let report = |access: &KeyServerAccess| HostReport {
                key_server_id: access.key_server_id,
                host: access.hosts().next().unwrap_or_default(),
                shown,
            };
            provider.servers.first().map(report).into_iter().collect()
        })
    }

    fn inventory<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
    ) -> KeyServerFuture<'a, ObjectInventory> {
        Box::pin(async move {
            self.call(Call::Survey, provider, |state, server| {
                let keys = state.keys.keys().filter(|(of, _)| *of == server);
                let object = |(_, key_id): &(_, KeyId)| ListedObject {
                    unique_identifier: identifier(*key_id),
                    object_type: Some("SymmetricKey".to_owned()),
                    state: Some("Active".to_owned()),
                    custom: BTreeMap::from([(key_id.attribute_name(), String::new())]),
                    ..ListedObject::default()
                };
                let objects = keys.map(object).collect();
                Ok(ObjectInventory { objects, truncated: false })
            })
            .await
        })
    }

    fn destroy_object<'a>(
        &'a self,
        provider: &'a KeyProviderAccess,
        unique_identifier: &'a str,
    ) -> KeyServerFuture<'a, ()> {
        Box::pin(async move {
            self.call(Call::Destroy, provider, |state, server| {
                let mut keys = state.keys.keys().filter(|(of, _)| *of == server);
                let found = keys.find(|(_, key_id)| identifier(*key_id) == unique_identifier);
                let key = found.copied();
                let key = key.ok_or_else(|| KeyServerError::server("object not found"))?;
                state.keys.remove(&key);
                state.destroyed.insert(key);
                Ok(())
            })
            .await
        })
    }
}

#[cfg(test)]
mod tests;
