//! A library of C that is loaded before the C library, and takes some of its calls over.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{foreign, repository};

/// Compiles a source of `tests/` into a library in `folder`; `None` where there is no C compiler,
/// and then the test is skipped.
pub fn preload(source: &str, folder: &Path) -> Option<PathBuf> {
    let library = folder.join("preload.so");
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&library);
    match cc.arg(repository().join("tests").join(source)).arg("-ldl").output() {
        Err(_) => {
            foreign::skip(&format!("there is no C compiler `cc` for {source}"));
            None
        }
        Ok(output) => {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Some(library)
        }
    }
}
