//! Files of the repository that git tracks, or would after `git add`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use harness::repository;

/// File with its path from the root.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
}

impl File {
    /// Text, if it is UTF-8.
    pub(crate) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// Lines with their numbers, from 1; none if it is not text.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text().unwrap_or_default().lines())
    }

    /// Returns whether its path has one of these endings.
    pub(crate) fn is(&self, endings: &[&str]) -> bool {
        endings.iter().any(|ending| self.path.ends_with(ending))
    }
}

/// All files.
pub(crate) fn files() -> &'static [File] {
    static FILES: OnceLock<Vec<File>> = OnceLock::new();
    FILES.get_or_init(|| {
        let paths = listed_by_git().unwrap_or_else(|| walked(repository()));
        let read = |path: String| {
            let bytes = std::fs::read(repository().join(&path)).ok()?;
            Some(File { path, bytes })
        };
        let files: Vec<File> = paths.into_iter().filter_map(read).collect();
        assert!(files.iter().any(|file| file.path == "Cargo.toml"), "this is not the repository");
        files
    })
}

/// Rust source files.
pub(crate) fn sources() -> impl Iterator<Item = &'static File> {
    files().iter().filter(|file| file.is(&[".rs"]))
}

fn listed_by_git() -> Option<Vec<String>> {
    let args = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
    let output = Command::new("git").current_dir(repository()).args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let paths = text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned);
    output.status.success().then(|| paths.collect())
}

/// All files but those of builds, for a source archive without git.
fn walked(folder: &Path) -> Vec<String> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            if path.is_dir() && !path.ends_with("target") && !path.ends_with(".git") {
                folders.push(path);
            } else if let Ok(below) = path.strip_prefix(repository())
                && path.is_file()
            {
                found.push(below.to_string_lossy().into_owned());
            }
        }
    }
    found
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.flatten().map(|entry| entry.path()).collect()
}
