//! Habits of connections, as a server sees them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use certs::Plan;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{HandshakeKind, ProtocolVersion, ServerConfig, ServerConnection};
use tempfile::TempDir;

use super::{Connector, Identity};
use crate::persona::file::Habits;

/// A Response Message without anything in it.
const ANSWER: [u8; 8] = [0x42, 0, 0x7B, 1, 0, 0, 0, 0];

/// A Request Message of two empty structures.
const REQUEST: [u8; 24] =
    [0x42, 0, 0x78, 1, 0, 0, 0, 16, 0x42, 0, 0x77, 1, 0, 0, 0, 0, 0x42, 0, 0x0F, 1, 0, 0, 0, 0];

/// What a server has seen of a connection.
struct Seen {
    version: Option<ProtocolVersion>,
    kind: Option<HandshakeKind>,
    /// Bytes of the message in each TLS record.
    records: Vec<usize>,
}

/// Reads one TLS record and returns how many bytes of the message it has.
fn read_record(tls: &mut ServerConnection, tcp: &mut TcpStream) -> usize {
    let mut record = vec![0; 5];
    tcp.read_exact(&mut record).unwrap();
    let len = usize::from(u16::from_be_bytes([record[3], record[4]]));
    record.resize(5 + len, 0);
    tcp.read_exact(&mut record[5..]).unwrap();
    tls.read_tls(&mut record.as_slice()).unwrap();
    let state = tls.process_new_packets().unwrap();
    let mut plain = vec![0; state.plaintext_bytes_to_read()];
    tls.reader().read_exact(&mut plain).unwrap();
    plain.len()
}

fn serve(config: &Arc<ServerConfig>, mut tcp: TcpStream) -> Seen {
    let mut tls = ServerConnection::new(Arc::clone(config)).unwrap();
    let mut records = Vec::new();
    while records.iter().sum::<usize>() < REQUEST.len() {
        let len = read_record(&mut tls, &mut tcp);
        records.extend((len > 0).then_some(len));
        while tls.wants_write() {
            tls.write_tls(&mut tcp).unwrap();
        }
    }
    tls.writer().write_all(&ANSWER).unwrap();
    tls.complete_io(&mut tcp).unwrap();
    let (version, kind) = (tls.protocol_version(), tls.handshake_kind());
    // The client closes when it has read the answer, and the session with it.
    let _ = tcp.read_to_end(&mut Vec::new());
    Seen { version, kind, records }
}

/// A server of so many connections, which keeps sessions; its address and what it will have seen.
fn server(folder: &TempDir, connections: usize) -> (String, JoinHandle<Vec<Seen>>) {
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let chain = CertificateDer::pem_slice_iter(&read("server.crt")).collect::<Result<_, _>>();
    let key = PrivateKeyDer::from_pem_slice(&read("server.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.unwrap(), key);
    let config = Arc::new(config.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let seen = thread::spawn(move || {
        let accept = || listener.accept().unwrap().0;
        (0..connections).map(|_| serve(&config, accept())).collect()
    });
    (address, seen)
}

/// Two connections with these habits: what the server has seen, and whether the client says that
/// they were resumed.
fn two_connections(habits: &Habits) -> (Vec<Seen>, Vec<bool>) {
    let folder = TempDir::new().unwrap();
    certs::init(folder.path(), &Plan { bad: false, ..Plan::default() }).unwrap();
    let file = |name: &str| folder.path().join(name);
    let identity = Identity::read(&file("ca.crt"), &file("client.crt"), &file("client.key"));
    let (address, seen) = server(&folder, 2);
    let connector = Connector::new(&identity.unwrap(), &address, habits).unwrap();
    let resumed = (0..2).map(|_| {
        let mut connection = connector.connect().unwrap();
        assert_eq!(connection.exchange(&REQUEST).unwrap().as_slice(), ANSWER);
        connection.is_resumed()
    });
    let resumed = resumed.collect();
    (seen.join().unwrap(), resumed)
}

#[test]
fn session_is_resumed_only_by_a_product_that_does() {
    for tls12_only in [false, true] {
        let habits = Habits { resume_tls_session: true, tls12_only, ..Habits::default() };
        let (seen, resumed) = two_connections(&habits);
        assert_eq!(resumed, [false, true]);
        assert_eq!(seen[1].kind, Some(HandshakeKind::Resumed));
        let (seen, resumed) = two_connections(&Habits { tls12_only, ..Habits::default() });
        assert_eq!(resumed, [false, false]);
        assert_eq!(seen[1].kind, Some(HandshakeKind::Full));
    }
}

#[test]
fn product_of_tls_1_2_offers_nothing_newer() {
    for (tls12_only, version) in
        [(false, ProtocolVersion::TLSv1_3), (true, ProtocolVersion::TLSv1_2)]
    {
        let (seen, _) = two_connections(&Habits { tls12_only, ..Habits::default() });
        assert_eq!(seen[0].version, Some(version));
    }
}

#[test]
fn message_is_split_into_two_records_only_by_a_product_that_does() {
    for (split_writes, records) in [(true, vec![8, 16]), (false, vec![24])] {
        let (seen, _) = two_connections(&Habits { split_writes, ..Habits::default() });
        assert_eq!((&seen[0].records, &seen[1].records), (&records, &records));
    }
}
