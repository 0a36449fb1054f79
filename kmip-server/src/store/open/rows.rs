//! Opens a store's engine and compares its rows with what must be there.

use std::path::Path;
use std::sync::Arc;

use crate::config::Engine as EngineName;
use crate::store::data_directory::Files;
use crate::store::engine::open::open_engine;
use crate::store::engine::{Engine, EngineError};
use crate::store::evidence::Evidence;
use crate::store::free_space::FreeSpace;
use crate::store::head_file::HeadFile;
use crate::store::integrity::{Head, Integrity, Place};
use crate::store::record_seal::Seal;
use crate::store::verify::{HEAD_KEY, Verdict, pages, verify};
use crate::store::view::record;
use crate::store::{OpenError, StoreSettings};

/// Most keys of unreadable rows that a report names.
const NAMED_MAX: usize = 20;

/// Rows that were checked.
pub(crate) struct Rows {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) head: Head,
    pub(crate) head_file: HeadFile,
}

/// What is known of a store before its engine opens.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) integrity: &'a Arc<Integrity>,
    pub(super) seal: &'a Seal,
    /// Whether it was made just now.
    pub(super) is_new: bool,
}

/// Opens the engine and checks its rows. A start that is refused leaves the files as they were,
/// where there was room for a copy.
pub(super) fn open_rows(
    settings: &StoreSettings,
    files: &Files,
    engine: EngineName,
    known: Known<'_>,
    space: &FreeSpace,
) -> Result<Rows, OpenError> {
    if !files.records.is_dir() && !files.evidence.is_dir() {
        return Err(OpenError::Records(files.records.clone()));
    }
    let head_file = open_head_file(settings, &files.head, known.integrity)?;
    let mut evidence = match known.is_new {
        true => Evidence::none(files),
        false => Evidence::take(files, known.integrity, space, settings.accept_loss)?,
    };
    let checked = open_files(engine, files, space).and_then(|engine| {
        let opened = Arc::clone(&engine);
        let checked = check_rows(settings, files, opened, known, head_file, &mut evidence);
        if checked.is_err() {
            // The files are let go of before they are put back.
            let _ = engine.close();
        }
        checked
    });
    match checked {
        Ok(rows) => {
            evidence.release()?;
            Ok(rows)
        }
        Err(error) => {
            evidence.put_back();
            Err(error)
        }
    }
}

/// Opens the engine. On a full disk, with the space that was held back for that.
fn open_files(
    name: EngineName,
    files: &Files,
    space: &FreeSpace,
) -> Result<Arc<dyn Engine>, OpenError> {
    let opened = match open_engine(name, &files.records) {
        Err(EngineError::NoSpace(why)) if space.release() => {
            tracing::error!(%why, "the disk is full; the start takes the space held back for it");
            open_engine(name, &files.records)
        }
        opened => opened,
    };
    opened.map_err(|error| OpenError::engine(&files.records, &error))
}

/// Compares the engine's rows with what must be there. Of a loss that is accepted, nothing is
/// written before the copy of the files is safe.
fn check_rows(
    settings: &StoreSettings,
    files: &Files,
    engine: Arc<dyn Engine>,
    Known { integrity, seal, .. }: Known<'_>,
    head_file: Option<(HeadFile, Head)>,
    evidence: &mut Evidence<'_>,
) -> Result<Rows, OpenError> {
    let failed = |error: EngineError| OpenError::engine(&files.records, &error);
    let acknowledged = head_file.as_ref().map(|(_, head)| *head);
    let verdict = verify(&*engine, integrity, acknowledged.unwrap_or_default()).map_err(failed)?;
    let head = match verdict {
        Verdict::Whole(head) => {
            if let Some((head_file, _)) = head_file {
                return Ok(Rows { engine, head, head_file });
            }
            evidence.keep()?;
            head
        }
        Verdict::Incomplete { report, found } => {
            let unreadable = unreadable(&*engine, seal).map_err(failed)?;
            let report = [Some(report), unreadable].into_iter().flatten();
            let report = report.collect::<Vec<_>>().join("; ");
            if !settings.accept_loss {
                return Err(OpenError::Incomplete { path: settings.data.clone(), report });
            }
            tracing::error!(%report, "the store has lost records, and the loss is accepted");
            evidence.keep()?;
            let row = integrity.encode(Place::Row, &found);
            engine.write(&[(HEAD_KEY.to_vec(), Some(row))]).map_err(failed)?;
            found
        }
    };
    HeadFile::create(&files.head, integrity, &head)
        .map_err(|error| OpenError::io("make", &files.head, error))?;
    let (head_file, head) = HeadFile::open(&files.head, Arc::clone(integrity))?;
    Ok(Rows { engine, head, head_file })
}

/// Opens the head file. Returns none if it is lost, and the loss is accepted.
fn open_head_file(
    settings: &StoreSettings,
    path: &Path,
    integrity: &Arc<Integrity>,
) -> Result<Option<(HeadFile, Head)>, OpenError> {
    match HeadFile::open(path, Arc::clone(integrity)) {
        Err(OpenError::HeadFile(_)) if settings.accept_loss => {
            let file = path.display();
            tracing::error!(%file, "the head file is lost, and the loss is accepted");
            Ok(None)
        }
        opened => opened.map(Some),
    }
}

/// Names the rows whose seal does not open, for a report.
pub(crate) fn unreadable(engine: &dyn Engine, seal: &Seal) -> Result<Option<String>, EngineError> {
    let (mut count, mut names) = (0_usize, Vec::new());
    pages(engine, |page| {
        for (key, row) in page {
            if record(row).and_then(|record| seal.open(&key, record)).is_ok() {
                continue;
            }
            count = count.saturating_add(1);
            if names.len() < NAMED_MAX {
                names.push(key.escape_ascii().to_string());
            }
        }
        Ok::<_, EngineError>(true)
    })?;
    Ok((count > 0).then(|| format!("{count} do not open: {}", names.join(", "))))
}
