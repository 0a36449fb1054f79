//! What failed in TLS, as checks and sentences: tables from rustls's errors to words.

use std::time::{SystemTime, UNIX_EPOCH};

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};
use x509_parser::time::ASN1Time;

use super::Ours;
use crate::client::error::{TlsCheck, TlsFault};

/// The check and the sentence for what rustls found.
pub(super) fn fault(error: &Error, ours: Option<&Ours>) -> TlsFault {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "rustls may add errors, and each has a text of its own"
    )]
    let (check, sentence) = match error {
        Error::InvalidCertificate(fault) => server_certificate(fault),
        Error::AlertReceived(alert) => alerted(*alert, ours),
        Error::PeerIncompatible(what) => (TlsCheck::NothingInCommon, incompatible(what)),
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

/// Does the server say by this that it does not let us in?
pub(super) fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::AlertReceived(alert) if row(*alert).is_some())
}

/// What is wrong with the server's certificate.
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

/// A name without what rustls writes around it: `DnsName("kms")` and `IpAddress(::1)`.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}

/// What servers mean by the alerts that they send about us (RFC 8446, 6.2).
const ALERTS: &[(AlertDescription, TlsCheck, &str)] = {
    use AlertDescription as Alert;
    use TlsCheck::{OurCertificate, OurExpired, OurRequired, OurUnknownAuthority};
    &[
        (Alert::UnknownCA, OurUnknownAuthority, "it does not know the authority that signed it"),
        (Alert::CertificateExpired, OurExpired, "by its clock it has expired or is not valid yet"),
        (Alert::CertificateRequired, OurRequired, "it requires one, and we showed none"),
        (Alert::NoCertificate, OurRequired, "it requires one, and we showed none"),
        (Alert::CertificateRevoked, OurCertificate, "it was revoked"),
        (
            Alert::UnsupportedCertificate,
            OurCertificate,
            "it does not take this kind of key or usage; a client's extended key usage names \
             clientAuth",
        ),
        (Alert::BadCertificate, OurCertificate, "it is damaged or not as the server wants it"),
        (Alert::CertificateUnknown, OurCertificate, "it does not tell why"),
        (Alert::DecryptError, OurCertificate, "our signature could not be verified"),
        (Alert::AccessDenied, OurCertificate, "its own policy does not let us in"),
    ]
};

fn row(alert: AlertDescription) -> Option<(TlsCheck, &'static str)> {
    ALERTS.iter().find(|(known, ..)| *known == alert).map(|(_, check, why)| (*check, *why))
}

/// What an alert of the server says of us.
fn alerted(alert: AlertDescription, ours: Option<&Ours>) -> (TlsCheck, String) {
    #[allow(clippy::wildcard_enum_match_arm, reason = "there are many alerts; few are about us")]
    let refused = match (row(alert), alert) {
        (Some(row), _) => row,
        // So TLS 1.2 says that a certificate is missing (RFC 5246, 7.4.6).
        (None, AlertDescription::HandshakeFailure) if ours.is_none() => {
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
    let whose = ours.map(|ours| format!(" ({})", ours.subject)).unwrap_or_default();
    let why = match (check, ours.and_then(outdated)) {
        (TlsCheck::OurExpired, Some(known)) => known,
        _ => why.to_owned(),
    };
    (check, format!("the server refused our certificate{whose}: {why} (alert {alert:?})"))
}

/// What our own clock says of our certificate.
fn outdated(ours: &Ours) -> Option<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now > ours.not_after {
        return Some(format!("it has expired on {}", day(ours.not_after)));
    }
    (now < ours.not_before).then(|| format!("it is not valid before {}", day(ours.not_before)))
}

/// What could not be agreed on.
fn incompatible(what: &PeerIncompatible) -> String {
    if *what == PeerIncompatible::ServerDoesNotSupportTls12Or13 {
        return "no common TLS version: the server speaks neither TLS 1.2 nor 1.3".to_owned();
    }
    format!("client and server have nothing in common: {what:?}")
}

fn day_of(second: UnixTime) -> String {
    day(i64::try_from(second.as_secs()).unwrap_or(i64::MAX))
}

/// The day of a second of Unix time, as people write it.
fn day(second: i64) -> String {
    match ASN1Time::from_timestamp(second) {
        Ok(time) => time.to_datetime().date().to_string(),
        Err(_) => "a day beyond the calendar".to_owned(),
    }
}
