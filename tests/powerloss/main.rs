//! The power goes, and no acknowledged commit goes with it.
//!
//! ```text
//! a process with 16 writers --- recorder.c ---> record of every write, sync and name
//!                                                  |
//!   for 40 acknowledgements, drawn from a seed:   v
//!   the disk as it may be at that moment  --->  open the store  --->  all that was acknowledged?
//! ```
//!
//! A process that is killed proves little, because what it wrote lives on in the page cache. Here
//! what was not synced is lost, torn or kept as the model has it. The recorder can also ignore a
//! kind of sync: then the same test must fail, or it would prove nothing.

#![cfg(target_os = "linux")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it says"
)]

mod disk;
mod record;
mod workload;

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use disk::{Disk, Model};
use harness::{Random, preload, seed};
use kmip_server::config::Engine;
use record::Entry;
use tempfile::TempDir;

/// How many moments the power goes at, for each model: 40, or 120 with `SOAK=1`.
fn points() -> usize {
    harness::rounds(40, 120)
}

/// How many acknowledged steps a process lives. It lives twice, so that the record has what the
/// store does when it finds the files of a process that was killed.
const STEPS: usize = 800;

const FOLDER: &str = "POWERLOSS_FOLDER";
const ACKS: &str = "POWERLOSS_ACKS";
const ENGINE: &str = "POWERLOSS_ENGINE";

/// A record, and the folder that it is of.
struct Recording {
    engine: Engine,
    folder: TempDir,
    root: String,
    inode: u64,
    record: Vec<u8>,
}

/// Not a test of its own: what the recorded process runs. It does nothing in any other.
#[test]
fn recorded_process() {
    let (Ok(folder), Ok(acks)) = (std::env::var(FOLDER), std::env::var(ACKS)) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    let engine = match std::env::var(ENGINE).as_deref() {
        Ok("redb") => Engine::Redb,
        _ => Engine::Sled,
    };
    let data = Path::new(&folder).join("data");
    runtime.block_on(workload::run(&data, engine, Path::new(&acks), STEPS));
}

/// Lets a process write, twice, and records it; `ignored` names a sync that does nothing, or the
/// end of the path of a file whose syncs do nothing.
fn record(engine: Engine, ignored: Option<&str>) -> Option<Recording> {
    let around = tempfile::tempdir().unwrap();
    let library = preload("powerloss/recorder.c", around.path())?;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    let (record, acks) = (around.path().join("record"), around.path().join("acks"));
    for _ in 0..2 {
        let mut process = Command::new(std::env::current_exe().unwrap());
        process.args(["--exact", "recorded_process", "--nocapture", "--test-threads=1"]);
        process.env("LD_PRELOAD", &library).env("POWERLOSS_RECORD", &record);
        process.env(FOLDER, &path).env(ACKS, acks.canonicalize().unwrap_or(acks.clone()));
        process.env(ENGINE, engine.to_string());
        if let Some(ignored) = ignored {
            process.env("POWERLOSS_IGNORE", ignored);
        }
        let output = process.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the recorded process failed: {text}");
    }
    let inode = std::fs::metadata(&path).unwrap().ino();
    let root = path.to_str().unwrap().to_owned();
    Some(Recording { engine, folder, root, inode, record: std::fs::read(record).unwrap() })
}

/// The one record of an engine that the tests of the sound store share.
fn recording(engine: Engine) -> Option<&'static Recording> {
    static SLED: OnceLock<Option<Recording>> = OnceLock::new();
    static REDB: OnceLock<Option<Recording>> = OnceLock::new();
    let recording = match engine {
        Engine::Sled => &SLED,
        Engine::Redb => &REDB,
    };
    recording.get_or_init(|| record(engine, None)).as_ref()
}

/// A folder to restore a disk in: in memory where there is such a place, for it is many of them.
fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.unwrap()
}

/// What is wrong after a power cut that comes right after the entry `cut`.
fn power_cut(
    recording: &Recording,
    entries: &[Entry<'_>],
    cut: usize,
    model: Model,
    random: &mut Random,
) -> Result<(), String> {
    let entries = &entries[..=cut];
    let steps = workload::steps(entries);
    let scratch = scratch();
    Disk::new(&recording.root, recording.inode, entries).restore(model, random, scratch.path());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(workload::verify(&scratch.path().join("data"), recording.engine, &steps))
}

/// The power goes at `points` acknowledgements; gives what was wrong, moment by moment.
fn power_cuts(recording: &Recording, model: Model, points: usize) -> Vec<String> {
    let seed = seed("POWERLOSS_SEED");
    let entries = record::read(&recording.record);
    let is_ack = |n: &usize| matches!(entries[*n], Entry::Acknowledged(_));
    let mut acks: Vec<usize> = (0..entries.len()).filter(is_ack).collect();
    assert!(acks.len() >= 2 * STEPS, "only {} acknowledgements were recorded", acks.len());
    let mut random = Random::new(seed, 0);
    let mut wrong = Vec::new();
    for _ in 0..points {
        let cut = acks.swap_remove(random.below(acks.len()));
        let result = power_cut(recording, &entries, cut, model, &mut Random::new(seed, cut));
        wrong.extend(result.err().map(|error| format!("after entry {cut}: {error}")));
    }
    println!(
        "{}, model {model:?}, POWERLOSS_SEED={seed}: {points} power cuts in {} entries, {} wrong",
        recording.engine,
        entries.len(),
        wrong.len()
    );
    wrong
}

fn nothing_is_lost(model: Model) {
    for engine in [Engine::Sled, Engine::Redb] {
        let Some(recording) = recording(engine) else { return };
        let wrong = power_cuts(recording, model, points());
        assert!(wrong.is_empty(), "{engine}, model {model:?}: {wrong:#?}");
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_all_that_was_not_synced_is() {
    nothing_is_lost(Model::Strict);
}

#[test]
fn nothing_acknowledged_is_lost_when_pages_are_torn() {
    nothing_is_lost(Model::Page);
}

#[test]
fn nothing_acknowledged_is_lost_when_writes_come_through_at_random() {
    nothing_is_lost(Model::Random);
}

/// A store that is being made has acknowledged nothing, and must still not be in its own way.
#[test]
fn the_store_opens_after_a_power_cut_at_any_moment_of_its_making() {
    for engine in [Engine::Sled, Engine::Redb] {
        let Some(recording) = recording(engine) else { return };
        let seed = seed("POWERLOSS_SEED");
        let entries = record::read(&recording.record);
        let is_ack = |entry: &Entry<'_>| matches!(entry, Entry::Acknowledged(_));
        let first = entries.iter().position(is_ack).unwrap();
        for cut in 0..first {
            for model in [Model::Strict, Model::Page, Model::Random, Model::Everything] {
                let mut random = Random::new(seed, cut);
                let result = power_cut(recording, &entries, cut, model, &mut random);
                let text = format!("{engine}, model {model:?}, POWERLOSS_SEED={seed}, entry {cut}");
                assert_eq!(result, Ok(()), "{text}");
            }
        }
        println!("{engine}: {first} moments");
    }
}

/// The test can fail: without the store's own fdatasync, acknowledged commits are lost.
#[test]
fn without_fdatasync_acknowledged_commits_are_lost() {
    for engine in [Engine::Sled, Engine::Redb] {
        let Some(recording) = record(engine, Some("fdatasync")) else { return };
        let wrong = power_cuts(&recording, Model::Strict, 12);
        assert!(wrong.len() >= 6, "{engine}: {wrong:#?}");
    }
}

/// Nor is the head file what commits are kept in: without any sync of the engine's file they are
/// lost, sled's own by the clock among them.
#[test]
fn without_a_sync_of_the_engine_acknowledged_commits_are_lost() {
    let Some(recording) = record(Engine::Sled, Some("/records/db")) else { return };
    let wrong = power_cuts(&recording, Model::Strict, 12);
    assert_eq!(wrong.len(), 12, "{wrong:#?}");
}

/// And without the syncs of what was made, the store itself is.
#[test]
fn without_fsync_the_store_is_lost() {
    let Some(recording) = record(Engine::Sled, Some("fsync")) else { return };
    let wrong = power_cuts(&recording, Model::Strict, 4);
    assert_eq!(wrong.len(), 4, "{wrong:#?}");
}

/// The recorder missed nothing: all that it noted gives the folder as the process left it.
#[test]
fn the_record_is_whole() {
    for engine in [Engine::Sled, Engine::Redb] {
        let Some(recording) = recording(engine) else { return };
        let entries = record::read(&recording.record);
        let again = scratch();
        let disk = Disk::new(&recording.root, recording.inode, &entries);
        disk.restore(Model::Everything, &mut Random::new(0, 0), again.path());
        let (left, restored) = (files(recording.folder.path()), files(again.path()));
        let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&left), names(&restored));
        for (path, bytes) in left {
            assert!(restored[&path] == bytes, "{} is not the same", path.display());
        }
    }
}

/// The bytes of every file below a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                files.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    files
}
