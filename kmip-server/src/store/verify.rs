//! Comparison of an engine's rows with what must be there, at the start.
//!
//! ```text
//! head file: group  <=  head row: group        else groups are missing
//! head row: count, sum  =  those of all rows   else rows are missing, changed or added
//! ```

use std::sync::mpsc::sync_channel;

use super::engine::{Engine, EngineError, Value};
use super::integrity::{Head, Integrity, Place};
use super::{KEY_FIRST, Key, Range};

/// Key of the head row.
pub(crate) const HEAD_KEY: &[u8] = b"\x01head";

/// Rows read at once: they may have 1 MiB each.
const PAGE: usize = 64;

/// No store has so many groups.
const GROUP_LIMIT: u64 = 1 << 48;

/// Pages read before they are hashed.
const PAGES_AHEAD: usize = 4;

/// What a scan over all rows gave.
pub(crate) enum Verdict {
    /// Everything that was acknowledged is there.
    Whole(Head),
    /// It is not.
    Incomplete {
        /// What is missing, in words.
        report: String,
        /// Head of what is there, with a group number that was never used.
        found: Head,
    },
}

/// Returns the head row; `None` if there is none or its MAC is wrong.
pub(crate) fn read_head(
    engine: &dyn Engine,
    integrity: &Integrity,
) -> Result<Option<Head>, EngineError> {
    Ok(engine.get(HEAD_KEY)?.and_then(|row| integrity.decode(Place::Row, &row)))
}

/// Returns count and sum of all rows, and the greatest number of a group in them. One thread reads,
/// and this one hashes.
pub(crate) fn count_rows(engine: &dyn Engine, integrity: &Integrity) -> Result<Head, EngineError> {
    let (sender, rows) = sync_channel::<Vec<(Key, Value)>>(PAGES_AHEAD);
    std::thread::scope(|scope| {
        let send = move |page| Ok::<_, EngineError>(sender.send(page).is_ok());
        let reader = scope.spawn(|| pages(engine, send));
        let mut found = Head::default();
        for (key, row) in rows.into_iter().flatten() {
            found.sum.add(&integrity.element(&key, &row));
            found.count = found.count.saturating_add(1);
            // A row has the number of its group, unless it is damaged.
            let group = row.first_chunk().map_or(0, |stamp| u64::from_be_bytes(*stamp));
            if group < GROUP_LIMIT {
                found.group = found.group.max(group);
            }
        }
        let read = reader.join();
        read.map_err(|_| EngineError::Corrupt("reading its rows panicked".to_owned()))??;
        Ok(found)
    })
}

/// Gives all rows, in pages, to `take`, until that says `false`.
pub(crate) fn pages<E: From<EngineError>>(
    engine: &dyn Engine,
    mut take: impl FnMut(Vec<(Key, Value)>) -> Result<bool, E>,
) -> Result<(), E> {
    let mut range = Range { from: vec![KEY_FIRST], to: Vec::new(), limit: PAGE };
    loop {
        let page = engine.scan(&range)?;
        let last = page.last().filter(|_| page.len() >= PAGE).map(|(key, _)| key.clone());
        if !take(page)? {
            return Ok(());
        }
        let Some(last) = last else { return Ok(()) };
        range = range.beyond(&last);
    }
}

/// Says what is missing of the rows that a head describes, if anything.
pub(crate) fn missing(found: &Head, expected: &Head) -> Option<String> {
    if found.count != expected.count {
        Some(format!("{} rows are there of {}", found.count, expected.count))
    } else if found.sum != expected.sum {
        Some(format!("of {} rows some are changed or replaced", found.count))
    } else {
        None
    }
}

/// Compares all rows with the head row, and that with the head file.
pub(crate) fn verify(
    engine: &dyn Engine,
    integrity: &Integrity,
    acknowledged: Head,
) -> Result<Verdict, EngineError> {
    let head = read_head(engine, integrity)?;
    let found = count_rows(engine, integrity)?;
    let last = acknowledged.group;
    let mut report = Vec::new();
    match &head {
        None => {
            report.push(format!("the head row is missing or damaged; group {last} was the last"))
        }
        Some(head) if head.group < last => {
            report.push(format!("groups {} to {last} are missing", head.group.saturating_add(1)))
        }
        Some(_) => {}
    }
    let expected = head.filter(|head| head.group >= last).unwrap_or(acknowledged);
    report.extend(missing(&found, &expected));
    if let (Some(head), true) = (head, report.is_empty()) {
        if head.group > last {
            tracing::info!(
                group = head.group,
                head_file = last,
                "the head file is older than the engine, as after a power cut"
            );
        }
        return Ok(Verdict::Whole(head));
    }
    let group = head.map_or(0, |head| head.group).max(last).max(found.group).saturating_add(1);
    Ok(Verdict::Incomplete { report: report.join("; "), found: Head { group, ..found } })
}
