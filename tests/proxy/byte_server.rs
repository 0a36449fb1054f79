//! A server that says what it is told, byte for byte, and notes what it hears.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use harness::Lab;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// One exchange: so many bytes are read, and these are written.
struct Turn {
    read: usize,
    write: Vec<u8>,
}

/// A server for one connection.
pub(crate) struct ByteServer {
    pub(crate) address: SocketAddr,
    turns: Sender<Turn>,
    heard: Receiver<Vec<u8>>,
}

impl ByteServer {
    pub(crate) fn start(lab: &Lab) -> Self {
        let config = Arc::new(config(lab));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (turns, asked) = channel::<Turn>();
        let (hear, heard) = channel();
        thread::spawn(move || {
            let (socket, _) = listener.accept().unwrap();
            let session = ServerConnection::new(config).unwrap();
            let mut stream = StreamOwned::new(session, socket);
            for turn in asked {
                let mut bytes = vec![0; turn.read];
                if stream.read_exact(&mut bytes).is_err() {
                    return;
                }
                hear.send(bytes).unwrap();
                stream.write_all(&turn.write).unwrap();
                stream.flush().unwrap();
            }
        });
        Self { address, turns, heard }
    }

    /// Reads so many bytes next, and then writes these.
    pub(crate) fn expect(&self, read: usize, write: &[u8]) {
        self.turns.send(Turn { read, write: write.to_vec() }).unwrap();
    }

    /// What it has heard next.
    pub(crate) fn heard(&self) -> Vec<u8> {
        self.heard.recv_timeout(Duration::from_secs(60)).unwrap()
    }
}

fn config(lab: &Lab) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let certificate = |name: &str| CertificateDer::from_pem_file(lab.pki(name)).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate("ca.crt")).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let key = PrivateKeyDer::from_pem_file(lab.pki("server.key")).unwrap();
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(vec![certificate("server.crt")], key)
        .unwrap()
}
