//! Connection to a key server with mutual TLS, and frames on it.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kmip::vocabulary::tags;
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ALL_VERSIONS, version};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned};
use ttlv::{HEADER_LEN, Header, Type};
use zeroize::Zeroizing;

use super::file::Habits;

/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// How long a server may be silent: a key pair takes seconds on a slow one.
const SILENT_FOR: Duration = Duration::from_secs(60);

/// The longest answer that is read.
const ANSWER_LEN_MAX: usize = 4 << 20;

/// Certificates and key of a client.
pub(super) struct Identity {
    roots: RootCertStore,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// TLS client of one persona; it keeps the sessions that may be resumed.
pub(super) struct Connector {
    config: Arc<ClientConfig>,
    server: String,
    split_writes: bool,
}

/// A connection after its handshake.
pub(super) struct Connection {
    stream: StreamOwned<ClientConnection, TcpStream>,
    split_writes: bool,
}

impl Identity {
    /// Reads files in PEM.
    pub(super) fn read(ca: &Path, cert: &Path, key: &Path) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        for root in certificates(ca)? {
            roots.add(root).map_err(|why| format!("{}: {why}", ca.display()))?;
        }
        let text = Zeroizing::new(read(key)?);
        // The reader's own words may quote a line of the key.
        let key = PrivateKeyDer::from_pem_slice(&text)
            .map_err(|_| format!("{} must be a private key in PEM", key.display()))?;
        Ok(Self { roots, chain: certificates(cert)?, key })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|why| format!("{} cannot be read: {why}", path.display()))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = read(path)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) | Err(_) => Err(format!("{} must be certificates in PEM", path.display())),
    }
}

impl Connector {
    /// Client of `HOST:PORT` with the habits of a product.
    pub(super) fn new(identity: &Identity, server: &str, habits: &Habits) -> Result<Self, String> {
        let versions = if habits.tls12_only { &[&version::TLS12] } else { ALL_VERSIONS };
        let mut config =
            ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_protocol_versions(versions)
                .map_err(|why| why.to_string())?
                .with_root_certificates(identity.roots.clone())
                .with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())
                .map_err(|why| format!("certificate and key of the client: {why}"))?;
        if !habits.resume_tls_session {
            config.resumption = Resumption::disabled();
        }
        let (config, split_writes) = (Arc::new(config), habits.split_writes);
        Ok(Self { config, server: server.to_owned(), split_writes })
    }

    /// Connects and shakes hands.
    pub(super) fn connect(&self) -> Result<Connection, String> {
        self.open().map_err(|why| format!("no connection: {}", describe(&why)))
    }

    fn open(&self) -> io::Result<Connection> {
        let wrong = |why: &str| io::Error::new(io::ErrorKind::InvalidInput, why.to_owned());
        let host = self.server.rsplit_once(':').map(|(host, _)| host.trim_matches(['[', ']']));
        let host = host.ok_or_else(|| wrong("the server must be HOST:PORT"))?;
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| wrong("the host must be a name or an address"))?;
        let address = self.server.to_socket_addrs()?.next();
        let address = address.ok_or_else(|| wrong("the host has no address"))?;
        let tcp = TcpStream::connect_timeout(&address, CONNECT_WITHIN)?;
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(SILENT_FOR))?;
        tcp.set_write_timeout(Some(SILENT_FOR))?;
        let session =
            ClientConnection::new(Arc::clone(&self.config), name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(session, tcp);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Connection { stream, split_writes: self.split_writes })
    }
}

impl Connection {
    /// Whether the server has resumed a session.
    pub(super) fn is_resumed(&self) -> bool {
        self.stream.conn.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Sends a message and reads the one that answers it.
    pub(super) fn exchange(&mut self, request: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
        let answer = self.send(request).and_then(|()| self.receive());
        answer.map_err(|why| format!("no answer: {}", describe(&why)))
    }

    fn send(&mut self, request: &[u8]) -> io::Result<()> {
        let first = if self.split_writes { HEADER_LEN.min(request.len()) } else { 0 };
        let (head, body) = request.split_at(first);
        if !head.is_empty() {
            // Flushed, so that it is a TLS record and a packet of its own.
            self.stream.write_all(head)?;
            self.stream.flush()?;
        }
        self.stream.write_all(body)?;
        self.stream.flush()
    }

    fn receive(&mut self) -> io::Result<Zeroizing<Vec<u8>>> {
        let wrong = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
        let mut start = [0; HEADER_LEN];
        self.stream.read_exact(&mut start)?;
        let header = Header::parse(start);
        if header.tag != tags::ResponseMessage || header.ty != Type::Structure.number() {
            return Err(wrong("it does not begin with a Response Message"));
        }
        let len = usize::try_from(header.len).unwrap_or(usize::MAX);
        if len > ANSWER_LEN_MAX {
            return Err(wrong("it exceeds 4 MiB"));
        }
        let mut frame = Zeroizing::new(vec![0; HEADER_LEN.saturating_add(len)]);
        let (head, body) = frame.split_at_mut(HEADER_LEN);
        head.copy_from_slice(&start);
        self.stream.read_exact(body)?;
        Ok(frame)
    }
}

impl Drop for Connection {
    /// Says goodbye, as far as the server still listens.
    fn drop(&mut self) {
        self.stream.conn.send_close_notify();
        let _ = self.stream.flush();
    }
}

/// The error as a sentence where the system's own words do not help.
fn describe(why: &io::Error) -> String {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, TimedOut, UnexpectedEof, WouldBlock};
    let kind = why.kind();
    if kind == UnexpectedEof {
        "the server closed the connection".to_owned()
    } else if matches!(kind, ConnectionReset | BrokenPipe) {
        "the server reset the connection".to_owned()
    } else if matches!(kind, WouldBlock | TimedOut) {
        format!("the server was silent for {} s", SILENT_FOR.as_secs())
    } else {
        why.to_string()
    }
}

#[cfg(test)]
mod tests;
