//! Requests of one connection that are not answered yet, in their order.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::engine::Exchange;

/// Requests that wait for their response.
#[derive(Default)]
pub(super) struct ExchangeQueue {
    waiting: Mutex<VecDeque<Exchange>>,
    added: Notify,
}

impl ExchangeQueue {
    pub(super) fn push(&self, exchange: Exchange) {
        self.waiting().push_back(exchange);
        self.added.notify_one();
    }

    /// The next one, if the server is not asked for it.
    pub(super) fn pop_made_up(&self) -> Option<Exchange> {
        self.waiting().pop_front_if(|exchange| !exchange.is_forwarded)
    }

    /// The next one, which the server has answered.
    pub(super) fn pop(&self) -> Option<Exchange> {
        self.waiting().pop_front()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting().is_empty()
    }

    /// Waits until one is added.
    pub(super) async fn added(&self) {
        self.added.notified().await;
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Exchange>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
