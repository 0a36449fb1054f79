//! Check of all rows while the store is in use, without a pause for writes.
//!
//! ```text
//! checker     page after page: elements of its rows are added up, as last made durable
//! committer   a group changes rows that were counted already: their elements change in the sum
//! last page   count and sum are those of the head, or rows were lost
//! ```
//!
//! A store that has lost rows reads on, but answers nothing from an absence: a key that is not
//! there is an error, "damaged", and so are scans and commits.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;

use super::engine::EngineError;
use super::integrity::Integrity;
use super::view::{CheckStep, View};

/// Share of its time that a check pauses: nine parts of ten.
const PAUSE: u32 = 9;

/// Last check of all rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastCheck {
    /// Its end.
    pub at: SystemTime,
    /// What it gave.
    pub result: CheckResult,
}

/// Result of a check of all rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckResult {
    /// All are there.
    Whole,
    /// Some are not.
    Incomplete(String),
    /// They could not all be read.
    Unfinished(String),
}

/// Tells what the last check of all rows gave.
#[derive(Clone, Debug)]
pub struct CheckWatch(watch::Receiver<LastCheck>);

impl CheckWatch {
    /// Returns the last check; the first one is that of the start.
    pub fn last(&self) -> LastCheck {
        self.0.borrow().clone()
    }
}

/// The store's end of a [`CheckWatch`].
#[derive(Debug)]
pub(crate) struct CheckSignal(watch::Sender<LastCheck>);

impl CheckSignal {
    /// Returns a new pair, for rows that have just been found whole.
    pub(crate) fn new() -> (Self, CheckWatch) {
        let (sender, receiver) =
            watch::channel(LastCheck { at: SystemTime::now(), result: CheckResult::Whole });
        (Self(sender), CheckWatch(receiver))
    }

    fn report(&self, result: CheckResult) {
        self.0.send_replace(LastCheck { at: SystemTime::now(), result });
    }
}

/// The thread that checks.
pub(crate) struct Checker {
    pub(crate) view: Arc<View>,
    pub(crate) integrity: Arc<Integrity>,
    pub(crate) signal: CheckSignal,
    /// Time between two checks.
    pub(crate) interval: Duration,
    /// Closed when the store is dropped.
    pub(crate) stop: Receiver<()>,
}

impl Checker {
    /// Checks again and again until the store is dropped, or a check finds that rows are missing.
    pub(crate) fn run(self) {
        while self.waits(self.interval) {
            match self.check() {
                Ok(Some(problem)) => {
                    tracing::error!(%problem, "the store has lost records: writes are refused");
                    self.view.set_incomplete(&problem);
                    self.signal.report(CheckResult::Incomplete(problem));
                    return;
                }
                Ok(None) => {}
                Err(why) => {
                    tracing::error!(%why, "the check of all rows could not be finished");
                    self.signal.report(CheckResult::Unfinished(why.to_string()));
                }
            }
        }
    }

    /// Waits, and tells whether the store is still in use.
    fn waits(&self, time: Duration) -> bool {
        matches!(self.stop.recv_timeout(time), Err(RecvTimeoutError::Timeout))
    }

    /// Checks all rows once. Returns what is missing.
    fn check(&self) -> Result<Option<String>, EngineError> {
        let begun = Instant::now();
        self.view.begin_check();
        loop {
            let page = Instant::now();
            match self.view.check_page(&self.integrity) {
                Ok(CheckStep::More) => {}
                Ok(CheckStep::Whole(head)) => {
                    let seconds = begun.elapsed().as_secs();
                    tracing::info!(head.group, rows = head.count, seconds, "all rows are there");
                    self.signal.report(CheckResult::Whole);
                    return Ok(None);
                }
                Ok(CheckStep::Incomplete(report)) => return Ok(Some(report)),
                // The engine was opened again: the rows are compared then.
                Ok(CheckStep::Interrupted) => return Ok(None),
                Err(error @ EngineError::Corrupt(_)) => return Ok(Some(error.to_string())),
                Err(error @ (EngineError::NoSpace(_) | EngineError::Io(_))) => return Err(error),
            }
            if !self.waits(page.elapsed().saturating_mul(PAUSE)) {
                return Ok(None);
            }
        }
    }
}

#[cfg(test)]
mod tests;
