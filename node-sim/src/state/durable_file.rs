//! Durable changes of files, counted step by step so that tests can crash at each of them.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use support::durable_fs::{self, Replacement};
use tokio::sync::watch;

/// The environment variable by which tests of crash recovery kill the program at its n-th durable
/// step (counted from 1). It is for tests only: nobody else has a reason to set it.
pub const CRASH_VARIABLE: &str = "NODE_SIM_CRASH_AT_STEP";

/// What happens at the step that was chosen for a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    /// The process dies at once, as by SIGKILL: no destructor runs and no buffer is written.
    Process,
    /// This and every later step fails, so that a test can drop everything and open it again.
    Steps,
}

/// Counts durable steps. Every file replaced or removed and every change at a key server passes
/// here, before and after, so that "a crash at each durable step" is a loop over numbers.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    passed: AtomicU64,
    crash: Option<(u64, Crash)>,
    crashed: watch::Sender<bool>,
}

impl Steps {
    /// Counts, and never crashes.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Counts, and crashes at step `at` (from 1).
    #[must_use]
    pub(crate) fn with_crash(at: u64, crash: Crash) -> Self {
        Self { crash: Some((at, crash)), ..Self::default() }
    }

    /// Counts, and kills the process at the step that [`CRASH_VARIABLE`] names, if it is set.
    ///
    /// # Errors
    /// The variable is set to something that is not a number.
    pub(crate) fn from_environment() -> Result<Self, String> {
        match std::env::var(CRASH_VARIABLE) {
            Err(_) => Ok(Self::new()),
            Ok(text) => match text.trim().parse() {
                Ok(at) => Ok(Self::with_crash(at, Crash::Process)),
                Err(_) => Err(format!(
                    "{CRASH_VARIABLE} is {text:?}; it must be the number of a durable step, from 1"
                )),
            },
        }
    }

    /// How many steps were passed so far.
    #[must_use]
    pub(crate) fn passed(&self) -> u64 {
        self.passed.load(Ordering::SeqCst)
    }

    /// Whether the crash that was asked for has happened, as [`Crash::Steps`] does it.
    #[must_use]
    pub(crate) fn has_crashed(&self) -> bool {
        *self.crashed.borrow()
    }

    /// Nothing is done after the crash.
    fn alive(&self) -> io::Result<()> {
        if self.has_crashed() { Err(io::Error::other("crashed, as asked for")) } else { Ok(()) }
    }

    /// Waits for that crash.
    pub(crate) async fn crashed(&self) {
        let mut crashed = self.crashed.subscribe();
        if crashed.wait_for(|crashed| *crashed).await.is_err() {
            std::future::pending().await
        }
    }

    /// Passes one step.
    ///
    /// # Errors
    /// A crash was asked for at this step or an earlier one.
    pub(crate) fn pass(&self, step: &'static str) -> io::Result<()> {
        let number = self.passed.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        match self.crash {
            Some((at, Crash::Process)) if number == at => {
                tracing::warn!(number, step, "dying at this durable step, as asked for");
                std::process::abort()
            }
            Some((at, Crash::Steps)) if number >= at => {
                self.crashed.send_replace(true);
                Err(io::Error::other(format!(
                    "crash asked for at durable step {at}, reached {number} ({step})"
                )))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// Makes a folder with mode 0700, and its parents, and makes the name of each durable.
///
/// # Errors
/// The file system refuses.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    // The empty path is the current folder.
    if !path.as_os_str().is_empty() {
        durable_fs::create_dir_all(path)?;
    }
    // A crash may have left it without its name being durable.
    durable_fs::sync_parent(path)
}

/// Replaces the file with these bytes, mode 0600; afterwards either all of the old or all of the
/// new bytes are there, whatever happens.
///
/// # Errors
/// The file system refuses, or a crash was asked for.
pub(crate) fn replace(steps: &Steps, path: &Path, bytes: &[u8]) -> io::Result<()> {
    steps.alive()?;
    let replacement = Replacement::write(path, bytes)?;
    steps.pass("file written beside the old one")?;
    replacement.commit()?;
    steps.pass("file replaced")
}

/// Removes the file and makes that durable; it is no error if it is not there.
///
/// # Errors
/// The file system refuses, or a crash was asked for.
pub(crate) fn remove(steps: &Steps, path: &Path) -> io::Result<()> {
    steps.alive()?;
    durable_fs::remove_file(path)?;
    steps.pass("file removed")
}

/// The bytes of the file, or nothing if it is not there.
///
/// # Errors
/// The file system refuses.
pub(crate) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::{Crash, Steps, read, remove, replace};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_replaced_file_is_whole_at_every_crash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.json");
        replace(&Steps::new(), &path, b"old").unwrap();
        for (at, left) in [(1, "old"), (2, "new"), (3, "new")] {
            replace(&Steps::new(), &path, b"old").unwrap();
            let outcome = replace(&Steps::with_crash(at, Crash::Steps), &path, b"new");
            assert_eq!(outcome.is_ok(), at == 3, "step {at}");
            assert_eq!(read(&path).unwrap().unwrap(), left.as_bytes(), "step {at}");
        }
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn removing_twice_is_removing_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("share");
        let steps = Steps::new();
        replace(&steps, &path, b"x").unwrap();
        remove(&steps, &path).unwrap();
        remove(&steps, &path).unwrap();
        assert!(read(&path).unwrap().is_none());
    }
}
