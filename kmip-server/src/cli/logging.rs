//! Where log lines go. No line has a byte of a message in it: who logs, logs lengths.

use std::io;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::LogFormat;

/// Sends log lines that pass `filter` to the standard error stream, in the given form.
pub(crate) fn start(filter: &str, format: LogFormat) -> Result<(), String> {
    let filter = EnvFilter::builder()
        .parse(filter)
        .map_err(|why| format!("log filter {filter:?} is wrong: {why}"))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(false);
    let started = match format {
        LogFormat::Text => tracing_subscriber::registry().with(filter).with(lines).try_init(),
        LogFormat::Json => {
            tracing_subscriber::registry().with(filter).with(lines.json()).try_init()
        }
    };
    started.map_err(|_| "the log was started before".to_owned())
}
