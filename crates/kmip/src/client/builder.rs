//! Builder of a client: takes the settings and checks them.

use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::endpoint::Endpoint;
use super::error::{Error, Setting};
use super::failover::Client;
use super::server::Server;
use super::settings::{
    CONNECT_DEADLINE_DEFAULT, HANDSHAKE_DEADLINE_DEFAULT, IDLE_CONNECTIONS_MAX_DEFAULT,
    IDLE_LIMIT_DEFAULT, REQUEST_DEADLINE_DEFAULT, RESPONSE_LEN_MAX_DEFAULT, Settings,
};
use super::tls::Tls;
use super::trace::Trace;
use crate::version::Version;

/// The least that a limit on answers can be: a refusal must fit.
const RESPONSE_LEN_MIN: usize = 1024;

/// The settings of a client that is yet to be made.
pub struct Builder {
    servers: Vec<String>,
    ca_pem: Vec<u8>,
    identity: Option<(Vec<u8>, Zeroizing<Vec<u8>>)>,
    connect_deadline: Duration,
    handshake_deadline: Duration,
    request_deadline: Duration,
    idle_limit: Duration,
    idle_connections_max: usize,
    response_len_max: usize,
    version: Option<Version>,
    trace: Option<Arc<dyn Trace>>,
}

impl Client {
    /// Starts the settings of a client.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            ca_pem: Vec::new(),
            identity: None,
            connect_deadline: CONNECT_DEADLINE_DEFAULT,
            handshake_deadline: HANDSHAKE_DEADLINE_DEFAULT,
            request_deadline: REQUEST_DEADLINE_DEFAULT,
            idle_limit: IDLE_LIMIT_DEFAULT,
            idle_connections_max: IDLE_CONNECTIONS_MAX_DEFAULT,
            response_len_max: RESPONSE_LEN_MAX_DEFAULT,
            version: None,
            trace: None,
        }
    }
}

impl Builder {
    /// One more server, as `host:port`, or `host` for port 5696. The host is a DNS name or an IP
    /// address, and its certificate must be for it. Servers are tried in the order given.
    #[must_use]
    pub fn server(mut self, address: impl Into<String>) -> Self {
        self.servers.push(address.into());
        self
    }

    /// The authorities that sign servers' certificates: one or more in PEM, one after another.
    /// Said twice, both count.
    #[must_use]
    pub fn ca_pem(mut self, text: impl AsRef<[u8]>) -> Self {
        self.ca_pem.extend_from_slice(text.as_ref());
        self.ca_pem.push(b'\n');
        self
    }

    /// Our certificate, with its chain if it has one, and its private key, both in PEM. Without
    /// them no server of mutual TLS lets us in.
    #[must_use]
    pub fn identity_pem(mut self, chain: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Self {
        let key = Zeroizing::new(key.as_ref().to_vec());
        self.identity = Some((chain.as_ref().to_vec(), key));
        self
    }

    /// How long finding and reaching a server may take.
    #[must_use]
    pub fn connect_deadline(mut self, limit: Duration) -> Self {
        self.connect_deadline = limit;
        self
    }

    /// How long the TLS handshake may take.
    #[must_use]
    pub fn handshake_deadline(mut self, limit: Duration) -> Self {
        self.handshake_deadline = limit;
        self
    }

    /// How long a request and its answer may take.
    #[must_use]
    pub fn request_deadline(mut self, limit: Duration) -> Self {
        self.request_deadline = limit;
        self
    }

    /// How long an idle connection is kept.
    #[must_use]
    pub fn idle_limit(mut self, limit: Duration) -> Self {
        self.idle_limit = limit;
        self
    }

    /// How many idle connections are kept for each server; none with 0.
    #[must_use]
    pub fn idle_connections_max(mut self, count: usize) -> Self {
        self.idle_connections_max = count;
        self
    }

    /// The longest response that is accepted, in bytes; each request names it.
    #[must_use]
    pub fn response_len_max(mut self, len: usize) -> Self {
        self.response_len_max = len.max(RESPONSE_LEN_MIN);
        self
    }

    /// Speaks this version and asks no server which it has.
    #[must_use]
    pub fn with_version(mut self, version: Version) -> Self {
        self.version = Some(version);
        self
    }

    /// Shows every message to `trace`. **The bytes hold keys in the clear.**
    #[must_use]
    pub fn trace(mut self, trace: Arc<dyn Trace>) -> Self {
        self.trace = Some(trace);
        self
    }

    /// Checks the settings and makes the client. No server is asked yet.
    pub fn build(self) -> Result<Client, Error> {
        if self.servers.is_empty() {
            return Err(Error::settings(Setting::Servers, "no server is named"));
        }
        let server = |address: &String| Endpoint::parse(address).map(Server::new);
        let servers = self.servers.iter().map(server).collect::<Result<_, _>>()?;
        if let Some(version) = self.version
            && !Version::SERVED.contains(&version)
        {
            let why = format!("{version} is none of those that are spoken");
            return Err(Error::settings(Setting::Version, why));
        }
        let identity = self.identity.as_ref();
        let identity = identity.map(|(chain, key)| (chain.as_slice(), key.as_slice()));
        let settings = Settings {
            tls: Tls::new(self.ca_pem.trim_ascii(), identity)?,
            connect_deadline: self.connect_deadline,
            handshake_deadline: self.handshake_deadline,
            request_deadline: self.request_deadline,
            idle_limit: self.idle_limit,
            idle_connections_max: self.idle_connections_max,
            response_len_max: self.response_len_max,
            version: self.version,
            trace: self.trace,
        };
        Ok(Client::new(settings, servers))
    }
}
