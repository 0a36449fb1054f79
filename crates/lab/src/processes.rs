//! The other programs as processes: start, check, stop, restart.
//!
//! A process ends with the lab, however that ends: when it is dropped here, and when the lab is
//! killed, because then the pipe ends that is the process's standard input.

use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// A program opens its store and listens within this, also on a slow and busy machine.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// What is under way at SIGTERM ends within this: the longest that either program takes itself.
const STOP_WITHIN: Duration = Duration::from_secs(30);

/// How often a process is asked whether it has ended.
const POLL: Duration = Duration::from_millis(5);

/// Environment variable that tells a program to end when its standard input ends.
const PARENT_PIPE: &str = "LAB_PARENT_PIPE";

/// What reaches a program of the lab's own environment; settings in it do not.
const INHERITED: [&str; 4] = ["PATH", "HOME", "TMPDIR", "RUST_BACKTRACE"];

/// Number of log lines in the error when a program does not start.
const LAST_LINES: usize = 3;

/// Ends this process as soon as the lab that started it has gone.
pub(crate) fn end_with_parent() {
    if std::env::var_os(PARENT_PIPE).is_none() {
        return;
    }
    std::thread::spawn(|| {
        let mut stdin = std::io::stdin();
        while !matches!(stdin.read(&mut [0; 64]), Ok(0) | Err(_)) {}
        // As with a power cut: what was answered is on disk.
        std::process::exit(1);
    });
}

/// How a program is started, each time in the same way.
pub(crate) struct Program {
    /// What people call it.
    pub(crate) name: &'static str,
    /// Its arguments, its name first.
    pub(crate) args: Vec<OsString>,
    /// Variables of its environment.
    pub(crate) env: Vec<(&'static str, String)>,
    /// What stands before each address in the lines that say that it is ready.
    pub(crate) ready: &'static [&'static str],
    /// Where its log goes.
    pub(crate) log: PathBuf,
}

/// A running program; it is ended when this is dropped.
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    /// The addresses that it said it listens on, in the order of [`Program::ready`].
    pub(crate) addresses: Vec<String>,
}

/// This program as the one that is named by the first of `args`.
pub(crate) fn command(args: &[OsString]) -> Result<Command, String> {
    let exe =
        std::env::current_exe().map_err(|why| format!("it does not know its own file: {why}"))?;
    let mut command = Command::new(exe);
    command.args(args).env_clear();
    for name in INHERITED {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    Ok(command)
}

/// Runs a program to its end.
pub(crate) fn run(args: &[OsString]) -> Result<(), String> {
    let name = args.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let output = command(args)?
        .stdin(Stdio::null())
        .output()
        .map_err(|why| format!("{name} cannot be run: {why}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

impl Program {
    /// Starts it and waits until it says that it is ready.
    pub(crate) async fn start(&self) -> Result<Process, String> {
        let cannot = |why: std::io::Error| format!("{} cannot be started: {why}", self.name);
        let log = OpenOptions::new().append(true).create(true).open(&self.log).map_err(cannot)?;
        let mut command = command(&self.args)?;
        command.env(PARENT_PIPE, "1").envs(self.env.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().map_err(cannot)?;
        let addresses = ready_lines(child.stdout.take(), self.ready);
        let mut process = Process { name: self.name, child, addresses: Vec::new() };
        match tokio::time::timeout(READY_WITHIN, addresses).await {
            Ok(Ok(addresses)) => {
                process.addresses = addresses;
                Ok(process)
            }
            Ok(Err(_)) => Err(format!("{} did not start: {}", self.name, failure_line(&self.log))),
            Err(_) => Err(format!("{} was not ready in {READY_WITHIN:?}", self.name)),
        }
    }
}

impl Process {
    /// Its number in the system.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ok while it runs; else one sentence.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(format!("{} has ended by itself ({status})", self.name)),
            Err(why) => Err(format!("{} cannot be asked whether it runs: {why}", self.name)),
        }
    }

    /// Asks it to end with SIGTERM, and waits for it.
    pub(crate) async fn stop(mut self) -> Result<(), String> {
        self.check()?;
        let cannot = |why: String| format!("{} cannot be stopped: {why}", self.name);
        let pid = i32::try_from(self.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| cannot("it has no number".to_owned()))?;
        kill_process(pid, Signal::TERM).map_err(|why| cannot(why.to_string()))?;
        let begun = Instant::now();
        while begun.elapsed() < STOP_WITHIN {
            match self.child.try_wait() {
                Ok(None) => tokio::time::sleep(POLL).await,
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(format!("{} ended with {status}", self.name)),
                Err(why) => return Err(cannot(why.to_string())),
            }
        }
        Err(cannot(format!("it did not end in {STOP_WITHIN:?}")))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads the output to its end, so that the program never waits for its reader; sends the rest of
/// the line after each of `prefixes`, once all have come in their order.
fn ready_lines(
    output: Option<impl Read + Send + 'static>,
    prefixes: &'static [&'static str],
) -> oneshot::Receiver<Vec<String>> {
    let (found, addresses) = oneshot::channel();
    std::thread::spawn(move || {
        let mut found = Some(found);
        let mut read = Vec::new();
        for line in output.into_iter().flat_map(|output| BufReader::new(output).lines()) {
            let Ok(line) = line else { return };
            let prefix = prefixes.get(read.len());
            let Some(rest) = prefix.and_then(|prefix| line.strip_prefix(prefix)) else { continue };
            read.push(rest.trim().to_owned());
            if read.len() == prefixes.len()
                && let Some(found) = found.take()
            {
                // The one who waits may have given up.
                let _ = found.send(read.clone());
            }
        }
    });
    addresses
}

/// The program's last error message in its log, or the last lines of the log.
fn failure_line(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let mut lines: Vec<&str> = text.lines().rev().take(LAST_LINES).collect();
    // The program's own sentence says it all; what stands before is there if it has none.
    if let Some(line) = lines
        .iter()
        .find(|line| line.starts_with("kmip-server: "))
        .or_else(|| lines.iter().find(|line| line.starts_with("node-sim: ")))
    {
        return (*line).to_owned();
    }
    lines.reverse();
    lines.join(" / ")
}
