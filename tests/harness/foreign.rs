//! Python environment of the foreign clients, made once under `target/foreign/`.
//!
//! Where Python or its registry is missing, a test that needs a client is skipped with a line that
//! says so. In CI a skip is a failure: a client that was not tried has not been shown to work.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::{build_folder, repository};

/// The clients, pinned: what they send is part of what the tests say.
const REQUIREMENTS: &str = "tests/foreign/requirements.txt";

/// Python environment with the foreign clients.
pub struct ForeignClients {
    python: PathBuf,
}

impl ForeignClients {
    /// The environment, made if need be; `None` when it cannot be had, and then the line is told.
    pub fn python() -> Option<Self> {
        match environment() {
            Ok(python) => Some(Self { python }),
            Err(why) => {
                skip(&why);
                None
            }
        }
    }

    /// Runs a script of `tests/foreign/` and returns what it said; its failure is the test's.
    #[track_caller]
    pub fn run(&self, script: &str, args: &[&str]) -> String {
        passed(script, self.script(script).args(args).output())
    }

    /// A script of `tests/foreign/`, not yet started.
    pub fn script(&self, script: &str) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(repository().join("tests/foreign").join(script));
        command
    }

    /// The folder of a package's source archive, for what is not installed with it; `None` when it
    /// cannot be had, and then the line is told.
    pub fn source(&self, package: &str, version: &str) -> Option<PathBuf> {
        match source(&self.python, package, version) {
            Ok(folder) => Some(folder),
            Err(why) => {
                skip(&why);
                None
            }
        }
    }

    /// Runs a program that came with a client, such as `sfcli`.
    pub fn program(&self, name: &str) -> Command {
        Command::new(self.python.with_file_name(name))
    }
}

/// The variable with the folder of libkmip's sources, which are in no registry.
const LIBKMIP: &str = "LIBKMIP_DIR";

/// Folder of libkmip's demonstration programs, built from the sources that `LIBKMIP_DIR` names;
/// `None` if it is unset, also in CI, and then the line is told.
///
/// # Panics
///
/// If they cannot be built.
#[track_caller]
pub fn libkmip() -> Option<PathBuf> {
    let Some(sources) = std::env::var_os(LIBKMIP) else {
        tell_skipped(&format!("{LIBKMIP} is not set to the sources of libkmip"));
        return None;
    };
    match build_libkmip(Path::new(&sources)) {
        Ok(programs) => Some(programs),
        Err(why) => panic!("libkmip: {why}"),
    }
}

/// Builds libkmip in a copy of its sources.
fn build_libkmip(sources: &Path) -> Result<PathBuf, String> {
    let (root, _lock) = lock_folder()?;
    let copy = root.join("libkmip");
    let _ = fs::remove_dir_all(&copy);
    run(Command::new("cp").arg("-R").arg(sources).arg(&copy))?;
    run(Command::new("make").arg("-C").arg(&copy).arg("demos"))?;
    Ok(copy.join("bin"))
}

/// The text of a script that succeeded.
#[track_caller]
pub fn passed(what: &str, output: std::io::Result<Output>) -> String {
    let output = output.unwrap_or_else(|error| panic!("{what} cannot be run: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {}\n{text}{errors}", output.status);
    text
}

/// True when a program of the machine is there; otherwise the test is skipped.
pub fn has_program(name: &str) -> bool {
    if Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success()) {
        return true;
    }
    skip(&format!("{name} is not installed"));
    false
}

/// Tells that the running test is skipped; fails it in CI.
pub fn skip(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let strict =
        |name: &str| std::env::var(name).is_ok_and(|value| value == "1" || value == "true");
    assert!(!strict("KMIP_CI") && !strict("CI"), "{test}: {why}; CI skips nothing");
    tell_skipped(why);
}

fn tell_skipped(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Past the capture of cargo, which would keep the line from the reader.
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {why}");
}

/// The folder of all that is foreign, for one test at a time: until the file is dropped.
fn lock_folder() -> Result<(PathBuf, File), String> {
    let target = build_folder().parent().map(Path::to_path_buf).ok_or("no target folder")?;
    let root = target.join("foreign");
    fs::create_dir_all(&root).map_err(io_error("make target/foreign"))?;
    let lock = File::create(root.join("lock")).map_err(io_error("make a lock"))?;
    lock.lock().map_err(io_error("lock target/foreign"))?;
    Ok((root, lock))
}

/// Takes a source archive apart, or finds it so.
fn source(python: &Path, package: &str, version: &str) -> Result<PathBuf, String> {
    let (root, _lock) = lock_folder()?;
    let name = format!("{}-{version}", package.to_lowercase());
    let folder = root.join("sources").join(&name);
    if folder.is_dir() {
        return Ok(folder);
    }
    let archives = root.join("archives");
    let wanted = format!("{package}=={version}");
    let download = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check"];
    let download = Command::new(python)
        .args(download)
        .args(["--no-deps", "--no-binary", ":all:", "--dest"])
        .arg(&archives)
        .arg(wanted)
        .output();
    check_status("pip", download)?;
    // Taken apart beside its place and moved there, so that half of it is never found.
    let beside = root.join("sources.new");
    let _ = fs::remove_dir_all(&beside);
    let archive = archives.join(format!("{name}.tar.gz"));
    check_status(
        "tarfile",
        Command::new(python).args(["-m", "tarfile", "-e"]).args([&archive, &beside]).output(),
    )?;
    fs::create_dir_all(root.join("sources")).map_err(io_error("make a folder"))?;
    fs::rename(beside.join(&name), &folder).map_err(io_error("move the source"))?;
    Ok(folder)
}

/// Makes the environment, or finds the one that is there. One test at a time does this.
fn environment() -> Result<PathBuf, String> {
    let wanted = fs::read_to_string(repository().join(REQUIREMENTS)).map_err(io_error("read"))?;
    let (root, _lock) = lock_folder()?;
    let venv = root.join("venv");
    let python = venv.join("bin/python");
    let stamp = root.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) && python.exists() {
        return Ok(python);
    }
    let _ = fs::remove_file(&stamp);
    let _ = fs::remove_dir_all(&venv);
    run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    run(Command::new(&python).args(install).arg(repository().join(REQUIREMENTS)))?;
    fs::write(&stamp, wanted).map_err(io_error("write the stamp"))?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    check_status(&name, command.output())
}

fn check_status(name: &str, output: std::io::Result<Output>) -> Result<(), String> {
    let output = output.map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let last = errors.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no word");
    Err(format!("{name}: {}: {last}", output.status))
}

fn io_error(verb: &'static str) -> impl Fn(std::io::Error) -> String {
    move |error| format!("cannot {verb}: {error}")
}
