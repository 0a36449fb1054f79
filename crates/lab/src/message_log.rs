//! KMIP messages from the key server's log. Its lines are JSON, and those of the target for
//! messages hold a message as text with the secrets hidden.

use kmip_server::MESSAGE_TRACE;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Reader of the log, which continues where it stopped.
pub(crate) struct MessageLog {
    path: PathBuf,
    offset: u64,
    shown: BTreeSet<String>,
}

/// A logged message.
pub(crate) struct Message {
    /// `request` or `response`.
    pub(crate) direction: String,
    /// Summary: operations, and their results.
    pub(crate) summary: String,
    /// The message as text.
    pub(crate) text: String,
    /// Whether a message with the same direction and summary was read before.
    pub(crate) is_repeated: bool,
}

impl MessageLog {
    /// The messages in this log; it need not be there yet.
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), offset: 0, shown: BTreeSet::new() }
    }

    /// The messages that came since.
    pub(crate) fn read(&mut self) -> Result<Vec<Message>, String> {
        let wrong = |why: std::io::Error| format!("{}: {why}", self.path.display());
        let mut file = File::open(&self.path).map_err(wrong)?;
        file.seek(SeekFrom::Start(self.offset)).map_err(wrong)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(wrong)?;
        // The last line may still be on its way.
        let whole = text.rfind('\n').map_or("", |end| text.get(..=end).unwrap_or_default());
        self.offset = self.offset.saturating_add(u64::try_from(whole.len()).unwrap_or(u64::MAX));
        Ok(whole.lines().filter_map(|line| self.message(line)).collect())
    }

    fn message(&mut self, line: &str) -> Option<Message> {
        let line: Value = serde_json::from_str(line).ok()?;
        if line.get("target")?.as_str()? != MESSAGE_TRACE {
            return None;
        }
        let (direction, text) = line.get("fields")?.get("message")?.as_str()?.split_once('\n')?;
        let summary = summary(text);
        let is_repeated = !self.shown.insert(format!("{direction} {summary}"));
        Some(Message {
            direction: direction.to_owned(),
            summary,
            text: text.trim_end().to_owned(),
            is_repeated,
        })
    }
}

/// Summary of a message: operations and results of its batch items, without their payloads.
fn summary(text: &str) -> String {
    let shown_items = ["Operation (", "ResultStatus (", "ResultReason ("];
    let mut level = None;
    let mut words: Vec<&str> = Vec::new();
    for line in text.lines() {
        let bare = line.trim_start();
        let indent = line.len().saturating_sub(bare.len());
        if shown_items.iter().any(|start| bare.starts_with(start))
            && *level.get_or_insert(indent) == indent
        {
            words.extend(bare.split_once(": ").map(|(_, value)| value));
        }
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::MessageLog;
    use std::io::Write;

    fn line(target: &str, message: &str) -> String {
        serde_json::json!({ "target": target, "fields": { "message": message } }).to_string()
    }

    #[test]
    fn messages_are_read_once_each_and_only_whole() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut log = MessageLog::new(file.path());
        let create = "request\nBatchItem (Structure)\n  Operation (Enumeration): Create\n";
        let create = line("kmip_server::messages", create);
        let (half, rest) = create.split_at(20);
        write!(file, "{}\nno JSON\n{create}\n{half}", line("kmip_server::net::listener", "x\ny"))
            .unwrap();
        let read = log.read().unwrap();
        let found: Vec<_> = read
            .iter()
            .map(|m| (m.direction.as_str(), m.summary.as_str(), m.is_repeated))
            .collect();
        assert_eq!(found, [("request", "Create", false)]);
        assert!(read[0].text.ends_with("Operation (Enumeration): Create"));
        assert!(log.read().unwrap().is_empty());
        writeln!(file, "{rest}").unwrap();
        assert_eq!(log.read().unwrap().iter().map(|m| m.is_repeated).collect::<Vec<_>>(), [true]);
    }
}
