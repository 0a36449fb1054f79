//! A key server as a process.

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
        let program = Program::new("kmip-server", "kmip-server listening on ").arg("serve");
        let program = program.arg("--cert").arg(lab.pki("server.crt"));
        let program = program.arg("--key").arg(lab.pki("server.key"));
        let program = program.arg("--client-ca").arg(lab.pki("ca.crt"));
        Self(ServerProcess::start(more(program), lab.path(folder)))
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
