//! What clients may rely on: order, whole answers, long requests, full handshakes, a good end.

use kmip_server::Client as Asking;
use kmip_server::config::{Identity, Settings};
use tokio::io::AsyncWriteExt;

use crate::client::{
    Client, PATIENCE, VERSIONS, certificate, discover_versions, exchange, hex, is_full_handshake,
    is_success, read_frame,
};
use crate::running::{Lab, Running};

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let lab = Lab::new();
    let server = Running::start(&lab.settings());
    let mut stream = lab.client().connect(server.address).await.unwrap();
    // The second one asks for a version that nobody has: its answer differs.
    let good = discover_versions();
    let mut odd = good.clone();
    odd[51] = 9;
    let requests = [&good[..], &odd, &good, &odd, &good].concat();
    // Cut so that one write ends inside a header and one inside a body.
    for part in [&requests[..good.len() + 3], &requests[good.len() + 3..300], &requests[300..]] {
        stream.write_all(part).await.unwrap();
        stream.flush().await.unwrap();
    }
    for expected in [true, false, true, false, true] {
        let response = read_frame(&mut stream).await.unwrap();
        assert_eq!(is_success(&response), expected, "{response:02x?}");
    }
}

#[tokio::test]
async fn a_request_of_the_longest_length_is_answered() {
    let lab = Lab::new();
    let server = Running::start(&lab.settings());
    let mut stream = lab.client().connect(server.address).await.unwrap();
    let max = lab.settings().frame_len_max;
    // A Byte String with an unknown tag fills the message; it is whole, so there is an answer.
    let body = u32::try_from(max - 8).unwrap().to_be_bytes();
    let text = u32::try_from(max - 16).unwrap().to_be_bytes();
    let mut request = [&hex("42007801")[..], &body, &hex("54000108"), &text].concat();
    request.resize(max, 0);
    stream.write_all(&request).await.unwrap();
    stream.flush().await.unwrap();
    let response = read_frame(&mut stream).await.unwrap();
    assert!(!is_success(&response), "it says nothing that could succeed");
    exchange(&mut stream).await.expect("the connection lives on");
}

#[tokio::test]
async fn a_client_that_asks_for_resumption_gets_a_full_handshake() {
    let lab = Lab::new();
    let server = Running::start(&lab.settings());
    for version in VERSIONS {
        // One client keeps its sessions over connections, as all do.
        let client = Client::speaking(lab.authority.cert_pem(), Some(&lab.client), &[version]);
        for turn in 0..3 {
            let mut stream = client.connect(server.address).await.unwrap();
            exchange(&mut stream).await.unwrap();
            assert!(is_full_handshake(&stream), "connection {turn} of {version:?}");
        }
    }
}

#[tokio::test]
async fn a_client_that_has_said_all_still_gets_its_answer() {
    let lab = Lab::new();
    let server = Running::start(&lab.settings());
    let mut stream = lab.client().connect(server.address).await.unwrap();
    stream.write_all(&discover_versions()).await.unwrap();
    stream.shutdown().await.unwrap();
    read_frame(&mut stream).await.expect("the answer comes over the half that is open");
}

#[tokio::test]
async fn a_server_that_stops_finishes_what_is_under_way() {
    let lab = Lab::new();
    let mut server = Running::start(&lab.settings());
    let client = lab.client();
    let mut idle = client.connect(server.address).await.unwrap();
    exchange(&mut idle).await.unwrap();
    let mut busy = client.connect(server.address).await.unwrap();
    exchange(&mut busy).await.unwrap();
    let request = discover_versions();
    let (first, second) = request.split_at(20);
    busy.write_all(first).await.unwrap();
    busy.flush().await.unwrap();
    // Whether the server has seen the half is known when it has answered on another connection
    // that came after it; on one machine bytes do not overtake.
    client.is_served(server.address).await;

    server.stop();
    let end = tokio::io::AsyncReadExt::read(&mut idle, &mut [0]).await.unwrap();
    assert_eq!(end, 0, "an idle connection is closed in good order");
    busy.write_all(second).await.unwrap();
    read_frame(&mut busy).await.expect("the request under way is answered");
    assert!(client.connect(server.address).await.is_err(), "nobody new comes in");
    server.ended().await;
}

#[tokio::test]
async fn a_server_that_stops_does_not_wait_for_ever() {
    let lab = Lab::new();
    let mut server = Running::start(&Settings { shutdown_deadline_ms: 50, ..lab.settings() });
    let mut busy = lab.client().connect(server.address).await.unwrap();
    exchange(&mut busy).await.unwrap();
    busy.write_all(&discover_versions()[..20]).await.unwrap();
    busy.flush().await.unwrap();
    server.stop();
    tokio::time::timeout(PATIENCE, server.ended()).await.expect("it ends");
}

#[test]
fn an_owner_outlives_its_certificate_unless_told_otherwise() {
    let lab = Lab::new();
    let peer = "192.0.2.1:5696".parse().unwrap();
    let owner =
        |pem: &str, identity| Asking::from_certificate(certificate(pem), identity, peer).owner;
    let renewed = lab.authority.client("a client").unwrap();
    let other = lab.authority.client("another client").unwrap();
    let subject = |pem: &str| owner(pem, Identity::Subject);
    assert_eq!(subject(&lab.client.cert_pem), "subject:CN=a client");
    assert_eq!(subject(&lab.client.cert_pem), subject(&renewed.cert_pem));
    assert_ne!(subject(&lab.client.cert_pem), subject(&other.cert_pem));

    let fingerprint = |pem: &str| owner(pem, Identity::Fingerprint);
    assert_eq!(fingerprint(&lab.client.cert_pem).len(), "sha256:".len() + 64);
    assert_ne!(fingerprint(&lab.client.cert_pem), fingerprint(&renewed.cert_pem));
}

#[test]
fn no_subject_reads_like_another() {
    let lab = Lab::new();
    let forged = lab.authority.client("a client,CN=b").unwrap();
    let forged = certificate(&forged.cert_pem);
    assert_eq!(forged.subject, "CN=a client\\,CN\\=b");
    let named = |subject: &str, names: &[&str]| {
        let mut certificate = forged.clone();
        certificate.subject = subject.to_owned();
        certificate.names = names.iter().map(|name| (*name).to_owned()).collect();
        Asking::owner_name(&certificate, Identity::Subject)
    };
    assert_eq!(named("", &["dns:node-1", "ip:192.0.2.1"]), "name:dns:node-1");
    assert_eq!(named("", &[]), format!("sha256:{}", forged.fingerprint));
    assert_eq!(named("CN=x", &["dns:node-1"]), "subject:CN=x");
    let (long, longer) = ("C".repeat(300), "C".repeat(301));
    assert_eq!(named(&long, &[]).len(), "digest:".len() + 64, "a record has no room for all of it");
    assert_ne!(named(&long, &[]), named(&longer, &[]));
}

/// Noticed in the field of a server that reads its lists again: who was in stayed in.
#[tokio::test]
async fn an_open_connection_ends_when_a_list_that_is_read_again_revokes_its_certificate() {
    let lab = Lab::new();
    let pair = lab.authority.client("another client").unwrap();
    let list = |pairs: &[&certs::CertifiedKey]| {
        let list = lab.authority.revocation_list(pairs, 7).unwrap();
        std::fs::write(lab.path("list.crl"), list).unwrap();
    };
    list(&[]);
    let settings = Settings { client_crl: Some(lab.path("list.crl")), ..lab.settings() };
    let server = Running::start(&settings);
    let mut revoked = lab.client().connect(server.address).await.unwrap();
    exchange(&mut revoked).await.expect("it is answered while it is good");
    let other = Client::new(lab.authority.cert_pem(), Some(&pair));
    let mut stays = other.connect(server.address).await.unwrap();
    exchange(&mut stays).await.unwrap();

    server.server.reload();
    exchange(&mut revoked).await.expect("nothing has changed");
    list(&[&lab.client]);
    server.server.reload();
    let ended = tokio::time::timeout(PATIENCE, read_frame(&mut revoked)).await;
    assert!(ended.expect("the server ends it").is_err());
    exchange(&mut stays).await.expect("the other stays");
    let refused = async {
        let mut stream = lab.client().connect(server.address).await?;
        exchange(&mut stream).await
    };
    assert!(refused.await.is_err(), "and it does not come in again");
}
