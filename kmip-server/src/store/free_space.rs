//! Reserve of free space in the data folder, below which writes are refused.
//!
//! An engine that meets a full disk in the middle of a write leaves an unknown outcome. So writes
//! end earlier, and resume by themselves once there is space.
//!
//! An engine may need space to start, too: sled writes a snapshot. If others have filled the disk,
//! the file `reserve` is given up for that, and made again when there is space.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

use super::StoreError;

const MIB: u64 = 1 << 20;

/// Length of the file `reserve`: two segments of sled.
const FILE_MIB: u64 = 16;

/// Free space of a folder, against a reserve.
pub(crate) struct FreeSpace {
    folder: PathBuf,
    /// The file that is given up for a start.
    file: PathBuf,
    reserve: u64,
    /// Whether the last check found too little, so that each change is logged once.
    is_low: bool,
}

impl FreeSpace {
    /// Watches the file system of a folder; a reserve of 0 MiB turns it off.
    pub(crate) fn new(folder: &Path, file: &Path, reserve_mib: u64) -> Self {
        let reserve = reserve_mib.saturating_mul(MIB);
        Self { folder: folder.to_owned(), file: file.to_owned(), reserve, is_low: false }
    }

    /// Free bytes; a file system that does not say has enough.
    fn free(&self) -> u64 {
        statvfs(&self.folder)
            .map_or(u64::MAX, |found| found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// Fails if less than the reserve is free.
    pub(crate) fn check(&mut self) -> Result<(), StoreError> {
        if self.reserve == 0 {
            return Ok(());
        }
        let free = self.free();
        let is_low = free < self.reserve;
        if is_low != self.is_low {
            self.is_low = is_low;
            let folder = self.folder.display();
            if is_low {
                tracing::error!(%folder, free, "too little free space: writes are refused");
            } else {
                tracing::info!(%folder, free, "there is free space again: writes resume");
                self.hold();
            }
        }
        if is_low { Err(shortage(free, self.reserve, "free-space-reserve is")) } else { Ok(()) }
    }

    /// Fails if there is too little free for an engine that is opened again.
    pub(crate) fn check_reopen(&mut self) -> Result<(), StoreError> {
        self.check()?;
        let (free, needed) = (self.free(), FILE_MIB.saturating_mul(MIB));
        if free < needed { Err(shortage(free, needed, "to open the engine takes")) } else { Ok(()) }
    }

    /// Tells whether so many bytes can be written and the reserve is still free.
    pub(crate) fn has_room(&self, len: u64) -> bool {
        let kept = self.reserve.max(FILE_MIB.saturating_mul(MIB));
        self.free() >= len.saturating_add(kept)
    }

    /// Makes the file `reserve`, if there is a reserve and space for it.
    pub(crate) fn hold(&self) {
        let len = FILE_MIB.saturating_mul(MIB);
        let is_held = fs::metadata(&self.file).is_ok_and(|found| found.len() == len);
        if self.reserve == 0 || is_held || self.free() < self.reserve.saturating_add(len) {
            return;
        }
        let made = File::create(&self.file).and_then(|file| {
            fallocate(&file, FallocateFlags::empty(), 0, len).map_err(io::Error::from)
        });
        if let Err(why) = made {
            let file = self.file.display();
            tracing::warn!(%file, %why, "no space can be held back for a start on a full disk");
            let _ = fs::remove_file(&self.file);
        }
    }

    /// Gives the file `reserve` up, and tells whether there was one.
    pub(crate) fn release(&self) -> bool {
        fs::remove_file(&self.file).is_ok()
    }
}

fn shortage(free: u64, needed: u64, what: &str) -> StoreError {
    let mib = |bytes: u64| bytes.checked_div(MIB).unwrap_or_default();
    StoreError::NoSpace(format!("{} MiB are free and {what} {} MiB", mib(free), mib(needed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(folder: &Path, reserve_mib: u64) -> FreeSpace {
        FreeSpace::new(folder, &folder.join("reserve"), reserve_mib)
    }

    #[test]
    fn reserve_beyond_the_disk_refuses_and_none_does_not() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(space(folder.path(), 0).check(), Ok(()));
        let error = space(folder.path(), u64::MAX / MIB).check().unwrap_err().to_string();
        assert!(error.contains("MiB are free and free-space-reserve is"), "{error}");
    }

    #[test]
    fn writes_resume_by_themselves_when_there_is_space() {
        let folder = tempfile::tempdir().unwrap();
        let mut space = space(folder.path(), u64::MAX / MIB);
        space.check().unwrap_err();
        space.reserve = 1;
        assert_eq!(space.check(), Ok(()));
        assert!(folder.path().join("reserve").exists(), "and the space for a start is held again");
    }

    #[test]
    fn space_for_a_start_is_held_and_given_up() {
        let folder = tempfile::tempdir().unwrap();
        for (reserve, is_held) in [(0, false), (u64::MAX / MIB, false), (1, true)] {
            let space = space(folder.path(), reserve);
            space.hold();
            assert_eq!(space.release(), is_held, "{reserve}");
            assert!(!space.release());
        }
        let space = space(folder.path(), 1);
        space.hold();
        let len = fs::metadata(folder.path().join("reserve")).unwrap().len();
        assert_eq!(len, FILE_MIB * MIB);
    }
}
