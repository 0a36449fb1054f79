//! The lab itself: a folder, certificates, and a running key server and cluster.

use crate::element::Element;
use crate::fault_tools::{self, FaultTools};
use crate::message_log::MessageLog;
use crate::output::Output;
use crate::processes::{self, Process, Program};
use clap::Args;
use lab_tools::control::clock;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The administrator of the cluster. It is reached from this machine alone.
pub(crate) const USER: &str = "admin";
/// The administrator's password, likewise.
pub(crate) const PASSWORD: &str = "admin";
/// As whom the cluster comes to the key server: the common name in its certificate.
pub(crate) const CLUSTER_NAME: &str = "lab-cluster";
/// Nodes of the cluster.
const NODES: u32 = 4;
/// Blocks of 4 KiB on each drive: enough to show, few enough to be searched for what must not be
/// there.
const BLOCKS_PER_DRIVE: u32 = 256;
/// How long the cluster waits at most before it asks a key server again that was away.
const RETRY_MAX_MS: u32 = 1_000;
/// How often something is asked that is waited for.
const POLL: Duration = Duration::from_millis(20);
/// How long a process that was killed may take until it has ended.
const DEATH_WITHIN: Duration = Duration::from_millis(500);
/// How often a lab that serves looks whether its programs still run.
const WATCH: Duration = Duration::from_millis(500);
/// What is shown of the key server's log.
const KEY_SERVER_LOG: &str = "info,kmip_server::messages=trace";

/// What can be chosen.
#[derive(Args)]
pub(crate) struct Settings {
    /// Address of the key server; port 0 picks a free one
    #[arg(long, global = true, value_name = "ADDR", default_value = "127.0.0.1:0")]
    kmip_listen: SocketAddr,
    /// Address of the cluster's API; port 0 picks a free one
    #[arg(long, global = true, value_name = "ADDR", default_value = "127.0.0.1:0")]
    cluster_listen: SocketAddr,
    /// Address of kmip-proxy, through which the cluster of `lab serve` reaches the key server; port
    /// 0 picks a free one
    #[arg(long, global = true, value_name = "ADDR", default_value = "127.0.0.1:0")]
    proxy_listen: SocketAddr,
    /// Keep the temporary folder: certificates, stores, logs
    #[arg(long, global = true)]
    keep: bool,
    /// Show every KMIP message whole, also when one of its kind was shown before
    #[arg(long, global = true)]
    all_messages: bool,
}

/// Everything that runs. **The processes end before the folder goes**: fields are dropped in order.
pub(crate) struct Lab {
    key_server: Option<Process>,
    proxy: Option<Process>,
    cluster: Option<Process>,
    key_server_program: Program,
    cluster_program: Program,
    /// A client of the cluster.
    pub(crate) element: Element,
    /// Where the key server is.
    pub(crate) key_server_address: SocketAddr,
    /// Where the cluster reaches it: the proxy, if there is one.
    pub(crate) kmip_address: SocketAddr,
    /// Where it speaks HTTPS.
    pub(crate) key_server_https: SocketAddr,
    messages: MessageLog,
    /// Output to the terminal.
    pub(crate) output: Output,
    folder: TempDir,
}

impl Lab {
    /// Makes the folder and the certificates, and starts both programs; with faults, also what
    /// switches them.
    pub(crate) async fn start(settings: &Settings, faults: bool) -> Result<Self, String> {
        let output = Output::new(settings.all_messages);
        let mut folder = TempDir::with_prefix("lab-")
            .map_err(|why| format!("a temporary folder cannot be made: {why}"))?;
        folder.disable_cleanup(settings.keep);
        let path = |name: &str| folder.path().join(name);
        let pki = path("pki");
        output.heading("The lab");
        output.line(&format!("folder       {}", folder.path().display()));
        make_certificates(&pki)?;
        output.line(&format!("certificates {}", pki.display()));

        let tools = match faults {
            true => Some(FaultTools::prepare(folder.path()).await?),
            false => None,
        };
        let mut key_server_program = key_server(&folder, settings.kmip_listen);
        if let Some(tools) = &tools {
            key_server_program.env.extend(clock::environment(&tools.key_server_clock));
        }
        let key_server = key_server_program.start().await?;
        let key_server_address = address(&key_server, 0)?;
        let key_server_https = address(&key_server, 1)?;
        listen(&mut key_server_program, "--listen", key_server_address);
        listen(&mut key_server_program, "--https-listen", key_server_https);
        output.line(&format!("key server   {key_server_address}, process {}", key_server.id()));

        let (proxy, kmip_address) = match &tools {
            None => (None, key_server_address),
            Some(_) => start_proxy(&folder, settings.proxy_listen, key_server_address).await?,
        };
        let mut cluster_program = cluster(&folder, settings.cluster_listen);
        if let Some(tools) = &tools {
            let controller = tools.address()?.to_string();
            cluster_program.args.extend(["--lab-controller".into(), controller.into()]);
            cluster_program.env.extend(clock::environment(&tools.cluster_clock));
        }
        let cluster = cluster_program.start().await?;
        let cluster_address = address(&cluster, 0)?;
        listen(&mut cluster_program, "--listen", cluster_address);
        let element = Element::new(cluster_address, &pki.join("ca.crt"), USER, PASSWORD)?;
        output.line(&format!(
            "cluster      {}, {NODES} nodes, process {}",
            element.url(),
            cluster.id()
        ));
        if let (Some(tools), Some(proxy)) = (tools, &proxy) {
            output.line(&format!("kmip-proxy   {kmip_address}, process {}", proxy.id()));
            let proxy = (kmip_address, address(proxy, 0)?);
            tools.serve(pki.clone(), cluster_address, proxy, (USER, PASSWORD));
        }
        let messages = MessageLog::new(&key_server_program.log);
        Ok(Self {
            key_server: Some(key_server),
            proxy,
            cluster: Some(cluster),
            key_server_program,
            cluster_program,
            element,
            key_server_address,
            kmip_address,
            key_server_https,
            messages,
            output,
            folder,
        })
    }

    /// Host and port of the cluster.
    pub(crate) fn cluster_address(&self) -> String {
        let url = self.element.url();
        url.trim_start_matches("https://").split('/').next().unwrap_or_default().to_owned()
    }

    /// The folder of the certificates.
    pub(crate) fn pki(&self) -> PathBuf {
        self.folder.path().join("pki")
    }

    /// The folder of the cluster.
    pub(crate) fn cluster_folder(&self) -> PathBuf {
        self.folder.path().join("cluster")
    }

    /// A file of the certificates as text.
    pub(crate) fn pem(&self, name: &str) -> Result<String, String> {
        let path = self.pki().join(name);
        std::fs::read_to_string(&path).map_err(|why| format!("{}: {why}", path.display()))
    }

    /// Checks that both programs run.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        let programs = [&mut self.key_server, &mut self.proxy, &mut self.cluster];
        programs.into_iter().flatten().try_for_each(Process::check)
    }

    /// Adds to an error that a program has ended, if one has: its sockets are closed a moment
    /// before its exit can be seen.
    pub(crate) async fn with_exit_cause(&mut self, why: String) -> String {
        let begun = Instant::now();
        while begun.elapsed() < DEATH_WITHIN {
            match self.check() {
                Ok(()) => tokio::time::sleep(POLL).await,
                Err(cause) if why.contains(&cause) => return why,
                Err(cause) => return format!("{cause}: {why}"),
            }
        }
        why
    }

    /// Stops the key server.
    pub(crate) async fn stop_key_server(&mut self) -> Result<(), String> {
        stop(&mut self.key_server).await
    }

    /// Starts the key server again.
    pub(crate) async fn start_key_server(&mut self) -> Result<(), String> {
        self.key_server = Some(self.key_server_program.start().await?);
        Ok(())
    }

    /// Stops the cluster's process and starts another in its place.
    pub(crate) async fn restart_cluster(&mut self) -> Result<(), String> {
        stop(&mut self.cluster).await?;
        self.cluster = Some(self.cluster_program.start().await?);
        Ok(())
    }

    /// Polls until there is an answer. The exit of a program ends the polling with an error.
    pub(crate) async fn poll_until<T>(
        &mut self,
        what: &str,
        within: Duration,
        mut ask: impl AsyncFnMut(&Element) -> Result<Option<T>, String>,
    ) -> Result<T, String> {
        let begun = Instant::now();
        while begun.elapsed() < within {
            self.check()?;
            if let Some(answer) = ask(&self.element).await? {
                return Ok(answer);
            }
            tokio::time::sleep(POLL).await;
        }
        Err(format!("{what} in {} seconds", within.as_secs()))
    }

    /// Waits until a program ends by itself, which is an error.
    pub(crate) async fn wait_for_exit(&mut self) -> Result<(), String> {
        loop {
            self.check()?;
            tokio::time::sleep(WATCH).await;
        }
    }

    /// Shows the KMIP messages that passed since the last time.
    pub(crate) fn show_messages(&mut self) -> Result<(), String> {
        let messages = self.messages.read()?;
        self.output.messages(&messages);
        Ok(())
    }
}

fn make_certificates(pki: &std::path::Path) -> Result<(), String> {
    let dir = pki.as_os_str();
    let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
    let mut init = words(&["certs", "init"]);
    init.push(dir.to_owned());
    processes::run(&init)?;
    // The cluster has a certificate of its own, so that one private key does not give both.
    let mut server = words(&["certs", "server", "--name", "cluster"]);
    for host in certs::HOSTS_DEFAULT {
        server.extend(words(&["--host", host]));
    }
    server.push(dir.to_owned());
    processes::run(&server)
}

/// Starts the proxy, and returns where the cluster reaches the key server through it.
async fn start_proxy(
    folder: &TempDir,
    listen: SocketAddr,
    key_server: SocketAddr,
) -> Result<(Option<Process>, SocketAddr), String> {
    let proxy = fault_tools::proxy(folder.path(), listen, key_server).start().await?;
    let kmip_address = address(&proxy, 1)?;
    Ok((Some(proxy), kmip_address))
}

fn key_server(folder: &TempDir, listen: SocketAddr) -> Program {
    let pki = folder.path().join("pki");
    let args = [
        ("--data", folder.path().join("keys").into_os_string()),
        ("--cert", pki.join("server.crt").into_os_string()),
        ("--key", pki.join("server.key").into_os_string()),
        ("--client-ca", pki.join("ca.crt").into_os_string()),
        ("--log", KEY_SERVER_LOG.into()),
        ("--log-format", "json".into()),
        ("--listen", listen.to_string().into()),
        ("--https-listen", SocketAddr::new(listen.ip(), 0).to_string().into()),
    ];
    Program {
        name: "the key server",
        args: serve_args("kmip-server", args),
        env: Vec::new(),
        ready: &["kmip-server listening on ", "kmip-server https listening on "],
        log: folder.path().join("kmip-server.log"),
    }
}

fn cluster(folder: &TempDir, listen: SocketAddr) -> Program {
    let pki = folder.path().join("pki");
    let args = [
        ("--data", folder.path().join("cluster").into_os_string()),
        ("--cert", pki.join("cluster.crt").into_os_string()),
        ("--key", pki.join("cluster.key").into_os_string()),
        ("--user", USER.into()),
        ("--nodes", NODES.to_string().into()),
        ("--blocks-per-drive", BLOCKS_PER_DRIVE.to_string().into()),
        ("--retry-max-ms", RETRY_MAX_MS.to_string().into()),
        ("--listen", listen.to_string().into()),
    ];
    Program {
        name: "the cluster",
        args: serve_args("node-sim", args),
        // Flags are seen by all users of the machine.
        env: vec![("NODE_SIM_PASSWORD", PASSWORD.to_owned())],
        ready: &["node-sim listening on https://"],
        log: folder.path().join("node-sim.log"),
    }
}

/// A program's arguments.
fn serve_args<const N: usize>(name: &str, flags: [(&str, OsString); N]) -> Vec<OsString> {
    let flags = flags.into_iter().flat_map(|(flag, value)| [flag.into(), value]);
    [name.into(), "serve".into()].into_iter().chain(flags).collect()
}

/// From now on the program comes back at the same address.
fn listen(program: &mut Program, flag: &str, address: SocketAddr) {
    let value = program.args.iter_mut().skip_while(|word| *word != flag).nth(1);
    if let Some(value) = value {
        *value = address.to_string().into();
    }
}

fn address(process: &Process, at: usize) -> Result<SocketAddr, String> {
    let text = process.addresses.get(at).map(String::as_str).unwrap_or_default();
    text.parse().map_err(|_| format!("{text:?} is no address to listen on"))
}

async fn stop(process: &mut Option<Process>) -> Result<(), String> {
    match process.take() {
        Some(process) => process.stop().await,
        None => Ok(()),
    }
}
