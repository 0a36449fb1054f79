//! How the server learns that the store has stopped, so that it can leave instead of refusing all.

use tokio::sync::watch;

use super::error::StoreError;

/// Tells whether a store has stopped.
#[derive(Clone, Debug)]
pub struct FailureWatch(watch::Receiver<Option<StoreError>>);

/// The store's end of it: each of its threads has one.
#[derive(Clone)]
pub(crate) struct FailureSignal(watch::Sender<Option<StoreError>>);

/// A new pair. A store that cannot stop keeps or drops its end: it is never raised.
pub(crate) fn watched() -> (FailureSignal, FailureWatch) {
    let (alarm, health) = watch::channel(None);
    (FailureSignal(alarm), FailureWatch(health))
}

impl FailureSignal {
    /// The store has stopped; the first cause is the one that is told.
    pub(crate) fn raise(&self, cause: &StoreError) {
        self.0.send_if_modified(|stopped| {
            let first = stopped.is_none();
            if first {
                tracing::error!(%cause, "the store has stopped");
                *stopped = Some(cause.clone());
            }
            first
        });
    }
}

impl Drop for FailureSignal {
    /// A panic of the engine's code on the store's thread is a failed write like any other.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.raise(&StoreError::Stopped("its thread panicked".to_owned()));
        }
    }
}

impl FailureWatch {
    /// An error if the store has stopped.
    pub fn check(&self) -> Result<(), StoreError> {
        self.0.borrow().clone().map_or(Ok(()), Err)
    }

    /// Waits until the store stops, which is never for a sound one, and tells why it did.
    pub async fn stopped(&mut self) -> StoreError {
        loop {
            if let Err(cause) = self.check() {
                return cause;
            }
            if self.0.changed().await.is_err() {
                // The store was closed in good order: nothing more can happen to it.
                match self.check() {
                    Ok(()) => std::future::pending::<()>().await,
                    Err(cause) => return cause,
                }
            }
        }
    }
}
