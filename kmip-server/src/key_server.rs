//! A whole message in, a whole message out.
//!
//! Knows no socket and no TLS. What it answers is durable before it returns.

use std::sync::Arc;

use zeroize::Zeroizing;

pub use crate::identity::Client;
use crate::store::Store;

/// The key server behind every door.
pub struct KeyServer {
    #[allow(dead_code, reason = "until the batch room stands")]
    store: Arc<dyn Store>,
}

impl KeyServer {
    /// Serves the objects in `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// Answers one whole request message with one whole response message.
    pub async fn answer(&self, _client: &Client, _frame: &[u8]) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(Vec::new())
    }

    /// The answer to bytes that are no message, or too long a one: a failed batch item with
    /// Invalid Message and `why`.
    pub fn refuse(&self, _why: &str) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(Vec::new())
    }
}
