//! The ledger's file, and the file of its generation beside it.
//!
//! `generation.json` is written after each ledger. A ledger that is older than it was put back by
//! somebody, and is refused: it would destroy keys and shares that it does not know.

use crate::state::checked_json;
use crate::state::durable_file::{self, Steps};
use crate::state::ledger::{FILE_NAME, FORMAT, Ledger, LedgerError, Stamp};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Name of the file of the ledger's generation in the cluster's folder.
pub(crate) const GENERATION_FILE_NAME: &str = "generation.json";

/// The ledger's file. There is one, and the task that writes holds it.
#[derive(Debug)]
pub(crate) struct LedgerFile {
    path: PathBuf,
    generation_path: PathBuf,
    steps: Arc<Steps>,
    stopped: Option<String>,
    /// What is wrong with `generation.json`, as it was read.
    generation_damage: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct GenerationFile {
    format: u32,
    #[serde(flatten)]
    stamp: Stamp,
}

impl LedgerFile {
    /// The ledger's file in this folder.
    #[must_use]
    pub(crate) fn new(folder: &Path, steps: Arc<Steps>) -> Self {
        Self {
            path: folder.join(FILE_NAME),
            generation_path: folder.join(GENERATION_FILE_NAME),
            steps,
            stopped: None,
            generation_damage: None,
        }
    }

    /// The ledger as it was last written; nothing if it never was.
    ///
    /// # Errors
    /// It cannot be read or understood, it was changed, or it is older than `generation.json`.
    pub(crate) fn read(&mut self) -> Result<Option<Ledger>, LedgerError> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let Some(bytes) = durable_file::read(&self.path).map_err(|e| self.file_error("read", e))?
        else {
            return Ok(None);
        };
        let malformed =
            |cause| LedgerError::Malformed { path: self.path.display().to_string(), cause };
        let head: Head = checked_json::decode(&bytes).map_err(malformed)?;
        if head.format != FORMAT {
            return Err(LedgerError::Format {
                path: self.path.display().to_string(),
                found: head.format,
            });
        }
        let ledger: Ledger = checked_json::decode(&bytes).map_err(malformed)?;
        match self.read_generation(&ledger) {
            Ok(newest) => self.refuse_older(&ledger, newest, &self.generation_path)?,
            Err(cause) => {
                let damage = format!("{}: {cause}", self.generation_path.display());
                tracing::warn!(damage, "it is written anew");
                self.generation_damage = Some(damage);
            }
        }
        Ok(Some(ledger))
    }

    /// What was wrong with `generation.json` when the ledger was read, if anything was.
    pub(crate) fn take_generation_damage(&mut self) -> Option<String> {
        self.generation_damage.take()
    }

    /// Refuses a ledger that is older than another file of the cluster.
    ///
    /// # Errors
    /// It is older.
    pub(crate) fn refuse_older(
        &self,
        ledger: &Ledger,
        newest: u64,
        witness: &Path,
    ) -> Result<(), LedgerError> {
        if newest <= ledger.generation() {
            return Ok(());
        }
        Err(LedgerError::Older {
            path: self.path.display().to_string(),
            found: ledger.generation(),
            witness: witness.display().to_string(),
            newest,
        })
    }

    /// The generation that was last written; or what is wrong with the file. A file that is missing
    /// or damaged proves nothing; the headers and shares of the nodes have the generation too.
    fn read_generation(&self, ledger: &Ledger) -> Result<u64, String> {
        let read = durable_file::read(&self.generation_path).map_err(|error| error.to_string())?;
        let bytes = read.ok_or_else(|| "it is missing".to_owned())?;
        let file: GenerationFile = checked_json::decode(&bytes)?;
        if file.stamp.cluster == ledger.identity.uuid {
            Ok(file.stamp.generation)
        } else {
            Err(format!("it is of cluster {}", file.stamp.cluster))
        }
    }

    /// Writes the ledger as the next generation, durably.
    ///
    /// # Errors
    /// It cannot be written, now or ever since it once could not.
    pub(crate) fn write(&mut self, ledger: &mut Ledger) -> Result<(), LedgerError> {
        if let Some(cause) = &self.stopped {
            return Err(LedgerError::Stopped(cause.clone()));
        }
        ledger.begin_generation();
        let generation = GenerationFile { format: FORMAT, stamp: ledger.stamp() };
        let written = self
            .replace(&self.path, ledger)
            .and_then(|()| self.replace(&self.generation_path, &generation));
        written.map_err(|cause| {
            let error = self.file_error("write", cause);
            tracing::error!(%error, "no further change will be made");
            self.stopped = Some(error.to_string());
            error
        })
    }

    fn replace(&self, path: &Path, content: &impl Serialize) -> io::Result<()> {
        durable_file::replace(&self.steps, path, &checked_json::encode(content)?)
    }

    fn file_error(&self, verb: &'static str, cause: io::Error) -> LedgerError {
        LedgerError::file(verb, &self.path, cause)
    }
}

#[cfg(test)]
mod tests {
    use super::LedgerFile;
    use crate::state::checked_json;
    use crate::state::durable_file::{Crash, Steps};
    use crate::state::ledger::{FILE_NAME, Identity, Ledger, LedgerError};
    use std::collections::BTreeMap;
    use std::sync::Arc;

    fn ledger() -> Ledger {
        Ledger::new(Identity::new("lab", "10.0.0.1", "10.0.1.1"), BTreeMap::new())
    }

    #[test]
    fn what_was_written_is_read_back_with_its_generation() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = LedgerFile::new(folder.path(), Arc::new(Steps::new()));
        assert!(file.read().unwrap().is_none());
        let mut ledger = ledger();
        file.write(&mut ledger).unwrap();
        file.write(&mut ledger).unwrap();
        let read = file.read().unwrap().unwrap();
        assert_eq!(read.generation(), 2);
        assert_eq!(read.identity.uuid, ledger.identity.uuid);
        assert_eq!(read.identity.unique_id.len(), 4);
    }

    #[test]
    fn a_ledger_that_could_not_be_written_stays_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let steps = Arc::new(Steps::with_crash(1, Crash::Steps));
        let mut file = LedgerFile::new(folder.path(), steps);
        let mut ledger = ledger();
        assert!(matches!(file.write(&mut ledger), Err(LedgerError::File { .. })));
        assert!(matches!(file.write(&mut ledger), Err(LedgerError::Stopped(_))));
    }

    #[test]
    fn a_foreign_format_and_a_torn_file_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = LedgerFile::new(folder.path(), Arc::new(Steps::new()));
        let path = folder.path().join(FILE_NAME);
        let foreign = checked_json::encode(&serde_json::json!({ "format": 3 })).unwrap();
        std::fs::write(&path, &foreign).unwrap();
        let error = file.read().unwrap_err();
        assert!(matches!(error, LedgerError::Format { found: 3, .. }));
        for torn in [&foreign[..20], br#"{"format":1,"gen"#] {
            std::fs::write(&path, torn).unwrap();
            let error = file.read().unwrap_err();
            assert!(matches!(error, LedgerError::Malformed { .. }));
        }
    }

    #[test]
    fn an_older_ledger_is_refused_and_one_that_a_crash_left_newer_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = LedgerFile::new(folder.path(), Arc::new(Steps::new()));
        let mut ledger = ledger();
        let (path, generation) =
            (folder.path().join(FILE_NAME), folder.path().join("generation.json"));
        file.write(&mut ledger).unwrap();
        let older = std::fs::read(&path).unwrap();
        let older_generation = std::fs::read(&generation).unwrap();
        file.write(&mut ledger).unwrap();
        std::fs::write(&generation, &older_generation).unwrap();
        assert_eq!(file.read().unwrap().unwrap().generation(), 2, "a crash in between");
        file.write(&mut ledger).unwrap();
        std::fs::write(&path, &older).unwrap();
        let error = file.read().unwrap_err();
        assert!(matches!(error, LedgerError::Older { found: 1, newest: 3, .. }), "{error}");
        for damaged in [Some(b"{".as_slice()), None] {
            match damaged {
                Some(bytes) => std::fs::write(&generation, bytes).unwrap(),
                None => std::fs::remove_file(&generation).unwrap(),
            }
            assert_eq!(file.read().unwrap().unwrap().generation(), 1, "it proves nothing");
            let damage = file.take_generation_damage().unwrap();
            assert!(damage.contains("generation.json: it "), "{damage}");
        }
    }
}
