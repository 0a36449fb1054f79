//! A program as a process: start, output, kill.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::build_folder;

/// A debug build on a loaded machine with two cores starts within this, or something is wrong.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// What is under way at SIGTERM ends within this.
const STOP_WITHIN: Duration = Duration::from_secs(30);
/// How often a process is asked whether it has ended.
const POLL: Duration = Duration::from_millis(5);

/// How a program is started.
#[derive(Clone, Debug)]
pub struct Program {
    name: &'static str,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    /// What stands before the address in the line that says that it is ready.
    ready: &'static str,
}

impl Program {
    /// A program of this workspace; `ready` is the line that it prints, up to the address.
    pub fn new(name: &'static str, ready: &'static str) -> Self {
        Self { name, args: Vec::new(), env: Vec::new(), ready }
    }

    /// Adds one argument.
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Sets one variable of its environment.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// The command, not yet started. Settings of the surrounding environment do not reach it.
    pub fn command(&self) -> Command {
        let programs = build_folder().join("programs");
        assert!(programs.exists(), "{} is not built: run by `cargo test`", programs.display());
        let mut command = Command::new(programs);
        command.arg(self.name).args(&self.args).env_clear();
        for name in ["PATH", "HOME", "TMPDIR", "RUST_LOG", "RUST_BACKTRACE"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts it and waits until it says that it is ready.
    #[track_caller]
    pub fn start(&self) -> Process {
        match self.try_start() {
            Ok(process) => process,
            Err(log) => panic!("{} did not become ready; it said:\n{log}", self.name),
        }
    }

    /// As [`Self::start`]; what it said when it ended, or hung, before it was ready.
    pub fn try_start(&self) -> Result<Process, String> {
        let mut command = self.command();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let log = Arc::new(Mutex::new(String::new()));
        let (found, address) = mpsc::channel();
        let readers = [
            watch(child.stdout.take(), Some((self.ready, found)), &log),
            watch(child.stderr.take(), None, &log),
        ];
        let mut process = Process { child, log, address: String::new() };
        match address.recv_timeout(READY_WITHIN) {
            Ok(address) => {
                process.address = address;
                Ok(process)
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                process.kill();
                // What it said last may not have been read yet.
                for reader in readers.into_iter().flatten() {
                    reader.join().expect("a reader does not stop");
                }
                Err(process.log())
            }
        }
    }
}

/// A running program; it is killed when this is dropped.
pub struct Process {
    child: Child,
    log: Arc<Mutex<String>>,
    address: String,
}

impl Process {
    /// The address that it said it listens on.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// All that it has said, on both outputs.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Rest of the first line of its output that begins with `prefix`; waits for it.
    #[track_caller]
    pub fn line_after(&self, prefix: &str) -> String {
        let begun = Instant::now();
        loop {
            let log = self.log();
            if let Some(line) = log.lines().find_map(|line| line.strip_prefix(prefix)) {
                return line.trim().to_owned();
            }
            assert!(begun.elapsed() < READY_WITHIN, "it does not say {prefix:?}:\n{log}");
            thread::sleep(POLL);
        }
    }

    /// Its number in the system.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it with SIGKILL: it gets no chance to put anything in order.
    pub fn kill(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end with SIGTERM and waits for it.
    #[track_caller]
    pub fn terminate(&mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -TERM {pid}");
        match self.wait(STOP_WITHIN) {
            Some(status) => status,
            None => panic!("SIGTERM did not end it; it said:\n{}", self.log()),
        }
    }

    /// Waits until it has ended by itself; `None` when it still runs after `within`.
    pub fn wait(&mut self, within: Duration) -> Option<ExitStatus> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return Some(status);
            }
            if begun.elapsed() > within {
                return None;
            }
            thread::sleep(POLL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        // Seen only when the test fails: cargo keeps the output of a test that passes.
        if thread::panicking() {
            eprintln!("--- what process {} said:\n{}---", self.child.id(), self.log());
        }
    }
}

/// Reads an output to its end, so that the process never waits for its reader.
fn watch<R: Read + Send + 'static>(
    output: Option<R>,
    ready: Option<(&'static str, Sender<String>)>,
    log: &Arc<Mutex<String>>,
) -> Option<thread::JoinHandle<()>> {
    let output = output?;
    let log = Arc::clone(log);
    Some(thread::spawn(move || {
        let mut ready = ready;
        for line in BufReader::new(output).split(b'\n') {
            let Ok(line) = line else { return };
            let line = String::from_utf8_lossy(&line);
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.push_str(&line);
            log.push('\n');
            drop(log);
            let address = ready.as_ref().and_then(|(prefix, _)| line.strip_prefix(prefix));
            if let (Some(address), Some((_, found))) = (address, &ready) {
                // The one who waits may have given up.
                let _ = found.send(address.trim().to_owned());
                ready = None;
            }
        }
    }))
}
