//! A cluster in this process, behind its real listener, with key servers in memory; and a client
//! that sends bytes over TLS and parses only the head of the answer.

use crate::api::http::tls::{ClientStream, connect};
use crate::cli::serve::{ListenAddresses, Parts, serve};
use crate::cli::settings::PartialSettings;
use crate::key_server::KeyServerClient;
use crate::key_server::in_memory::InMemoryKeyServers;
use crate::stream::Stream;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Longer than anything takes that goes well; what goes wrong fails instead of hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A cluster that runs.
pub(crate) struct Running {
    pub(crate) addresses: ListenAddresses,
    pub(crate) certificate: String,
    pub(crate) stream: Arc<Stream>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), String>>,
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("the body is text")
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Starts the cluster in this folder: two nodes with two small drives each, if it is new.
pub(crate) async fn start(
    folder: &Path,
    key_servers: Arc<InMemoryKeyServers>,
    more: &str,
) -> Running {
    let toml = format!(
        "data = {folder:?}\nlisten = '127.0.0.1:0'\npassword = 'secret'\nnodes = 2\n\
         drives-per-node = 2\nblocks-per-drive = 256\nretry-min-ms = 1\nretry-max-ms = 5\n{more}"
    );
    let partial = PartialSettings::from_toml(&toml).expect("settings");
    let config = partial.check().unwrap_or_else(|sentence| panic!("{sentence}"));
    let (ready, readied) = oneshot::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let key_servers: Arc<dyn KeyServerClient> = key_servers;
    let stream = Stream::new();
    let parts = Parts { key_servers, stream: Arc::clone(&stream) };
    let announce = move |addresses| {
        let _ = ready.send(addresses);
    };
    let task = tokio::spawn(serve(config, parts, announce, async move {
        let _ = stopped.await;
    }));
    let Ok(addresses) = readied.await else { panic!("not started: {:?}", task.await) };
    let certificate = std::fs::read_to_string(folder.join("door.crt")).expect("a certificate");
    Running { addresses, certificate, stream, stop, task }
}

impl Running {
    /// Stops as SIGTERM does, and waits for it.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        self.task.await.expect("no panic").expect("a good end");
    }

    /// A connection to the listener of the cluster.
    pub(crate) async fn connect(&self) -> ClientStream {
        self.connect_to(self.addresses.cluster).await
    }

    /// A connection to one of the listeners.
    pub(crate) async fn connect_to(&self, address: SocketAddr) -> ClientStream {
        let stream = TcpStream::connect(address).await.expect("the listener is open");
        connect(stream, "localhost", &self.certificate)
            .await
            .expect("the listener shows its certificate")
    }

    /// Sends one request over a new connection.
    pub(crate) async fn send(&self, request: &Request<'_>) -> Answer {
        tokio::time::timeout(PATIENCE, async {
            let mut stream =
                self.connect_to(request.address.unwrap_or(self.addresses.cluster)).await;
            stream.write_all(&request.bytes()).await.expect("it is sent");
            let mut bytes = Vec::new();
            // The server may close without TLS's farewell; the length of the body tells all.
            let _ = stream.read_to_end(&mut bytes).await;
            parse(&bytes)
        })
        .await
        .expect("an answer in time")
    }

    /// The answer's text to a call with the right credentials.
    pub(crate) async fn call(&self, body: &str) -> String {
        let answer = self.send(&Request::post("/json-rpc/12.3", body.as_bytes())).await;
        assert_eq!(answer.status, 200, "{body}: {}", answer.text());
        answer.text()
    }
}

/// A request, to be written as it is.
pub(crate) struct Request<'a> {
    pub(crate) address: Option<SocketAddr>,
    pub(crate) verb: &'a str,
    pub(crate) path: &'a str,
    /// `user:password`, or none.
    pub(crate) credentials: Option<&'a str>,
    pub(crate) headers: Vec<&'a str>,
    pub(crate) body: &'a [u8],
}

impl<'a> Request<'a> {
    /// A POST with the right credentials.
    pub(crate) fn post(path: &'a str, body: &'a [u8]) -> Self {
        let credentials = Some("admin:secret");
        Self { address: None, verb: "POST", path, credentials, headers: Vec::new(), body }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: cluster\r\n", self.verb, self.path);
        if let Some(pair) = self.credentials {
            head.push_str(&format!("Authorization: Basic {}\r\n", STANDARD.encode(pair)));
        }
        for header in &self.headers {
            head.push_str(&format!("{header}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\nConnection: close\r\n\r\n", self.body.len()));
        [head.as_bytes(), self.body].concat()
    }
}

/// Splits an answer into its head and its body.
pub(crate) fn parse(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(bytes[..end].to_vec()).expect("a head of text");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Answer { status: status.expect("a status"), body: bytes[end + 4..].to_vec(), head }
}
