//! Bytes that are held for clients: requests that come in, and answers that are not taken yet.
//!
//! ```text
//! what one client holds <= held-bytes-per-client-max        what all hold <= held-bytes-max
//! ```
//!
//! A length is held before its memory is taken, and let go with it. Short messages are not counted:
//! the number of connections bounds them.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use kmip::vocabulary::ResultReason;

use crate::objects::error::{OperationError, Result};
use crate::secret::SecretBuffer;

/// The longest message that is not counted.
pub(crate) const UNCOUNTED: usize = 4096;

/// Why a message is refused for its length and those beside it.
pub(crate) const TOO_MUCH_HELD: &str = "requests and answers of this client that are under way are \
    too long together (held-bytes-per-client-max, held-bytes-max): read the answers first";

/// The refusal of what would be held besides.
pub(crate) fn too_much_held() -> OperationError {
    OperationError::new(ResultReason::ServerLimitExceeded, TOO_MUCH_HELD)
}

/// Bytes that are held for all clients.
pub(crate) struct HeldBytes {
    all: Arc<Counter>,
    per_client_max: usize,
    clients: Mutex<HashMap<String, Weak<ClientBytes>>>,
}

/// Bytes that are held for one client.
#[derive(Debug)]
pub(crate) struct ClientBytes {
    own: Counter,
    all: Arc<Counter>,
}

/// So many bytes of a client; let go when dropped.
#[derive(Debug)]
pub(crate) struct Held {
    client: Arc<ClientBytes>,
    len: usize,
}

#[derive(Debug)]
struct Counter {
    max: usize,
    held: AtomicUsize,
}

impl Counter {
    fn add(&self, len: usize) -> bool {
        let add = |held: usize| held.checked_add(len).filter(|sum| *sum <= self.max);
        self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok()
    }

    fn sub(&self, len: usize) {
        self.held.fetch_sub(len, Ordering::Relaxed);
    }
}

impl HeldBytes {
    pub(crate) fn new(all_max: usize, per_client_max: usize) -> Self {
        let all = Arc::new(Counter { max: all_max, held: AtomicUsize::new(0) });
        Self { all, per_client_max, clients: Mutex::default() }
    }

    /// What is held for this client, on all of its connections.
    pub(crate) fn of(&self, owner: &str) -> Arc<ClientBytes> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(owner).and_then(Weak::upgrade) {
            return client;
        }
        // Clients that have gone, as often as one comes.
        clients.retain(|_, client| client.strong_count() > 0);
        let own = Counter { max: self.per_client_max, held: AtomicUsize::new(0) };
        let client = Arc::new(ClientBytes { own, all: Arc::clone(&self.all) });
        clients.insert(owner.to_owned(), Arc::downgrade(&client));
        client
    }
}

impl ClientBytes {
    /// Holds so many bytes; none if the client, or all clients, would hold too many.
    pub(crate) fn hold(self: &Arc<Self>, len: usize) -> Option<Held> {
        let len = if len <= UNCOUNTED { 0 } else { len };
        let mut held = Held { client: Arc::clone(self), len: 0 };
        held.grow_to(len).then_some(held)
    }
}

impl Held {
    /// Holds so many bytes in the place of those that it holds; false if that is too many.
    pub(crate) fn grow_to(&mut self, len: usize) -> bool {
        let more = len.saturating_sub(self.len);
        if !self.client.own.add(more) {
            return false;
        }
        if !self.client.all.add(more) {
            self.client.own.sub(more);
            return false;
        }
        self.len = self.len.max(len);
        true
    }
}

/// Holds what an answer has grown to while it is made, where its client has a share. A short one is
/// not counted.
pub(crate) fn hold_answer(held: &mut Option<Held>, len: usize) -> Result<()> {
    let is_counted = len > UNCOUNTED;
    match held.as_mut().is_none_or(|held| !is_counted || held.grow_to(len)) {
        true => Ok(()),
        false => Err(too_much_held()),
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.client.own.sub(self.len);
        self.client.all.sub(self.len);
    }
}

/// What something of a client holds that grows while copies of it are made, a message in parts.
#[derive(Debug)]
pub(crate) struct SharedHeld(Mutex<Option<Held>>);

impl SharedHeld {
    /// Holds nothing yet; never anything, where the client has no share.
    pub(crate) fn of(client: Option<&Arc<ClientBytes>>) -> Self {
        Self(Mutex::new(client.and_then(|client| client.hold(0))))
    }

    /// Holds at least so many bytes from now on; false if that is too many.
    pub(crate) fn grow_to(&self, len: usize) -> bool {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_mut().is_none_or(|held| held.grow_to(len))
    }
}

/// A message, and what it holds.
pub struct HeldBuffer {
    bytes: SecretBuffer,
    #[allow(dead_code, reason = "held, not read")]
    held: Option<Held>,
}

impl HeldBuffer {
    pub(crate) fn new(bytes: SecretBuffer, held: Option<Held>) -> Self {
        Self { bytes, held }
    }
}

impl From<SecretBuffer> for HeldBuffer {
    fn from(bytes: SecretBuffer) -> Self {
        Self::new(bytes, None)
    }
}

impl Deref for HeldBuffer {
    type Target = SecretBuffer;

    fn deref(&self) -> &SecretBuffer {
        &self.bytes
    }
}

impl AsRef<[u8]> for HeldBuffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::{HeldBytes, UNCOUNTED};

    const MIB: usize = 1 << 20;

    #[test]
    fn a_client_and_all_clients_hold_so_much_and_no_more() {
        let bytes = HeldBytes::new(5 * MIB, 3 * MIB);
        let (alice, bob) = (bytes.of("alice"), bytes.of("bob"));
        let mut first = alice.hold(MIB).unwrap();
        let second = bytes.of("alice").hold(2 * MIB).unwrap();
        assert!(alice.hold(UNCOUNTED + 1).is_none(), "the client's share is used up");
        assert!(alice.hold(UNCOUNTED).is_some(), "short messages are not counted");
        let third = bob.hold(2 * MIB).unwrap();
        assert!(bob.hold(MIB).is_none(), "the share of all is used up");
        drop(second);
        assert!(first.grow_to(2 * MIB));
        assert!(!first.grow_to(4 * MIB));
        drop((first, third));
        let whole = bytes.of("bob").hold(3 * MIB).unwrap();
        drop((whole, alice, bob));
        drop(bytes.of("carol"));
        assert_eq!(bytes.clients.lock().unwrap().len(), 1, "clients that are gone are forgotten");
    }
}
