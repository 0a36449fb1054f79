//! Every check of mutual TLS that can fail, on both sides, with its sentence.

use certs::{BAD, Fault, Role};
use kmip::client::{Client, Error, TlsCheck};
use tokio::io::AsyncWriteExt;

use crate::fixture::{Fixture, answer_all, create, get};
use crate::scripted_server::{EACH_VERSION, ScriptedServer, tls, tls_of};

/// The fault of the only server, which is asked for something that may not be done twice.
async fn fault(client: &Client) -> (TlsCheck, String) {
    let error = client.request(create()).await.unwrap_err();
    let Error::Tls { fault, .. } = &error else { panic!("{error:?}") };
    assert_eq!(error.is_authentication(), fault.check.is_trust(), "{error}");
    (fault.check, error.to_string())
}

#[tokio::test]
async fn a_server_with_a_fault_is_refused_by_name() {
    let fixture = Fixture::new();
    for case in BAD.iter().filter(|case| case.role == Role::Server) {
        let (check, says) = match case.fault {
            Fault::Expired => (TlsCheck::ServerExpired, "certificate has expired on 20"),
            Fault::NotYetValid => {
                (TlsCheck::ServerNotYetValid, "certificate is not valid before 20")
            }
            Fault::OtherAuthority | Fault::SelfSigned => (
                TlsCheck::ServerUnknownAuthority,
                "was signed by an unknown authority: none of the CA certificates is its issuer",
            ),
            Fault::NoSubjectAltName => {
                (TlsCheck::ServerName, "not for 127.0.0.1: it has no subject alternative name")
            }
            Fault::OtherHost => (TlsCheck::ServerName, "127.0.0.1: it is for elsewhere.invalid"),
            Fault::OtherUsage => (TlsCheck::ServerUsage, "does not name serverAuth"),
            // Without extended key usage a certificate is for every use (RFC 5280, 4.2.1.12), and
            // rustls says no to a server whose key does not match before it serves.
            Fault::NoExtendedKeyUsage | Fault::OtherKey => continue,
        };
        let pair = fixture.authority.bad(case, &["127.0.0.1"], "").unwrap();
        let server = ScriptedServer::start(tls(&pair, ""), answer_all).await;
        let (found, sentence) = fault(&fixture.client(&[&server])).await;
        assert_eq!(found, check, "{}: {sentence}", case.name);
        assert!(sentence.contains(says), "{}: {sentence}", case.name);
        assert!(sentence.starts_with(&server.address()), "{sentence}");
    }
}

#[tokio::test]
async fn a_name_is_checked_too_and_one_of_several_authorities_is_enough() {
    let fixture = Fixture::new();
    let pair = fixture.authority.server(&["localhost"]).unwrap();
    let server = ScriptedServer::start(tls(&pair, fixture.authority.cert_pem()), answer_all).await;
    let other = certs::Authority::new("another authority").unwrap();
    let builder = || {
        let builder =
            Client::builder().ca_pem(other.cert_pem()).ca_pem(fixture.authority.cert_pem());
        builder.identity_pem(&fixture.client.cert_pem, &*fixture.client.key_pem)
    };
    let named = builder().server(format!("localhost:{}", server.port)).build().unwrap();
    named.request(get("a")).await.unwrap();
    let numbered = builder().server(server.address()).build().unwrap();
    assert_eq!(fault(&numbered).await.0, TlsCheck::ServerName);
}

#[tokio::test]
async fn a_server_that_refuses_our_certificate_says_why() {
    let fixture = Fixture::new();
    let ca = fixture.authority.cert_pem();
    for version in EACH_VERSION {
        for case in BAD.iter().filter(|case| case.role == Role::Client) {
            let (check, says) = match case.fault {
                Fault::Expired => (TlsCheck::OurExpired, "it has expired on 20"),
                Fault::NotYetValid => (TlsCheck::OurExpired, "it is not valid before 20"),
                Fault::OtherAuthority | Fault::SelfSigned => (
                    TlsCheck::OurUnknownAuthority,
                    "it does not know the authority that signed it (alert UnknownCA)",
                ),
                Fault::OtherUsage => (TlsCheck::OurCertificate, "names clientAuth"),
                // The first is no fault to rustls; the second is found before anything is sent.
                Fault::NoExtendedKeyUsage | Fault::OtherKey => continue,
                other => panic!("no client has the fault {other:?}"),
            };
            let pair = fixture.authority.bad(case, &["127.0.0.1"], "node-1").unwrap();
            let server =
                ScriptedServer::start(tls_of(&[version], &fixture.server, ca), answer_all).await;
            let client = Client::builder()
                .server(server.address())
                .ca_pem(ca)
                .identity_pem(&pair.cert_pem, &*pair.key_pem)
                // Nothing but the Create itself is sent: that it was refused is known all the same.
                .with_version(kmip::Version::V1_4)
                .build()
                .unwrap();
            let (found, sentence) = fault(&client).await;
            assert_eq!(found, check, "{version:?} {}: {sentence}", case.name);
            assert!(sentence.contains(says), "{version:?} {}: {sentence}", case.name);
            assert!(sentence.contains("the server refused our certificate (CN="), "{sentence}");
        }
    }
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_says_so() {
    let fixture = Fixture::new();
    for version in EACH_VERSION {
        let server = ScriptedServer::start(
            tls_of(&[version], &fixture.server, fixture.authority.cert_pem()),
            answer_all,
        )
        .await;
        let builder =
            Client::builder().server(server.address()).ca_pem(fixture.authority.cert_pem());
        let (found, sentence) = fault(&builder.build().unwrap()).await;
        assert_eq!(found, TlsCheck::OurRequired, "{version:?}: {sentence}");
        let says = "the server refused our certificate: it requires one, and we showed none";
        assert!(sentence.contains(says), "{sentence}");
    }
}

#[tokio::test]
async fn both_versions_of_tls_are_spoken() {
    let fixture = Fixture::new();
    for version in EACH_VERSION {
        let server = ScriptedServer::start(
            tls_of(&[version], &fixture.server, fixture.authority.cert_pem()),
            answer_all,
        )
        .await;
        let client = fixture.client(&[&server]);
        client.request(get("a")).await.unwrap();
        client.request(create()).await.unwrap();
        // Nothing that TLS 1.3 sends after the handshake makes a kept connection look dead.
        assert_eq!(server.received().last().unwrap().0, 0);
    }
}

#[tokio::test]
async fn a_port_without_tls_is_said_to_be_one() {
    let fixture = Fixture::new();
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let answering = tokio::spawn(async move {
        let (mut plain, _) = socket.accept().await.unwrap();
        plain.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").await.unwrap();
        plain
    });
    let client = fixture.builder().server(&address).build().unwrap();
    let (found, sentence) = fault(&client).await;
    assert_eq!(found, TlsCheck::NotTls, "{sentence}");
    assert!(sentence.contains("the server does not speak TLS on this port"), "{sentence}");
    drop(answering.await.unwrap());
}
