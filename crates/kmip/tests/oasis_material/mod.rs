//! Files of OASIS that are no part of this repository: specifications and test cases.

use std::path::{Path, PathBuf};

/// Path of OASIS's material: what `variable` says, or `below` in the folder beside the repository;
/// none where it is missing, except under CI.
pub(crate) fn oasis_material(variable: &str, below: &str) -> Option<PathBuf> {
    let path = match std::env::var_os(variable) {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/kmip").join(below),
    };
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "{} is missing; set {variable}", path.display());
    println!("SKIPPED: {} is missing; {variable} can say where it is", path.display());
    None
}
