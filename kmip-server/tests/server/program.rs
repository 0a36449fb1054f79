//! The program as a process: its one line, its signals, its memory, its log.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};
use tokio::io::AsyncWriteExt;
use ttlv::Type;

use crate::client::{Client, Stream, discover_versions, exchange, hex, is_success, read_frame};
use crate::https::{ask, post, read_answer};
use crate::running::Lab;
use crate::secrets;

/// Most tests leave nothing behind.
const IN_MEMORY: &[&str] = &["--store", "memory"];

/// A running `kmip-server serve`, killed when it is dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Where it serves HTTPS, if it was told to.
    pub(crate) https: Option<SocketAddr>,
    /// What stands on the standard output stream beside the one line.
    rest: Drained,
    /// Read all the time: a pipe that is full would stop the program.
    log: Drained,
}

impl Program {
    pub(crate) fn start(lab: &Lab, more: &[&str]) -> Self {
        let mut serve = Command::new(env!("CARGO_BIN_EXE_kmip-server"));
        serve.args(["serve", "--listen", "127.0.0.1:0"]);
        // A store in memory needs no folder.
        if !more.starts_with(IN_MEMORY) {
            serve.arg("--data").arg(lab.path("data"));
        }
        let mut child = serve
            .arg("--cert")
            .arg(lab.path("server.crt"))
            .arg("--key")
            .arg(lab.path("server.key"))
            .arg("--client-ca")
            .arg(lab.path("ca.crt"))
            .args(more)
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut told = |before: &str| -> SocketAddr {
            let mut line = String::new();
            out.read_line(&mut line).unwrap();
            let address = line.strip_prefix(before).expect(&line);
            address.strip_suffix('\n').expect("a whole line").parse().unwrap()
        };
        let address = told("kmip-server listening on ");
        let https = more.contains(&"--https-listen");
        let https = https.then(|| told("kmip-server https listening on "));
        let log = Drained::of(child.stderr.take().unwrap());
        Self { child, address, https, rest: Drained::of(out), log }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Waits for the end; returns the status and the log.
    pub(crate) fn ended(mut self) -> (ExitStatus, String) {
        let log = self.log.whole();
        let rest = self.rest.whole();
        assert_eq!(rest, "", "one line a door and no more stands on the standard output");
        (self.child.wait().unwrap(), log)
    }

    /// Waits until the log holds `part`.
    fn says(&self, part: &str) {
        self.log.until(part);
    }

    /// Resident memory in KiB.
    fn memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

/// A stream that a thread of its own reads to its end.
struct Drained(Arc<(Mutex<SoFar>, Condvar)>);

/// What was read so far, and whether that is all.
#[derive(Default)]
struct SoFar {
    text: String,
    ended: bool,
}

impl Drained {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let shared: Arc<(Mutex<SoFar>, Condvar)> = Arc::default();
        let filled = Arc::clone(&shared);
        std::thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            loop {
                line.clear();
                let len = stream.read_line(&mut line).unwrap();
                let mut read = filled.0.lock().unwrap();
                read.text.push_str(&line);
                read.ended = len == 0;
                filled.1.notify_all();
                if read.ended {
                    return;
                }
            }
        });
        Self(shared)
    }

    fn wait(&self, done: impl Fn(&SoFar) -> bool) -> String {
        let (lock, changed) = &*self.0;
        let patience = crate::client::PATIENCE;
        let waits = |read: &mut SoFar| !done(read);
        let (read, late) =
            changed.wait_timeout_while(lock.lock().unwrap(), patience, waits).unwrap();
        assert!(!late.timed_out(), "it did not come: {}", read.text);
        read.text.clone()
    }

    fn until(&self, part: &str) {
        self.wait(|read| read.text.contains(part));
    }

    fn whole(&self) -> String {
        self.wait(|read| read.ended)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_signal_lets_requests_under_way_finish_and_ends_with_status_0() {
    let lab = Lab::new();
    for signal in [Signal::TERM, Signal::INT] {
        let program = Program::start(&lab, IN_MEMORY);
        let client = lab.client();
        let mut busy = client.connect(program.address).await.unwrap();
        exchange(&mut busy).await.unwrap();
        let request = discover_versions();
        busy.write_all(&request[..20]).await.unwrap();
        busy.flush().await.unwrap();
        // An answer on a later connection: the server has the half request by now.
        client.is_served(program.address).await;
        program.signal(signal);
        let gone = async { while client.connect(program.address).await.is_ok() {} };
        tokio::time::timeout(crate::client::PATIENCE, gone).await.expect("nobody new comes in");
        busy.write_all(&request[20..]).await.unwrap();
        read_frame(&mut busy).await.expect("the request under way is answered");
        let (status, log) = program.ended();
        assert_eq!(status.code(), Some(0), "{log}");
    }
}

/// Both doors lead to the same objects, and a signal ends both.
#[tokio::test]
async fn a_second_door_is_opened_for_https_if_it_is_told_to() {
    let lab = Lab::new();
    let program = Program::start(&lab, &["--store", "memory", "--https-listen", "127.0.0.1:0"]);
    let https = program.https.expect("it is told");
    let client = lab.client();
    let mut stream = client.connect(https).await.unwrap();
    let create = post("application/octet-stream", &secrets::register_and_get(Type::ByteString));
    let answer = ask(&mut stream, &create).await;
    assert!(answer.status == 200 && is_success(&answer.body), "{answer:?}");
    let mut binary = client.connect(program.address).await.unwrap();
    binary.write_all(&secrets::register_and_get(Type::ByteString)).await.unwrap();
    let second = read_frame(&mut binary).await.unwrap();
    let second = String::from_utf8_lossy(&second).into_owned();
    assert!(second.contains("has the Name already"), "the object is seen at both: {second:?}");
    program.signal(Signal::TERM);
    assert!(read_answer(&mut stream).await.is_none(), "an idle connection is closed");
    let (status, log) = program.ended();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains(&format!("listening on {https} for HTTPS")), "{log}");
}

#[tokio::test]
async fn its_health_is_asked_with_a_clients_certificate() {
    let lab = Lab::new();
    let program = Program::start(&lab, IN_MEMORY);
    let health = |address: SocketAddr, pair: &str, name: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_kmip-server"))
            .args(["health", "--connect", &address.to_string(), "--name", name])
            .arg("--cert")
            .arg(lab.path(&format!("{pair}.crt")))
            .arg("--key")
            .arg(lab.path(&format!("{pair}.key")))
            .arg("--ca")
            .arg(lab.path("ca.crt"))
            .env_clear()
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(health(program.address, "client", "localhost"), (Some(0), String::new()));
    assert_eq!(health(program.address, "client", "127.0.0.1"), (Some(0), String::new()));
    let (status, said) = health(program.address, "server", "localhost");
    assert_eq!(status, Some(1), "a server's certificate is no client's: {said}");
    let (status, said) = health(program.address, "client", "elsewhere.invalid");
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("does not speak: invalid peer certificate"), "{said}");

    let address = program.address;
    program.signal(Signal::TERM);
    program.ended();
    let (status, said) = health(address, "client", "localhost");
    assert_eq!(status, Some(1));
    assert!(said.starts_with(&format!("kmip-server: no connection to {address}: ")), "{said}");
}

#[tokio::test]
async fn the_log_names_who_came_and_why_another_did_not() {
    let lab = Lab::new();
    let program = Program::start(&lab, &["--store", "memory", "--log-format", "json"]);
    lab.client().is_served(program.address).await;
    let stranger = Client::new(lab.authority.cert_pem(), None);
    if let Ok(mut stream) = stranger.connect(program.address).await {
        let _ = exchange(&mut stream).await;
    }
    // The client knows of the refusal before the server's log does.
    program.says("handshake failed: the client sent no certificate");
    program.signal(Signal::TERM);
    let (_, log) = program.ended();
    assert!(log.lines().all(|line| line.starts_with('{') && line.ends_with('}')), "JSON: {log}");
    assert!(log.contains("CN=a client connected with TLSv1_3"), "{log}");
}

#[tokio::test]
async fn certificates_are_read_again_with_sighup() {
    let lab = Lab::new();
    let shares = ["--authorities-share-subjects", "true"];
    let program = Program::start(&lab, &[IN_MEMORY, &shares].concat());
    let other = certs::Authority::new("another authority").unwrap();
    let pair = other.client("its client").unwrap();
    let client = Client::new(lab.authority.cert_pem(), Some(&pair));
    let comes_in = async || {
        let mut stream = client.connect(program.address).await?;
        exchange(&mut stream).await
    };
    assert!(comes_in().await.is_err(), "its authority is not trusted yet");
    let both = format!("{}{}", lab.authority.cert_pem(), other.cert_pem());
    std::fs::write(lab.path("ca.crt"), both).unwrap();
    program.signal(Signal::HUP);
    let renewed = async { while comes_in().await.is_err() {} };
    tokio::time::timeout(crate::client::PATIENCE, renewed).await.expect("it is trusted now");
    lab.client().is_served(program.address).await;
}

/// So many idle clients must harm nobody.
const IDLE: usize = 1000;
/// What one of them may cost in KiB: a TLS session and its buffers, and what malloc keeps.
const IDLE_KIB_MAX: u64 = 24;
/// What a promised request may cost in KiB before it comes: one chunk, and what malloc keeps.
const PROMISE_KIB_MAX: u64 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_idle_connections_cost_little_and_harm_nobody() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < 4096) {
        let current = maximum.map_or(4096, |maximum| maximum.min(4096));
        setrlimit(Resource::Nofile, Rlimit { current: Some(current), maximum }).unwrap();
    }
    let lab = Lab::new();
    let program = Program::start(&lab, IN_MEMORY);
    let client = lab.client();
    // What the first connections need of the allocator is not theirs.
    for _ in 0..20 {
        client.is_served(program.address).await;
    }
    let before = program.memory();
    let mut idle: Vec<Stream> = Vec::with_capacity(IDLE);
    while idle.len() < IDLE {
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let (client, address) = (client.clone(), program.address);
                tokio::spawn(async move {
                    let mut stream = client.connect(address).await.unwrap();
                    exchange(&mut stream).await.unwrap();
                    stream
                })
            })
            .collect();
        for task in tasks {
            idle.push(task.await.unwrap());
        }
    }
    let cost = program.memory().saturating_sub(before) / u64::try_from(IDLE).unwrap();
    assert!(cost <= IDLE_KIB_MAX, "an idle connection costs {cost} KiB");
    client.is_served(program.address).await;
    for stream in idle.iter_mut().step_by(100) {
        exchange(stream).await.expect("an idle client may still ask");
    }

    // Each promises a request of 1 MiB, and sends its first eight bytes.
    for stream in &mut idle {
        stream.write_all(&hex("42007801 000FFFF8")).await.unwrap();
        stream.flush().await.unwrap();
    }
    client.is_served(program.address).await;
    let cost = program.memory().saturating_sub(before) / u64::try_from(IDLE).unwrap();
    assert!(cost <= IDLE_KIB_MAX + PROMISE_KIB_MAX, "a promise costs {cost} KiB");
}
