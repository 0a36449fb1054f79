//! An engine in memory whose writes end as a test says.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Engine, EngineError, RowChange, Value};
use crate::store::{Key, Range};

type Rows = BTreeMap<Key, Value>;

/// End of a write.
pub(crate) enum Verdict {
    /// It is durable.
    Done,
    /// It failed before it reached the disk.
    Lost(EngineError),
    /// It reached the disk, and only the answer was lost.
    Landed(EngineError),
}

/// Test's end of an engine: each write reports, and ends when it is told how.
pub(crate) struct Disk {
    asked: Receiver<()>,
    told: SyncSender<Verdict>,
}

impl Disk {
    /// Waits until a write is under way.
    pub(crate) fn wait_for_write(&self) {
        self.asked.recv().unwrap();
    }

    /// Ends a write, the one under way or the next.
    pub(crate) fn tell(&self, verdict: Verdict) {
        self.told.send(verdict).unwrap();
    }
}

/// Rows in memory.
#[derive(Default)]
pub(crate) struct FaultyEngine {
    /// Rows that a read sees, and those that a reopen gives.
    seen: Mutex<Rows>,
    durable: Mutex<Rows>,
    writes: Option<Mutex<(SyncSender<()>, Receiver<Verdict>)>>,
    /// Ends of the next reopens.
    reopens: Mutex<Vec<EngineError>>,
    /// Beginning of the keys that cannot be read.
    damaged: Mutex<Option<Key>>,
    /// Whether a write of its own found no space, until it is opened again.
    is_full: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FaultyEngine {
    /// An engine whose writes end as the disk is told. Once that is dropped, all are done.
    pub(crate) fn on_a_disk() -> (Self, Disk) {
        let (ask, asked) = sync_channel(1000);
        let (told, verdicts) = sync_channel(1000);
        let writes = Some(Mutex::new((ask, verdicts)));
        (Self { writes, ..Self::default() }, Disk { asked, told })
    }

    /// Makes the next reopen fail.
    pub(crate) fn fail_reopen(&self, error: EngineError) {
        lock(&self.reopens).push(error);
    }

    /// Makes reads of keys that begin so fail.
    pub(crate) fn damage(&self, prefix: &[u8]) {
        *lock(&self.damaged) = Some(prefix.to_vec());
    }

    /// Makes all reads fail until the engine is opened again.
    pub(crate) fn find_no_space(&self) {
        self.is_full.store(true, Ordering::Relaxed);
    }

    /// Changes rows as no store does.
    pub(crate) fn tamper(&self, change: impl FnOnce(&mut Rows)) {
        let mut rows = lock(&self.durable);
        change(&mut rows);
        lock(&self.seen).clone_from(&rows);
    }

    fn check(&self, key: &[u8]) -> Result<(), EngineError> {
        if self.is_full.load(Ordering::Relaxed) {
            return Err(EngineError::NoSpace("full".to_owned()));
        }
        match &*lock(&self.damaged) {
            Some(prefix) if key.starts_with(prefix) => {
                Err(EngineError::Corrupt("as the test has it".to_owned()))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn verdict(&self) -> Verdict {
        let Some(writes) = &self.writes else { return Verdict::Done };
        let writes = lock(writes);
        let _ = writes.0.send(());
        writes.1.recv().unwrap_or(Verdict::Done)
    }
}

impl Engine for FaultyEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Value>, EngineError> {
        self.check(key)?;
        Ok(lock(&self.seen).get(key).cloned())
    }

    fn scan(&self, range: &Range) -> Result<Vec<(Key, Value)>, EngineError> {
        let rows = lock(&self.seen);
        let found = rows.range::<[u8], _>(range.bounds());
        let copy = |(key, row): (&Key, &Value)| {
            self.check(key)?;
            Ok((key.clone(), row.clone()))
        };
        found.take(range.limit).map(copy).collect()
    }

    fn write(&self, changes: &[RowChange]) -> Result<(), EngineError> {
        {
            let mut rows = lock(&self.seen);
            for (key, row) in changes {
                match row {
                    Some(row) => rows.insert(key.clone(), row.clone()),
                    None => rows.remove(key),
                };
            }
        }
        let (landed, result) = match self.verdict() {
            Verdict::Done => (true, Ok(())),
            Verdict::Lost(error) => (false, Err(error)),
            Verdict::Landed(error) => (true, Err(error)),
        };
        if landed {
            lock(&self.durable).clone_from(&lock(&self.seen));
        }
        result
    }

    fn reopen(&self) -> Result<(), EngineError> {
        if let Some(error) = lock(&self.reopens).pop() {
            return Err(error);
        }
        lock(&self.seen).clone_from(&lock(&self.durable));
        self.is_full.store(false, Ordering::Relaxed);
        Ok(())
    }

    fn close(&self) -> Result<(), EngineError> {
        Ok(())
    }
}
