//! Clocks of the other programs, through libfaketime: a library of Debian that is loaded before a
//! program, and reads from a file how far its clock is off.

use std::fs;
use std::path::{Path, PathBuf};

/// Where Debian installs the library, by architecture.
const LIBRARIES: [&str; 2] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
];

/// The library, if it is installed.
pub fn library() -> Option<&'static Path> {
    LIBRARIES.iter().map(Path::new).find(|path| path.exists())
}

/// Environment of a program whose clock this file sets off; none if the library is missing.
pub fn environment(file: &Path) -> Vec<(&'static str, String)> {
    let Some(library) = library() else { return Vec::new() };
    vec![
        ("LD_PRELOAD", library.display().to_string()),
        ("FAKETIME_TIMESTAMP_FILE", file.display().to_string()),
        // Timers go on as they do.
        ("DONT_FAKE_MONOTONIC", "1".to_owned()),
        ("FAKETIME_CACHE_DURATION", "1".to_owned()),
    ]
}

/// Writes how many days the clock is off.
pub fn set(file: &Path, days: i64) -> Result<(), String> {
    // The library may read at any time, so the file is replaced as a whole.
    let new: PathBuf = file.with_extension("new");
    let write = fs::write(&new, format!("{days:+}d\n")).and_then(|()| fs::rename(&new, file));
    write.map_err(|why| format!("{} cannot be written: {why}", file.display()))
}
