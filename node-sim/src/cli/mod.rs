//! The command line. It is a library, so that another program can be this one when it runs itself
//! again.

pub(crate) mod config;
pub(crate) mod health_check;
pub(crate) mod serve;
#[cfg(test)]
mod tests;

use crate::cli::config::{Config, Given};
use crate::cli::serve::{Doors, serve};
use crate::key_server::kmip_client::KmipClient;
use crate::key_server::message_trace::KmipTrace;
use crate::state::durable_file::Steps;
use clap::{Args, Parser, Subcommand};
use kmip::client::Trace;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// The exit status of a wrong setting.
const WRONG_SETTING: u8 = 2;

/// A simulated NetApp Element cluster: software encryption at rest with an external KMIP server
#[derive(Parser)]
#[command(name = "node-sim", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the cluster and its HTTPS API until SIGTERM
    Serve(Box<Settings>),
    /// Exit with 0 if a running cluster answers
    Health(health_check::Asked),
}

#[derive(Args)]
struct Settings {
    /// TOML file with settings; flags and the environment win over it
    #[arg(long, env = "NODE_SIM_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    given: Given,
}

/// Why the program ends early.
enum Failure {
    /// A setting cannot be.
    Setting(String),
    /// Something else than a setting is wrong.
    Run(String),
}

/// Runs the program with these arguments, the first of which is its name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(WRONG_SETTING));
        }
    };
    let outcome = match cli.command {
        Command::Serve(settings) => settings.read().and_then(serve_until_signal),
        Command::Health(asked) => asked.check().map_err(Failure::Setting).and_then(knock),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Setting(sentence)) => {
            complain(&sentence);
            ExitCode::from(WRONG_SETTING)
        }
        Err(Failure::Run(sentence)) => {
            complain(&sentence);
            ExitCode::FAILURE
        }
    }
}

impl Settings {
    fn read(self) -> Result<Config, Failure> {
        let file = match &self.config {
            None => Given::default(),
            Some(path) => {
                let named = |error: String| {
                    Failure::Setting(format!("config file {}: {error}", path.display()))
                };
                let text = std::fs::read_to_string(path).map_err(|e| named(e.to_string()))?;
                Given::from_toml(&text).map_err(named)?
            }
        };
        self.given.or(file).check().map_err(Failure::Setting)
    }
}

fn serve_until_signal(mut config: Config) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&config.log)
        .map_err(|error| Failure::Setting(format!("log is {:?}: {error}.", config.log)))?;
    // Another program that runs this one in itself may have set up its log already.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .try_init();
    config.cluster.steps = Arc::new(Steps::from_environment().map_err(Failure::Setting)?);
    let trace = config.kmip_trace.as_deref().map(trace_to).transpose()?;
    runtime()?.block_on(async {
        let stop = stop_signal().map_err(|e| Failure::Run(format!("no signals: {e}")))?;
        serve(config, Arc::new(KmipClient::new(trace)), announce, stop).await.map_err(Failure::Run)
    })
}

fn trace_to(path: &Path) -> Result<Arc<dyn Trace>, Failure> {
    let trace = KmipTrace::append_to(path).map_err(|error| {
        Failure::Setting(format!("kmip-trace {} cannot be written: {error}.", path.display()))
    })?;
    Ok(Arc::new(trace))
}

fn knock(target: health_check::Target) -> Result<(), Failure> {
    runtime()?.block_on(target.knock()).map_err(Failure::Run)
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Run(format!("cannot start: {error}")))
}

/// The one thing on standard output: scripts wait for this line.
fn announce(doors: Doors) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "node-sim listening on https://{}", doors.cluster);
    if let Some(node) = doors.node {
        let _ = writeln!(out, "node-sim listening on https://{node} for the methods of a node");
    }
    let _ = out.flush();
}

async fn stop_signal_of(
    mut term: tokio::signal::unix::Signal,
    mut int: tokio::signal::unix::Signal,
) {
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}

fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let (term, int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(stop_signal_of(term, int))
}

fn complain(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "node-sim: {sentence}");
}
