//! Client side of mutual TLS; the only module of this crate that uses rustls.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, StreamOwned};

/// How long a server may take to be reached.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// How long a server may say nothing: a key pair of 4096 bits takes seconds on a slow one.
pub(crate) const SILENT_FOR: Duration = Duration::from_secs(60);

/// TLS configuration: trusted authorities, and the client's certificate.
#[derive(Clone)]
pub(crate) struct Tls(Arc<ClientConfig>);

/// A connection after its handshake.
pub(crate) struct Stream(StreamOwned<ClientConnection, TcpStream>);

impl Tls {
    /// Reads the files in PEM.
    pub(crate) fn read(ca: &Path, cert: &Path, key: &Path) -> Result<Self, String> {
        let at = |path: &Path, why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
        let text = |path: &Path| fs::read(path).map_err(|why| at(path, &why));
        let chain = |path: &Path| -> Result<Vec<CertificateDer<'static>>, String> {
            let text = text(path)?;
            let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
            match all {
                Ok(all) if !all.is_empty() => Ok(all),
                Ok(_) | Err(_) => Err(at(path, &"it holds no certificate in PEM")),
            }
        };
        let mut roots = RootCertStore::empty();
        for root in chain(ca)? {
            roots.add(root).map_err(|why| at(ca, &why))?;
        }
        let secret = zeroize::Zeroizing::new(text(key)?);
        // The reader's own words may quote a line of the key.
        let secret = PrivateKeyDer::from_pem_slice(&secret)
            .map_err(|_| at(key, &"it holds no private key in PEM"))?;
        let mut config =
            ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(|why| why.to_string())?
                .with_root_certificates(roots)
                .with_client_auth_cert(chain(cert)?, secret)
                .map_err(|why| at(cert, &why))?;
        config.resumption = Resumption::disabled();
        Ok(Self(Arc::new(config)))
    }

    /// Connects to `HOST:PORT` and shakes hands.
    pub(crate) fn connect(&self, server: &str) -> io::Result<Stream> {
        let wrong = |why: &str| io::Error::new(io::ErrorKind::InvalidInput, why.to_owned());
        let (host, _) = server.rsplit_once(':').ok_or_else(|| wrong("HOST:PORT is wanted"))?;
        let host = host.trim_matches(['[', ']']);
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| wrong("the host is no name and no address"))?;
        let address = server.to_socket_addrs()?.next();
        let address = address.ok_or_else(|| wrong("the host has no address"))?;
        let tcp = TcpStream::connect_timeout(&address, CONNECT_WITHIN)?;
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(SILENT_FOR))?;
        tcp.set_write_timeout(Some(SILENT_FOR))?;
        let session = ClientConnection::new(Arc::clone(&self.0), name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(session, tcp);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Stream(stream))
    }
}

impl Stream {
    /// Is the connection of TLS 1.3?
    pub(crate) fn is_tls13(&self) -> bool {
        self.0.conn.protocol_version() == Some(ProtocolVersion::TLSv1_3)
    }

    /// How long the other side may say nothing.
    pub(crate) fn silent_for(&self, limit: Duration) -> io::Result<()> {
        self.0.sock.set_read_timeout(Some(limit))
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
