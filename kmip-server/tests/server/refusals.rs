//! Each way in which a handshake fails, provoked for real, and the sentence that the log gets.

use std::net::SocketAddr;

use certs::{Algorithm, Authority, BAD, CertifiedKey, Fault, Role};
use kmip_server::config::Settings;
use kmip_server::{Protocol, Tls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::client::{Client, PATIENCE, VERSIONS, Version, hex};
use crate::running::Lab;

/// What the log gets when a server with `settings` is called by `caller`.
async fn refusal<F: Future>(settings: &Settings, caller: impl FnOnce(SocketAddr) -> F) -> String {
    let (tls, _) = Tls::open(settings).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accept = async {
        let (tcp, _) = listener.accept().await.unwrap();
        match tls.accept(tcp, Protocol::Kmip, settings.handshake_deadline()).await {
            Ok(session) => format!("{} came in", session.certificate.title()),
            Err(refused) => refused.to_string(),
        }
    };
    let both = async { tokio::join!(accept, caller(address)) };
    tokio::time::timeout(PATIENCE, both).await.expect("it ends by itself").0
}

/// A client that shakes hands and then reads until the server has had its say.
async fn call(client: Client, name: &str, address: SocketAddr) {
    if let Ok(mut stream) = client.connect_to(name, address).await {
        let _ = stream.read(&mut [0]).await;
    }
}

/// A peer that sends `bytes` and reads to the end.
async fn send(bytes: Vec<u8>, address: SocketAddr) {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(&bytes).await.unwrap();
    let _ = tcp.read_to_end(&mut Vec::new()).await;
}

fn name(version: &Version) -> String {
    format!("{:?}", version.version)
}

#[tokio::test]
async fn each_fault_of_a_clients_certificate_is_named() {
    let lab = Lab::new();
    let sentences = [
        (Fault::Expired, "CN=x was refused: it expired on 20"),
        (Fault::NotYetValid, "CN=x was refused: it is not valid before 20"),
        (
            Fault::OtherAuthority,
            "CN=x was refused: unknown authority: its issuer CN=an authority nobody trusts is not",
        ),
        (Fault::NoExtendedKeyUsage, "CN=x was refused: its extended key usage does not name"),
        (Fault::OtherUsage, "CN=x was refused: its extended key usage does not name"),
        (Fault::OtherKey, "CN=x was refused: bad signature: the client's private key does not"),
        (Fault::SelfSigned, "CN=self-signed was refused: unknown authority: it is self-signed"),
    ];
    let rows: Vec<_> = BAD.iter().filter(|case| case.role == Role::Client).collect();
    assert_eq!(rows.len(), sentences.len(), "every bad certificate has its sentence");
    for case in rows {
        let (_, sentence) = sentences.iter().find(|(fault, _)| *fault == case.fault).unwrap();
        let pair = lab.authority.bad_client(case.fault, "x").unwrap();
        for version in VERSIONS {
            let client = Client::speaking(lab.authority.cert_pem(), Some(&pair), &[version]);
            let said = refusal(&lab.settings(), |at| call(client, "localhost", at)).await;
            assert!(said.contains(sentence), "{} in {}: {said}", case.name, name(version));
        }
    }
}

#[tokio::test]
async fn a_client_without_a_certificate_is_named_and_a_good_one_comes_in() {
    let lab = Lab::new();
    for version in VERSIONS {
        for (pair, said) in
            [(None, "the client sent no certificate"), (Some(&lab.client), "CN=a client came in")]
        {
            let client = Client::speaking(lab.authority.cert_pem(), pair, &[version]);
            let refused = refusal(&lab.settings(), |at| call(client, "localhost", at)).await;
            assert_eq!(refused, said, "{}", name(version));
        }
    }
}

#[tokio::test]
async fn what_a_revocation_list_says_is_named() {
    let lab = Lab::new();
    let other = Authority::new("the tests' authority").unwrap();
    let fresh = |pairs: &[&CertifiedKey]| lab.authority.revocation_list(pairs, 7).unwrap();
    for (list, said) in [
        (fresh(&[]), "CN=a client came in"),
        (fresh(&[&lab.client]), "CN=a client was refused: its authority has revoked it"),
        (
            lab.authority.revocation_list(&[], -1).unwrap(),
            "CN=a client was refused: the revocation list of its authority is out of date",
        ),
        (
            Authority::new("elsewhere").unwrap().revocation_list(&[], 7).unwrap(),
            "CN=a client was refused: no revocation list of its authority is there",
        ),
        (
            other.revocation_list(&[], 7).unwrap(),
            "CN=a client was refused: a revocation list is unusable",
        ),
    ] {
        std::fs::write(lab.path("list.crl"), list).unwrap();
        let settings = Settings { client_crl: Some(lab.path("list.crl")), ..lab.settings() };
        let refused = refusal(&settings, |at| call(lab.client(), "localhost", at)).await;
        assert!(refused.contains(said), "{refused}");
    }
}

#[tokio::test]
async fn a_client_that_refuses_the_server_is_quoted() {
    let lab = Lab::new();
    let hosts = ["localhost"];
    let stranger = Authority::new("a stranger").unwrap();
    let good = lab.authority.server(&hosts).unwrap();
    let bad = |fault| lab.authority.bad_server(fault, &hosts).unwrap();
    let ca = lab.authority.cert_pem();
    for (pair, trusts, host, said) in [
        (&good, stranger.cert_pem(), "localhost", "does not know the authority that signed it"),
        (&good, ca, "elsewhere.invalid", "the name that it connects to is not among"),
        (&bad(Fault::NoSubjectAltName), ca, "localhost", "the name that it connects to is not"),
        (&bad(Fault::OtherUsage), ca, "localhost", "does not take this kind of key or usage"),
    ] {
        let lab = Lab::new();
        let _ = std::fs::remove_file(lab.path("server.crt"));
        let _ = std::fs::remove_file(lab.path("server.key"));
        pair.write(lab.dir.path(), "server").unwrap();
        for version in VERSIONS {
            let client = Client::speaking(trusts, Some(&lab.client), &[version]);
            let refused = refusal(&lab.settings(), |at| call(client, host, at)).await;
            assert!(refused.starts_with("the client refused our certificate: "), "{refused}");
            assert!(refused.contains(said), "{}: {refused}", name(version));
        }
    }
}

/// A Client Hello of TLS 1.2 or older with these suites, groups and signature algorithms.
fn client_hello(version: &str, suites: &str, groups: &str, schemes: Option<&str>) -> Vec<u8> {
    let counted = |width: usize, body: &[u8]| {
        let len = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&len[4 - width..], body].concat()
    };
    let extension = |number: &str, body: &[u8]| [hex(number), counted(2, body)].concat();
    let mut extensions = extension("000a", &counted(2, &hex(groups)));
    extensions.extend(extension("000b", &hex("01 00")));
    if let Some(schemes) = schemes {
        extensions.extend(extension("000d", &counted(2, &hex(schemes))));
    }
    // Extended Master Secret (RFC 7627).
    extensions.extend(extension("0017", &[]));
    let hello = [
        hex(version),
        vec![0x5a; 32],
        hex("00"),
        counted(2, &hex(suites)),
        hex("01 00"),
        counted(2, &extensions),
    ]
    .concat();
    let handshake = [hex("01"), counted(3, &hello)].concat();
    [hex("16 0301"), counted(2, &handshake)].concat()
}

#[tokio::test]
async fn what_one_side_has_and_the_other_has_not_is_named() {
    let lab = Lab::new();
    let (gcm, cbc) = ("c02b c02f c030", "c009 c013 002f");
    let (p256, schemes) = ("0017 0018", Some("0403 0804 0401"));
    let rows = [
        ("TLS 1.0", client_hello("0301", cbc, p256, schemes), "no common TLS version"),
        ("TLS 1.1", client_hello("0302", cbc, p256, None), "no common TLS version"),
        ("CBC alone", client_hello("0303", cbc, p256, schemes), "no common cipher suite"),
        ("RSA alone", client_hello("0303", "c02f c030", p256, schemes), "no common cipher suite"),
        // Suites that need none of the server's groups: what is missing is the suite.
        (
            "static RSA",
            client_hello("0303", "009d 002f", "0019", schemes),
            "no common cipher suite",
        ),
        ("DHE", client_hello("0303", "009f 0033", "0100", schemes), "no common cipher suite"),
        ("P-521 alone", client_hello("0303", gcm, "0019", schemes), "no common key exchange group"),
        (
            "RSA signatures alone",
            client_hello("0303", gcm, p256, Some("0401 0804")),
            "no common signature algorithm",
        ),
    ];
    for (row, hello, said) in rows {
        let refused = refusal(&lab.settings(), |at| send(hello, at)).await;
        assert!(refused.starts_with(said), "{row}: {refused}");
    }
}

#[tokio::test]
async fn what_is_no_tls_is_named() {
    let lab = Lab::new();
    let rows: [(&[u8], &str); 8] = [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "the peer sent a plain HTTP request"),
        (b"POST /kmip HTTP/1.1\r\n\r\n", "the peer sent a plain HTTP request"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "the peer sent a plain HTTP/2 request"),
        (b"\x42\x00\x78\x01\0\0\0\x68", "the peer sent a KMIP request without TLS"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "the peer sent an SSH greeting"),
        (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", "the peer sent a PROXY protocol header"),
        (b"\x80\x2e\x01\x00\x02", "the peer sent bytes that are no TLS"),
        (b"\x16\x03\x01\x00\x05hello", "the bytes are no TLS that can be understood"),
    ];
    for (bytes, said) in rows {
        let refused = refusal(&lab.settings(), |at| send(bytes.to_vec(), at)).await;
        assert!(refused.starts_with(said), "{refused}");
    }
}

#[tokio::test]
async fn who_goes_away_or_dawdles_is_named() {
    let lab = Lab::new();
    let hello = client_hello("0303", "c02b", "0017", Some("0403"));
    let patient = lab.settings();
    let hasty = Settings { handshake_deadline_ms: 500, ..lab.settings() };
    let nothing = "the peer closed the connection before it sent anything";
    let away = "the peer went away during the handshake";
    let silent = "the deadline of 500 ms passed: the peer sent nothing";
    let slow = "the deadline of 500 ms passed: the peer did not finish the handshake";
    let rows: [(&Settings, &[u8], bool, &str); 5] = [
        (&patient, b"", true, nothing),
        (&patient, &hello[..30], true, away),
        (&patient, &hello, true, away),
        (&hasty, b"", false, silent),
        (&hasty, &hello[..30], false, slow),
    ];
    for (settings, bytes, leaves, said) in rows {
        let refused = refusal(settings, |at| async move {
            let mut tcp = TcpStream::connect(at).await.unwrap();
            tcp.write_all(bytes).await.unwrap();
            if leaves {
                tcp.shutdown().await.unwrap();
            }
            let _ = tcp.read_to_end(&mut Vec::new()).await;
        });
        let refused = refused.await;
        assert!(refused.starts_with(said), "{refused}");
    }
}

#[tokio::test]
async fn rsa_certificates_serve_as_well() {
    let authority =
        Authority::with_options("an authority with RSA", Algorithm::Rsa2048, 30).unwrap();
    let lab = Lab::new();
    for file in ["ca.crt", "server.crt", "server.key"] {
        std::fs::remove_file(lab.path(file)).unwrap();
    }
    authority.write_cert(lab.dir.path()).unwrap();
    authority.server(&["localhost"]).unwrap().write(lab.dir.path(), "server").unwrap();
    let pair = authority.client("of RSA").unwrap();
    for version in VERSIONS {
        let client = Client::speaking(authority.cert_pem(), Some(&pair), &[version]);
        let said = refusal(&lab.settings(), |at| call(client, "localhost", at)).await;
        assert_eq!(said, "CN=of RSA came in", "{}", name(version));
    }
}

#[tokio::test]
async fn the_alert_reaches_the_client() {
    let lab = Lab::new();
    let pair = lab.authority.bad_client(Fault::Expired, "x").unwrap();
    let client = Client::new(lab.authority.cert_pem(), Some(&pair));
    let (told, telling) = tokio::sync::oneshot::channel();
    refusal(&lab.settings(), |at| async move {
        let mut stream = client.connect(at).await.unwrap();
        // More than one read: what is unread at the server must not reset the connection.
        let _ = stream.write_all(&[0; 4096]).await;
        told.send(stream.read(&mut [0]).await.unwrap_err().to_string()).unwrap();
    })
    .await;
    let told = telling.await.unwrap();
    assert!(told.contains("CertificateExpired"), "{told}");
}
