//! What can be told of the certificates of a key server by looking at them: whether they are
//! certificates at all, and whether they are, or soon will be, unusable.
//!
//! Whether the key server accepts them is only known by asking it; that is not done here.

use crate::state::error::ElementError;
use crate::state::faults::{CertificateFault, FaultKind, KmipCertificate, Severity};
use crate::state::timestamps::format_seconds;
use aws_lc_rs::digest::{SHA256, digest};
use time::OffsetDateTime;
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Days before expiry at which a certificate becomes a fault: the remedy that Element names is one
/// that is valid for at least 30 days more.
pub(crate) const WARNING_DAYS: i64 = 30;

/// Days before expiry at which the fault becomes an error, as for Element's own TLS certificate.
pub(crate) const ERROR_DAYS: i64 = 7;

/// Days before expiry at which the fault becomes critical, as for Element's own TLS certificate.
pub(crate) const CRITICAL_DAYS: i64 = 3;

const SECONDS_PER_DAY: i64 = 24 * 60 * 60;

/// Longest text of certificates in PEM: room for some twenty, where a chain needs four.
pub(crate) const PEM_LEN_MAX: usize = 64 * 1024;

/// What is wrong with a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// What to raise.
    pub(crate) kind: FaultKind,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// What to tell.
    pub(crate) details: String,
}

/// Refuses a text that is not one or more certificates in PEM.
pub(crate) fn check_pem(parameter: &str, text: &str) -> Result<(), ElementError> {
    if text.len() > PEM_LEN_MAX {
        let reason = format!("longer than {PEM_LEN_MAX} characters");
        return Err(ElementError::invalid(parameter, &reason));
    }
    let found = blocks(text)
        .and_then(|blocks| {
            blocks.iter().try_for_each(|block| parse(block).map(|_| ()))?;
            Ok(blocks.len())
        })
        .map_err(|reason| ElementError::invalid(parameter, &reason))?;
    if found == 0 {
        return Err(ElementError::invalid(
            parameter,
            "it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)",
        ));
    }
    Ok(())
}

/// SHA-256 of the first certificate of a text, in hexadecimal.
#[must_use]
pub(crate) fn fingerprint(text: &str) -> String {
    let first = blocks(text).ok().and_then(|blocks| blocks.into_iter().next());
    let hash = match first {
        Some(block) => digest(&SHA256, &block.contents),
        None => digest(&SHA256, text.as_bytes()),
    };
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Summary of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CertificateSummary {
    /// Distinguished Name of its subject.
    pub(crate) subject: String,
    /// Distinguished Name of its issuer.
    pub(crate) issuer: String,
    /// When it expires.
    pub(crate) not_after: OffsetDateTime,
}

/// Summary of the first certificate of a text; none if it holds none that can be read.
#[must_use]
pub(crate) fn summary(text: &str) -> Option<CertificateSummary> {
    let blocks = blocks(text).ok()?;
    let certificate = parse(blocks.first()?).ok()?;
    Some(CertificateSummary {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        not_after: certificate.validity().not_after.to_datetime(),
    })
}

/// What is wrong with the certificates that a key server is checked against: the worst of them.
#[must_use]
pub(crate) fn check_root_ca(text: &str, now: OffsetDateTime) -> Option<Finding> {
    let blocks = match blocks(text) {
        Ok(blocks) => blocks,
        Err(reason) => return Some(unusable(KmipCertificate::RootCa, &reason)),
    };
    let findings = blocks.iter().filter_map(|block| match parse(block) {
        Ok(certificate) => check_validity(KmipCertificate::RootCa, &certificate, now),
        Err(reason) => Some(unusable(KmipCertificate::RootCa, &reason)),
    });
    findings.max_by_key(|finding| rank(finding.severity))
}

/// What is wrong with the certificate that the cluster shows. `public_key` is the cluster's own.
#[must_use]
pub(crate) fn check_client(
    text: &str,
    public_key: Option<&[u8]>,
    now: OffsetDateTime,
) -> Option<Finding> {
    let unusable = |reason: &str| Some(unusable(KmipCertificate::Client, reason));
    let blocks = match blocks(text) {
        Ok(blocks) => blocks,
        Err(reason) => return unusable(&reason),
    };
    let certificate = match blocks.first().map(parse) {
        Some(Ok(certificate)) => certificate,
        Some(Err(reason)) => return unusable(&reason),
        None => return unusable("there is no certificate"),
    };
    match public_key {
        None => return unusable("the cluster has no key pair; call CreatePublicPrivateKeyPair"),
        Some(key) if certificate.public_key().raw != key => {
            return unusable(
                "the private key of the cluster and the KMIP client certificate do not match; \
                 have the request of GetClientCertificateSignRequest signed and set the result \
                 with ModifyKeyServerKmip",
            );
        }
        Some(_) => {}
    }
    check_validity(KmipCertificate::Client, &certificate, now)
}

fn check_validity(
    which: KmipCertificate,
    certificate: &X509Certificate<'_>,
    now: OffsetDateTime,
) -> Option<Finding> {
    let validity = certificate.validity();
    let (begins, ends) = (validity.not_before.to_datetime(), validity.not_after.to_datetime());
    let subject = certificate.subject();
    if now < begins {
        let date = format_seconds(begins);
        return Some(unusable(which, &format!("{subject} is not valid before {date}")));
    }
    let seconds = ends.unix_timestamp().saturating_sub(now.unix_timestamp());
    let days = seconds.div_euclid(SECONDS_PER_DAY);
    let (why, severity, verb) = match days {
        _ if now > ends => (CertificateFault::Expired, Severity::Critical, "expired"),
        ..CRITICAL_DAYS => (CertificateFault::NearExpiry, Severity::Critical, "expires"),
        CRITICAL_DAYS..ERROR_DAYS => (CertificateFault::NearExpiry, Severity::Error, "expires"),
        ERROR_DAYS..WARNING_DAYS => (CertificateFault::NearExpiry, Severity::Warning, "expires"),
        WARNING_DAYS.. => return None,
    };
    let details = format!(
        "{subject} {verb} at {}. Replace it with one that is valid for at least \
         {WARNING_DAYS} days, with ModifyKeyServerKmip.",
        format_seconds(ends)
    );
    Some(Finding { kind: FaultKind::KmipCertificate(which, why), severity, details })
}

fn unusable(which: KmipCertificate, reason: &str) -> Finding {
    let kind = FaultKind::KmipCertificate(which, CertificateFault::Error);
    Finding { kind, severity: kind.severity(), details: reason.to_owned() }
}

const fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::BestPractice => 0,
        Severity::Warning => 1,
        Severity::Error => 2,
        Severity::Critical => 3,
    }
}

fn blocks(text: &str) -> Result<Vec<Pem>, String> {
    Pem::iter_from_buffer(text.as_bytes())
        .map(|block| block.map_err(|_| "a PEM block in it is broken".to_owned()))
        .collect()
}

fn parse(block: &Pem) -> Result<X509Certificate<'_>, String> {
    if block.label != "CERTIFICATE" {
        return Err(format!("it holds a {}, where only certificates belong", block.label));
    }
    X509Certificate::from_der(&block.contents)
        .map(|(_, certificate)| certificate)
        .map_err(|_| "a PEM block in it is not an X.509 certificate".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{PEM_LEN_MAX, check_client, check_pem, check_root_ca};
    use crate::state::faults::{CertificateFault, FaultKind, KmipCertificate, Severity};
    use crate::state::timestamps::parse;
    use rcgen::{CertificateParams, KeyPair, PublicKeyData};

    /// A certificate of January 2021, and its public key.
    fn certificate() -> (String, Vec<u8>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["kms".into()]).unwrap();
        params.not_before = parse("2021-01-01T00:00:00Z").unwrap();
        params.not_after = parse("2021-12-31T00:00:00Z").unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        (pem, key.subject_public_key_info())
    }

    #[test]
    fn a_certificate_becomes_a_fault_as_its_end_comes_near() {
        use CertificateFault::{Error, Expired, NearExpiry};
        let (pem, key) = certificate();
        let table = [
            ("2020-12-31T23:59:59Z", Some((Error, Severity::Critical))),
            ("2021-01-01T00:00:00Z", None),
            ("2021-12-01T00:00:00Z", None),
            ("2021-12-01T00:00:01Z", Some((NearExpiry, Severity::Warning))),
            ("2021-12-24T00:00:00Z", Some((NearExpiry, Severity::Warning))),
            ("2021-12-24T00:00:01Z", Some((NearExpiry, Severity::Error))),
            ("2021-12-28T00:00:01Z", Some((NearExpiry, Severity::Critical))),
            ("2021-12-31T00:00:01Z", Some((Expired, Severity::Critical))),
        ];
        for (now, expected) in table {
            let now = parse(now).unwrap();
            let of = |which| expected.map(|(why, s)| (FaultKind::KmipCertificate(which, why), s));
            let ca = check_root_ca(&pem, now).map(|f| (f.kind, f.severity));
            assert_eq!(ca, of(KmipCertificate::RootCa), "{now}");
            let client = check_client(&pem, Some(&key), now).map(|f| (f.kind, f.severity));
            assert_eq!(client, of(KmipCertificate::Client), "{now}");
        }
    }

    #[test]
    fn dates_of_a_certificate_are_in_iso_8601() {
        let (pem, _) = certificate();
        for (now, expected) in [
            ("2020-12-31T00:00:00Z", " is not valid before 2021-01-01T00:00:00Z"),
            ("2021-12-30T00:00:00Z", " expires at 2021-12-31T00:00:00Z. Replace"),
            ("2022-01-01T00:00:00Z", " expired at 2021-12-31T00:00:00Z. Replace"),
        ] {
            let details = check_root_ca(&pem, parse(now).unwrap()).unwrap().details;
            assert!(details.contains(expected), "{details}");
        }
    }

    #[test]
    fn a_client_certificate_for_another_key_is_an_error() {
        let now = parse("2021-06-01T00:00:00Z").unwrap();
        let (pem, _) = certificate();
        let (_, other) = certificate();
        let mismatch = check_client(&pem, Some(&other), now).unwrap();
        assert!(mismatch.details.contains("do not match"), "{}", mismatch.details);
        assert!(check_client(&pem, None, now).unwrap().details.contains("no key pair"));
    }

    #[test]
    fn what_is_not_a_certificate_is_refused_with_the_reason() {
        let (pem, _) = certificate();
        let key = KeyPair::generate().unwrap().serialize_pem();
        let broken = pem.replace("MII", "!!!");
        let wrong = pem.replace("MIIB", "AAAA");
        let long = pem.repeat(PEM_LEN_MAX / pem.len() + 1);
        let both = format!("{pem}{pem}");
        let table = [
            (pem.as_str(), None),
            (both.as_str(), None),
            ("CA", Some("it holds no certificate in PEM")),
            ("", Some("it holds no certificate in PEM")),
            (&key, Some("it holds a PRIVATE KEY, where only certificates belong")),
            (&broken, Some("a PEM block in it is broken")),
            (&wrong, Some("a PEM block in it is not an X.509 certificate")),
            (&long, Some("longer than 65536 characters")),
        ];
        for (text, expected) in table {
            let answer = check_pem("kmipCaCertificate", text).map_err(|error| error.message);
            match expected {
                None => assert_eq!(answer, Ok(())),
                Some(reason) => {
                    let message = answer.unwrap_err();
                    let expected = format!("Invalid kmipCaCertificate: {reason}");
                    assert!(message.starts_with(&expected), "{message}");
                }
            }
        }
    }
}
