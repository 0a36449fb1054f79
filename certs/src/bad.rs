//! Certificates with exactly one fault each, for tests of peers that must refuse them.

use rcgen::ExtendedKeyUsagePurpose as Usage;
use time::{Duration, OffsetDateTime};

use crate::authority::common_name;
use crate::{Authority, CertifiedKey, Error, Role};

/// The one thing that is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Its validity is over.
    Expired,
    /// Its validity has not begun.
    NotYetValid,
    /// Another authority, one that nobody trusts, has signed it.
    OtherAuthority,
    /// It has no extended key usage.
    NoExtendedKeyUsage,
    /// Its extended key usage is the other role's.
    OtherUsage,
    /// It has no alternative names.
    NoSubjectAltName,
    /// It is for another host.
    OtherHost,
    /// Its key file holds another certificate's key.
    OtherKey,
    /// It has signed itself.
    SelfSigned,
}

/// A row of the bad set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadCase {
    /// The file name without its ending: `bad/NAME.crt`, `bad/NAME.key`.
    pub name: &'static str,
    /// Which side of a handshake shows it.
    pub role: Role,
    /// What is wrong.
    pub fault: Fault,
    /// What the other side should say about it.
    pub why: &'static str,
}

const fn row(name: &'static str, role: Role, fault: Fault, why: &'static str) -> BadCase {
    BadCase { name, role, fault, why }
}

use Fault::{
    Expired, NoExtendedKeyUsage, NoSubjectAltName, NotYetValid, OtherAuthority, OtherHost,
    OtherKey, OtherUsage, SelfSigned,
};
use Role::{Client, Server};

/// The bad set: every fault, for every role that can have it.
pub const BAD: [BadCase; 16] = [
    row("server-expired", Server, Expired, "the certificate has expired"),
    row("server-not-yet-valid", Server, NotYetValid, "the certificate is not valid yet"),
    row("server-other-ca", Server, OtherAuthority, "an unknown authority signed it"),
    row("server-no-eku", Server, NoExtendedKeyUsage, "no extended key usage serverAuth"),
    row("server-other-eku", Server, OtherUsage, "the extended key usage is clientAuth"),
    row("server-no-san", Server, NoSubjectAltName, "no name to compare with the host"),
    row("server-other-host", Server, OtherHost, "the certificate is for another host"),
    row("server-other-key", Server, OtherKey, "the key does not match the certificate"),
    row("server-self-signed", Server, SelfSigned, "an unknown authority signed it"),
    row("client-expired", Client, Expired, "the certificate has expired"),
    row("client-not-yet-valid", Client, NotYetValid, "the certificate is not valid yet"),
    row("client-other-ca", Client, OtherAuthority, "an unknown authority signed it"),
    row("client-no-eku", Client, NoExtendedKeyUsage, "no extended key usage clientAuth"),
    row("client-other-eku", Client, OtherUsage, "the extended key usage is serverAuth"),
    row("client-other-key", Client, OtherKey, "the key does not match the certificate"),
    row("client-self-signed", Client, SelfSigned, "an unknown authority signed it"),
];

/// A validity in the past or in the future is this far away and this long.
const AWAY: Duration = Duration::days(30);
/// A host that no lab has: the name is reserved (RFC 6761, 6.4).
const ELSEWHERE: &str = "elsewhere.invalid";

impl Authority {
    /// A server certificate for `hosts` with one fault.
    pub fn bad_server<S: AsRef<str>>(
        &self,
        fault: Fault,
        hosts: &[S],
    ) -> Result<CertifiedKey, Error> {
        if !applies(Server, fault) {
            return Err(Error::NoSuchFault("server"));
        }
        let mut params = self.server_params(hosts)?;
        match fault {
            NoSubjectAltName => params.subject_alt_names.clear(),
            OtherHost => {
                params.subject_alt_names = self.server_params(&[ELSEWHERE])?.subject_alt_names
            }
            Expired | NotYetValid | OtherAuthority | NoExtendedKeyUsage | OtherUsage | OtherKey
            | SelfSigned => {}
        }
        self.issue_with_fault(params, Server, fault)
    }

    /// A certificate for the client `name` with one fault.
    pub fn bad_client(&self, fault: Fault, name: &str) -> Result<CertifiedKey, Error> {
        if !applies(Client, fault) {
            return Err(Error::NoSuchFault("client"));
        }
        self.issue_with_fault(self.client_params(name)?, Client, fault)
    }

    /// The certificate of one row: for `hosts` if it is a server's, for `name` if a client's.
    pub fn bad<S: AsRef<str>>(
        &self,
        case: &BadCase,
        hosts: &[S],
        name: &str,
    ) -> Result<CertifiedKey, Error> {
        match case.role {
            Server => self.bad_server(case.fault, hosts),
            Client => self.bad_client(case.fault, name),
        }
    }

    /// Puts in the faults that both roles can have, and signs.
    fn issue_with_fault(
        &self,
        mut params: rcgen::CertificateParams,
        role: Role,
        fault: Fault,
    ) -> Result<CertifiedKey, Error> {
        let now = OffsetDateTime::now_utc();
        match fault {
            Expired => {
                params.not_after = now.saturating_sub(AWAY);
                params.not_before = params.not_after.saturating_sub(AWAY);
            }
            NotYetValid => {
                params.not_before = now.saturating_add(AWAY);
                params.not_after = params.not_before.saturating_add(AWAY);
            }
            NoExtendedKeyUsage => params.extended_key_usages.clear(),
            OtherUsage => {
                params.extended_key_usages = vec![match role {
                    Server => Usage::ClientAuth,
                    Client => Usage::ServerAuth,
                }];
            }
            OtherAuthority => {
                let other = Self::with_options("an authority nobody trusts", self.algorithm(), 1)?;
                return other.issue(&params);
            }
            OtherKey => {
                let pair = self.issue(&params)?;
                return Ok(CertifiedKey { key_pem: self.algorithm().generate()?.pem(), ..pair });
            }
            SelfSigned => {
                let key = self.algorithm().generate()?;
                params.distinguished_name = common_name("self-signed")?;
                return Ok(CertifiedKey {
                    cert_pem: params.self_signed(&key.0)?.pem(),
                    key_pem: key.pem(),
                });
            }
            NoSubjectAltName | OtherHost => {}
        }
        self.issue(&params)
    }
}

/// Whether the table has this fault for this role.
fn applies(role: Role, fault: Fault) -> bool {
    BAD.iter().any(|case| case.role == role && case.fault == fault)
}
