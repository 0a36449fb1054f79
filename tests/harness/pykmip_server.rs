//! PyKMIP's own server: one that nobody here wrote.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use crate::Lab;
use crate::foreign::ForeignClients;

/// PyKMIP's server as a process, stopped when this is dropped.
pub struct PykmipServer {
    child: Child,
    address: SocketAddr,
}

impl PykmipServer {
    /// Starts it with objects in `theirs/` of the lab.
    #[track_caller]
    pub fn start(python: &ForeignClients, lab: &Lab) -> Self {
        let folder = lab.path("theirs");
        fs::create_dir_all(&folder).expect("a folder");
        let mut child = python
            .script("pykmip_server.py")
            .arg(&folder)
            .args([lab.pki("server.crt"), lab.pki("server.key"), lab.pki("ca.crt")])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("PyKMIP's server starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("an output");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let address = line.trim().strip_prefix("pykmip listening on ").map(str::parse);
        let Some(Ok(address)) = address else { panic!("PyKMIP's server is not ready: {line:?}") };
        Self { child, address }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for PykmipServer {
    fn drop(&mut self) {
        // Gently first: it has a process beside it that would be left behind.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}
