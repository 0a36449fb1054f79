//! Settings that are wrong are one clear sentence, before any server is asked.

use certs::Fault;
use kmip::client::{Client, Error};

use crate::fixture::{Fixture, version};

#[test]
fn wrong_settings_are_one_sentence() {
    let fixture = Fixture::new();
    let ca = fixture.authority.cert_pem();
    let (cert, key) = (fixture.client.cert_pem.as_str(), fixture.client.key_pem.as_str());
    let other = fixture.authority.bad_client(Fault::OtherKey, "node-1").unwrap();
    let cut = ca.replace("-----END CERTIFICATE-----", "");
    let spoilt = ca.replace("MII", "!!!");
    let no_x509 = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let no_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----";
    let two = format!("{key}{key}");
    let s = "kms:5696";
    let table: &[(&str, &str, &str, &str, &str)] = &[
        ("", ca, cert, key, "the key servers: no server is named"),
        ("kms:x", ca, cert, key, "the key servers: \"kms:x\" has no port between 1 and 65535"),
        (s, "", cert, key, "the CA certificate: it is missing"),
        (s, key, cert, key, "the CA certificate: it holds a PRIVATE KEY, but no CERTIFICATE"),
        (s, &cut, cert, key, "the CA certificate: a PEM section has no END line"),
        (s, &spoilt, cert, key, "the CA certificate: a PEM section is not base64"),
        (s, no_x509, cert, key, "the CA certificate: it is no X.509 certificate"),
        (s, "hello", cert, key, "the CA certificate: it is not PEM: no BEGIN CERTIFICATE is in it"),
        (s, "0\u{3}abc", cert, key, "the CA certificate: it is DER, not PEM"),
        (s, ca, "", key, "the client certificate: it is missing"),
        (s, ca, key, key, "the client certificate: it holds a PRIVATE KEY, but no CERTIFICATE"),
        (s, ca, no_x509, key, "the client certificate: it is no X.509 certificate"),
        (s, ca, cert, "", "the client's private key: it is missing"),
        (s, ca, cert, cert, "the client's private key: it holds a CERTIFICATE, but no PRIVATE KEY"),
        (s, ca, cert, no_key, "the client's private key: it is no RSA, ECDSA or Ed25519 key"),
        (s, ca, cert, locked, "the client's private key: it is encrypted with a passphrase"),
        (s, ca, cert, &two, "the client's private key: it holds several private keys"),
        (
            s,
            ca,
            &other.cert_pem,
            &other.key_pem,
            "the client's private key: it does not match the client certificate",
        ),
    ];
    for (server, ca, cert, key, says) in table {
        let mut builder = Client::builder().ca_pem(ca).identity_pem(cert, key);
        if !server.is_empty() {
            builder = builder.server(*server);
        }
        let error = builder.build().unwrap_err();
        assert!(matches!(error, Error::Settings { .. }), "{error:?}");
        assert!(error.to_string().starts_with(says), "{error}, not {says}");
        let about_servers = says.starts_with("the key servers");
        assert_eq!(
            (error.is_connection(), error.is_authentication()),
            (about_servers, !about_servers)
        );
    }
    let error = fixture.builder().server("kms").with_version(version(3, 0)).build().unwrap_err();
    assert_eq!(error.to_string(), "the KMIP version: 3.0 is none of those that are spoken");
}

#[test]
fn a_client_shows_its_servers_and_nothing_else() {
    let fixture = Fixture::new();
    let client = fixture.builder().server("kms-1").server("[::1]:7").build().unwrap();
    assert_eq!(format!("{client:?}"), r#"["kms-1:5696", "[::1]:7"]"#);
}
