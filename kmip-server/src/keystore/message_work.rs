//! Work of one message: where its slow items are done, how much of the processor it may take, and
//! whether its client is still there.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kmip::vocabulary::ResultReason;
use tokio::sync::watch;

use crate::keystore::processor_pool::{Permit, ProcessorPool, nanoseconds};
use crate::objects::error::{OperationError, Result};

/// Processor time of one message, over all of its items and attempts.
pub(crate) struct MessageWork {
    /// Nanoseconds that are left.
    left: AtomicU64,
    /// Becomes true when the client is gone.
    departed: Option<watch::Receiver<bool>>,
    /// Is it so long that what its items hold may be slow to look through?
    is_long: bool,
}

/// From how many bytes on a request is long.
const LONG_LEN: usize = 16 * 1024;

impl MessageWork {
    /// Work of a message of `len` bytes that may take so long.
    pub(crate) fn new(
        budget: Duration,
        departed: Option<watch::Receiver<bool>>,
        len: usize,
    ) -> Self {
        let left = AtomicU64::new(nanoseconds(budget));
        Self { left, departed, is_long: len >= LONG_LEN }
    }

    /// Is the message so long that no item of it is quick?
    pub(crate) const fn is_long(&self) -> bool {
        self.is_long
    }

    /// Goes on, unless nobody is left to answer.
    pub(crate) fn check_client(&self) -> Result<()> {
        match self.departed.as_ref().is_some_and(|departed| *departed.borrow()) {
            false => Ok(()),
            true => Err(gone()),
        }
    }

    fn check_budget(&self, estimate: Duration) -> Result<()> {
        match nanoseconds(estimate) <= self.left.load(Ordering::Relaxed) {
            true => Ok(()),
            false => Err(OperationError::new(
                ResultReason::ServerLimitExceeded,
                "the message takes more processor time than one may (message-work-max-ms): send \
                 each item in a message of its own, or ask for less in one",
            )),
        }
    }

    fn take(&self, taken: Duration) {
        let left = self.left.load(Ordering::Relaxed).saturating_sub(nanoseconds(taken));
        self.left.store(left, Ordering::Relaxed);
    }
}

/// Where the slow work of one message is done, and in whose turn.
#[derive(Clone, Copy)]
pub(crate) struct SlowWork<'a> {
    /// The message.
    pub of: &'a MessageWork,
    /// Where permits come from.
    pub pool: &'a Arc<ProcessorPool>,
    /// The client.
    pub owner: &'a str,
}

impl SlowWork<'_> {
    /// Does work of about `estimate` when it is the client's turn, away from the threads that serve
    /// all clients. Refused if the message has had its time, or the client is gone.
    pub(crate) async fn run<F: Future>(self, estimate: Duration, work: F) -> Result<F::Output> {
        // So that the watch on the connection is polled, however many items there are.
        tokio::task::yield_now().await;
        self.of.check_client()?;
        self.of.check_budget(estimate)?;
        let permit = self.permit(estimate).await?;
        let done = permit.run(work).await;
        self.of.take(permit.held());
        Ok(done)
    }

    async fn permit(self, estimate: Duration) -> Result<Permit> {
        let permit = self.pool.acquire(self.owner, estimate);
        let Some(departed) = &self.of.departed else { return Ok(permit.await) };
        let mut departed = departed.clone();
        tokio::select! {
            biased;
            permit = permit => Ok(permit),
            Ok(_) = departed.wait_for(|is_gone| *is_gone) => Err(gone()),
        }
    }
}

fn gone() -> OperationError {
    OperationError::new(
        ResultReason::OperationCanceledByRequester,
        "the client has closed its connection, and nothing was done",
    )
}
