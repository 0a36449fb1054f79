//! What `lab serve` has besides: kmip-proxy between cluster and key server, clocks that can be set,
//! and the lab controller.

use crate::processes::Program;
use lab_tools::control::{self, clock};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::net::TcpListener;

/// Files of the clocks, and the listener of the controller before it serves.
pub(crate) struct FaultTools {
    /// File of the cluster's clock.
    pub(crate) cluster_clock: PathBuf,
    /// File of the key server's clock.
    pub(crate) key_server_clock: PathBuf,
    listener: TcpListener,
}

impl FaultTools {
    /// Makes the files in this folder, and listens.
    pub(crate) async fn prepare(folder: &Path) -> Result<Self, String> {
        let clocks = [folder.join("clock-cluster"), folder.join("clock-key-server")];
        for file in &clocks {
            clock::set(file, 0)?;
        }
        let [cluster_clock, key_server_clock] = clocks;
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)));
        let listener = listener.await.map_err(|why| format!("no port is free: {why}"))?;
        Ok(Self { cluster_clock, key_server_clock, listener })
    }

    /// Address of the controller.
    pub(crate) fn address(&self) -> Result<SocketAddr, String> {
        self.listener.local_addr().map_err(|why| why.to_string())
    }

    /// Serves the controller in the background, for this cluster, with this proxy.
    pub(crate) fn serve(
        self,
        pki: PathBuf,
        cluster: SocketAddr,
        (kmip, proxy_http): (SocketAddr, SocketAddr),
        (user, password): (&str, &str),
    ) {
        let settings = control::Settings {
            cluster: cluster.to_string(),
            proxy: Some(proxy_http.to_string()),
            kmip: kmip.to_string(),
            pki,
            clock_cluster: Some(self.cluster_clock),
            clock_key_server: Some(self.key_server_clock),
            user: user.to_owned(),
            password: password.to_owned(),
        };
        tokio::spawn(control::serve(self.listener, settings));
    }
}

/// kmip-proxy in front of this key server. To the key server, every client is `client`.
pub(crate) fn proxy(folder: &Path, listen: SocketAddr, key_server: SocketAddr) -> Program {
    let pki = folder.join("pki");
    let file = |name: &str| pki.join(name).into_os_string();
    let flags = [
        ("--listen", listen.to_string().into()),
        ("--http-listen", SocketAddr::new(listen.ip(), 0).to_string().into()),
        ("--upstream", key_server.to_string().into()),
        ("--cert", file("server.crt")),
        ("--key", file("server.key")),
        ("--client-ca", file("ca.crt")),
        ("--certificates", file("bad")),
        ("--upstream-ca", file("ca.crt")),
        ("--upstream-cert", file("client.crt")),
        ("--upstream-key", file("client.key")),
    ];
    let flags = flags.into_iter().flat_map(|(flag, value)| [flag.into(), value]);
    Program {
        name: "kmip-proxy",
        args: ["kmip-proxy".into(), "serve".into()].into_iter().chain(flags).collect(),
        env: Vec::new(),
        ready: &["kmip-proxy http listening on ", "kmip-proxy listening on "],
        log: folder.join("kmip-proxy.log"),
    }
}
