//! Reasons for which a TLS handshake failed, as sentences: tables from rustls's errors to words.
//!
//! [`failure_at_server`] speaks of the client's certificate, and [`failure_at_client`] of the
//! server's. An alert is about the certificate of the end that receives it.

use std::fmt;
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};
use time::OffsetDateTime;

/// Fields of a certificate that go into sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateSummary {
    /// Distinguished name of the subject.
    pub subject: String,
    /// Distinguished name of the issuer.
    pub issuer: String,
    /// First second of its validity, in Unix time.
    pub not_before: i64,
    /// Last second of its validity, in Unix time.
    pub not_after: i64,
}

/// Client in a handshake and its certificate, as its server saw them.
#[derive(Clone, Debug)]
pub struct PresentedCertificate {
    /// Name of the client in sentences.
    pub title: String,
    /// Fields of the certificate, if it could be read.
    pub leaf: Option<CertificateSummary>,
    /// Whether the chain was verified. A bad signature is the handshake's then.
    pub chain_verified: bool,
    /// Whether none of the cipher suites that the client offers is the server's. What else the
    /// client lacks does not matter then: a client of other suites alone may offer no group.
    pub no_common_suite: bool,
}

/// Check of a client that failed in TLS, with one sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFault {
    /// The check.
    pub check: TlsCheck,
    /// The sentence.
    pub sentence: String,
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

/// Checks that can fail in TLS, from the client's view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsCheck {
    /// The server's certificate has expired.
    ServerExpired,
    /// The server's certificate is not valid yet.
    ServerNotYetValid,
    /// None of our authorities signed the server's certificate.
    ServerUnknownAuthority,
    /// The server's certificate is for other names.
    ServerName,
    /// The server's certificate is not for servers.
    ServerUsage,
    /// The server's certificate is wrong in another way.
    ServerCertificate,
    /// The server does not know the authority that signed our certificate.
    OurUnknownAuthority,
    /// By the server's clock our certificate has expired or is not valid yet.
    OurExpired,
    /// The server requires a certificate, and we sent none.
    OurRequired,
    /// The server refused our certificate for another reason.
    OurCertificate,
    /// There is no version, cipher or group that both have.
    NothingInCommon,
    /// The server sent no TLS, or broken TLS.
    NotTls,
}

impl TlsCheck {
    /// Returns whether the check is about trust, as opposed to the protocol.
    pub const fn is_trust(self) -> bool {
        match self {
            Self::ServerExpired
            | Self::ServerNotYetValid
            | Self::ServerUnknownAuthority
            | Self::ServerName
            | Self::ServerUsage
            | Self::ServerCertificate
            | Self::OurUnknownAuthority
            | Self::OurExpired
            | Self::OurRequired
            | Self::OurCertificate => true,
            Self::NothingInCommon | Self::NotTls => false,
        }
    }
}

/// Returns the sentence for an error of rustls at the server. `client_ca` is the file of the
/// authorities that may sign the client's certificate.
pub fn failure_at_server(
    error: &Error,
    presented: &PresentedCertificate,
    client_ca: &Path,
) -> String {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "rustls may add errors, and each has a text of its own"
    )]
    match error {
        Error::NoCertificatesPresented => "the client sent no certificate".to_owned(),
        Error::InvalidCertificate(fault) => {
            format!("the certificate of {} was refused: {}", presented.title, {
                client_certificate(fault, presented, client_ca)
            })
        }
        Error::InvalidCertRevocationList(fault) => format!(
            "the certificate of {} was refused: a revocation list is unusable: {fault:?}",
            presented.title
        ),
        Error::PeerIncompatible(PeerIncompatible::NoKxGroupsInCommon)
            if presented.no_common_suite =>
        {
            CIPHER.to_owned()
        }
        Error::PeerIncompatible(what) => row(INCOMPATIBILITIES, what)
            .map_or_else(|| format!("client and server do not fit: {what:?}"), str::to_owned),
        Error::AlertReceived(alert) => row(ALERTS_OF_CLIENT, alert).map_or_else(
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

/// Returns the sentence for a transport that ended or failed during the handshake, at the server.
pub fn transport_failure(error: &io::Error) -> String {
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

const CIPHER: &str =
    "no common cipher suite: the server takes ECDHE with AES-GCM or ChaCha20-Poly1305";

/// Parameters that the client does not have in common with the server.
const INCOMPATIBILITIES: &[(PeerIncompatible, &str)] = {
    const VERSION: &str = "no common TLS version: the client offers neither TLS 1.2 nor TLS 1.3";
    const OLD: &str = "no common TLS version: the client names no signature algorithms, as clients \
                       before TLS 1.2 do";
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
        // It offers suites with RSA key exchange alone.
        (PeerIncompatible::NamedGroupsExtensionRequired, CIPHER),
        (PeerIncompatible::KeyShareExtensionRequired, GROUP),
        (PeerIncompatible::NoEcPointFormatsInCommon, GROUP),
        (PeerIncompatible::NoSignatureSchemesInCommon, SIGNATURE),
        (PeerIncompatible::SignatureAlgorithmsExtensionRequired, OLD),
    ]
};

/// Alerts of clients about the server and its certificate (RFC 8446, 6.2).
const ALERTS_OF_CLIENT: &[(AlertDescription, &str)] = &[
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

/// Fault of the client's certificate.
fn client_certificate(
    fault: &CertificateError,
    presented: &PresentedCertificate,
    client_ca: &Path,
) -> String {
    let leaf = presented.leaf.as_ref();
    // The validity may be that of an authority, which is not the fault of the client.
    let whose =
        |bound: Option<i64>, second: UnixTime| match (bound, i64::try_from(second.as_secs())) {
            (Some(bound), Ok(second)) if bound != second => "an authority in its chain",
            _ => "it",
        };
    #[allow(clippy::wildcard_enum_match_arm, reason = "rustls may add faults, each with a text")]
    match fault {
        CertificateError::ExpiredContext { not_after, .. } => {
            let whose = whose(leaf.map(|leaf| leaf.not_after), *not_after);
            format!("{whose} expired on {}", day_of(*not_after))
        }
        CertificateError::Expired => "it has expired".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            let whose = whose(leaf.map(|leaf| leaf.not_before), *not_before);
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
        CertificateError::BadSignature if presented.chain_verified => {
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

/// Returns the check and the sentence for an error of rustls at the client. `identity` is the
/// certificate that the client has, if any.
pub fn failure_at_client(error: &Error, identity: Option<&CertificateSummary>) -> TlsFault {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "rustls may add errors, and each has a text of its own"
    )]
    let (check, sentence) = match error {
        Error::InvalidCertificate(fault) => server_certificate(fault),
        Error::AlertReceived(alert) => alert_of_server(*alert, identity),
        Error::PeerIncompatible(what) => (TlsCheck::NothingInCommon, incompatibility(what)),
        Error::NoCertificatesPresented => {
            (TlsCheck::ServerCertificate, "the server showed no certificate".to_owned())
        }
        Error::InvalidMessage(what) => (
            TlsCheck::NotTls,
            format!("the server does not speak TLS on this port, or not well: {what:?}"),
        ),
        Error::PeerMisbehaved(what) => {
            (TlsCheck::NotTls, format!("the server broke the rules of TLS: {what:?}"))
        }
        Error::DecryptError => (
            TlsCheck::NotTls,
            "a TLS record could not be decrypted: it was damaged or forged on its way".to_owned(),
        ),
        other => (TlsCheck::NotTls, format!("TLS failed: {other}")),
    };
    TlsFault { check, sentence }
}

/// Returns whether the error at the client is an alert by which the server refuses its
/// certificate.
pub fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::AlertReceived(alert) if row(ALERTS_OF_SERVER, alert).is_some())
}

/// Fault of the server's certificate.
fn server_certificate(fault: &CertificateError) -> (TlsCheck, String) {
    #[allow(clippy::wildcard_enum_match_arm, reason = "rustls may add faults, each with a text")]
    let (check, why) = match fault {
        CertificateError::ExpiredContext { not_after, .. } => {
            (TlsCheck::ServerExpired, format!("has expired on {}", day_of(*not_after)))
        }
        CertificateError::Expired => (TlsCheck::ServerExpired, "has expired".to_owned()),
        CertificateError::NotValidYetContext { not_before, .. } => {
            (TlsCheck::ServerNotYetValid, format!("is not valid before {}", day_of(*not_before)))
        }
        CertificateError::NotValidYet => {
            (TlsCheck::ServerNotYetValid, "is not valid yet".to_owned())
        }
        CertificateError::UnknownIssuer => (
            TlsCheck::ServerUnknownAuthority,
            "was signed by an unknown authority: none of the CA certificates is its issuer"
                .to_owned(),
        ),
        CertificateError::BadSignature => (
            TlsCheck::ServerUnknownAuthority,
            "has a bad signature: its authority has the name of one of ours but another key, or \
             the server's key does not match it"
                .to_owned(),
        ),
        CertificateError::NotValidForName => {
            (TlsCheck::ServerName, "is for another name".to_owned())
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names = match presented.is_empty() {
                true => "it has no subject alternative name".to_owned(),
                false => {
                    let names: Vec<&str> = presented.iter().map(|name| bare(name)).collect();
                    format!("it is for {}", names.join(", "))
                }
            };
            (TlsCheck::ServerName, format!("is not for {}: {names}", expected.to_str()))
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => (
            TlsCheck::ServerUsage,
            "is not for servers: its extended key usage does not name serverAuth".to_owned(),
        ),
        CertificateError::Revoked => {
            (TlsCheck::ServerCertificate, "was revoked by its authority".to_owned())
        }
        CertificateError::BadEncoding => {
            (TlsCheck::ServerCertificate, "is no X.509 certificate that can be read".to_owned())
        }
        other => (TlsCheck::ServerCertificate, format!("was refused: {other}")),
    };
    (check, format!("the server's certificate {why}"))
}

/// Name without the text that rustls writes around it: `DnsName("kms")` and `IpAddress(::1)`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}

/// Alerts of servers about the client's certificate (RFC 8446, 6.2).
const ALERTS_OF_SERVER: &[(AlertDescription, (TlsCheck, &str))] = {
    use AlertDescription as Alert;
    use TlsCheck::{OurCertificate, OurExpired, OurRequired, OurUnknownAuthority};
    &[
        (Alert::UnknownCA, (OurUnknownAuthority, "it does not know the authority that signed it")),
        (
            Alert::CertificateExpired,
            (OurExpired, "by its clock it has expired or is not valid yet"),
        ),
        (Alert::CertificateRequired, (OurRequired, "it requires one, and we showed none")),
        (Alert::NoCertificate, (OurRequired, "it requires one, and we showed none")),
        (Alert::CertificateRevoked, (OurCertificate, "it was revoked")),
        (
            Alert::UnsupportedCertificate,
            (
                OurCertificate,
                "it does not take this kind of key or usage; a client's extended key usage names \
                 clientAuth",
            ),
        ),
        (Alert::BadCertificate, (OurCertificate, "it is damaged or not as the server wants it")),
        (Alert::CertificateUnknown, (OurCertificate, "it does not tell why")),
        (Alert::DecryptError, (OurCertificate, "our signature could not be verified")),
        (Alert::AccessDenied, (OurCertificate, "its own policy does not let us in")),
    ]
};

/// Meaning of an alert of the server.
fn alert_of_server(
    alert: AlertDescription,
    identity: Option<&CertificateSummary>,
) -> (TlsCheck, String) {
    #[allow(clippy::wildcard_enum_match_arm, reason = "there are many alerts; few are about us")]
    let refused = match (row(ALERTS_OF_SERVER, &alert), alert) {
        (Some(row), _) => row,
        // So TLS 1.2 says that a certificate is missing (RFC 5246, 7.4.6).
        (None, AlertDescription::HandshakeFailure) if identity.is_none() => {
            (TlsCheck::OurRequired, "it requires one, and we showed none")
        }
        (None, AlertDescription::ProtocolVersion) => {
            let why = "no common TLS version: we speak 1.2 and 1.3";
            return (TlsCheck::NothingInCommon, why.to_owned());
        }
        (None, AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity) => {
            let why = "no common cipher suite, group or signature algorithm: the server said so";
            return (TlsCheck::NothingInCommon, why.to_owned());
        }
        (None, other) => {
            return (TlsCheck::NotTls, format!("the server gave up with the TLS alert {other:?}"));
        }
    };
    let (check, why) = refused;
    let whose = identity.map(|own| format!(" ({})", own.subject)).unwrap_or_default();
    let why = match (check, identity.and_then(invalid_now)) {
        (TlsCheck::OurExpired, Some(known)) => known,
        _ => why.to_owned(),
    };
    (check, format!("the server refused our certificate{whose}: {why} (alert {alert:?})"))
}

/// Fault of the client's certificate by the client's own clock.
fn invalid_now(identity: &CertificateSummary) -> Option<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now > identity.not_after {
        return Some(format!("it has expired on {}", day(identity.not_after)));
    }
    (now < identity.not_before)
        .then(|| format!("it is not valid before {}", day(identity.not_before)))
}

/// Parameters that the server does not have in common with the client.
fn incompatibility(what: &PeerIncompatible) -> String {
    if *what == PeerIncompatible::ServerDoesNotSupportTls12Or13 {
        return "no common TLS version: the server speaks neither TLS 1.2 nor 1.3".to_owned();
    }
    format!("client and server have nothing in common: {what:?}")
}

/// Value of the row that begins with `key`.
fn row<K: PartialEq, V: Copy>(rows: &[(K, V)], key: &K) -> Option<V> {
    rows.iter().find(|(known, _)| known == key).map(|(_, value)| *value)
}

fn day_of(second: UnixTime) -> String {
    day(i64::try_from(second.as_secs()).unwrap_or(i64::MAX))
}

/// Returns the day of a second of Unix time, as `2026-01-31`.
pub fn day(second: i64) -> String {
    match OffsetDateTime::from_unix_timestamp(second) {
        Ok(at) => at.date().to_string(),
        Err(_) => "a day beyond the calendar".to_owned(),
    }
}

pub mod cipher_suites;
#[cfg(test)]
mod tests;
