//! Tests of the sentences at both ends.

use std::io;
use std::path::Path;
use std::time::Duration;

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};

use super::{
    CertificateSummary, PresentedCertificate, TlsCheck, day, failure_at_client, failure_at_server,
    is_refusal, transport_failure,
};

/// 2001-09-09 in Unix time.
const PAST: i64 = 1_000_000_000;

fn summary(issuer: &str, not_after: i64) -> CertificateSummary {
    let (subject, issuer) = ("CN=app".to_owned(), issuer.to_owned());
    CertificateSummary { subject, issuer, not_before: 0, not_after }
}

fn expired(not_after: u64) -> CertificateError {
    let second = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    CertificateError::ExpiredContext {
        time: second(not_after.saturating_add(1)),
        not_after: second(not_after),
    }
}

#[test]
fn server_sentence_names_the_fault_of_the_client_certificate() {
    let unknown = CertificateError::UnknownIssuer;
    let rows = [
        (unknown.clone(), "CN=app", false, "unknown authority: it is self-signed, and not in ca"),
        (
            unknown,
            "CN=other",
            false,
            "unknown authority: its issuer CN=other is not in ca, nor did the client send a chain \
             that ends there",
        ),
        (expired(1_000_000_000), "CN=ca", false, "it expired on 2001-09-09"),
        (expired(1_100_000_000), "CN=ca", false, "an authority in its chain expired on 2004-11-09"),
        (
            CertificateError::BadSignature,
            "CN=ca",
            true,
            "bad signature: the client's private key does not match the certificate",
        ),
        (
            CertificateError::BadSignature,
            "CN=ca",
            false,
            "bad signature: another key than that of its authority signed it",
        ),
    ];
    for (fault, issuer, chain_verified, expected) in rows {
        let leaf = Some(summary(issuer, PAST));
        let presented = PresentedCertificate {
            title: "app".to_owned(),
            leaf,
            chain_verified,
            no_common_suite: false,
        };
        let sentence =
            failure_at_server(&Error::InvalidCertificate(fault), &presented, Path::new("ca"));
        assert_eq!(sentence, format!("the certificate of app was refused: {expected}"));
    }
}

#[test]
fn server_sentence_names_the_alert_of_the_client() {
    let presented = PresentedCertificate {
        title: "the client".to_owned(),
        leaf: None,
        chain_verified: false,
        no_common_suite: false,
    };
    let rows = [
        (
            Error::AlertReceived(AlertDescription::CertificateRevoked),
            "the client refused our certificate: it was revoked (alert CertificateRevoked)",
        ),
        (
            Error::AlertReceived(AlertDescription::RecordOverflow),
            "the client gave up with the alert RecordOverflow",
        ),
        (
            Error::PeerIncompatible(PeerIncompatible::Tls12NotOffered),
            "no common TLS version: the client offers neither TLS 1.2 nor TLS 1.3",
        ),
        (
            Error::InvalidCertificate(CertificateError::UnknownIssuer),
            "the certificate of the client was refused: unknown authority: none in ca signed it",
        ),
    ];
    for (error, expected) in rows {
        assert_eq!(failure_at_server(&error, &presented, Path::new("ca")), expected);
    }
}

/// Suites with RSA or finite-field key exchange need no group that a server of ECDHE has.
#[test]
fn server_sentence_names_the_suites_if_none_is_the_servers() {
    for (no_common_suite, expected) in
        [(true, "no common cipher suite:"), (false, "no common key exchange group:")]
    {
        let title = "the client".to_owned();
        let presented =
            PresentedCertificate { title, leaf: None, chain_verified: false, no_common_suite };
        let error = Error::PeerIncompatible(PeerIncompatible::NoKxGroupsInCommon);
        let sentence = failure_at_server(&error, &presented, Path::new("ca"));
        assert!(sentence.starts_with(expected), "{sentence}");
    }
}

#[test]
fn transport_that_ended_differs_from_one_that_broke() {
    let ended = transport_failure(&io::ErrorKind::ConnectionReset.into());
    assert!(ended.starts_with("the peer went away during the handshake;"), "{ended}");
    let broken = transport_failure(&io::Error::other("no route"));
    assert_eq!(broken, "the connection broke during the handshake: no route");
}

#[test]
fn client_sentence_names_the_fault_of_the_server_certificate() {
    let names = |presented: &[&str]| CertificateError::NotValidForNameContext {
        expected: ServerName::try_from("kms").unwrap(),
        presented: presented.iter().map(|name| (*name).to_owned()).collect(),
    };
    let rows = [
        (expired(1_000_000_000), TlsCheck::ServerExpired, "has expired on 2001-09-09"),
        (
            names(&[r#"DnsName("key.example")"#, "IpAddress(::1)"]),
            TlsCheck::ServerName,
            "is not for kms: it is for key.example, ::1",
        ),
        (names(&[]), TlsCheck::ServerName, "is not for kms: it has no subject alternative name"),
    ];
    for (fault, check, expected) in rows {
        let found = failure_at_client(&Error::InvalidCertificate(fault), None);
        let expected = format!("the server's certificate {expected}");
        assert_eq!((found.check, found.sentence), (check, expected));
    }
}

#[test]
fn client_sentence_names_the_alert_of_the_server() {
    let (valid, past) = (summary("CN=ca", i64::MAX), summary("CN=ca", PAST));
    let expired = AlertDescription::CertificateExpired;
    let handshake = AlertDescription::HandshakeFailure;
    let refused = "the server refused our certificate";
    let rows = [
        (
            expired,
            Some(&valid),
            TlsCheck::OurExpired,
            format!("{refused} (CN=app): by its clock it has expired or is not valid yet"),
        ),
        (
            expired,
            Some(&past),
            TlsCheck::OurExpired,
            format!("{refused} (CN=app): it has expired on 2001-09-09"),
        ),
        (
            handshake,
            None,
            TlsCheck::OurRequired,
            format!("{refused}: it requires one, and we showed none"),
        ),
    ];
    for (alert, identity, check, expected) in rows {
        let found = failure_at_client(&Error::AlertReceived(alert), identity);
        let expected = format!("{expected} (alert {alert:?})");
        assert_eq!((found.check, found.sentence), (check, expected));
    }
    let found = failure_at_client(&Error::AlertReceived(handshake), Some(&valid));
    assert_eq!(found.check, TlsCheck::NothingInCommon);
    assert!(is_refusal(&Error::AlertReceived(expired)));
    assert!(!is_refusal(&Error::AlertReceived(handshake)));
}

#[test]
fn day_is_a_date_of_the_calendar() {
    assert_eq!(day(0), "1970-01-01");
    assert_eq!(day(i64::MAX), "a day beyond the calendar");
}
