//! The settings of a client, with their defaults and the reason for each.

use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::error::{Error, Setting};
use super::server::Server;
use super::tls::{Name, Tls};
use super::trace::Trace;
use super::{Client, Inner};
use crate::version::Version;

/// The port of a key server when none is given (KMIP profiles 1.4, 3.1.3).
pub const KMIP_PORT: u16 = 5696;

/// Finding and reaching a server: three SYNs of TCP, which are sent after 0, 1 and 3 seconds.
pub const CONNECT_DEADLINE_DEFAULT: Duration = Duration::from_secs(5);

/// A handshake is two round trips and a few signatures; a server that takes longer is overloaded.
pub const HANDSHAKE_DEADLINE_DEFAULT: Duration = Duration::from_secs(5);

/// A server may wait for its disk, its own replicas or an HSM before it answers.
pub const REQUEST_DEADLINE_DEFAULT: Duration = Duration::from_secs(30);

/// Less than servers and firewalls commonly leave an idle connection open for.
pub const IDLE_LIMIT_DEFAULT: Duration = Duration::from_secs(30);

/// Connections kept for each server: what a node's drives use at once when they unlock.
pub const KEPT_MAX_DEFAULT: usize = 4;

/// A key with all its attributes and its certificate chain is a few KiB, a Locate of ten thousand
/// objects half a MiB; what is longer is a fault or an attack.
pub const RESPONSE_LEN_MAX_DEFAULT: usize = 1024 * 1024;

/// The least that a limit on answers can be: a refusal must fit.
const RESPONSE_LEN_MIN: usize = 1024;

/// What all servers of a client share.
pub(super) struct Settings {
    pub(super) tls: Tls,
    pub(super) connect_deadline: Duration,
    pub(super) handshake_deadline: Duration,
    pub(super) request_deadline: Duration,
    pub(super) idle_limit: Duration,
    pub(super) kept_max: usize,
    pub(super) response_len_max: usize,
    pub(super) version: Option<Version>,
    pub(super) trace: Option<Arc<dyn Trace>>,
}

/// The settings of a client that is yet to be made.
pub struct Builder {
    servers: Vec<String>,
    ca_pem: Vec<u8>,
    identity: Option<(Vec<u8>, Zeroizing<Vec<u8>>)>,
    connect_deadline: Duration,
    handshake_deadline: Duration,
    request_deadline: Duration,
    idle_limit: Duration,
    kept_max: usize,
    response_len_max: usize,
    version: Option<Version>,
    trace: Option<Arc<dyn Trace>>,
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
            kept_max: KEPT_MAX_DEFAULT,
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

    /// How long a connection is kept without use.
    #[must_use]
    pub fn idle_limit(mut self, limit: Duration) -> Self {
        self.idle_limit = limit;
        self
    }

    /// How many connections are kept for each server; none with 0.
    #[must_use]
    pub fn kept_max(mut self, count: usize) -> Self {
        self.kept_max = count;
        self
    }

    /// The longest answer that is taken, in bytes; servers are told of it.
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
        let servers =
            self.servers.iter().map(|address| server(address)).collect::<Result<_, _>>()?;
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
            kept_max: self.kept_max,
            response_len_max: self.response_len_max,
            version: self.version,
            trace: self.trace,
        };
        Ok(Client { inner: Arc::new(Inner { settings, servers }) })
    }
}

/// Reads `host`, `host:port`, `address`, `[address]` or `[address]:port`.
fn server(address: &str) -> Result<Server, Error> {
    let wrong = |why: &str| Error::settings(Setting::Servers, format!("{address:?} {why}"));
    let (host, port) = match address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, rest)) => (host, Some(rest.strip_prefix(':').unwrap_or(rest))),
        None if address.matches(':').count() > 1 => (address, None),
        None => match address.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        },
    };
    let port = match port {
        None => KMIP_PORT,
        Some(text) => match text.parse() {
            Ok(port) if port > 0 => port,
            _ => return Err(wrong("has no port between 1 and 65535 after its colon")),
        },
    };
    let name = Name::parse(host);
    let name = name.ok_or_else(|| wrong("has neither a DNS name nor an IP address as its host"))?;
    Ok(Server::new(host, port, name))
}

#[cfg(test)]
mod tests {
    use super::server;

    #[test]
    fn addresses_in_all_their_forms() {
        let table = [
            ("kms.example", Some("kms.example:5696")),
            ("kms.example:1", Some("kms.example:1")),
            ("10.0.0.1", Some("10.0.0.1:5696")),
            ("10.0.0.1:65535", Some("10.0.0.1:65535")),
            ("::1", Some("[::1]:5696")),
            ("[::1]", Some("[::1]:5696")),
            ("[::1]:7", Some("[::1]:7")),
            ("kms:0", None),
            ("kms:65536", None),
            ("kms:", None),
            ("kms:x", None),
            ("", None),
            (":5696", None),
            ("a b:5696", None),
            ("https://kms:5696", None),
        ];
        for (given, expected) in table {
            let read = server(given).ok().map(|server| server.address().to_owned());
            assert_eq!(read.as_deref(), expected, "{given}");
        }
    }
}
