//! One key server: its version, its idle connections, and its back-off.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::connection::{Connection, Failure};
use super::endpoint::Endpoint;
use super::error::Error;
use super::idempotency::first_not_idempotent;
use super::negotiate::negotiate;
use super::response_check;
use super::settings::Settings;
use crate::message::{RequestMessage, ResponseBatchItem};
use crate::version::Version;
use crate::vocabulary::Operation;

/// Back-off after one failure: a restart takes about as long.
pub const BACK_OFF_MIN: Duration = Duration::from_millis(500);

/// Longest back-off: a server that is back is to be used again soon.
pub const BACK_OFF_MAX: Duration = Duration::from_secs(30);

/// One of the servers of a client.
pub(super) struct Server {
    endpoint: Endpoint,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    version: Option<Version>,
    idle: Vec<(Connection, Instant)>,
    /// How often it failed since it last answered.
    failures: u32,
    back_off_until: Option<Instant>,
}

impl Server {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, state: Mutex::default() }
    }

    pub(super) fn address(&self) -> &str {
        self.endpoint.address()
    }

    /// Whether other servers are to be asked before this one.
    pub(super) fn is_backing_off(&self) -> bool {
        self.state().back_off_until.is_some_and(|until| Instant::now() < until)
    }

    /// Sends the message and returns its items, in the order of the request. Remembers whether
    /// the server could be used.
    pub(super) async fn send(
        &self,
        settings: &Settings,
        message: &mut RequestMessage,
    ) -> Result<Vec<ResponseBatchItem>, Error> {
        let result = self.deliver(settings, message).await;
        self.record_outcome(result)
    }

    /// The version that is spoken with the server.
    pub(super) async fn version(&self, settings: &Settings) -> Result<Version, Error> {
        if let Some(version) = self.known_version(settings) {
            return Ok(version);
        }
        let result = self.open(settings).await;
        let (connection, version) = self.record_outcome(result)?;
        self.keep(connection, settings);
        Ok(version)
    }

    /// Opens a connection, and agrees on a version if that was not done before.
    async fn open(&self, settings: &Settings) -> Result<(Connection, Version), Error> {
        if let Some(version) = self.known_version(settings) {
            return Ok((self.endpoint.connect(settings).await?, version));
        }
        let (connection, version) = negotiate(&self.endpoint, settings).await?;
        tracing::debug!(server = %self.address(), %version, "agreed on a KMIP version");
        self.state().version = Some(version);
        Ok((connection, version))
    }

    /// Sends the message on an idle connection, or on a new one if there is none or it is dead.
    async fn deliver(
        &self,
        settings: &Settings,
        message: &mut RequestMessage,
    ) -> Result<Vec<ResponseBatchItem>, Error> {
        let once = first_not_idempotent(message.items.iter().map(|item| &item.payload));
        if let Some((connection, version)) = self.take_idle(settings, once.is_some()).await {
            match self.attempt(connection, version, settings, message).await {
                Err(failure) if failure.dead && (once.is_none() || !failure.maybe_done) => {
                    tracing::debug!(server = %self.address(), "a kept connection was dead");
                }
                result => return result.map_err(|failure| failure.into_error(once)),
            }
        }
        let (connection, version) = self.open(settings).await?;
        let result = self.attempt(connection, version, settings, message).await;
        result.map_err(|failure| failure.into_error(once))
    }

    async fn attempt(
        &self,
        mut connection: Connection,
        version: Version,
        settings: &Settings,
        message: &mut RequestMessage,
    ) -> Result<Vec<ResponseBatchItem>, Failure> {
        if let Some(operation) = first_unsupported(message, version) {
            self.keep(connection, settings);
            let server = self.address().to_owned();
            return Err(Failure::not_done(Error::NotInVersion { server, operation, version }));
        }
        message.header.protocol_version = version;
        message.header.maximum_response_size = i32::try_from(settings.response_len_max).ok();
        let frame = Zeroizing::new(message.encode());
        let bytes = connection.exchange(&frame, settings).await?;
        let (spoken, result) = response_check::read(self.address(), message, &bytes);
        if spoken.is_some_and(|spoken| spoken != version) {
            // It speaks another version than it did: agree anew next time.
            self.forget_version();
        }
        // An answer that cannot be read does not tell whether the request was done.
        let maybe_done = matches!(result, Err(Error::Malformed { .. }));
        if !maybe_done {
            self.keep(connection, settings);
        }
        result.map_err(|error| Failure { error, maybe_done, dead: false })
    }

    /// An idle connection that looks alive, the last used first, and the version to speak on it.
    async fn take_idle(&self, settings: &Settings, recheck: bool) -> Option<(Connection, Version)> {
        let version = self.known_version(settings)?;
        if recheck {
            // A connection that has just ended looks alive until the runtime asks the system,
            // and what may not be sent twice would be lost on it.
            tokio::task::yield_now().await;
        }
        loop {
            let (mut connection, since) = self.state().idle.pop()?;
            if since.elapsed() < settings.idle_limit && connection.is_idle().await {
                return Some((connection, version));
            }
        }
    }

    fn keep(&self, connection: Connection, settings: &Settings) {
        let mut state = self.state();
        state.idle.retain(|(_, since)| since.elapsed() < settings.idle_limit);
        if state.idle.len() < settings.idle_connections_max {
            state.idle.push((connection, Instant::now()));
        }
    }

    fn known_version(&self, settings: &Settings) -> Option<Version> {
        settings.version.or_else(|| self.state().version)
    }

    fn forget_version(&self) {
        self.state().version = None;
    }

    /// Remembers whether the server could be used.
    fn record_outcome<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        let failed = match &result {
            Ok(_) => None,
            Err(Error::OutcomeUnknown { cause, .. }) => Some(cause.as_ref()),
            Err(error) if error.is_final() => None,
            Err(error) => Some(error),
        };
        let mut state = self.state();
        let Some(error) = failed else {
            (state.failures, state.back_off_until) = (0, None);
            drop(state);
            return result;
        };
        let pause = back_off(state.failures);
        state.failures = state.failures.saturating_add(1);
        state.back_off_until = Instant::now().checked_add(pause);
        // It may come back as another one: nothing that was known of it is believed any more.
        state.version = None;
        state.idle.clear();
        drop(state);
        tracing::warn!(server = %self.address(), %error, pause_ms = pause.as_millis(), "set aside");
        result
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Failure {
    /// One after which the request was certainly not done.
    fn not_done(error: Error) -> Self {
        Self { error, maybe_done: false, dead: false }
    }

    /// The caller's error: an unknown outcome if the request may have been done and must not be
    /// done twice. `once` is the operation that must not.
    fn into_error(self, once: Option<Operation>) -> Error {
        match once {
            Some(operation) if self.maybe_done => {
                Error::OutcomeUnknown { operation, cause: Box::new(self.error) }
            }
            _ => self.error,
        }
    }
}

/// Back-off after so many earlier failures: twice as long each time.
fn back_off(failures: u32) -> Duration {
    BACK_OFF_MIN.saturating_mul(2_u32.saturating_pow(failures)).min(BACK_OFF_MAX)
}

/// The first operation that the version does not have.
fn first_unsupported(message: &RequestMessage, version: Version) -> Option<Operation> {
    let mut asked = message.items.iter().map(|item| item.payload.operation());
    asked.find(|operation| operation.row().is_some_and(|row| !row.exists_in(version)))
}

#[cfg(test)]
mod tests {
    use super::{BACK_OFF_MAX, BACK_OFF_MIN, back_off};

    #[test]
    fn the_back_off_doubles_up_to_its_limit() {
        let millis: Vec<u128> = (0..8).map(|failures| back_off(failures).as_millis()).collect();
        assert_eq!(millis, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        assert_eq!((back_off(0), back_off(u32::MAX)), (BACK_OFF_MIN, BACK_OFF_MAX));
    }
}
