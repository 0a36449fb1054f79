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
    /// Whether there were more, and the loss was accepted.
    is_lossy: bool,
}

#[cfg(test)]
impl Rows {
    /// Takes the rows of an engine as they are.
    pub(crate) fn new(engine: Arc<dyn Engine>, head: Head, head_file: HeadFile) -> Self {
        Self { engine, head, head_file, is_lossy: false }
    }
}

/// Opens the engine and checks its rows. A start that is refused leaves the files as they were,
/// where there was room for a copy.
pub(super) fn open_rows(
    settings: &StoreSettings,
    files: &Files,
    engine: EngineName,
    (integrity, seal): (&Arc<Integrity>, &Seal),
    space: &FreeSpace,
) -> Result<Rows, OpenError> {
    if !files.records.is_dir() && !files.evidence.is_dir() {
        return Err(OpenError::Records(files.records.clone()));
    }
    let head_file = open_head_file(settings, &files.head, integrity)?;
    let evidence = Evidence::take(files, integrity, space, settings.accept_loss)?;
    let checked = open_files(engine, files, space).and_then(|engine| {
        let checked =
            check_rows(settings, files, Arc::clone(&engine), (integrity, seal), head_file);
        if checked.is_err() {
            // The files are let go of before they are put back.
            let _ = engine.close();
        }
        checked
    });
    match checked {
        Ok(rows) if rows.is_lossy => {
            if let Some(kept) = evidence.keep(rows.head.group)? {
                let kept = kept.display();
                tracing::warn!(%kept, "the engine's files as they were before the loss are kept");
            }
            Ok(rows)
        }
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

/// Compares the engine's rows with what must be there.
fn check_rows(
    settings: &StoreSettings,
    files: &Files,
    engine: Arc<dyn Engine>,
    (integrity, seal): (&Integrity, &Seal),
    (head_file, acknowledged): (HeadFile, Option<Head>),
) -> Result<Rows, OpenError> {
    let failed = |error: EngineError| OpenError::engine(&files.records, &error);
    let is_lossy = acknowledged.is_none();
    let verdict = verify(&*engine, integrity, acknowledged.unwrap_or_default()).map_err(failed)?;
    let found = match verdict {
        Verdict::Whole(head) => return Ok(Rows { engine, head, head_file, is_lossy }),
        Verdict::Incomplete { report, found } => {
            let unreadable = unreadable(&*engine, seal).map_err(failed)?;
            let report = [Some(report), unreadable].into_iter().flatten();
            let report = report.collect::<Vec<_>>().join("; ");
            if !settings.accept_loss {
                return Err(OpenError::Incomplete { path: settings.data.clone(), report });
            }
            tracing::error!(%report, "the store has lost records, and the loss is accepted");
            found
        }
    };
    let row = integrity.encode(Place::Row, &found);
    engine.write(&[(HEAD_KEY.to_vec(), Some(row))]).map_err(failed)?;
    let written = head_file.write(&found);
    written.map_err(|error| OpenError::io("write", &files.head, error))?;
    Ok(Rows { engine, head: found, head_file, is_lossy: true })
}

/// Opens the head file. Returns no head if it is lost, and the loss is accepted.
fn open_head_file(
    settings: &StoreSettings,
    path: &Path,
    integrity: &Arc<Integrity>,
) -> Result<(HeadFile, Option<Head>), OpenError> {
    match HeadFile::open(path, Arc::clone(integrity)) {
        Err(OpenError::HeadFile(_)) if settings.accept_loss => {
            let file = path.display();
            tracing::error!(%file, "the head file is lost, and the loss is accepted");
            HeadFile::create(path, integrity, &Head::default())
                .map_err(|error| OpenError::io("make", path, error))?;
            HeadFile::open(path, Arc::clone(integrity)).map(|(file, _)| (file, None))
        }
        opened => opened.map(|(file, head)| (file, Some(head))),
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
