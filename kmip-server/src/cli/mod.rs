//! The program `kmip-server`: the only place that speaks to a terminal and listens to signals.

mod escaped_lines;
mod failure;
pub(crate) mod health_check;
pub(crate) mod logging;
mod store_commands;
mod store_key;

use std::ffi::OsString;
use std::future::Future;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tracing::{error, info, warn};
use zeroize::Zeroizing;

use self::failure::Failure;
use self::store_commands::StoreCommand;
use self::store_key::store_key;
use crate::auth::credentials::{OneTime, Users};
use crate::config::limits::FILES_BESIDE;
use crate::config::policy::Policy;
use crate::config::push_targets::PushTargets;
use crate::config::{self, Given, Settings, StoreLocation};
use crate::crypto::pkcs11::Module;
use crate::crypto::x509::authority::Authority;
use crate::dispatch::key_rotation;
use crate::dispatch::key_server::{KeyServer, SELDOM_WRITTEN};
use crate::keystore::process_state::ProcessState;
use crate::keystore::processor_pool::ProcessorPool;
use crate::net::listener::{Server, listen};
use crate::net::tls::{Caller, Protocol, Tls};
use crate::store::cache::CachedStore;
use crate::store::failure_signal::watched;
use crate::store::key_source::KeySource;
use crate::store::memory_store::MemoryStore;
use crate::store::root_key::{IndexKey, KEY_LEN};
use crate::store::{OpenStore, StoreSettings, open};

/// A KMIP key server over mutual TLS.
#[derive(Parser)]
#[command(name = "kmip-server", version)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve KMIP until SIGTERM or SIGINT; SIGHUP reads the certificates again.
    #[command(after_help = SERVE_HELP)]
    Serve(Box<Serve>),
    /// Ask a running server over mutual TLS whether it serves, and whether its store is whole.
    Health(Asked),
    /// Verify, export or import the store of a stopped server.
    #[command(subcommand)]
    Store(StoreCommand),
}

const SERVE_HELP: &str = "\
A flag is stronger than its variable, a variable than the file, the file than the default.
In the file a setting has the name of its flag without the dashes: see kmip-server.example.toml.
The key that seals the store can also be given itself, in the variable KMIP_SERVER_STORE_KEY.";

#[derive(Args)]
struct Serve {
    /// A file with settings, in TOML
    #[arg(long, value_name = "FILE", env = "KMIP_SERVER_CONFIG")]
    config: Option<PathBuf>,
    /// Open a store that has lost records, with what is left of it; what is lost is in the log
    #[arg(long)]
    accept_loss: bool,
    #[command(flatten)]
    given: Given,
}

#[derive(Args)]
struct Asked {
    /// The server's host and port
    #[arg(
        long,
        value_name = "HOST:PORT",
        env = "KMIP_SERVER_HEALTH_CONNECT",
        default_value = "127.0.0.1:5696"
    )]
    connect: String,
    /// A client's certificate in PEM
    #[arg(long, value_name = "FILE", env = "KMIP_SERVER_HEALTH_CERT")]
    cert: PathBuf,
    /// The private key of that certificate in PEM
    #[arg(long, value_name = "FILE", env = "KMIP_SERVER_HEALTH_KEY")]
    key: PathBuf,
    /// The authorities in PEM that may have signed the server's certificate
    #[arg(long, value_name = "FILE", env = "KMIP_SERVER_HEALTH_CA")]
    ca: PathBuf,
    /// The name that the server's certificate must be for [default: the host]
    #[arg(long, env = "KMIP_SERVER_HEALTH_NAME")]
    name: Option<String>,
    /// How long the answer may take
    #[arg(
        long,
        value_name = "MS",
        env = "KMIP_SERVER_HEALTH_DEADLINE_MS",
        default_value_t = 5_000
    )]
    deadline_ms: u64,
}

/// Runs the program with `args`, the program's name first; another program can be `kmip-server` by
/// this.
pub fn run<I>(args: I) -> ExitCode
where
    I: IntoIterator,
    I::Item: Into<OsString> + Clone,
{
    let parsed = command().try_get_matches_from(args);
    let program = match parsed.and_then(|matches| Program::from_arg_matches(&matches)) {
        Ok(program) => program,
        Err(told) => return tell(&told),
    };
    let done = match program.command {
        Command::Serve(serve) => serve.run(),
        Command::Health(asked) => asked.run(),
        Command::Store(command) => command.run(),
    };
    let (why, status) = match done {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Setting(why)) => (why, 2),
        Err(Failure::Other(why)) => (why, 1),
    };
    // A closed terminal is nobody's to tell.
    let _ = writeln!(std::io::stderr(), "kmip-server: {why}");
    ExitCode::from(status)
}

/// The program's flags, with the defaults of [`config`] in their help.
fn command() -> clap::Command {
    Program::command().mut_subcommand("serve", |mut serve| {
        for (name, _, default) in config::table() {
            let Some(default) = default else { continue };
            serve = serve.mut_arg(name, |arg| {
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                arg.help(format!("{help} [default: {default}]"))
            });
        }
        serve
    })
}

/// Prints help, version, or in one sentence what is wrong with the flags.
fn tell(told: &clap::Error) -> ExitCode {
    if !told.use_stderr() {
        let _ = told.print();
        return ExitCode::SUCCESS;
    }
    let text = told.to_string();
    let sentence = text.split("\n\n").next().unwrap_or_default();
    let words = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = words.strip_prefix("error: ").unwrap_or(&words);
    let _ = writeln!(std::io::stderr(), "kmip-server: {words}; see --help");
    ExitCode::from(2)
}

fn runtime() -> Result<Runtime, Failure> {
    let built = Builder::new_multi_thread().enable_all().build();
    built.map_err(|why| Failure::Other(format!("no threads can be started: {why}")))
}

impl Serve {
    fn run(self) -> Result<(), Failure> {
        let file = self.config.as_deref().map(config::read).transpose()?.unwrap_or_default();
        let settings = self.given.or(file).settle()?;
        let key = store_key(settings.store_key_file.clone())?;
        let log_limit =
            logging::start(&settings.log, settings.log_format, settings.log_lines_per_minute)
                .map_err(Failure::Setting)?;
        raise_file_limit(&settings);
        use_small_pages();
        let runtime = runtime()?;
        if let Some(limit) = log_limit {
            runtime.spawn(limit.report());
        }
        runtime.block_on(serve(&settings, key, self.accept_loss))
    }
}

/// The authority that certifies public keys, where the settings name one.
fn authority(settings: &Settings) -> Result<Option<Arc<Authority>>, Failure> {
    let (Some(cert), Some(key)) = (&settings.certify_ca_cert, &settings.certify_ca_key) else {
        return Ok(None);
    };
    let authority = Authority::read(cert, key, settings.certify_days, &settings.client_ca);
    Ok(Some(Arc::new(authority.map_err(Failure::Setting)?)))
}

/// What the settings put beside the store.
fn process_state(settings: &Settings, tls: &Tls) -> Result<ProcessState, Failure> {
    let module = settings.pkcs11_module.as_deref().map(Module::load).transpose();
    let pkcs11 = module.map_err(|why| Failure::Other(why.to_string()))?.map(Arc::new);
    let push_targets = match &settings.push_file {
        Some(file) => PushTargets::read(file).map_err(Failure::Other)?,
        None => PushTargets::default(),
    };
    let authority = authority(settings)?;
    let processor = Arc::new(ProcessorPool::sized(settings.slow_work_max));
    let client_authorities = Some(tls.client_authorities());
    Ok(ProcessState {
        pkcs11,
        authority,
        push_targets,
        processor,
        client_authorities,
        ..ProcessState::default()
    })
}

async fn serve(
    settings: &Settings,
    key: Option<KeySource>,
    accept_loss: bool,
) -> Result<(), Failure> {
    // What can be wrong without a store is found before one is made.
    let (tls, warnings) = Tls::open(settings)?;
    for warning in warnings {
        warn!("{warning}");
    }
    let users = match &settings.users_file {
        Some(file) => Users::read(file).map_err(Failure::Other)?,
        None => Users::default(),
    };
    let users = match &settings.one_time_file {
        Some(file) => users.with_one_time(OneTime::read(file).map_err(Failure::Other)?),
        None => users,
    };
    let state = process_state(settings, &tls)?;
    let (listener, address) = bind(settings.listen)?;
    let https = settings.https_listen.map(bind).transpose()?;
    let opened = open_store(settings, key, accept_loss).await.map_err(Failure::Other)?;
    let OpenStore { store, index_key, health: mut store_health, last_check } = opened;
    let state = ProcessState { last_check, ..state };
    let key_server = KeyServer::new(store, index_key).with_users(users);
    let key_server = key_server.with_policy(Policy::from(settings)).with_state(state);
    let key_server = Arc::new(key_server);
    let server = Server::new(settings, tls, Arc::clone(&key_server));
    let stop = stop_signal()?;
    let reload = reload_on_signal(Arc::clone(&server))?;
    let rotating = tokio::spawn(key_rotation::run(key_server));
    let expiring = tokio::spawn(Arc::clone(&server).watch_expiry());
    ready(address, https.as_ref().map(|(_, address)| *address));

    let mut broken = None;
    let until = async {
        tokio::select! {
            () = stop => {}
            cause = store_health.stopped() => broken = Some(cause),
        }
    };
    let (stop, mut stopping) = watch::channel(false);
    let over = async {
        until.await;
        stop.send_replace(true);
    };
    let second = async {
        if let Some((listener, _)) = https {
            let stopped = async move { stopping.wait_for(|stop| *stop).await.is_ok() };
            Arc::clone(&server).run(listener, Protocol::Http, stopped).await;
        }
    };
    tokio::join!(Arc::clone(&server).run(listener, Protocol::Kmip, over), second);
    reload.abort();
    rotating.abort();
    expiring.abort();
    // It is over, or it is being cut off: either way it must let go of the store.
    let _ = rotating.await;
    match broken {
        None => {
            info!("stopped");
            Ok(())
        }
        Some(cause) => Err(Failure::Other(format!("the store has stopped: {cause}"))),
    }
}

/// A socket that listens on `address`, and the address that it took.
fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let listener = listen(address)
        .map_err(|why| Failure::Other(format!("cannot listen on {address}: {why}")))?;
    let taken = listener
        .local_addr()
        .map_err(|why| Failure::Other(format!("the socket has no address: {why}")))?;
    Ok((listener, taken))
}

/// Says that requests are taken from now on; scripts wait for these lines, which come at once.
fn ready(address: SocketAddr, https: Option<SocketAddr>) {
    let mut lines = format!("kmip-server listening on {address}\n");
    info!("listening on {address}");
    if let Some(https) = https {
        lines.push_str(&format!("kmip-server https listening on {https}\n"));
        info!("listening on {https} for HTTPS");
    }
    let mut out = std::io::stdout().lock();
    // Whoever closed the stream does not wait.
    let _ = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
}

/// Opens the place of all records, which no other process writes to.
async fn open_store(
    settings: &Settings,
    key: Option<KeySource>,
    accept_loss: bool,
) -> Result<OpenStore, String> {
    let opened = match settings.store {
        StoreLocation::Data => open(StoreSettings {
            data: settings.data.clone().ok_or("data is not set")?,
            key,
            engine: settings.engine,
            create: settings.create_store,
            free_space_reserve: settings.free_space_reserve,
            check_interval: config::check_interval(settings.check_interval_h),
            accept_loss,
        })
        .await
        .map_err(|why| why.to_string())?,
        StoreLocation::Memory => {
            warn!("objects are kept in memory, and gone when the program ends");
            let mut bytes = Zeroizing::new([0; KEY_LEN]);
            rand::fill(bytes.as_mut()).map_err(|_| "the system gives no random numbers")?;
            // A store in memory cannot stop: the signal is dropped unraised.
            let (_, health) = watched();
            let index_key = IndexKey::new(&bytes);
            let store = Arc::new(MemoryStore::default());
            OpenStore { store, index_key, health, last_check: None }
        }
    };
    let store = Arc::new(CachedStore::new(opened.store, SELDOM_WRITTEN));
    Ok(OpenStore { store, ..opened })
}

fn on(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|why| Failure::Other(format!("signals cannot be received: {why}")))
}

/// Completes with the first SIGTERM or SIGINT.
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let (mut terminate, mut interrupt) =
        (on(SignalKind::terminate())?, on(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => info!("SIGTERM: finishing what is under way"),
            _ = interrupt.recv() => info!("SIGINT: finishing what is under way"),
        }
    })
}

/// Reads the certificates again with each SIGHUP.
fn reload_on_signal(server: Arc<Server>) -> Result<tokio::task::JoinHandle<()>, Failure> {
    let mut hang_up = on(SignalKind::hangup())?;
    Ok(tokio::spawn(async move {
        while hang_up.recv().await.is_some() {
            server.reload();
        }
    }))
}

/// Lets the process have a file descriptor for each connection, as far as the system lets it.
fn raise_file_limit(settings: &Settings) {
    let connections = u64::try_from(settings.connections_max).unwrap_or(u64::MAX);
    let wanted = connections.saturating_add(FILES_BESIDE);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= wanted) {
        return;
    }
    let reachable = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    if let Err(why) = setrlimit(Resource::Nofile, Rlimit { current: Some(reachable), maximum }) {
        error!("the limit of open files could not be raised to {reachable}: {why}");
    } else if reachable < wanted {
        warn!("{wanted} open files are wanted for connections-max, the system allows {reachable}");
    }
}

/// Asks the system for memory in pages of the usual size, which a store of small rows fills bit by
/// bit: each page of 2 MiB is first cleared as a whole, while somebody waits.
fn use_small_pages() {
    #[cfg(target_os = "linux")]
    if let Err(why) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!("the system keeps its huge pages: {why}");
    }
}

impl Asked {
    fn run(self) -> Result<(), Failure> {
        let host = self.connect.rsplit_once(':').map(|(host, _)| host.trim_matches(['[', ']']));
        let host = host
            .filter(|host| !host.is_empty())
            .ok_or_else(|| Failure::Setting(format!("{} is no host with a port", self.connect)))?;
        let name = self.name.as_deref().unwrap_or(host);
        let caller =
            Caller::open(&self.ca, &self.cert, &self.key, name).map_err(Failure::Setting)?;
        let deadline = Duration::from_millis(self.deadline_ms);
        runtime()?
            .block_on(health_check::check(&caller, &self.connect, deadline))
            .map_err(Failure::Other)
    }
}
