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

use super::layer::Layer;
use super::log::Row;
use super::tree::Tree;
use super::view::View;
use crate::store::StoreError;
use crate::store::failure_signal::FailureSignal;

/// So many bytes go into the tree between two syncs. With more at once the disk is busy for so long
/// that all who wait for the log are idle meanwhile: with 1 MiB, 64 connections were served one
/// Create in twelve less.
const PIECE_LEN: usize = 256 << 10;

/// The thread's own things.
pub(super) struct Settler<S> {
    pub(super) view: Arc<View>,
    pub(super) work: Receiver<Arc<Layer>>,
    pub(super) done: SyncSender<()>,
    /// Makes the engine's file durable: fdatasync on a handle of our own. The engine's flush alone
    /// does not.
    pub(super) sync: S,
    pub(super) alarm: FailureSignal,
}

impl<S: FnMut() -> io::Result<()>> Settler<S> {
    /// Serves until the committer is gone or a write fails.
    pub(super) fn run(mut self) {
        while let Ok(layer) = self.work.recv() {
            let owned = layer.rows().iter().map(|(key, row)| (key.clone(), row.clone()));
            if let Err(error) = settle(self.view.tree(), owned, &mut self.sync) {
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

/// Makes rows durable in the tree; they must be in order.
pub(super) fn settle(
    tree: &Tree,
    rows: impl Iterator<Item = Row>,
    sync: &mut impl FnMut() -> io::Result<()>,
) -> Result<(), StoreError> {
    let mut make_durable = || {
        tree.flush()?;
        sync().map_err(|error| StoreError::Stopped(format!("a sync to disk failed: {error}")))
    };
    let mut rows = rows.peekable();
    let mut piece = 0_usize;
    while let Some(plan) = tree.plan(&mut rows)? {
        piece = piece.saturating_add(plan.len());
        tree.carry_out(plan)?;
        if piece >= PIECE_LEN {
            make_durable()?;
            piece = 0;
        }
    }
    if piece > 0 { make_durable() } else { Ok(()) }
}
