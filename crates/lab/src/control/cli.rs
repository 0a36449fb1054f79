//! Command line of `lab control`.

use std::ffi::OsString;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::clock;
use super::proxy::Proxy;
use super::server::{self, Controller};
use super::switchboard::{Switchboard, Targets};
use crate::cluster::Cluster;
use crate::https::Https;

/// The lab controller: faults by the switch and certificates, over HTTP at /lab/v1
#[derive(Parser)]
#[command(name = "control", bin_name = "lab control", version)]
struct Program {
    /// Address to listen on, plain HTTP with the credentials of the cluster
    #[arg(long, value_name = "ADDR", env = "LAB_CONTROL_LISTEN", default_value = "127.0.0.1:8500")]
    listen: SocketAddr,
    #[command(flatten)]
    settings: Settings,
}

/// What the controller controls.
#[derive(Args)]
pub struct Settings {
    /// Host and port of the cluster
    #[arg(long, value_name = "HOST:PORT", env = "LAB_CLUSTER")]
    pub cluster: String,
    /// Host and port of kmip-proxy's HTTP interface; if unset, its faults are not available
    #[arg(long, value_name = "HOST:PORT", env = "LAB_PROXY")]
    pub proxy: Option<String>,
    /// Host and port at which the cluster reaches the key server: those of the proxy, if there is
    /// one
    #[arg(long, value_name = "HOST:PORT", env = "LAB_KMIP")]
    pub kmip: String,
    /// Folder of `certs init`: its authority signs, and ca.crt is that of the cluster
    #[arg(long, value_name = "DIR", env = "LAB_PKI")]
    pub pki: PathBuf,
    /// File of the cluster's clock, which libfaketime reads
    #[arg(long, value_name = "FILE", env = "LAB_CLOCK_CLUSTER")]
    pub clock_cluster: Option<PathBuf>,
    /// File of the key server's clock, which libfaketime reads
    #[arg(long, value_name = "FILE", env = "LAB_CLOCK_KEY_SERVER")]
    pub clock_key_server: Option<PathBuf>,
    /// Name of the cluster's administrator
    #[arg(long, value_name = "NAME", env = "LAB_USER", default_value = "admin")]
    pub user: String,
    /// Its password
    #[arg(
        long,
        value_name = "TEXT",
        env = "LAB_PASSWORD",
        default_value = "admin",
        hide_env_values = true
    )]
    pub password: String,
}

/// Runs the program with its arguments, the first of which is its name.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let program = match Program::try_parse_from(args) {
        Ok(program) => program,
        Err(why) => {
            let _ = why.print();
            return ExitCode::from(u8::try_from(why.exit_code()).unwrap_or(2));
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let ended = runtime
        .map_err(|why| format!("cannot start: {why}"))
        .and_then(|runtime| runtime.block_on(serve_until_signal(program)));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "lab control: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn serve_until_signal(program: Program) -> Result<(), String> {
    let on = |kind| signal(kind).map_err(|why| format!("signals cannot be received: {why}"));
    let (mut terminate, mut interrupt) =
        (on(SignalKind::terminate())?, on(SignalKind::interrupt())?);
    let listener = TcpListener::bind(program.listen)
        .await
        .map_err(|why| format!("cannot listen on {}: {why}", program.listen))?;
    let address = listener.local_addr().map_err(|why| why.to_string())?;
    let mut out = std::io::stdout();
    let _ = writeln!(out, "lab control listening on {address}").and_then(|()| out.flush());
    tokio::select! {
        served = serve(listener, program.settings) => served,
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}

/// Serves `/lab/v1` at this listener until it is dropped.
pub async fn serve(listener: TcpListener, settings: Settings) -> Result<(), String> {
    let https = Https::new(&settings.cluster, &settings.pki.join("ca.crt"))?;
    let kmip = settings.kmip.rsplit_once(':').and_then(|(host, port)| {
        Some((host.trim_matches(['[', ']']).to_owned(), port.parse().ok()?))
    });
    let kmip = kmip.ok_or_else(|| format!("kmip is {:?}; it must be HOST:PORT", settings.kmip))?;
    let targets = Targets {
        cluster: Cluster::new(https, &settings.user, &settings.password),
        proxy: settings.proxy.map(Proxy),
        cluster_clock: settings.clock_cluster.filter(|_| clock::library().is_some()),
        key_server_clock: settings.clock_key_server.filter(|_| clock::library().is_some()),
    };
    let switchboard = Switchboard::new(targets);
    switchboard.reset().await;
    let controller = Controller {
        switchboard,
        runs: Arc::default(),
        pki: settings.pki,
        kmip,
        credentials: server::credentials(&settings.user, &settings.password),
    };
    server::serve(listener, controller).await
}
