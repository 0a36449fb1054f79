//! All output of the lab: headings, requests and responses, KMIP messages, progress of a rekey.

use crate::message_log::Message;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};

/// The longest text of a JSON value that is shown whole; certificates are longer.
const TEXT_LEN_MAX: usize = 200;

/// The standard output.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    terminal: bool,
    all_messages: bool,
}

/// Progress of a rekey: a bar in a terminal, else a line for each change.
pub(crate) struct Progress<'a> {
    output: &'a Output,
    bar: Option<ProgressBar>,
    last_line: String,
}

impl Output {
    /// Shows every KMIP message whole, or the first of each kind.
    pub(crate) fn new(all_messages: bool) -> Self {
        Self { terminal: std::io::stdout().is_terminal(), all_messages }
    }

    /// One line.
    pub(crate) fn line(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        // Whoever closed the stream reads no more.
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }

    /// What comes next.
    pub(crate) fn heading(&self, text: &str) {
        self.line(&format!("\n=== {text}\n"));
    }

    /// A request, as it is sent.
    pub(crate) fn request(&self, url: &str, request: &Value) {
        self.line(&format!("--> POST {url}\n{}", pretty(request)));
    }

    /// A response, as it came.
    pub(crate) fn response(&self, response: &Value) {
        self.line(&format!("<--\n{}", pretty(response)));
    }

    /// A check that passed.
    pub(crate) fn check_passed(&self, text: &str) {
        self.line(&format!("  ok  {text}"));
    }

    /// The KMIP messages: one of each kind whole, the others counted.
    pub(crate) fn messages(&self, messages: &[Message]) {
        let mut again: BTreeMap<&str, usize> = BTreeMap::new();
        for message in messages {
            if message.is_repeated && !self.all_messages {
                if message.direction == "request" {
                    let count = again.entry(&message.summary).or_default();
                    *count = count.saturating_add(1);
                }
                continue;
            }
            self.line(&format!("  KMIP {}: {}", message.direction, message.summary));
            self.line(&indented(&message.text, "    "));
        }
        let counts: Vec<_> = again.iter().map(|(what, count)| format!("{count} {what}")).collect();
        if !counts.is_empty() {
            self.line(&format!("  KMIP, as shown before: {}", counts.join(", ")));
        }
    }

    /// Starts showing the progress of a rekey.
    pub(crate) fn progress(&self) -> Progress<'_> {
        let bar = self.terminal.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
            // A template that is wrong is the library's default, not the end.
            let style = ProgressStyle::with_template("  {bar:40} {pos}/{len} drives  {msg}");
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Progress { output: self, bar, last_line: String::new() }
    }
}

impl Progress<'_> {
    /// The rekey is in `state`, and `done` of `total` drives are wrapped by the new key.
    pub(crate) fn update(&mut self, state: &str, done: u64, total: u64) {
        if total == 0 {
            // It has not counted them yet.
            return;
        }
        match &self.bar {
            Some(bar) => {
                bar.set_length(total);
                bar.set_position(done);
                bar.set_message(state.to_owned());
            }
            None => {
                let line = format!("  {state}: {done} of {total} drives");
                if line != self.last_line {
                    self.output.line(&line);
                    self.last_line = line;
                }
            }
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.abandon();
            // The cursor stands behind the bar.
            self.output.line("");
        }
    }
}

/// JSON over several lines, long texts cut.
fn pretty(value: &Value) -> String {
    let text = serde_json::to_string_pretty(&shortened(value)).unwrap_or_default();
    indented(&text, "    ")
}

fn indented(text: &str, margin: &str) -> String {
    text.lines().fold(String::new(), |mut all, line| {
        let end = if all.is_empty() { "" } else { "\n" };
        // Writing to a string does not fail.
        let _ = write!(all, "{end}{margin}{line}");
        all
    })
}

fn shortened(value: &Value) -> Value {
    match value {
        Value::String(text) if text.len() > TEXT_LEN_MAX => {
            let first = text.lines().next().unwrap_or_default();
            let first: String = first.chars().take(TEXT_LEN_MAX).collect();
            Value::String(format!("{first} ... ({} bytes)", text.len()))
        }
        Value::Array(values) => values.iter().map(shortened).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), shortened(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
