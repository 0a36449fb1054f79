//! Damage to the files of a stopped store: **what was acknowledged is read as it was, or an error
//! says that it is damaged, or the store does not open. Never is it "not found".**
//!
//! ```text
//! a process writes, stops; writes on, stops or is killed with SIGKILL
//!    for each file of the folder: one bit flipped, zeroed, halved, removed, an older copy
//!        open -> refused | each acknowledged row: its bytes | "damaged"   else: silent
//! ```
//!
//! A start that is refused leaves the engine's files as they were.
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
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::{Random, WorkingCopy, repository, seed};
use kmip_server::config::Engine;
use kmip_server::store::{OpenStore, StoreError, open};
use tempfile::TempDir;
use workload::{Model, STEPS, acknowledged, model, settings};

const FOLDER: &str = "DAMAGE_FOLDER";
const ENGINE: &str = "DAMAGE_ENGINE";
const ACKS: &str = "DAMAGE_ACKS";
const LIVES: &str = "DAMAGE_STEPS";

/// Least length of the engine's file: five segments of sled.
const LEN_MIN: u64 = 5 * (8 << 20);

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

/// A stopped store, an older copy of it, and what must be in it.
struct Sample {
    around: TempDir,
    engine: Engine,
    steps: usize,
    must: Model,
    /// With the step after the last acknowledged one, which may be there as a whole.
    may: Model,
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
        WorkingCopy::new(&data, around.path().join("older"));
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
        let records = data.join("store/records");
        let lengths = std::fs::read_dir(records).unwrap();
        let longest = lengths.map(|entry| entry.unwrap().metadata().unwrap().len()).max().unwrap();
        assert!(longest >= LEN_MIN, "the store spans {longest} bytes");
        let steps = acknowledged(&acks);
        Self { around, engine, steps, must: model(steps), may: model(steps + 1) }
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
    let first = read(&opened, &sample.must).await;
    let Err(why) = first else { return first };
    read(&opened, &sample.may).await.map_err(|_| why)
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
        if let Self::Flip(at) = self {
            return flip(file, *at);
        }
        let mut bytes = std::fs::read(file).unwrap();
        match self {
            Self::Flip(_) => {}
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

/// Flips one bit, drawn by a number.
fn flip(file: &Path, number: usize) {
    let file = std::fs::OpenOptions::new().read(true).write(true).open(file).unwrap();
    let bits = usize::try_from(file.metadata().unwrap().len()).unwrap() * 8;
    let (bit, mut byte) = (number % bits, [0]);
    let offset = u64::try_from(bit / 8).unwrap();
    file.read_exact_at(&mut byte, offset).unwrap();
    file.write_all_at(&[byte[0] ^ (1 << (bit % 8))], offset).unwrap();
}

/// A start that is refused leaves the engine's files as they were, so that they can be saved.
fn is_untouched(changed: &[PathBuf], damaged: &Path, is_same: bool) -> Result<Verdict, String> {
    let is_engines = |path: &&PathBuf| path.starts_with("store/records");
    match changed.iter().filter(is_engines).find(|path| *path != damaged || !is_same) {
        None => Ok(Verdict::Refused),
        Some(path) => Err(format!("the start is refused, and has changed {}", path.display())),
    }
}

/// Damages each file of a store in each way, and shows what came of it.
fn damage(engine: Engine, name: &'static str, stop: Stop) {
    let sample = Sample::make(engine, name, stop);
    let seed = seed("DAMAGE_SEED");
    println!("DAMAGE_SEED={seed}");
    let mut random = Random::new(seed, 0);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut counts: BTreeMap<(String, &str), BTreeMap<Verdict, usize>> = BTreeMap::new();
    let mut silent = Vec::new();
    let flips = std::env::var("DAMAGE_FLIPS")
        .map_or_else(|_| harness::rounds(40, 1_000), |n| n.parse().unwrap());
    let copy = WorkingCopy::new(&sample.stored(), sample.around.path().join("copy"));
    let undamaged = runtime.block_on(judge(&copy.path, &sample));
    assert_eq!(undamaged, Ok(Verdict::Whole), "a copy opens");
    copy.restore();
    for (file, len) in copy.files() {
        // An empty file has no bit.
        let flips = if len == 0 { 0 } else { flips };
        let mut damages: Vec<Damage> =
            (0..flips).map(|_| Damage::Flip(random.below(usize::MAX))).collect();
        damages.extend([Damage::Zeroed, Damage::Halved, Damage::Removed, Damage::Older]);
        for damage in damages {
            let path = copy.path.join(file);
            damage.apply(&path, &sample.older().join(file));
            let damaged = std::fs::read(&path).ok();
            let judged = runtime.block_on(judge(&copy.path, &sample));
            let is_same = std::fs::read(&path).ok() == damaged;
            let changed = copy.restore();
            let judged = match judged {
                Ok(Verdict::Refused) => is_untouched(&changed, file, is_same),
                other => other,
            };
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
