//! A key server as a process.

use std::net::SocketAddr;
use std::ops::{Deref, DerefMut};

use crate::{Lab, Program, ServerProcess};

/// A running key server on a port of its own; killed when dropped.
pub struct KmipServer(ServerProcess);

impl KmipServer {
    /// Starts one that keeps its objects in `kmip-server/` of the lab.
    #[track_caller]
    pub fn start(lab: &Lab) -> Self {
        Self::start_with(lab, "kmip-server", |program| program)
    }

    /// Starts one that keeps its objects in `folder` of the lab, with more arguments or variables.
    #[track_caller]
    pub fn start_with(lab: &Lab, folder: &str, more: impl FnOnce(Program) -> Program) -> Self {
        Self(ServerProcess::start(more(program(lab)), lab.path(folder)))
    }

    /// Starts one that keeps its objects in `folder` of the lab, at this address; what it said when
    /// it could not, because another program listens there.
    pub fn try_start_at(lab: &Lab, folder: &str, address: SocketAddr) -> Result<Self, String> {
        let at = address.to_string();
        ServerProcess::try_start(program(lab), lab.path(folder), &at).map(Self)
    }

    /// Where it listens for KMIP over HTTPS, which it must have been told to do.
    #[track_caller]
    pub fn https_address(&self) -> String {
        self.0.line_after("kmip-server https listening on ")
    }
}

impl Deref for KmipServer {
    type Target = ServerProcess;

    fn deref(&self) -> &ServerProcess {
        &self.0
    }
}

impl DerefMut for KmipServer {
    fn deref_mut(&mut self) -> &mut ServerProcess {
        &mut self.0
    }
}

fn program(lab: &Lab) -> Program {
    let program = Program::new("kmip-server", "kmip-server listening on ").arg("serve");
    let program = program.arg("--cert").arg(lab.pki("server.crt"));
    let program = program.arg("--key").arg(lab.pki("server.key"));
    program.arg("--client-ca").arg(lab.pki("ca.crt"))
}
