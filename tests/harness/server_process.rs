//! A server program as a process, with a port and a data folder of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::{Process, Program};

/// A running server; killed when dropped.
pub struct ServerProcess {
    process: Process,
    program: Program,
    address: SocketAddr,
    data: PathBuf,
}

impl ServerProcess {
    /// Starts a program that keeps what it has in the folder `data`, on a free port.
    #[track_caller]
    pub(crate) fn start(program: Program, data: PathBuf) -> Self {
        match Self::try_start(program, data, "127.0.0.1:0") {
            Ok(started) => started,
            Err(log) => panic!("it did not become ready; it said:\n{log}"),
        }
    }

    /// As [`Self::start`], at this address; what it said when it ended before it was ready.
    pub(crate) fn try_start(program: Program, data: PathBuf, at: &str) -> Result<Self, String> {
        let program = program.arg("--data").arg(&data);
        let process = program.clone().arg("--listen").arg(at).try_start()?;
        let address = process.address().parse().expect("a program prints its address");
        Ok(Self { process, program, address, data })
    }

    /// Where it listens: the same before and after a restart.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The folder with all that it keeps.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The process, to be looked at or ended.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// All that it has said since it was last started.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Rest of the line of its output that begins with `words`.
    #[track_caller]
    pub(crate) fn line_after(&self, words: &str) -> String {
        self.process.line_after(words)
    }

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again, after a kill or to make one, on the same folder and port.
    #[track_caller]
    pub fn restart(&mut self) {
        self.process.kill();
        self.process = self.program_with_address().start();
    }

    /// As [`Self::restart`], this once with more arguments or variables; false when it ended
    /// before it was ready.
    pub fn try_restart_with(&mut self, more: impl FnOnce(Program) -> Program) -> bool {
        self.process.kill();
        let started = more(self.program_with_address()).try_start();
        started.map(|process| self.process = process).is_ok()
    }

    /// As [`Self::restart`]; what it said when it ended before it was ready.
    pub fn try_restart(&mut self) -> Result<(), String> {
        self.process.kill();
        self.process = self.program_with_address().try_start()?;
        Ok(())
    }

    fn program_with_address(&self) -> Program {
        self.program.clone().arg("--listen").arg(self.address.to_string())
    }
}
