//! A large store on each engine: load, size, memory, starts, and reads beside a small store's.
//!
//! ```text
//! load over KMIP -> SIGKILL -> start -> sample of Gets -> SIGTERM -> start -> Get, Locate
//!                                                      -> empty file cache -> start
//! ```
//!
//! `BENCH_OBJECTS=100000` makes so many in the place of a million, `BENCH_ENGINE=redb` measures one
//! engine. Reads take 1,000 objects in turn, as those of the small store do, or 50,000: these are
//! not in the processor's caches.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use harness::Lab;
use tokio::runtime::Runtime;

use crate::load::{self, Load, Measured};
use crate::{Peer, SMALL, asked_engines};

/// Connections that load, each with messages of a hundred Creates.
const LOADERS: usize = 8;

/// Objects that are read.
const SAMPLE: usize = 50_000;

/// How long one round of reads lasts.
const ROUND: Duration = Duration::from_secs(5);

/// The lines of the table, one cell for each engine.
#[derive(Default)]
struct Table(Vec<(String, Vec<String>)>);

impl Table {
    fn add(&mut self, line: &str, cell: String) {
        eprintln!("{line}: {cell}");
        match self.0.iter_mut().find(|(name, _)| name == line) {
            Some((_, cells)) => cells.push(cell),
            None => self.0.push((line.to_owned(), vec![cell])),
        }
    }
}

pub(crate) fn measure() {
    let objects = std::env::var("BENCH_OBJECTS").map_or(1_000_000, |count| count.parse().unwrap());
    let engines = asked_engines();
    let mut table = Table::default();
    for engine in &engines {
        measure_engine(engine, objects, &mut table);
    }
    println!("| {objects} objects | {} |", engines.join(" | "));
    println!("|---|{}", "---|".repeat(engines.len()));
    for (line, cells) in table.0 {
        println!("| {line} | {} |", cells.join(" | "));
    }
}

fn measure_engine(engine: &str, objects: usize, table: &mut Table) {
    let lab = Lab::new();
    let runtime = Runtime::new().unwrap();
    let records = lab.path("large").join("store/records");
    let start = || Peer::kmip(&lab, "large", engine);

    let peer = start();
    table.add("memory, empty", mebibytes(peer.memory()));
    let begun = Instant::now();
    let ids = load_objects(&lab, &runtime, &peer, objects);
    let seconds = begun.elapsed().as_secs_f64();
    let each = peer.processor_time().as_secs_f64() * 1e6 / objects as f64;
    table.add("load", format!("{seconds:.0} s, {each:.0} us of the processor each"));
    table.add("memory after the load", mebibytes(peer.memory()));
    table.add("on disk after the load", mebibytes(size(&records)));

    // A peer that is dropped is killed.
    drop(peer);
    let peer = start();
    table.add("ready after SIGKILL", ready(&peer));
    let sample: Vec<String> =
        (0..objects.min(SAMPLE)).map(|n| ids[n * 7_919 % ids.len()].clone()).collect();
    runtime.block_on(load::read_once(&lab, &peer, &sample));
    table.add("stop", format!("{:.1} s", peer.stop().as_secs_f64()));
    table.add("on disk after the stop", mebibytes(size(&records)));

    let peer = start();
    table.add("ready after a stop", ready(&peer));
    table.add("memory after this start", mebibytes(peer.memory()));
    let mut read = |sample: &[String], connections| {
        reads(&lab, &runtime, &peer, (sample, objects), connections, table);
    };
    let few = &sample[..objects.min(SMALL)];
    read(few, 1);
    read(few, 8);
    read(&sample, 8);
    table.add("memory after reads", mebibytes(peer.memory()));
    peer.stop();

    forget_pages(&records);
    let peer = start();
    table.add("ready after a stop, nothing in the file cache", ready(&peer));
    drop(peer);

    let small = Peer::kmip(&lab, "small", engine);
    let ids = runtime.block_on(load::fill(&lab, &small, SMALL));
    for connections in [1, 8] {
        reads(&lab, &runtime, &small, (&ids, SMALL), connections, table);
    }
}

/// Creates named objects over several connections.
fn load_objects(lab: &Lab, runtime: &Runtime, peer: &Peer, objects: usize) -> Vec<String> {
    let share = objects.div_ceil(LOADERS);
    let shares = (0..LOADERS).map(|n| n * share..objects.min((n + 1) * share));
    std::thread::scope(|scope| {
        let load = |names| move || runtime.block_on(load::create_named(lab, peer, names));
        let loaders: Vec<_> = shares.map(|names| scope.spawn(load(names))).collect();
        loaders.into_iter().flat_map(|loader| loader.join().unwrap()).collect()
    })
}

/// Reads these objects in turn, by their identifiers and by names.
fn reads(
    lab: &Lab,
    runtime: &Runtime,
    peer: &Peer,
    (sample, objects): (&[String], usize),
    connections: usize,
    table: &mut Table,
) {
    let count = sample.len();
    let loads = [("Get", Load::get(sample)), ("Locate", Load::locate_some(objects, count))];
    for (name, load) in loads {
        let measured = runtime.block_on(load::run(lab, peer, &load, connections, ROUND));
        let line = format!("{name}, {count} of {objects} in turn, {connections} connections");
        table.add(&line, cell(measured, connections));
    }
}

fn cell(measured: Measured, connections: usize) -> String {
    let latency = connections as f64 * 1e6 / measured.rate;
    let used = measured.processor_us.unwrap_or_default();
    format!("{used:.1} us of the processor, {latency:.0} us to the answer")
}

fn ready(peer: &Peer) -> String {
    let (ready, used) = (peer.ready.as_secs_f64(), peer.processor_time().as_secs_f64());
    format!("{ready:.1} s, {used:.1} s of the processor")
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

/// Bytes that the files of a folder take on the disk.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let size = |entry: fs::DirEntry| match entry.metadata().unwrap() {
        folder if folder.is_dir() => size(&entry.path()),
        file => file.blocks() * 512,
    };
    entries.map(size).sum()
}

/// Makes the system forget what it has in memory of the files of a folder.
fn forget_pages(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.metadata().unwrap().is_dir() {
            forget_pages(&entry.path());
            continue;
        }
        let file = format!("if={}", entry.path().display());
        let mut dd = Command::new("dd");
        let forgot = dd.args([&file, "iflag=nocache", "count=0", "status=none"]).status();
        assert!(forgot.unwrap().success());
    }
}
