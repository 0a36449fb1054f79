//! Where log lines go. No line has a byte of a message in it: who logs, logs lengths.

use support::log_limit::LogLimit;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::cli::escaped_lines::EscapedLines;
use crate::config::LogFormat;

/// Sends log lines that pass `filter` to the standard error stream, in the given form; so many of
/// each kind a minute, and with 0 all. Gives the limit, where there is one.
pub(crate) fn start(
    filter: &str,
    format: LogFormat,
    per_minute: u32,
) -> Result<Option<LogLimit>, String> {
    let filter = EnvFilter::builder()
        .parse(filter)
        .map_err(|why| format!("log filter {filter:?} is wrong: {why}"))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(EscapedLines).with_ansi(false);
    let limit = (per_minute > 0).then(|| LogLimit::new(per_minute));
    let registry = tracing_subscriber::registry().with(filter).with(limit.clone());
    let started = match format {
        LogFormat::Text => registry.with(lines).try_init(),
        LogFormat::Json => registry.with(lines.json()).try_init(),
    };
    started.map_err(|_| "the log was started before".to_owned())?;
    Ok(limit)
}
