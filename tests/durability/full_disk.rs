//! A disk that is full, a real one: a tmpfs of 96 MiB in a mount namespace of its own. Writes are
//! refused with a clear reason, reads go on, and writes resume when there is space, without a
//! restart. A stop and a start on the full disk work. Nothing that was acknowledged is lost.
//!
//! ```text
//! test -- unshare, mount --> small_disk: server, clients, and a file that takes the space away
//! ```

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::{KmipServer, Lab, foreign};
use kmip::attributes::{AttributeValue, VendorAttribute};
use kmip::client::{Client, Error};
use kmip::payload::CreateRequest;

use crate::requests::{all, client, create, key_len};

const FOLDER: &str = "SMALL_DISK_FOLDER";
const ENGINE: &str = "SMALL_DISK_ENGINE";
const RESERVE: &str = "SMALL_DISK_RESERVE";

/// Space that another process has from the beginning, so that it can give it back at the end.
const BALLAST_MIB: u64 = 44;

/// Most Creates until the disk must be full.
const CREATES_MAX: usize = 20_000;

/// Length of an attribute of each key, so that the disk is full soon.
const NOTE_LEN: usize = 8_000;

/// Creates under way at once.
const AT_ONCE: usize = 32;

const NO_SPACE: &str = "too little free space and takes no changes until there is more";
const UNKNOWN: &str = "not known whether the change was made";
const NO_READ: &str = "failed to read its store";

/// Namespaces in which this user may mount a file system, most modest first.
const NAMESPACES: [&[&str]; 2] = [&["--user", "--map-root-user", "--mount"], &["--mount"]];

const MOUNT: &str = "mount -t tmpfs -o size=96m tmpfs \"$0\" && exec \"$@\"";

/// Runs a command in a mount namespace with the small disk at `folder`.
fn on_small_disk(namespace: &[&str], folder: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(namespace).args(["sh", "-c", MOUNT]).arg(folder);
    command
}

fn run(engine: &str, reserve: &str) {
    let folder = tempfile::tempdir().unwrap();
    let can_mount = |namespace: &&&[&str]| {
        let tried = on_small_disk(namespace, folder.path()).arg("true").output();
        tried.is_ok_and(|output| output.status.success())
    };
    let Some(namespace) = NAMESPACES.iter().find(can_mount) else {
        return foreign::skip("no file system can be mounted, neither by unshare nor as root");
    };
    let mut process = on_small_disk(namespace, folder.path());
    process.arg(std::env::current_exe().unwrap());
    process.args(["--exact", "full_disk::small_disk", "--nocapture", "--test-threads=1"]);
    process.env(FOLDER, folder.path()).env(ENGINE, engine).env(RESERVE, reserve);
    let output = process.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{engine}, reserve {reserve}:\n{text}\n{errors}");
    let said = text.lines().filter(|line| line.starts_with(engine));
    said.for_each(|line| println!("{line}"));
}

/// Not a test of its own: what runs on the small disk. It does nothing in any other process.
#[test]
fn small_disk() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let engine = std::env::var(ENGINE).unwrap();
    let mut disk = SmallDisk::new(PathBuf::from(folder), engine, std::env::var(RESERVE).unwrap());
    disk.fill_by_creates();
    disk.stop_and_start("clean stop", false);
    disk.stop_and_start("SIGKILL", true);
    disk.fill_to_the_last_byte();
    disk.stop_and_start("not a byte free", false);
    // The start may have given up the space that was held back for it: that is taken too.
    disk.fill_to_the_last_byte();
    disk.stop_and_start("not a byte free, and none held back", true);
    disk.resume();
}

/// A server with its data folder on the small disk, and another process's file.
struct SmallDisk {
    folder: PathBuf,
    engine: String,
    reserve: String,
    _lab: Lab,
    runtime: tokio::runtime::Runtime,
    server: KmipServer,
    client: Client,
    /// Whether the server runs: a start may be refused for want of space.
    is_up: bool,
    acknowledged: Vec<String>,
    creates: usize,
}

impl SmallDisk {
    fn new(folder: PathBuf, engine: String, reserve: String) -> Self {
        let lab = Lab::new();
        let ballast = File::create(folder.join("ballast")).unwrap();
        write_zeros(&ballast, BALLAST_MIB << 20).unwrap();
        let server =
            KmipServer::start_with(&lab, folder.join("data").to_str().unwrap(), |program| {
                program.arg("--engine").arg(&engine).arg("--free-space-reserve").arg(&reserve)
            });
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let client = client(&lab, &server, "client");
        let (acknowledged, creates) = (Vec::new(), 0);
        Self {
            folder,
            engine,
            reserve,
            _lab: lab,
            runtime,
            server,
            client,
            is_up: true,
            acknowledged,
            creates,
        }
    }

    /// Sends many Creates at once; gives what was refused.
    fn create(&mut self) -> Vec<Error> {
        let (from, to) = (self.creates, self.creates + AT_ONCE);
        self.creates = to;
        let (client, tasks) = (&self.client, &self.runtime);
        let running: Vec<_> = (from..to)
            .map(|n| {
                let client = client.clone();
                tasks.spawn(async move { client.request(long_create(n)).await })
            })
            .collect();
        let mut refused = Vec::new();
        for answer in running {
            match self.runtime.block_on(answer).unwrap() {
                Ok(answer) => self.acknowledged.push(answer.unique_identifier),
                Err(error) => refused.push(error),
            }
        }
        refused
    }

    /// Creates until all are refused; an error before says that the outcome of a write is unknown.
    fn fill_by_creates(&mut self) {
        let mut unknown = 0;
        while self.creates < CREATES_MAX {
            let refused = self.create();
            unknown += refused.iter().filter(|error| says(error, UNKNOWN)).count();
            let clear = refused.iter().filter(|error| self.is_no_space(error)).count();
            assert!(
                refused.iter().all(|error| self.is_no_space(error) || says(error, UNKNOWN)),
                "{refused:?}"
            );
            if clear == AT_ONCE {
                assert!(unknown == 0 || self.reserve == "0", "the reserve was not enough");
                return self.check(&format!("full, {unknown} unknown"));
            }
        }
        panic!("{} Creates did not fill the disk", self.creates);
    }

    /// sled reads nothing after a write that failed until it was opened again, which takes space:
    /// without a reserve there may be none.
    fn reads_end(&self) -> bool {
        self.reserve == "0" && self.engine == "sled"
    }

    fn is_no_space(&self, error: &Error) -> bool {
        says(error, NO_SPACE) || self.reads_end() && says(error, NO_READ)
    }

    /// Every acknowledged key can be had, and a Create is refused for want of space.
    fn check(&mut self, what: &str) {
        if !self.reads_end() {
            self.check_reads();
        }
        let refused = self.create();
        let is_clear = |error: &Error| self.is_no_space(error) || says(error, UNKNOWN);
        assert!(refused.iter().all(is_clear), "{what}: {refused:?}");
        // Without a reserve a start may have found some pages.
        let some = if self.reserve == "0" { 0 } else { AT_ONCE };
        assert!(refused.len() >= some, "{what}: only {} are refused", refused.len());
        self.say(&format!("{what}: all there of"));
    }

    fn check_reads(&self) {
        self.runtime.block_on(async {
            let held = all(&self.client).await;
            for id in &self.acknowledged {
                assert!(held.contains(id), "{id} was acknowledged and is lost");
                assert_eq!(key_len(&self.client, id).await.unwrap(), 32, "{id}");
            }
        });
    }

    /// Stops the server and starts it on the full disk. A start that has no space held back may be
    /// refused, if it says so.
    fn stop_and_start(&mut self, what: &str, kill: bool) {
        if kill || !self.is_up {
            self.server.kill();
        } else {
            assert!(self.server.process().terminate().success());
        }
        let started = self.server.try_restart();
        self.is_up = started.is_ok();
        match started {
            Ok(()) => {
                self.check_reads();
                self.check(what);
            }
            Err(log) => {
                let may_be = self.reserve == "0" || what.contains("none held back");
                assert!(may_be && log.contains("free some space"), "{what}: {log}");
                self.say(&format!("{what}: the start is refused after"));
            }
        }
    }

    /// Another process takes all the space that is left.
    fn fill_to_the_last_byte(&mut self) {
        let more = self.folder.join(format!("more-{}", self.creates));
        write_zeros(&File::create(more).unwrap(), u64::MAX).unwrap_err();
        if self.is_up {
            self.check("filled by another process");
        }
    }

    /// The other process gives its space back: writes resume without a restart, and all is there
    /// after a kill.
    fn resume(&mut self) {
        for entry in std::fs::read_dir(&self.folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                std::fs::remove_file(entry.path()).unwrap();
            }
        }
        if !self.is_up {
            self.server.restart();
        }
        for round in 0..8 {
            let refused = self.create();
            assert!(refused.is_empty(), "round {round}: {refused:?}");
        }
        self.server.kill();
        self.server.restart();
        self.check_reads();
        self.say("space again, writes resumed, SIGKILL: all there of");
    }

    fn say(&self, what: &str) {
        println!(
            "{}, reserve {} MiB: {what} {} acknowledged",
            self.engine,
            self.reserve,
            self.acknowledged.len()
        );
    }
}

/// The request for a key with a long attribute.
fn long_create(n: usize) -> CreateRequest {
    let mut request = create(&format!("key-{n}"));
    let note = VendorAttribute::text("Note", &"n".repeat(NOTE_LEN));
    request.attributes.attributes.push(AttributeValue::Vendor(note).into());
    request
}

fn says(error: &Error, text: &str) -> bool {
    error.to_string().contains(text)
}

/// Writes so many zeros, or as many as there is space for.
fn write_zeros(mut file: &File, len: u64) -> std::io::Result<()> {
    let zeros = [0; 1 << 12];
    for _ in 0..len >> 12 {
        file.write_all(&zeros)?;
    }
    Ok(())
}

/// sled, with a reserve: no write ever meets the full disk.
#[test]
fn full_disk_refuses_writes_and_loses_nothing_with_sled() {
    run("sled", "24");
}

/// redb: the same.
#[test]
fn full_disk_refuses_writes_and_loses_nothing_with_redb() {
    run("redb", "24");
}

/// sled, without a reserve: a write fails for want of space, and its outcome is unknown.
#[test]
fn full_disk_without_a_reserve_loses_nothing_with_sled() {
    run("sled", "0");
}

/// redb: the same.
#[test]
fn full_disk_without_a_reserve_loses_nothing_with_redb() {
    run("redb", "0");
}
