//! The recent messages in memory, and all of them in a file.
//!
//! The file is written by a thread of its own: a slow disk holds up no message. What does not fit
//! into its queue is not written, and counted.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::entry::{Entry, HexPolicy, Passage};

/// Lines that wait for the file.
const QUEUE_MAX: usize = 4096;
/// Bytes of lines in memory.
const MEMORY_MAX: usize = 16 << 20;

/// Where the conversation goes.
pub(crate) struct Recorder {
    shown: HexPolicy,
    lines_max: usize,
    recent: Mutex<Recent>,
    file: Option<SyncSender<Arc<str>>>,
    lost: Arc<AtomicU64>,
}

#[derive(Default)]
struct Recent {
    lines: VecDeque<(u64, Arc<str>)>,
    bytes: usize,
}

/// The thread that writes the file; it ends once the recorder is dropped.
pub(crate) struct Sink {
    thread: Option<JoinHandle<io::Result<()>>>,
    lost: Arc<AtomicU64>,
}

impl Recorder {
    /// Keeps `lines_max` messages in memory, and appends all of them to the file, if there is one.
    pub(crate) fn open(
        shown: HexPolicy,
        lines_max: usize,
        path: Option<&Path>,
    ) -> io::Result<(Arc<Self>, Sink)> {
        let lost = Arc::new(AtomicU64::new(0));
        let mut sink = Sink { thread: None, lost: Arc::clone(&lost) };
        let mut file = None;
        if let Some(path) = path {
            // It names clients and objects.
            let opened = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
            let (sender, receiver) = sync_channel(QUEUE_MAX);
            let thread = std::thread::Builder::new().name("conversation".to_owned());
            sink.thread = Some(thread.spawn(move || write_all(opened, &receiver))?);
            file = Some(sender);
        }
        let recent = Mutex::default();
        Ok((Arc::new(Self { shown, lines_max, recent, file, lost }), sink))
    }

    /// Writes a message.
    pub(crate) fn write(&self, passage: &Passage<'_>) {
        if self.lines_max == 0 && self.file.is_none() {
            return;
        }
        let entry = Entry::new(passage, self.shown);
        let Ok(line) = serde_json::to_string(&entry) else { return };
        let line: Arc<str> = line.into();
        if let Some(file) = &self.file
            && file.try_send(Arc::clone(&line)).is_err()
        {
            self.lost.fetch_add(1, Ordering::AcqRel);
        }
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.bytes = recent.bytes.saturating_add(line.len());
        recent.lines.push_back((entry.connection(), line));
        while recent.lines.len() > self.lines_max || recent.bytes > MEMORY_MAX {
            let Some((_, line)) = recent.lines.pop_front() else { break };
            recent.bytes = recent.bytes.saturating_sub(line.len());
        }
    }

    /// The recent messages, a line each, of one connection or of all; at most `last` of them.
    pub(crate) fn recent(&self, connection: Option<u64>, last: usize) -> Vec<Arc<str>> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = recent
            .lines
            .iter()
            .rev()
            .filter(|(number, _)| connection.is_none_or(|connection| *number == connection));
        let mut lines: Vec<Arc<str>> =
            wanted.take(last).map(|(_, line)| Arc::clone(line)).collect();
        lines.reverse();
        lines
    }

    /// How many messages are not in the file, because it was too slow.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Acquire)
    }
}

fn write_all(file: File, lines: &Receiver<Arc<str>>) -> io::Result<()> {
    let mut file = BufWriter::new(file);
    while let Ok(first) = lines.recv() {
        // All that wait are one write, and after it the file can be read.
        for line in std::iter::once(first).chain(lines.try_iter()) {
            file.write_all(line.as_bytes())?;
            file.write_all(b"\n")?;
        }
        file.flush()?;
    }
    Ok(())
}

impl Sink {
    /// Waits until all is written; returns how many messages are missing. The recorder must have
    /// been dropped.
    pub(crate) fn finish(self) -> io::Result<u64> {
        if let Some(thread) = self.thread {
            thread.join().unwrap_or_else(|_| Err(io::Error::other("its thread panicked")))?;
        }
        Ok(self.lost.load(Ordering::Acquire))
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::{HexPolicy, Recorder};
    use crate::conversation::{Passage, Way};

    #[test]
    fn recent_lines_are_bounded_and_the_file_has_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("conversation.jsonl");
        let (recorder, sink) = Recorder::open(HexPolicy::default(), 3, Some(&path)).unwrap();
        for connection in 1..=5 {
            recorder.write(&Passage {
                connection,
                client: "CN=alice",
                peer: SocketAddr::from(([127, 0, 0, 1], 9)),
                way: Way::Request,
                came: Some(b"\x42"),
                sent: None,
                rules: &[],
                fate: None,
            });
        }
        assert_eq!(recorder.recent(None, 10).len(), 3);
        assert!(recorder.recent(None, 1)[0].contains("\"connection\":5"));
        assert_eq!(recorder.recent(Some(4), 10).len(), 1);
        assert_eq!(recorder.recent(Some(1), 10).len(), 0);
        drop(recorder);
        assert_eq!(sink.finish().unwrap(), 0);
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 5);
    }
}
