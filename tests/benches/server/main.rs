//! The key server under load, beside bare baselines, all in one run: `cargo bench -p tests --bench
//! server`.
//!
//! ```text
//! echo      rustls, mutual TLS: reads a frame, answers fixed bytes of the same lengths
//! commit    the echo, but each answer waits until ~1 KiB of its request is synced with its group
//! loop      the same group commit without any socket: tasks and one thread
//! server    kmip-server with each of its engines, on the same disk
//! ```
//!
//! Each of the programs is a process of its own, this executable run again, so that the processor
//! time of an operation is the server's alone. Rounds are interleaved and the median is shown. The
//! figures are ratios inside one run; the rates beside them belong to the machine of the day.
//!
//! `BENCH_ROWS=Create` measures the rows alone that have this in their name,
//! `BENCH_CONNECTIONS=64` those with so many connections, and `BENCH_ENGINE=redb` one engine.
//!
//! `cargo bench -p tests --bench server -- floods` measures one client while another floods, and
//! `cargo bench -p tests --bench server -- million` measures starts and reads of a large store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark stops at the first surprise"
)]

mod baseline;
mod floods;
mod load;
mod messages;
mod million;
mod report;
mod tls;

use std::cell::RefCell;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use harness::Lab;
use load::Load;
use report::{NO_ENGINE, Report};
use tokio::runtime::Runtime;

/// The program's own: it must be measured as it is used.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long one round of one row lasts.
const ROUND: Duration = Duration::from_millis(1_500);
/// Rounds of each row; the median is shown.
const ROUNDS: usize = 3;
/// Engines of the server's store.
const ENGINES: [&str; 2] = ["sled", "redb"];
/// Connections at once.
const CONNECTIONS: [usize; 3] = [1, 8, 64];
/// The most connections in the rows that make a new one for each request.
const RECONNECTING_MAX: usize = 8;
/// Objects of the small and of the great store.
const SMALL: usize = 1_000;
const GREAT: usize = 100_000;
/// The rows that need the great store.
const GREAT_ROWS: [&str; 2] =
    ["Locate by Name, 100 k objects", "storage array's mix, 100 k objects"];

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args.get(1).map(String::as_str) {
        Some("echo") => baseline::serve(&args[2], baseline::Kind::Echo),
        Some("commit") => baseline::serve(&args[2], baseline::Kind::Commit),
        Some("serve") => {
            kmip_server::run(args);
        }
        Some("million") => million::measure(),
        Some("floods") => floods::measure(),
        _ => measure(),
    }
}

/// A program under load: this executable, run again.
pub(crate) struct Peer {
    child: Child,
    pub(crate) address: String,
    /// From its start to the line that says where it listens.
    pub(crate) ready: Duration,
}

impl Peer {
    fn start(args: &[&str]) -> Self {
        Self::start_logging(args, Stdio::null())
    }

    fn start_logging(args: &[&str], log: Stdio) -> Self {
        let begun = Instant::now();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(args)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        let out = child.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
        let address = line.trim().rsplit(' ').next().unwrap().to_owned();
        Self { child, address, ready: begun.elapsed() }
    }

    /// Starts a key server on a folder of the lab.
    pub(crate) fn kmip(lab: &Lab, folder: &str, engine: &str) -> Self {
        Self::kmip_with(lab, folder, engine, &["--log", "warn"], Stdio::null())
    }

    /// The same with further settings, and its log.
    pub(crate) fn kmip_with(
        lab: &Lab,
        folder: &str,
        engine: &str,
        more: &[&str],
        log: Stdio,
    ) -> Self {
        let path = |name: &str| lab.pki(name).to_string_lossy().into_owned();
        let data = lab.path(folder).to_string_lossy().into_owned();
        let (cert, key, ca) = (path("server.crt"), path("server.key"), path("ca.crt"));
        let args = [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--data",
            &data,
            "--engine",
            engine,
            "--cert",
            &cert,
            "--key",
            &key,
            "--client-ca",
            &ca,
        ];
        Self::start_logging(&[&args, more].concat(), log)
    }

    /// Processor time used so far, of all its threads.
    pub(crate) fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        // Linux shows these in hundredths of a second on every architecture.
        Duration::from_millis(ticks * 10)
    }

    /// Its memory in bytes, as the system counts it (RSS).
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
    }

    /// Ends it with SIGTERM, and returns how long that took.
    pub(crate) fn stop(mut self) -> Duration {
        let begun = Instant::now();
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
        begun.elapsed()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Key servers of one engine, filled.
struct Servers {
    engine: &'static str,
    small: Peer,
    great: Peer,
    get: Load,
    mix: Load,
}

impl Servers {
    fn start(lab: &Lab, runtime: &Runtime, engine: &'static str, only: &Only) -> Self {
        let start = |size: &str| Peer::kmip(lab, &format!("{engine}-{size}"), engine);
        let (small, great) = (start("small"), start("great"));
        let fill = |peer, count| runtime.block_on(load::fill(lab, peer, count));
        let get = Load::get(&fill(&small, SMALL));
        let is_asked = GREAT_ROWS.iter().any(|row| only.has_name(row));
        let mix = Load::mix(&fill(&great, if is_asked { GREAT } else { SMALL }));
        Self { engine, small, great, get, mix }
    }
}

/// One run: what is measured, and what came of it.
struct Bench {
    lab: Lab,
    runtime: Runtime,
    only: Only,
    report: RefCell<Report>,
}

impl Bench {
    fn run(&self, row: (&str, &'static str, usize), peer: &Peer, load: &Load) {
        let (name, engine, connections) = row;
        if self.only.has(name, connections) {
            let run = load::run(&self.lab, peer, load, connections, ROUND);
            let measured = self.runtime.block_on(run);
            self.report.borrow_mut().add(name, engine, connections, measured);
        }
    }

    fn server_rows(&self, servers: &Servers, connections: usize) {
        let Servers { engine, small, great, get, mix } = servers;
        let run =
            |name, peer: &Peer, load: &Load| self.run((name, engine, connections), peer, load);
        run("Get", small, get);
        run("Create", small, &Load::create());
        run("Locate by Name, 1 k objects", small, &Load::locate(SMALL));
        run("Locate by Name, 100 k objects", great, &Load::locate(GREAT));
        run("storage array's mix, 100 k objects", great, mix);
        if connections <= RECONNECTING_MAX {
            run("Get, new connection", small, &get.reconnecting());
        }
    }
}

fn measure() {
    let bench = Bench {
        lab: Lab::new(),
        runtime: Runtime::new().unwrap(),
        only: Only::asked(),
        report: RefCell::default(),
    };
    let Bench { lab, runtime, only, report } = &bench;
    let pki = lab.path("pki").to_string_lossy().into_owned();
    let echo = Peer::start(&["echo", &pki]);
    let commit = Peer::start(&["commit", &pki]);
    let engines = asked_engines();
    let servers: Vec<Servers> =
        engines.iter().map(|engine| Servers::start(lab, runtime, engine, only)).collect();
    let get_echo = Load::echo(&servers[0].get);
    let create_echo = Load::echo(&Load::create());
    for _ in 0..ROUNDS {
        for connections in CONNECTIONS {
            let run = |name, peer: &Peer, load: &Load| {
                bench.run((name, NO_ENGINE, connections), peer, load)
            };
            run("echo of a Get", &echo, &get_echo);
            run("echo of a Create, committed in groups", &commit, &create_echo);
            if connections <= RECONNECTING_MAX {
                run("echo of a Get, new connection", &echo, &get_echo.reconnecting());
            }
            for servers in &servers {
                bench.server_rows(servers, connections);
            }
            if only.has(baseline::LOOP, connections) {
                let measured = runtime.block_on(baseline::bare_loop(lab, connections, ROUND));
                report.borrow_mut().add(baseline::LOOP, NO_ENGINE, connections, measured);
            }
        }
    }
    report.borrow().print();
}

/// The engines that are asked for.
pub(crate) fn asked_engines() -> Vec<&'static str> {
    let asked = std::env::var("BENCH_ENGINE").ok();
    let is_asked = |engine: &&str| asked.as_deref().is_none_or(|asked| asked == *engine);
    let engines: Vec<_> = ENGINES.into_iter().filter(is_asked).collect();
    assert!(!engines.is_empty(), "BENCH_ENGINE is one of {ENGINES:?}");
    engines
}

/// The rows that are asked for, where it is not all of them.
struct Only {
    name: Option<String>,
    connections: Option<usize>,
}

impl Only {
    fn asked() -> Self {
        let connections = std::env::var("BENCH_CONNECTIONS").ok();
        Self {
            name: std::env::var("BENCH_ROWS").ok(),
            connections: connections.map(|count| count.parse().unwrap()),
        }
    }

    fn has_name(&self, row: &str) -> bool {
        self.name.as_ref().is_none_or(|name| row.contains(name))
    }

    fn has(&self, row: &str, connections: usize) -> bool {
        self.has_name(row) && self.connections.is_none_or(|count| count == connections)
    }
}
