//! A key server as a process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::{Lab, Process, Program};

/// A running key server on a port of its own; killed when dropped.
pub struct KmipServer {
    process: Process,
    program: Program,
    address: SocketAddr,
    data: PathBuf,
}

impl KmipServer {
    /// Starts one that keeps its objects in `kmip-server/` of the lab.
    #[track_caller]
    pub fn start(lab: &Lab) -> Self {
        Self::start_with(lab, "kmip-server", |program| program)
    }

    /// Starts one that keeps its objects in `folder` of the lab, with more arguments or variables.
    #[track_caller]
    pub fn start_with(lab: &Lab, folder: &str, more: impl FnOnce(Program) -> Program) -> Self {
        let data = lab.path(folder);
        let program = Program::new("kmip-server", "kmip-server listening on ").arg("serve");
        let program = program.arg("--data").arg(&data);
        let program = program.arg("--cert").arg(lab.pki("server.crt"));
        let program = program.arg("--key").arg(lab.pki("server.key"));
        let program = program.arg("--client-ca").arg(lab.pki("ca.crt"));
        let program = more(program);
        let process = program.clone().arg("--listen").arg("127.0.0.1:0").start();
        let address = process.address().parse().expect("kmip-server prints its address");
        Self { process, program, address, data }
    }

    /// Where it listens: the same before and after a restart.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens for KMIP over HTTPS, which it must have been told to do.
    #[track_caller]
    pub fn https_address(&self) -> String {
        self.process.told("kmip-server https listening on ")
    }

    /// The folder with its objects.
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

    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again, after a kill or to make one, on the same folder and port.
    #[track_caller]
    pub fn restart(&mut self) {
        self.process.kill();
        self.process = self.program.clone().arg("--listen").arg(self.address.to_string()).start();
    }
}
