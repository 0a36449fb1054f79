//! Puts the rows of a full log into the tree, while the next log is being written.
//!
//! ```text
//! rows of a log, sorted -> tree -> flush -> fdatasync   a piece at a time   -> the log may go
//! ```
//!
//! No piece need be whole: until the last one is on disk the log is kept, and a start after a
//! power cut does all of it again. A row says what it becomes and not how it changes, so doing it
//! twice is doing it once.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

use sled::{Db, IVec};

use super::view::{Rows, View};
use crate::store::StoreError;
use crate::store::health::Alarm;

/// So many bytes go into the tree between two syncs: a start of the engine after a power cut has
/// no more than that to doubt.
const PIECE_LEN: usize = 1 << 20;

/// The thread's own things.
pub(super) struct Settler<S> {
    pub(super) view: Arc<View>,
    pub(super) work: Receiver<Arc<Rows>>,
    pub(super) done: SyncSender<()>,
    /// Makes the engine's file durable: fdatasync on a handle of our own. The engine's flush alone
    /// does not.
    pub(super) sync: S,
    pub(super) alarm: Alarm,
}

impl<S: FnMut() -> io::Result<()>> Settler<S> {
    /// Serves until the committer is gone or a write fails.
    pub(super) fn run(mut self) {
        while let Ok(rows) = self.work.recv() {
            let rows_ = rows.iter().map(|(key, row)| (key.clone(), row.clone()));
            if let Err(error) = settle(self.view.tree(), rows_, &mut self.sync) {
                self.alarm.raise(&error);
                return;
            }
            self.view.settled();
            if self.done.send(()).is_err() {
                return;
            }
        }
    }
}

/// Makes rows durable in the tree.
pub(super) fn settle(
    tree: &Db,
    rows: impl Iterator<Item = (IVec, Option<IVec>)>,
    sync: &mut impl FnMut() -> io::Result<()>,
) -> Result<(), StoreError> {
    let stopped = |what: &str, why: String| StoreError::Stopped(format!("{what} failed: {why}"));
    let mut make_durable = || {
        tree.flush().map_err(|error| stopped("a flush", error.to_string()))?;
        sync().map_err(|error| stopped("a sync to disk", error.to_string()))
    };
    let mut piece = 0_usize;
    for (key, row) in rows {
        piece = piece.saturating_add(key.len()).saturating_add(row.as_ref().map_or(0, |r| r.len()));
        match row {
            Some(row) => tree.insert(key, row),
            None => tree.remove(key),
        }
        .map_err(|error| stopped("a write", error.to_string()))?;
        if piece >= PIECE_LEN {
            make_durable()?;
            piece = 0;
        }
    }
    if piece > 0 { make_durable() } else { Ok(()) }
}
