//! Damage to the files of a stopped store: **what was acknowledged is read as it was, or an error
//! says that it is damaged, or the store does not open. Never is it "not found".**
//!
//! ```text
//! a process writes, stops; writes on, stops or is killed with SIGKILL
//!    for each file of the folder: one bit flipped, zeroed, halved, removed, an older copy
//!        open -> refused | each acknowledged row: its bytes | "damaged"   else: silent
//! ```
//!
//! 40 flips a file; 1,000 with `SOAK=1`, or as many as `DAMAGE_FLIPS` says. The table is left in
//! `target/damage-ENGINE-STOP.md`.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it says"
)]

mod workload;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::{Random, repository, seed};
use kmip_server::config::Engine;
use kmip_server::store::{OpenStore, StoreError, open};
use tempfile::TempDir;
use workload::{Model, STEPS, acknowledged, model, settings};

const FOLDER: &str = "DAMAGE_FOLDER";
const ENGINE: &str = "DAMAGE_ENGINE";
const ACKS: &str = "DAMAGE_ACKS";
const LIVES: &str = "DAMAGE_STEPS";

/// How the last process ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    Clean,
    Killed,
}

/// Not a test of its own: what the writing process runs. It does nothing in any other.
#[test]
fn writing_process() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let engine = match std::env::var(ENGINE).unwrap().as_str() {
        "redb" => Engine::Redb,
        _ => Engine::Sled,
    };
    let acks = PathBuf::from(std::env::var(ACKS).unwrap());
    let steps = std::env::var(LIVES).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(workload::run(Path::new(&folder), engine, &acks, steps));
}

/// A folder in memory, where there is such a place.
fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Files below a folder, with their paths from it.
fn files(folder: &Path, below: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder.join(below)).unwrap() {
        let entry = entry.unwrap();
        let path = below.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            files(folder, &path, found);
        } else {
            found.push(path);
        }
    }
    found.sort();
}

/// A stopped store, an older copy of it, and what must be in it.
struct Sample {
    around: TempDir,
    engine: Engine,
    steps: usize,
}

impl Sample {
    fn stored(&self) -> PathBuf {
        self.around.path().join("data")
    }

    fn older(&self) -> PathBuf {
        self.around.path().join("older")
    }

    fn make(engine: Engine, name: &'static str, stop: Stop) -> Self {
        let around = scratch();
        let (data, acks) = (around.path().join("data"), around.path().join("acks"));
        let process = |steps: usize| {
            let mut process = Command::new(std::env::current_exe().unwrap());
            process.args(["--exact", "writing_process", "--nocapture", "--test-threads=1"]);
            process.env(FOLDER, &data).env(ENGINE, name).env(ACKS, &acks);
            process.env(LIVES, steps.to_string());
            process.stdout(std::process::Stdio::null());
            process
        };
        assert!(process(STEPS).status().unwrap().success());
        copy(&data, &around.path().join("older"));
        match stop {
            Stop::Clean => assert!(process(STEPS).status().unwrap().success()),
            Stop::Killed => {
                let mut running = process(usize::MAX / 2).spawn().unwrap();
                while acknowledged(&acks) < 2 * STEPS {
                    assert!(running.try_wait().unwrap().is_none(), "it ended by itself");
                    std::thread::sleep(Duration::from_millis(2));
                }
                running.kill().unwrap();
                running.wait().unwrap();
            }
        }
        let steps = acknowledged(&acks);
        Self { around, engine, steps }
    }
}

/// What came of one damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// The store did not open.
    Refused,
    /// All is there.
    Whole,
    /// Some reads say "damaged".
    Damaged,
}

/// Opens a damaged store and reads all that was acknowledged.
async fn judge(folder: &Path, sample: &Sample) -> Result<Verdict, String> {
    let opened = match open(settings(folder, sample.engine)).await {
        Err(why) => {
            let why = why.to_string();
            let says = why.len() > 20 && !why.contains('\n');
            return if says { Ok(Verdict::Refused) } else { Err(format!("unclear: {why}")) };
        }
        Ok(opened) => opened,
    };
    // The step after the last acknowledged one may be there as a whole.
    let (must, may) = (model(sample.steps), model(sample.steps + 1));
    let first = read(&opened, &must).await;
    if first.is_ok() { first } else { read(&opened, &may).await.map_err(|_| first.unwrap_err()) }
}

async fn read(opened: &OpenStore, model: &Model) -> Result<Verdict, String> {
    let mut verdict = Verdict::Whole;
    for (key, value) in model {
        match opened.store.get(key).await {
            Ok(Some(record)) if *record.value == *value => {}
            Ok(Some(_)) => return Err(format!("{}: other bytes", key.escape_ascii())),
            Ok(None) => return Err(format!("{}: not found", key.escape_ascii())),
            Err(StoreError::Damaged(_) | StoreError::Unreadable(_) | StoreError::Stopped(_)) => {
                verdict = Verdict::Damaged;
            }
            Err(other) => return Err(format!("{}: {other}", key.escape_ascii())),
        }
    }
    Ok(verdict)
}

/// One damage of one file.
enum Damage {
    Flip(usize),
    Zeroed,
    Halved,
    Removed,
    Older,
}

impl Damage {
    const fn name(&self) -> &'static str {
        match self {
            Self::Flip(_) => "one bit flipped",
            Self::Zeroed => "zeroed",
            Self::Halved => "halved",
            Self::Removed => "removed",
            Self::Older => "older copy",
        }
    }

    fn apply(&self, file: &Path, older: &Path) {
        let mut bytes = std::fs::read(file).unwrap();
        match self {
            Self::Flip(at) => {
                if bytes.is_empty() {
                    return;
                }
                let bit = at % (bytes.len() * 8);
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            Self::Zeroed => bytes.fill(0),
            Self::Halved => bytes.truncate(bytes.len() / 2),
            Self::Removed => return std::fs::remove_file(file).unwrap(),
            Self::Older => match std::fs::read(older) {
                Ok(old) => bytes = old,
                // There was none of this name then.
                Err(_) => return std::fs::remove_file(file).unwrap(),
            },
        }
        std::fs::write(file, bytes).unwrap();
    }
}

/// Damages each file of a store in each way, and shows what came of it.
fn damage(engine: Engine, name: &'static str, stop: Stop) {
    let sample = Sample::make(engine, name, stop);
    let seed = seed("DAMAGE_SEED");
    println!("DAMAGE_SEED={seed}");
    let mut random = Random::new(seed, 0);
    let mut found = Vec::new();
    files(&sample.stored(), Path::new(""), &mut found);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut counts: BTreeMap<(String, &str), BTreeMap<Verdict, usize>> = BTreeMap::new();
    let mut silent = Vec::new();
    let flips = std::env::var("DAMAGE_FLIPS")
        .map_or_else(|_| harness::rounds(40, 1_000), |n| n.parse().unwrap());
    for file in &found {
        let mut damages: Vec<Damage> =
            (0..flips).map(|_| Damage::Flip(random.below(usize::MAX))).collect();
        damages.extend([Damage::Zeroed, Damage::Halved, Damage::Removed, Damage::Older]);
        for damage in damages {
            let trial = scratch();
            let folder = trial.path().join("data");
            copy(&sample.stored(), &folder);
            damage.apply(&folder.join(file), &sample.older().join(file));
            let judged = runtime.block_on(judge(&folder, &sample));
            let row = (file.display().to_string(), damage.name());
            match judged {
                Ok(verdict) => *counts.entry(row).or_default().entry(verdict).or_default() += 1,
                Err(why) => silent.push(format!("{} {}: {why}", row.0, row.1)),
            }
        }
    }
    let stopped = if stop == Stop::Clean { "clean" } else { "killed" };
    let table = table(&counts);
    println!("{name}, {stopped}, {} steps\n{table}", sample.steps);
    let file = repository().join(format!("target/damage-{name}-{stopped}.md"));
    std::fs::write(file, table).unwrap();
    assert!(silent.is_empty(), "DAMAGE_SEED={seed}, silent:\n{}", silent.join("\n"));
}

fn table(counts: &BTreeMap<(String, &str), BTreeMap<Verdict, usize>>) -> String {
    let mut text = String::from(
        "| file | damage | refused | whole | read as damaged | silent |\n\
         |---|---|---|---|---|---|\n",
    );
    for ((file, damage), verdicts) in counts {
        let count = |verdict| verdicts.get(&verdict).copied().unwrap_or_default();
        let (refused, whole) = (count(Verdict::Refused), count(Verdict::Whole));
        let damaged = count(Verdict::Damaged);
        writeln!(text, "| {file} | {damage} | {refused} | {whole} | {damaged} | 0 |").unwrap();
    }
    text
}

#[test]
fn sled_store_stopped_cleanly_loses_nothing_in_silence() {
    damage(Engine::Sled, "sled", Stop::Clean);
}

#[test]
fn sled_store_killed_loses_nothing_in_silence() {
    damage(Engine::Sled, "sled", Stop::Killed);
}

#[test]
fn redb_store_stopped_cleanly_loses_nothing_in_silence() {
    damage(Engine::Redb, "redb", Stop::Clean);
}

#[test]
fn redb_store_killed_loses_nothing_in_silence() {
    damage(Engine::Redb, "redb", Stop::Killed);
}
