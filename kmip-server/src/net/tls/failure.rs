//! What failed in a handshake, as sentences: tables from rustls's errors to words.

use std::io;
use std::path::Path;

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};
use time::OffsetDateTime;

use super::client_verifier::PresentedChain;

/// One sentence for what rustls found.
pub(super) fn refusal(error: &Error, shown: &PresentedChain, client_ca: &Path) -> String {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "rustls may add errors, and each has a text of its own"
    )]
    match error {
        Error::NoCertificatesPresented => "the client sent no certificate".to_owned(),
        Error::InvalidCertificate(fault) => {
            format!("the certificate of {} was refused: {}", shown.title(), {
                certificate_fault(fault, shown, client_ca)
            })
        }
        Error::InvalidCertRevocationList(fault) => format!(
            "the certificate of {} was refused: a revocation list is unusable: {fault:?}",
            shown.title()
        ),
        Error::PeerIncompatible(what) => row(INCOMPATIBLE, what)
            .map_or_else(|| format!("client and server do not fit: {what:?}"), str::to_owned),
        Error::AlertReceived(alert) => row(ALERTS, alert).map_or_else(
            || format!("the client gave up with the alert {alert:?}"),
            |sentence| format!("{sentence} (alert {alert:?})"),
        ),
        Error::InvalidMessage(what) => {
            format!("the bytes are no TLS that can be understood: {what:?}")
        }
        Error::PeerMisbehaved(what) => format!("the client broke the rules of TLS: {what:?}"),
        Error::NoApplicationProtocol => {
            "no common protocol inside TLS: the server speaks http/1.1 here".to_owned()
        }
        Error::DecryptError => {
            "a record could not be decrypted: it was damaged or forged on its way".to_owned()
        }
        other => format!("the TLS handshake failed: {other}"),
    }
}

/// One sentence for a transport that ended or failed during the handshake.
pub(super) fn broken(error: &io::Error) -> String {
    let gone = [
        io::ErrorKind::UnexpectedEof,
        io::ErrorKind::ConnectionReset,
        io::ErrorKind::ConnectionAborted,
        io::ErrorKind::BrokenPipe,
    ];
    if gone.contains(&error.kind()) {
        "the peer went away during the handshake; a client that refuses our certificate without \
         an alert does so"
            .to_owned()
    } else {
        format!("the connection broke during the handshake: {error}")
    }
}

/// What the client could not agree on.
const INCOMPATIBLE: &[(PeerIncompatible, &str)] = {
    const VERSION: &str = "no common TLS version: the client offers neither TLS 1.2 nor TLS 1.3";
    const OLD: &str = "no common TLS version: the client names no signature algorithms, as clients \
                       before TLS 1.2 do";
    const CIPHER: &str = "no common cipher suite: the server takes ECDHE with AES-GCM or \
                          ChaCha20-Poly1305";
    const GROUP: &str = "no common key exchange group: the server takes X25519MLKEM768, X25519, \
                         P-256 and P-384";
    const SIGNATURE: &str = "no common signature algorithm: the client takes none that the key of \
                             our certificate can make";
    &[
        (PeerIncompatible::Tls12NotOffered, VERSION),
        (PeerIncompatible::Tls12NotOfferedOrEnabled, VERSION),
        (PeerIncompatible::SupportedVersionsExtensionRequired, VERSION),
        (PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig, VERSION),
        (PeerIncompatible::NoCipherSuitesInCommon, CIPHER),
        (PeerIncompatible::NoKxGroupsInCommon, GROUP),
        (PeerIncompatible::NamedGroupsExtensionRequired, GROUP),
        (PeerIncompatible::KeyShareExtensionRequired, GROUP),
        (PeerIncompatible::NoEcPointFormatsInCommon, GROUP),
        (PeerIncompatible::NoSignatureSchemesInCommon, SIGNATURE),
        (PeerIncompatible::SignatureAlgorithmsExtensionRequired, OLD),
    ]
};

/// What clients mean by the alerts that they send about us (RFC 8446, 6.2).
const ALERTS: &[(AlertDescription, &str)] = &[
    (
        AlertDescription::UnknownCA,
        "the client refused our certificate: it does not know the authority that signed it",
    ),
    (
        AlertDescription::BadCertificate,
        "the client refused our certificate: most often the name that it connects to is not among \
         the certificate's alternative names",
    ),
    (
        AlertDescription::CertificateExpired,
        "the client refused our certificate: by its clock it has expired or is not valid yet",
    ),
    (AlertDescription::CertificateRevoked, "the client refused our certificate: it was revoked"),
    (
        AlertDescription::UnsupportedCertificate,
        "the client refused our certificate: it does not take this kind of key or usage",
    ),
    (
        AlertDescription::CertificateUnknown,
        "the client refused our certificate for a reason that it does not tell",
    ),
    (
        AlertDescription::DecryptError,
        "the client refused our signature: our key does not match our certificate",
    ),
    (
        AlertDescription::UnrecognisedName,
        "the client refused our certificate: it is not for the name it asked for",
    ),
    (AlertDescription::AccessDenied, "the client refused our certificate by its own policy"),
    (AlertDescription::ProtocolVersion, "no common TLS version: the client said so"),
    (
        AlertDescription::HandshakeFailure,
        "no common cipher suite, group or signature algorithm: the client said so",
    ),
    (
        AlertDescription::InsufficientSecurity,
        "no common cipher suite: the client wants stronger ones",
    ),
    (AlertDescription::UserCanceled, "the client gave the handshake up"),
    (AlertDescription::CloseNotify, "the client gave the handshake up"),
    (AlertDescription::InternalError, "the client failed inside itself"),
];

/// The text of the row that begins with `key`.
fn row<K: PartialEq>(rows: &[(K, &'static str)], key: &K) -> Option<&'static str> {
    rows.iter().find(|(known, _)| known == key).map(|(_, text)| *text)
}

/// What is wrong with the client's certificate.
fn certificate_fault(fault: &CertificateError, shown: &PresentedChain, client_ca: &Path) -> String {
    let leaf = shown.leaf.as_ref();
    // Without a word on whose validity it was, a chain would be blamed on the client.
    let whose =
        |bound: Option<i64>, second: UnixTime| match (bound, i64::try_from(second.as_secs())) {
            (Some(bound), Ok(second)) if bound != second => "an authority in its chain",
            _ => "it",
        };
    #[allow(clippy::wildcard_enum_match_arm, reason = "rustls may add faults, each with a text")]
    match fault {
        CertificateError::ExpiredContext { not_after, .. } => {
            let whose = whose(leaf.map(|leaf| leaf.validity.1), *not_after);
            format!("{whose} expired on {}", day_of(*not_after))
        }
        CertificateError::Expired => "it has expired".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            let whose = whose(leaf.map(|leaf| leaf.validity.0), *not_before);
            format!("{whose} is not valid before {}", day_of(*not_before))
        }
        CertificateError::NotValidYet => "it is not valid yet".to_owned(),
        CertificateError::UnknownIssuer => match leaf {
            Some(leaf) if leaf.issuer == leaf.subject => {
                format!("unknown authority: it is self-signed, and not in {}", client_ca.display())
            }
            Some(leaf) => format!(
                "unknown authority: its issuer {} is not in {}, nor did the client send a chain \
                 that ends there",
                leaf.issuer,
                client_ca.display()
            ),
            None => format!("unknown authority: none in {} signed it", client_ca.display()),
        },
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "its extended key usage does not name client authentication (clientAuth)".to_owned()
        }
        CertificateError::BadSignature if shown.trusted => {
            "bad signature: the client's private key does not match the certificate".to_owned()
        }
        CertificateError::BadSignature => {
            "bad signature: another key than that of its authority signed it".to_owned()
        }
        CertificateError::Revoked => "its authority has revoked it".to_owned(),
        CertificateError::UnknownRevocationStatus => {
            "no revocation list of its authority is there".to_owned()
        }
        CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. } => {
            "the revocation list of its authority is out of date".to_owned()
        }
        CertificateError::BadEncoding => "it is no X.509 certificate that can be read".to_owned(),
        CertificateError::UnhandledCriticalExtension => {
            "it has a critical extension that the server does not know".to_owned()
        }
        other => other.to_string(),
    }
}

/// The day of a second, as people write it.
fn day_of(second: UnixTime) -> String {
    day(i64::try_from(second.as_secs()).unwrap_or(i64::MAX))
}

/// The day of a second of Unix time, as people write it.
pub(super) fn day(second: i64) -> String {
    match OffsetDateTime::from_unix_timestamp(second) {
        Ok(at) => at.date().to_string(),
        Err(_) => "a day beyond the calendar".to_owned(),
    }
}
