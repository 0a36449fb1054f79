//! Log lines without what a terminal, or a program that splits lines, would obey.

use std::io::{self, Write};

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

use crate::dispatch::key_server::MESSAGE_TRACE;

/// Writes events to the standard error stream, each as one line: control characters in it are
/// escaped. Decoded messages have lines of their own, and their texts are escaped already.
#[derive(Clone, Copy)]
pub(crate) struct EscapedLines;

/// Writer of one event.
pub(crate) struct Event<W> {
    to: W,
    keeps_lines: bool,
}

impl<'a> MakeWriter<'a> for EscapedLines {
    type Writer = Event<io::Stderr>;

    fn make_writer(&'a self) -> Self::Writer {
        Event { to: io::stderr(), keeps_lines: false }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Self::Writer {
        Event { keeps_lines: metadata.target() == MESSAGE_TRACE, ..self.make_writer() }
    }
}

impl<W: Write> Write for Event<W> {
    /// Takes a whole event, which ends with a new line.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.to.write_all(&escaped(event, self.keeps_lines))?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn escaped(event: &[u8], keeps_lines: bool) -> Vec<u8> {
    let text = String::from_utf8_lossy(event);
    let (text, end) = match text.strip_suffix('\n') {
        Some(text) => (text, "\n"),
        None => (&*text, ""),
    };
    let mut escaped = String::with_capacity(event.len());
    for c in text.chars() {
        match c {
            '\n' if keeps_lines => escaped.push(c),
            c if c.is_control() => escaped.extend(c.escape_unicode()),
            c => escaped.push(c),
        }
    }
    escaped.push_str(end);
    escaped.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn no_event_looks_like_two_or_moves_the_cursor() {
        let rows = [
            ("INFO refused why=a\n", false, "INFO refused why=a\n"),
            ("a\n2026-11-30 INFO b\x1b[31m\n", false, "a\\u{a}2026-11-30 INFO b\\u{1b}[31m\n"),
            ("a\u{85}b\r\n", false, "a\\u{85}b\\u{d}\n"),
            ("request\n  tag\x07\n", true, "request\n  tag\\u{7}\n"),
        ];
        for (event, keeps_lines, expected) in rows {
            let found = escaped(event.as_bytes(), keeps_lines);
            assert_eq!(String::from_utf8(found).unwrap(), expected);
        }
    }
}
