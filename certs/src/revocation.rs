//! Certificate revocation lists.

use rcgen::{
    CertificateRevocationListParams, KeyIdMethod, RevocationReason, RevokedCertParams, SerialNumber,
};
use time::{Duration, OffsetDateTime};
use x509_parser::pem::Pem;

use crate::{Authority, CertifiedKey, Error};

impl Authority {
    /// A list in PEM that revokes `pairs` and is good for `days`; with none it is outdated.
    pub fn revocation_list(&self, pairs: &[&CertifiedKey], days: i32) -> Result<String, Error> {
        let now = OffsetDateTime::now_utc();
        let next_update = now.saturating_add(Duration::days(days.into()));
        let this_update = now.min(next_update).saturating_sub(Duration::hours(1));
        let revoked = |pair: &&CertifiedKey| {
            Ok(RevokedCertParams {
                serial_number: serial(&pair.cert_pem)?,
                revocation_time: this_update,
                reason_code: Some(RevocationReason::CessationOfOperation),
                invalidity_date: None,
            })
        };
        let params = CertificateRevocationListParams {
            this_update,
            next_update,
            // Later lists have higher numbers (RFC 5280, 5.2.3).
            crl_number: SerialNumber::from(now.unix_timestamp().unsigned_abs()),
            issuing_distribution_point: None,
            revoked_certs: pairs.iter().map(revoked).collect::<Result<_, Error>>()?,
            key_identifier_method: KeyIdMethod::Sha256,
        };
        self.sign_list(&params)
    }
}

/// The serial number of a certificate in PEM.
fn serial(cert_pem: &str) -> Result<SerialNumber, Error> {
    let unreadable = || Error::Authority("a certificate to revoke cannot be read".to_owned());
    let pem = Pem::iter_from_buffer(cert_pem.as_bytes())
        .next()
        .and_then(Result::ok)
        .ok_or_else(unreadable)?;
    let cert = pem.parse_x509().map_err(|_| unreadable())?;
    Ok(SerialNumber::from_slice(cert.raw_serial()))
}
