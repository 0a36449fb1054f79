//! Control of a rekey: its pace, and the state that it stops before.
//!
//! Held in memory only: a program that is started again has what its settings say. What an
//! operator changes acts on the rekey that is running, and on those that follow.

use super::error::NotStopped;
use crate::state::async_results::AsyncHandle;
use crate::state::rekey_job::RekeyState;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Longest wait between two drives, in milliseconds.
pub(crate) const MILLISECONDS_PER_DRIVE_MAX: u64 = 600_000;

/// States that a rekey can stop before, in their order, by name.
pub(crate) const STOPS: [(&str, RekeyState); 4] = [
    ("CreateNewMasterKey", RekeyState::CreateNewMasterKey),
    ("RewrapDataEncryptionKeys", RekeyState::RewrapDataEncryptionKeys),
    ("DecommissionOldMasterKey", RekeyState::DecommissionOldMasterKey),
    ("Ready", RekeyState::Ready),
];

/// Returns the state of this name, if a rekey can stop before it.
pub(crate) fn stop_by_name(name: &str) -> Option<RekeyState> {
    STOPS.iter().find(|(known, _)| *known == name).map(|(_, state)| *state)
}

/// Pace and stop that are set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RekeyControlSettings {
    /// Wait between two drives of a rewrap, in milliseconds; 0 is none.
    pub(crate) milliseconds_per_drive: u64,
    /// State that every rekey stops before.
    pub(crate) stop_before: Option<RekeyState>,
}

/// Change of the control; what is absent stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RekeyControlChange {
    /// New wait between two drives, in milliseconds.
    pub(crate) milliseconds_per_drive: Option<u64>,
    /// New state to stop before, or none.
    pub(crate) stop_before: Option<Option<RekeyState>>,
}

/// A move of a rekey into a state: what a stop holds and what a release lets pass.
type Move = (AsyncHandle, RekeyState);

/// Control and what it holds now.
#[derive(Clone, Copy, Debug, Default)]
struct Control {
    settings: RekeyControlSettings,
    /// The move that waits.
    stopped: Option<Move>,
    /// The move that was released and passes from now on, also when it is tried again.
    released: Option<Move>,
}

impl Control {
    fn holds(&self, next: Move) -> bool {
        self.settings.stop_before == Some(next.1) && self.released != Some(next)
    }
}

/// Pace and stop of rekeys.
pub(crate) struct RekeyControl {
    control: watch::Sender<Control>,
    /// When the latest drive was begun.
    latest_drive: Mutex<Option<Instant>>,
}

impl RekeyControl {
    /// Creates the control with these settings.
    #[must_use]
    pub(crate) fn new(settings: RekeyControlSettings) -> Self {
        let control = Control { settings, ..Control::default() };
        Self { control: watch::Sender::new(control), latest_drive: Mutex::new(None) }
    }

    /// Returns what is set.
    #[must_use]
    pub(crate) fn settings(&self) -> RekeyControlSettings {
        self.control.borrow().settings
    }

    /// Returns the state that a rekey is stopped before now.
    #[must_use]
    pub(crate) fn stopped_before(&self) -> Option<RekeyState> {
        self.control.borrow().stopped.map(|(_, next)| next)
    }

    /// Changes the settings. A wait that is under way follows the new pace, and a stop that is no
    /// longer set is released.
    pub(crate) fn change(&self, change: RekeyControlChange) {
        self.control.send_modify(|control| {
            if let Some(milliseconds) = change.milliseconds_per_drive {
                control.settings.milliseconds_per_drive = milliseconds;
            }
            if let Some(stop_before) = change.stop_before {
                control.settings.stop_before = stop_before;
                control.released = None;
            }
        });
    }

    /// Lets the rekey that is stopped go on, once; the settings stay. Returns the state that it was
    /// stopped before.
    ///
    /// # Errors
    /// No rekey is stopped.
    pub(crate) fn release(&self) -> Result<RekeyState, NotStopped> {
        let mut released = Err(NotStopped);
        self.control.send_if_modified(|control| {
            let held = control.stopped.filter(|next| control.holds(*next));
            control.released = held.or(control.released);
            released = held.map(|(_, next)| next).ok_or(NotStopped);
            held.is_some()
        });
        released
    }

    /// Returns whether a rekey with this async result would be stopped before this state now.
    pub(super) fn holds(&self, rekey: AsyncHandle, next: RekeyState) -> bool {
        self.control.borrow().holds((rekey, next))
    }

    /// Waits until the rekey may move into this state: at once, unless it shall stop before it.
    pub(super) async fn pass(&self, rekey: AsyncHandle, next: RekeyState) {
        let mut changes = self.control.subscribe();
        if !self.holds(rekey, next) {
            return;
        }
        let _stopped = Stopped::begin(&self.control, (rekey, next));
        // An error means that the control is gone, and with it whoever could release the stop.
        let _ = changes.wait_for(|control| !control.holds((rekey, next))).await;
    }

    /// Waits until the next drive is due: the configured time after the latest one was.
    pub(super) async fn pace(&self) {
        let latest = *self.latest_drive.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changes = self.control.subscribe();
        while let Some(latest) = latest {
            let wait =
                Duration::from_millis(changes.borrow_and_update().settings.milliseconds_per_drive);
            tokio::select! {
                () = tokio::time::sleep(wait.saturating_sub(latest.elapsed())) => break,
                changed = changes.changed() => if changed.is_err() { break },
            }
        }
        let mut latest = self.latest_drive.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = Some(Instant::now());
    }
}

/// Mark that a move waits, for as long as it does.
struct Stopped<'a>(&'a watch::Sender<Control>);

impl<'a> Stopped<'a> {
    fn begin(control: &'a watch::Sender<Control>, next: Move) -> Self {
        control.send_modify(|control| control.stopped = Some(next));
        Self(control)
    }
}

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|control| control.stopped = None);
    }
}
