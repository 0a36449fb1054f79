//! Command line: flags, subcommands, signals, exit codes and the health check.

pub(crate) mod health_check;
pub(crate) mod listener_certificate;
pub(crate) mod serve;
pub(crate) mod settings;
#[cfg(test)]
mod tests;

use crate::cli::serve::{ListenAddresses, Parts, serve};
use crate::cli::settings::{PartialSettings, Settings};
use crate::key_server::kmip_client::KmipClient;
use crate::key_server::message_trace::{KmipTrace, MessageSink};
use crate::state::durable_file::Steps;
use crate::stream::Stream;
use clap::{Args, Parser, Subcommand};
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
    Serve(Box<ServeArgs>),
    /// Exit with 0 if a running cluster answers
    Health(health_check::HealthArgs),
}

#[derive(Args)]
struct ServeArgs {
    /// TOML file with settings; flags and the environment win over it
    #[arg(long, env = "NODE_SIM_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: PartialSettings,
}

/// Error that ends the program.
enum Failure {
    /// A setting cannot be.
    Setting(String),
    /// Something else than a setting is wrong.
    Run(String),
}

/// Runs the program with these arguments, the first of which is its name.
///
/// It is a library function, so that another program can contain this one.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(WRONG_SETTING));
        }
    };
    let outcome = match cli.command {
        Command::Serve(args) => args.read().and_then(serve_until_signal),
        Command::Health(args) => args.endpoint().map_err(Failure::Setting).and_then(check_health),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Setting(sentence)) => {
            print_error(&sentence);
            ExitCode::from(WRONG_SETTING)
        }
        Err(Failure::Run(sentence)) => {
            print_error(&sentence);
            ExitCode::FAILURE
        }
    }
}

impl ServeArgs {
    fn read(self) -> Result<Settings, Failure> {
        let file = match &self.config {
            None => PartialSettings::default(),
            Some(path) => {
                let named = |error: String| {
                    Failure::Setting(format!("config file {}: {error}", path.display()))
                };
                let text = std::fs::read_to_string(path).map_err(|e| named(e.to_string()))?;
                PartialSettings::from_toml(&text).map_err(named)?
            }
        };
        self.flags.or(file).check().map_err(Failure::Setting)
    }
}

fn serve_until_signal(mut settings: Settings) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&settings.log)
        .map_err(|error| Failure::Setting(format!("log is {:?}: {error}.", settings.log)))?;
    // Another program that runs this one in itself may have set up its log already.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .try_init();
    settings.cluster.steps = Arc::new(Steps::from_environment().map_err(Failure::Setting)?);
    let stream = Stream::new();
    let messages: Arc<dyn MessageSink> = stream.messages.clone();
    let trace = settings.kmip_trace.as_deref().map(trace_to).transpose()?;
    let sinks = [messages].into_iter().chain(trace);
    runtime()?.block_on(async {
        let stop = stop_signal().map_err(|e| Failure::Run(format!("no signals: {e}")))?;
        let client = KmipClient::new(sinks).with_request_deadline(settings.kmip_request_deadline);
        let parts = Parts { key_servers: Arc::new(client), stream };
        serve(settings, parts, print_addresses, stop).await.map_err(Failure::Run)
    })
}

fn trace_to(path: &Path) -> Result<Arc<dyn MessageSink>, Failure> {
    let trace = KmipTrace::append_to(path).map_err(|error| {
        Failure::Setting(format!("kmip-trace {} cannot be written: {error}.", path.display()))
    })?;
    Ok(Arc::new(trace))
}

fn check_health(endpoint: health_check::Endpoint) -> Result<(), Failure> {
    runtime()?.block_on(endpoint.check()).map_err(Failure::Run)
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Run(format!("cannot start: {error}")))
}

/// Prints the only output on standard output: scripts wait for this line.
fn print_addresses(addresses: ListenAddresses) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "node-sim listening on https://{}", addresses.cluster);
    if let Some(node) = addresses.node {
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

fn print_error(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "node-sim: {sentence}");
}
