//! `kmip-proxy serve`: from the flags to a running proxy, and its end.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use support::log_limit::LogLimit;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::escaped_lines::EscapedLines;
use super::failure::Failure;
use super::flags::Serve;
use super::{identities, report};
use crate::conversation::{HexPolicy, Recorder};
use crate::engine::Engine;
use crate::http::{self, Shown};
use crate::relay::{Limits, Proxy};
use crate::rules;
use crate::tls::{Inbound, Upstream, UpstreamSettings};

/// Runs the proxy until it is told to stop.
pub(super) fn run(flags: Serve) -> Result<(), Failure> {
    let filter = EnvFilter::builder()
        .parse(&flags.log)
        .map_err(|why| Failure::Setting(format!("log filter {:?} is wrong: {why}", flags.log)))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(EscapedLines).with_ansi(false);
    let limit = Some(flags.log_lines_per_minute).filter(|count| *count > 0).map(LogLimit::new);
    tracing_subscriber::registry()
        .with(filter)
        .with(limit.clone())
        .with(lines)
        .try_init()
        .map_err(|why| Failure::Other(format!("the log cannot be started: {why}")))?;
    let runtime = Builder::new_multi_thread().enable_all().build();
    let runtime =
        runtime.map_err(|why| Failure::Other(format!("no threads can be started: {why}")))?;
    if let Some(limit) = limit {
        runtime.spawn(limit.report());
    }
    runtime.block_on(serve(flags))
}

async fn serve(flags: Serve) -> Result<(), Failure> {
    let started = Instant::now();
    let engine = Arc::new(Engine::default());
    if let Some(path) = &flags.rules {
        let rules = rules::parse_file(path).map_err(|why| Failure::Setting(why.to_string()))?;
        for rule in rules {
            let added = engine.add(rule, Duration::ZERO);
            added.map_err(|why| Failure::Setting(format!("rules {}: {why}", path.display())))?;
        }
    }
    let (inbound, upstream) = ends(&flags)?;
    let shown = HexPolicy { hex: flags.hex, key_material: flags.show_key_material };
    if shown.key_material {
        warn!("--show-key-material: the conversation has KEY MATERIAL; guard and delete it");
    }
    let path = flags.conversation.as_deref();
    let (recorder, sink) = Recorder::open(shown, flags.conversation_memory, path)
        .map_err(|why| Failure::Setting(format!("conversation file: {why}")))?;
    let (listener, address) = bind(flags.listen).await?;
    let http = match flags.http_listen {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let limits = limits(&flags);
    let certificate = Arc::clone(inbound.shown());
    let hosts: Arc<[String]> = flags.http_host.clone().into();
    let proxy = Arc::new(Proxy {
        inbound,
        upstream,
        engine: Arc::clone(&engine),
        recorder: Arc::clone(&recorder),
        limits,
        started,
        connections: AtomicU64::new(0),
    });
    let mut signals = Signals::new()?;
    ready(address, http.as_ref().map(|(_, address)| *address));

    let (stop, stopped) = watch::channel(false);
    let stopping = |mut stopped: watch::Receiver<bool>| async move {
        // An error means that nobody can tell any more: then it is over as well.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let over = async {
        signals.wait(&engine).await;
        stop.send_replace(true);
    };
    let interface = async {
        if let Some((listener, address)) = http {
            let (engine, recorder) = (Arc::clone(&engine), Arc::clone(&recorder));
            let shown = Shown { engine, recorder, certificate, started, address, hosts };
            http::run(listener, shown, stopping(stopped.clone())).await;
        }
    };
    tokio::join!(Arc::clone(&proxy).run(listener, stopping(stopped.clone())), interface, over);
    drop(proxy);
    drop(recorder);
    finish(&engine, sink, flags.fail_unfired).await
}

/// Writes what is left to write.
async fn finish(
    engine: &Engine,
    sink: crate::conversation::Sink,
    fail_unfired: bool,
) -> Result<(), Failure> {
    let written = tokio::task::spawn_blocking(move || sink.finish()).await;
    let counts = engine.counts();
    print_report(engine);
    match written {
        Ok(Ok(0)) => {}
        Ok(Ok(lost)) => warn!("{lost} messages are missing in the conversation: slow disk"),
        Ok(Err(why)) => return Err(Failure::Other(format!("conversation file: {why}"))),
        Err(why) => return Err(Failure::Other(format!("conversation file: {why}"))),
    }
    match fail_unfired && report::has_unfired(&counts) {
        true => Err(Failure::Unfired),
        false => Ok(()),
    }
}

/// Both ends of TLS, out of the files that the flags name.
fn ends(flags: &Serve) -> Result<(Inbound, Upstream), Failure> {
    let others = flags.certificates.as_deref();
    let inbound = Inbound::open(&flags.cert, &flags.key, &flags.client_ca, others)
        .map_err(|why| Failure::Setting(why.to_string()))?;
    let identities = match &flags.identities {
        Some(path) => identities::read(path).map_err(Failure::Setting)?,
        None => Vec::new(),
    };
    let default = flags.upstream_cert.as_deref().zip(flags.upstream_key.as_deref());
    if default.is_none() && identities.is_empty() {
        let why = "set --upstream-cert and --upstream-key, or --identities";
        return Err(Failure::Setting(why.to_owned()));
    }
    let upstream = Upstream::open(UpstreamSettings {
        address: &flags.upstream,
        name: flags.upstream_name.as_deref(),
        ca: &flags.upstream_ca,
        default_identity: default,
        identities,
    });
    Ok((inbound, upstream.map_err(Failure::Setting)?))
}

const fn limits(flags: &Serve) -> Limits {
    Limits {
        request_len_max: flags.request_len_max,
        response_len_max: flags.response_len_max,
        connections_max: flags.connections_max,
        idle_deadline: match flags.idle_deadline_ms {
            0 => None,
            ms => Some(Duration::from_millis(ms)),
        },
        handshake_deadline: Duration::from_millis(flags.handshake_deadline_ms),
        connect_deadline: Duration::from_millis(flags.connect_deadline_ms),
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let cannot = |why| Failure::Other(format!("cannot listen on {address}: {why}"));
    let listener = TcpListener::bind(address).await.map_err(cannot)?;
    let taken = listener.local_addr().map_err(cannot)?;
    Ok((listener, taken))
}

/// Says that clients can connect from now on; scripts wait for these lines.
fn ready(address: SocketAddr, http: Option<SocketAddr>) {
    let mut lines = String::new();
    if let Some(http) = http {
        lines.push_str(&format!("kmip-proxy http listening on {http}\n"));
        if !http.ip().is_loopback() {
            warn!("the HTTP interface is open to other machines: it has no authentication");
        }
    }
    lines.push_str(&format!("kmip-proxy listening on {address}\n"));
    info!("listening on {address}");
    let mut out = std::io::stdout().lock();
    // If the stream is closed, nobody waits for it.
    let _ = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
}

fn print_report(engine: &Engine) {
    let _ = std::io::stderr().write_all(report::text(&engine.counts()).as_bytes());
}

/// The signals that the program obeys.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    report: Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let on = |kind| {
            signal(kind).map_err(|why| Failure::Other(format!("signals cannot be received: {why}")))
        };
        Ok(Self {
            terminate: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
            report: on(SignalKind::user_defined1())?,
        })
    }

    /// Completes with SIGTERM or SIGINT; prints the counts with each SIGUSR1.
    async fn wait(&mut self, engine: &Engine) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                Some(()) = self.report.recv() => print_report(engine),
            }
        }
    }
}
