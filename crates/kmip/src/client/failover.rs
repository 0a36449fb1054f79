//! The client: sends a message to the first of its servers that answers.

use std::fmt;
use std::sync::Arc;

use super::error::Error;
use super::response_check;
use super::server::Server;
use super::settings::Settings;
use crate::message::{RequestBatchItem, RequestHeader, RequestMessage, ResponseBatchItem};
use crate::payload::Request;
use crate::version::Version;
use crate::vocabulary::BatchErrorContinuationOption;

/// A client of one or more key servers that hold the same keys. A clone is the same client.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    servers: Vec<Server>,
}

/// How a batch is to be done (1.4, 6.13 and 6.14; 2.1, 9.5 and 9.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchOptions {
    /// What becomes of the rest when an item fails; to stop there, when absent.
    pub continuation: Option<BatchErrorContinuationOption>,
    /// Whether each item waits for the one before it.
    pub in_order: bool,
}

impl Default for BatchOptions {
    /// One after another, and none after the first that fails.
    fn default() -> Self {
        Self { continuation: None, in_order: true }
    }
}

impl Client {
    /// A client of these servers, in the order in which they are tried.
    pub(super) fn new(settings: Settings, servers: Vec<Server>) -> Self {
        Self { inner: Arc::new(Inner { settings, servers }) }
    }

    /// Asks for one thing, and waits for it.
    pub async fn request<R: Request>(&self, request: R) -> Result<R::Response, Error> {
        let mut message = message(vec![RequestBatchItem::from(request)], BatchOptions::default());
        let (server, items) = self.send(&mut message).await?;
        response_check::payload::<R>(server.address(), items)
    }

    /// Asks for several things in one message. The answers stand in the order of the items, and
    /// there are fewer when one failed and the rest was not tried. An item that failed is no
    /// error here: its `result_status` says so.
    pub async fn batch(
        &self,
        items: Vec<RequestBatchItem>,
        options: BatchOptions,
    ) -> Result<Vec<ResponseBatchItem>, Error> {
        if items.is_empty() {
            return Ok(Vec::new());
        }
        let mut message = message(items, options);
        self.send(&mut message).await.map(|(_, items)| items)
    }

    /// The version that is spoken with the first server that can be used.
    pub async fn version(&self) -> Result<Version, Error> {
        let mut tried = Vec::new();
        for server in self.in_order() {
            match server.version(&self.inner.settings).await {
                Ok(version) => return Ok(version),
                Err(error) => tried.push(error),
            }
        }
        Err(Error::from_attempts(tried))
    }

    /// The addresses of the servers, in the order in which they were given.
    pub fn servers(&self) -> impl Iterator<Item = &str> {
        self.inner.servers.iter().map(Server::address)
    }

    /// Asks one server after another until one has answered.
    async fn send(
        &self,
        message: &mut RequestMessage,
    ) -> Result<(&Server, Vec<ResponseBatchItem>), Error> {
        let mut tried = Vec::new();
        for server in self.in_order() {
            match server.send(&self.inner.settings, message).await {
                Ok(items) => return Ok((server, items)),
                Err(error) if error.is_final() => return Err(error),
                Err(error) => tried.push(error),
            }
        }
        Err(Error::from_attempts(tried))
    }

    /// The servers in their order, those that are set aside after the others.
    fn in_order(&self) -> Vec<&Server> {
        let mut servers: Vec<&Server> = self.inner.servers.iter().collect();
        servers.sort_by_cached_key(|server| server.is_backing_off());
        servers
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.servers()).finish()
    }
}

/// A message of these items; its version is set when it is known to whom it goes.
fn message(mut items: Vec<RequestBatchItem>, options: BatchOptions) -> RequestMessage {
    let count = i32::try_from(items.len()).unwrap_or(i32::MAX);
    let mut header = RequestHeader::new(Version::V1_0, count);
    if items.len() > 1 {
        header.batch_error_continuation_option = options.continuation;
        header.batch_order_option = Some(options.in_order);
        // Several items have names (1.4, 6.4), by which the answers are told apart.
        for (number, item) in (0_u32..).zip(&mut items) {
            item.unique_batch_item_id.get_or_insert_with(|| number.to_be_bytes().to_vec());
        }
    }
    RequestMessage { header, items }
}
