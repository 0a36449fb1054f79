//! The key server under load, beside bare baselines, all in one run: `cargo bench -p tests --bench
//! server`.
//!
//! ```text
//! echo      rustls, mutual TLS: reads a frame, answers fixed bytes of the same lengths
//! commit    the echo, but each answer waits until ~1 KiB of its request is synced with its group
//! loop      the same group commit without any socket: tasks and one thread
//! server    kmip-server with sled on the same disk
//! ```
//!
//! Each of the programs is a process of its own, this executable run again, so that the processor
//! time of an operation is the server's alone. Rounds are interleaved and the median is shown. The
//! figures are ratios inside one run; the rates beside them belong to the machine of the day.
//!
//! `BENCH_ROWS=Create` measures the rows alone that have this in their name, and
//! `BENCH_CONNECTIONS=64` those with so many connections.

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
mod load;
mod messages;
mod report;
mod tls;

use std::cell::RefCell;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use harness::Lab;
use load::Load;
use report::Report;

/// The program's own: it must be measured as it is used.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long one round of one row lasts.
const ROUND: Duration = Duration::from_millis(1_500);
/// Rounds of each row; the median is shown.
const ROUNDS: usize = 3;
/// Connections at once.
const CONNECTIONS: [usize; 3] = [1, 8, 64];
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
        _ => measure(),
    }
}

/// A program under load: this executable, run again.
pub(crate) struct Peer {
    child: Child,
    pub(crate) address: String,
}

impl Peer {
    fn start(args: &[&str]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let out = child.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
        let address = line.trim().rsplit(' ').next().unwrap().to_owned();
        Self { child, address }
    }

    fn kmip(lab: &Lab, folder: &str) -> Self {
        let path = |name: &str| lab.pki(name).to_string_lossy().into_owned();
        let data = lab.path(folder).to_string_lossy().into_owned();
        Self::start(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--data",
            &data,
            "--cert",
            &path("server.crt"),
            "--key",
            &path("server.key"),
            "--client-ca",
            &path("ca.crt"),
            "--log",
            "warn",
        ])
    }

    /// Processor time used so far, of all its threads.
    pub(crate) fn processor_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        // Linux shows these in hundredths of a second on every architecture.
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn measure() {
    let lab = Lab::new();
    let pki = lab.path("pki").to_string_lossy().into_owned();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let echo = Peer::start(&["echo", &pki]);
    let commit = Peer::start(&["commit", &pki]);
    let small = Peer::kmip(&lab, "small");
    let great = Peer::kmip(&lab, "great");
    let fill = |peer: &Peer, count| runtime.block_on(load::fill(&lab, peer, count));
    let small_ids = fill(&small, SMALL);
    let only = Only::asked();
    let great_ids =
        fill(&great, if GREAT_ROWS.iter().any(|row| only.has_name(row)) { GREAT } else { SMALL });

    let report = RefCell::new(Report::default());
    let run = |name: &str, peer: &Peer, load: &Load, connections: usize| {
        if only.has(name, connections) {
            let measured = runtime.block_on(load::run(&lab, peer, load, connections, ROUND));
            report.borrow_mut().add(name, connections, measured);
        }
    };
    let get = Load::get(&small_ids);
    let get_echo = Load::echo(&get);
    let create = Load::create();
    let create_echo = Load::echo(&create);
    for _ in 0..ROUNDS {
        for connections in CONNECTIONS {
            run("echo of a Get", &echo, &get_echo, connections);
            run("Get", &small, &get, connections);
            run("echo of a Create, committed in groups", &commit, &create_echo, connections);
            run("Create", &small, &create, connections);
            run("Locate by Name, 1 k objects", &small, &Load::locate(SMALL), connections);
            run("Locate by Name, 100 k objects", &great, &Load::locate(GREAT), connections);
            run("storage array's mix, 100 k objects", &great, &Load::mix(&great_ids), connections);
        }
        for connections in [1, 8] {
            run("echo of a Get, new connection", &echo, &get_echo.reconnecting(), connections);
            run("Get, new connection", &small, &get.reconnecting(), connections);
        }
        for connections in CONNECTIONS {
            if only.has(baseline::LOOP, connections) {
                let measured = runtime.block_on(baseline::bare_loop(&lab, connections, ROUND));
                report.borrow_mut().add(baseline::LOOP, connections, measured);
            }
        }
    }
    report.borrow().print();
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
