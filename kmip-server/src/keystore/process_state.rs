//! What lives as long as the process and stands in no store: streams under way, requests that are
//! answered later, tickets, and what the settings allow.
//!
//! ```text
//! operation -> effects -> (the batch is durable) -> live
//!     |                                              |
//!     +------------------- reads --------------------+
//! ```
//!
//! A batch may be done again after a conflict, and it may be undone. So **an operation only reads
//! what lives here; what it wants changed is an effect**, carried out once the batch is durable,
//! and dropped with an item that fails. What must survive the process never stands here.

use std::sync::{Arc, Mutex, PoisonError};

use crate::auth::client::ClientAuthorities;
use crate::auth::tickets::Tickets;
use crate::config::push_targets::PushTargets;
use crate::crypto::pkcs11::Module;
use crate::crypto::random::Pool;
use crate::crypto::x509::authority::Authority;
use crate::keystore::async_requests::AsyncRequests;
use crate::keystore::notifications::NotificationQueues;
use crate::keystore::processor_pool::ProcessorPool;
use crate::keystore::streaming::{Advances, Streams};
use crate::store::CheckWatch;

/// What lives beside the store.
#[derive(Default)]
pub(crate) struct ProcessState {
    /// The PKCS#11 module, where the server has one.
    pub pkcs11: Option<Arc<Module>>,
    /// The authority that certifies public keys, where the server has one.
    pub authority: Option<Arc<Authority>>,
    /// The authorities whose clients may connect.
    pub client_authorities: Option<Arc<dyn ClientAuthorities>>,
    /// What the last check of the store gave, where there is one.
    pub last_check: Option<CheckWatch>,
    /// What changes of the objects of clients that are told.
    pub notifications: Arc<NotificationQueues>,
    /// The clients that are told without having asked.
    pub push_targets: PushTargets,
    /// Requests that are answered later, and their results.
    pub async_requests: AsyncRequests,
    /// Processor time for slow work.
    pub processor: Arc<ProcessorPool>,
    /// The tickets that are good.
    pub tickets: Tickets,
    /// Cryptographic operations in parts.
    pub streams: Streams,
    /// What clients have added to the making of random bytes.
    pub pool: Mutex<Pool>,
}

impl ProcessState {
    /// A copy of what clients have added to the making of random bytes.
    pub(crate) fn pool(&self) -> Pool {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds a client's bytes to it.
    pub(crate) fn stir(&self, seed: &[u8]) {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = pool.stir(seed) {
            tracing::error!(%error, "a seed was not used");
        }
    }
}

/// A change of what lives, to be made once the batch is durable.
pub(crate) type Effect = Box<dyn FnOnce(&ProcessState) + Send + Sync>;

/// The effects of a batch so far, those of the item under way apart.
#[derive(Default)]
pub(crate) struct Effects {
    batch: Vec<Effect>,
    item: Vec<Effect>,
    /// How far the batch has brought the streams of its client.
    pub streams: Advances,
}

impl Effects {
    /// Does this once the batch is durable, if the item does not fail.
    pub(crate) fn then(&mut self, effect: impl FnOnce(&ProcessState) + Send + Sync + 'static) {
        self.item.push(Box::new(effect));
    }

    /// The item under way is done: its effects are the batch's.
    pub(crate) fn keep_item(&mut self) {
        self.batch.append(&mut self.item);
        self.streams.keep_item();
    }

    /// The item under way failed: it has no effect.
    pub(crate) fn drop_item(&mut self) {
        self.item.clear();
        self.streams.drop_item();
    }

    /// The effects of the whole batch, in order.
    pub(crate) fn into_batch(self) -> Vec<Effect> {
        let Self { mut batch, streams, .. } = self;
        if !streams.is_empty() {
            batch.push(Box::new(move |live| streams.carry_out(&live.streams)));
        }
        batch
    }
}
