//! A key server as a process, with connections of each client on each channel.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use certs::Authority;
use harness::{FrameConnection, HttpsConnection, KmipServer, Lab, Program};

use crate::channel::{Answer, Channel, Connection};

/// What was answered is in the log within this.
const LOGGED_WITHIN: Duration = Duration::from_secs(30);

/// The files of a client's certificate and key.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    name: String,
    cert_pem: String,
    key_pem: String,
}

impl Identity {
    /// That of `certs init` with this name.
    pub(crate) fn of(lab: &Lab, name: &str) -> Self {
        let pem = |ending: &str| lab.pem(&format!("{name}.{ending}"));
        Self { name: name.to_owned(), cert_pem: pem("crt"), key_pem: pem("key") }
    }

    /// That of a client with a new certificate of the authority.
    pub(crate) fn issued(authority: &Authority, name: &str) -> Self {
        let pair = authority.client(name).unwrap();
        let (cert_pem, key_pem) = (pair.cert_pem.clone(), pair.key_pem.to_string());
        Self { name: name.to_owned(), cert_pem, key_pem }
    }

    /// The client's name, which its certificates share.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The certificate in PEM.
    pub(crate) fn cert_pem(&self) -> &str {
        &self.cert_pem
    }
}

/// A running server; killed when dropped.
pub(crate) struct Server {
    process: KmipServer,
    https: SocketAddr,
    ca_pem: String,
    connections: HashMap<(Identity, Channel), Connection>,
}

impl Server {
    /// Starts one that keeps its objects in memory, with more arguments.
    pub(crate) fn start(lab: &Lab, folder: &str, more: impl FnOnce(Program) -> Program) -> Self {
        let process = KmipServer::start_with(lab, folder, |program| {
            let program = program.arg("--store").arg("memory");
            more(program.arg("--https-listen").arg("127.0.0.1:0"))
        });
        let https = process.https_address().parse().expect("a server prints its address");
        Self { process, https, ca_pem: lab.pem("ca.crt"), connections: HashMap::new() }
    }

    /// All that it has logged.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// All that it has logged, once these words are in it.
    pub(crate) fn log_until(&self, words: &str) -> String {
        let begun = Instant::now();
        loop {
            let log = self.log();
            if log.contains(words) {
                return log;
            }
            assert!(begun.elapsed() < LOGGED_WITHIN, "{words:?} is not in the log:\n{log}");
            thread::yield_now();
        }
    }

    /// Sends bytes as this client on this channel. A connection is opened when there is none, and
    /// kept for the next message.
    pub(crate) fn send(&mut self, client: &Identity, channel: Channel, body: &[u8]) -> Answer {
        let key = (client.clone(), channel);
        let Self { process, https, ca_pem, connections } = self;
        let connection = connections.entry(key.clone()).or_insert_with(|| match channel {
            Channel::Port => Connection::Port(FrameConnection::connect(
                process.address(),
                ca_pem,
                &client.cert_pem,
                &client.key_pem,
            )),
            Channel::Https(_) => Connection::Https(HttpsConnection::connect(
                *https,
                ca_pem,
                &client.cert_pem,
                &client.key_pem,
            )),
        });
        let answer = connection.exchange(channel.encoding(), body);
        if !matches!(answer, Answer::Message(_)) {
            connections.remove(&key);
        }
        answer
    }

    /// Sends a message, and returns its answer as TTLV.
    #[track_caller]
    pub(crate) fn exchange(&mut self, client: &Identity, channel: Channel, ttlv: &[u8]) -> Vec<u8> {
        let body = channel.encoding().encode_request(ttlv);
        match self.send(client, channel, &body) {
            Answer::Message(body) => channel.encoding().decode(&body),
            other @ (Answer::Status(_) | Answer::Closed) => {
                panic!("{channel:?}: {other:?}\n{}", kmip::redacted_text(ttlv))
            }
        }
    }

    /// Closes the connections of a client.
    pub(crate) fn disconnect(&mut self, client: &Identity) {
        self.connections.retain(|(of, _), _| of != client);
    }
}
