//! Crashes and power losses at each step of an overwrite: a block is never damaged by them, and is
//! never older than what was flushed.

use super::simulated_disk::{Machine, SimulatedFile};
use super::{BLOCKS, content, key};
use crate::node::block_checksums::DriveChecksums;
use crate::node::block_file::{BLOCK_LEN, BlockFile};
use crate::state::key_ring::DriveId;
use std::sync::Arc;

const DRIVE: u32 = 1;

/// A machine with a drive without blocks written.
struct Simulation {
    machine: Arc<Machine>,
    blocks: SimulatedFile,
    checksums: SimulatedFile,
}

/// Versions of a block since the last flush, the oldest first; 0 is "never written".
type Versions = Vec<u32>;

impl Simulation {
    fn new() -> Self {
        Self::trusted_for(BLOCKS)
    }

    /// With checksums that are trusted for this many blocks.
    fn trusted_for(trusted: u64) -> Self {
        let machine = Arc::new(Machine::default());
        let checksums = DriveChecksums::new(&key(DRIVE), DriveId(DRIVE), BLOCKS).unwrap();
        let mut bytes = checksums.header(trusted);
        bytes.resize(usize::try_from(checksums.file_len().unwrap()).unwrap(), 0);
        let blocks = vec![0; usize::try_from(BLOCKS).unwrap() * BLOCK_LEN];
        Self {
            // A page is whole; of the checksums, which no page is asked for, an entry.
            blocks: SimulatedFile::new("blocks", BLOCK_LEN, &machine, blocks),
            checksums: SimulatedFile::new("checksums", 32, &machine, bytes),
            machine,
        }
    }

    /// Opens the drive, as a process does that starts.
    fn start(&self) -> BlockFile<SimulatedFile> {
        let (blocks, checksums) = (self.blocks.clone(), self.checksums.clone());
        BlockFile::of_files(blocks, checksums, DriveId(DRIVE), &key(DRIVE), BLOCKS).unwrap()
    }

    /// Reads a block after a restart, and returns which of these versions it is.
    fn version(&self, lba: u64, allowed: &[u32]) -> u32 {
        self.machine.stop_at(0);
        let mut block = vec![0xEE; BLOCK_LEN];
        let outcome = self.start().read(lba, &mut block);
        outcome.unwrap_or_else(|error| panic!("{error}; allowed are {allowed:?}"));
        let found = allowed.iter().find(|version| block == of_version(lba, **version));
        *found.unwrap_or_else(|| panic!("block {lba} has none of the versions {allowed:?}"))
    }
}

fn of_version(lba: u64, version: u32) -> Vec<u8> {
    if version == 0 { vec![0; BLOCK_LEN] } else { content(DRIVE, lba, version) }
}

/// What happens to block 3 before the crash, as numbers of versions: each is written and flushed,
/// or only written.
#[derive(Clone, Copy, Debug)]
enum Before {
    Flushed(u32),
    Unflushed(u32),
}

/// Every crash point, and after each every combination of what is on disk of that which was not
/// synced; and the crash of the process alone, which loses nothing.
#[test]
fn block_is_readable_after_a_crash_at_every_step() {
    use Before::{Flushed, Unflushed};
    let histories: [&[Before]; 7] = [
        &[],
        &[Flushed(1)],
        &[Unflushed(1)],
        &[Flushed(1), Flushed(2)],
        &[Flushed(1), Unflushed(2)],
        &[Flushed(1), Unflushed(2), Unflushed(1)],
        &[Unflushed(1), Unflushed(2), Unflushed(3)],
    ];
    let mut crashes = 0;
    for history in histories {
        for restarted in [false, true] {
            crashes += crashes_after(history, restarted);
        }
    }
    assert!(crashes > 150, "{crashes}");
}

/// Does what came before, then overwrites the block and flushes, with a crash at each step.
/// Returns how many crashes there were.
fn crashes_after(history: &[Before], restarted: bool) -> u32 {
    let mut crashes = 0;
    for step in 1.. {
        let mut unsynced = 0;
        for kept in 0.. {
            let (simulation, allowed, finished) = crashed_at(history, restarted, step);
            if finished {
                assert!(step > 3, "writing and flushing takes steps");
                return crashes;
            }
            // The process alone dies.
            simulation.version(3, &allowed);
            unsynced = unsynced.max(simulation.blocks.unsynced() + simulation.checksums.unsynced());
            let of_blocks = simulation.blocks.unsynced();
            simulation.blocks.lose_power(|piece| kept >> piece & 1 == 1);
            simulation.checksums.lose_power(|piece| kept >> (of_blocks + piece) & 1 == 1);
            simulation.version(3, &allowed);
            crashes += 1;
            if kept + 1 == 1_u32 << unsynced {
                break;
            }
        }
    }
    crashes
}

/// Returns also the versions that the block may have, and whether there was no crash.
fn crashed_at(history: &[Before], restarted: bool, step: u64) -> (Simulation, Versions, bool) {
    let simulation = Simulation::new();
    let mut file = simulation.start();
    let mut allowed = vec![0];
    for before in history {
        match *before {
            Before::Unflushed(version) => {
                file.write(3, &of_version(3, version)).unwrap();
                allowed.push(version);
            }
            Before::Flushed(version) => {
                file.write(3, &of_version(3, version)).unwrap();
                file.flush().unwrap();
                allowed = vec![version];
            }
        }
    }
    if restarted {
        file = simulation.start();
    }
    simulation.machine.stop_at(step);
    allowed.push(9);
    let finished = file.write(3, &of_version(3, 9)).and_then(|()| file.flush()).is_ok();
    if finished {
        simulation.version(3, &[9]);
    }
    (simulation, allowed, finished)
}

/// The checksum of the block was lost, and so may be the block: it is not read as zeros because
/// somebody was about to overwrite it.
#[test]
fn block_without_a_trusted_checksum_is_not_zeros_after_a_crash() {
    for step in 1.. {
        let simulation = Simulation::trusted_for(3);
        simulation.machine.stop_at(step);
        let file = simulation.start();
        let finished = file.write(3, &of_version(3, 9)).and_then(|()| file.flush()).is_ok();
        simulation.machine.stop_at(0);
        let mut block = vec![0xEE; BLOCK_LEN];
        if simulation.start().read(3, &mut block).is_ok() {
            assert!(block == of_version(3, 9), "step {step}");
        }
        if finished {
            assert!(step > 3, "writing and flushing takes steps");
            return;
        }
    }
}

/// A generator of numbers that are the same for the same seed (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % end
    }
}

/// Many writes of several blocks, flushes, crashes and power losses, one after the other on the
/// same files.
#[test]
fn blocks_survive_many_crashes_on_the_same_files() {
    for seed in 1..=10 {
        let mut random = Random(u64::wrapping_mul(seed, 0x9E37_79B9_7F4A_7C15));
        let simulation = Simulation::new();
        let mut next_version = 1;
        let mut versions: Vec<Versions> = (0..BLOCKS).map(|_| vec![0]).collect();
        for round in 0..30 {
            simulation.machine.stop_at(random.below(40) + 1);
            write_until_the_crash(&simulation, &mut random, &mut versions, &mut next_version);
            let loses_power = random.below(2) == 0;
            if loses_power {
                simulation.blocks.lose_power(|_| random.below(2) == 0);
                simulation.checksums.lose_power(|_| random.below(2) == 0);
            }
            for (lba, allowed) in (0..).zip(&mut versions) {
                let found = simulation.version(lba, allowed);
                // What is not there was not written, or is lost.
                allowed.retain(|version| *version <= found);
                if loses_power {
                    *allowed = vec![found];
                }
            }
            assert!(next_version > round, "something is written in each round, seed {seed}");
        }
    }
}

fn write_until_the_crash(
    simulation: &Simulation,
    random: &mut Random,
    versions: &mut [Versions],
    next_version: &mut u32,
) {
    let file = simulation.start();
    loop {
        let count = random.below(3) + 1;
        let first = random.below(BLOCKS - count + 1);
        let mut bytes = Vec::new();
        for lba in first..first + count {
            bytes.extend(of_version(lba, *next_version));
            versions[usize::try_from(lba).unwrap()].push(*next_version);
        }
        *next_version += 1;
        if file.write(first, &bytes).is_err() {
            return;
        }
        if random.below(2) == 0 {
            if file.flush().is_err() {
                return;
            }
            for versions in &mut *versions {
                *versions = versions.split_off(versions.len() - 1);
            }
        }
    }
}
