//! Log lines without what a terminal, or a program that splits lines, would obey.

use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

/// Writes events to the standard error stream, each as one line: control characters in it are
/// escaped.
#[derive(Clone, Copy)]
pub(super) struct EscapedLines;

impl<'a> MakeWriter<'a> for EscapedLines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}

impl Write for EscapedLines {
    /// Takes a whole event, which ends with a new line.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        io::stderr().write_all(escaped(event).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

fn escaped(event: &[u8]) -> String {
    let text = String::from_utf8_lossy(event);
    let (text, end) = match text.strip_suffix('\n') {
        Some(text) => (text, "\n"),
        None => (&*text, ""),
    };
    let mut escaped = String::with_capacity(event.len());
    for c in text.chars() {
        match c.is_control() {
            true => escaped.extend(c.escape_unicode()),
            false => escaped.push(c),
        }
    }
    escaped.push_str(end);
    escaped
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn no_event_looks_like_two_or_moves_the_cursor() {
        let rows = [
            ("INFO left why=a\n", "INFO left why=a\n"),
            ("a\nWARN b\x1b[31m\n", "a\\u{a}WARN b\\u{1b}[31m\n"),
            ("a\u{85}b\r\n", "a\\u{85}b\\u{d}\n"),
        ];
        for (event, expected) in rows {
            assert_eq!(escaped(event.as_bytes()), expected);
        }
    }
}
