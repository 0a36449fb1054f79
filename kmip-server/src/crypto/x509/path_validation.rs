//! Is a chain of certificates valid at a moment (RFC 5280, 6.1)?
//!
//! ```text
//! leaf --signed by--> authority --> ... --> a root that was brought, or the server's own authority
//!   each:  valid then . name of its issuer . signature of its issuer . nothing critical unknown
//!   each but the leaf:  an authority . may sign certificates . as long a chain as it allows
//! ```
//!
//! Valid is a chain that holds to its end; Unknown one that holds as far as it goes, and ends in
//! nobody who is trusted, or needs a rule that is not known here; Invalid is every other. **Nothing
//! is trusted but a root that the client brought itself and the server's own authority.** No list
//! of revoked certificates is fetched: an operation sees no network.

use kmip::vocabulary::ValidityIndicator as Verdict;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::prelude::FromDer;
use x509_parser::x509::X509Version;

use super::signature::{self, Found};
use super::subject;
use crate::crypto::keys::{Key, pkcs};

/// The most certificates of one chain: each costs the check of a signature, or several.
pub(crate) const CHAIN_LEN_MAX: usize = 16;

/// Bytes that are no one chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificates are not one chain, in which each but the last was issued by another one")]
pub(crate) struct NoChain;

/// The verdict on certificates in DER, in whatever order they come. `own` is the certificate of
/// this server's authority.
pub(crate) fn judge(
    certificates: &[Vec<u8>],
    own: Option<&[u8]>,
    moment: i64,
) -> Result<Verdict, NoChain> {
    let mut links: Vec<Link<'_>> = Vec::new();
    for der in certificates {
        let Some(link) = Link::read(der) else { return Ok(Verdict::Invalid) };
        if !links.iter().any(|other| other.der == link.der) {
            links.push(link);
        }
    }
    let own = own.and_then(Link::read);
    let mut path = vec![take_leaf(&mut links)?];
    while let Some(last) = path.last().filter(|last| !last.is_root()) {
        let named: Vec<usize> = links
            .iter()
            .enumerate()
            .filter(|(_, link)| link.names(last))
            .map(|(at, _)| at)
            .collect();
        let signer = named
            .iter()
            .find(|at| links.get(**at).is_some_and(|link| last.is_signed_by(link) != Found::Bad));
        match (signer, named.is_empty()) {
            (Some(at), _) => {
                let next = links.remove(*at);
                path.push(next);
            }
            // It names an issuer that is there and did not sign it.
            (None, false) => return Ok(Verdict::Invalid),
            (None, true) => break,
        }
    }
    if !links.is_empty() {
        return Err(NoChain);
    }
    let is_brought = path
        .last()
        .is_some_and(|last| last.is_root() || own.as_ref().is_some_and(|own| own.der == last.der));
    let trusted = match (is_brought, own) {
        (true, _) => true,
        (false, Some(own)) if path.last().is_some_and(|last| own.names(last)) => {
            path.push(own);
            true
        }
        (false, _) => false,
    };
    let found = [
        walk(&path),
        rules(&path, moment),
        match trusted {
            true => Verdict::Valid,
            false => Verdict::Unknown,
        },
    ];
    Ok(worst(&found))
}

fn worst(found: &[Verdict]) -> Verdict {
    [Verdict::Invalid, Verdict::Unknown]
        .into_iter()
        .find(|verdict| found.contains(verdict))
        .unwrap_or(Verdict::Valid)
}

/// The one that issued no other: of a single chain there is one.
fn take_leaf<'a>(links: &mut Vec<Link<'a>>) -> Result<Link<'a>, NoChain> {
    let is_leaf = |at: &usize| {
        links.iter().enumerate().all(|(other_at, other)| {
            other_at == *at || !links.get(*at).is_some_and(|link| link.names(other))
        })
    };
    let leaves: Vec<usize> = (0..links.len()).filter(is_leaf).collect();
    match leaves.as_slice() {
        [leaf] => Ok(links.remove(*leaf)),
        _ => Err(NoChain),
    }
}

/// Each is signed by the next, and the last, if it is a root, by itself.
fn walk(path: &[Link<'_>]) -> Verdict {
    let mut found = Vec::new();
    for (link, issuer) in path.iter().zip(path.iter().skip(1)) {
        found.push(link.is_signed_by(issuer));
    }
    found.extend(path.last().filter(|last| last.is_root()).map(|root| root.is_signed_by(root)));
    match (found.contains(&Found::Bad), found.contains(&Found::Unknown)) {
        (true, _) => Verdict::Invalid,
        (false, true) => Verdict::Unknown,
        (false, false) => Verdict::Valid,
    }
}

/// What each certificate may do at its place.
fn rules(path: &[Link<'_>], moment: i64) -> Verdict {
    let mut found = Vec::new();
    // Authorities between the leaf and the one at hand, those that stand for themselves apart.
    let mut below: u32 = 0;
    let last = path.len().saturating_sub(1);
    for (at, link) in path.iter().enumerate() {
        found.push(match link.is_valid_at(moment) && link.is_well_formed() {
            true => link.extensions(),
            false => Verdict::Invalid,
        });
        if at == 0 {
            continue;
        }
        let is_anchor = at == last && link.is_root();
        if !link.may_issue(below, is_anchor) {
            found.push(Verdict::Invalid);
        }
        if !link.is_self_issued() {
            below = below.saturating_add(1);
        }
    }
    worst(&found)
}

/// A certificate of a chain.
struct Link<'a> {
    der: &'a [u8],
    parsed: X509Certificate<'a>,
    key: Option<Key>,
}

impl<'a> Link<'a> {
    fn read(der: &'a [u8]) -> Option<Self> {
        let (rest, parsed) = X509Certificate::from_der(der).ok()?;
        let key = pkcs::read_spki(parsed.public_key().raw);
        rest.is_empty().then_some(Self { der, parsed, key })
    }

    /// Does the other one name this one as its issuer?
    fn names(&self, other: &Link<'_>) -> bool {
        subject::is_same(self.parsed.subject(), other.parsed.issuer())
    }

    fn is_self_issued(&self) -> bool {
        self.names(self)
    }

    /// Is it a root: issued by itself, with its own key?
    fn is_root(&self) -> bool {
        self.is_self_issued() && self.is_signed_by(self) != Found::Bad
    }

    fn is_signed_by(&self, issuer: &Link<'_>) -> Found {
        let Some(key) = &issuer.key else { return Found::Unknown };
        let signed = self.parsed.tbs_certificate.as_ref();
        let signature = &self.parsed.signature_value.data;
        let is_of_a_root = self.der == issuer.der;
        signature::check(key, &self.parsed.signature_algorithm, signed, signature, is_of_a_root)
    }

    fn is_valid_at(&self, moment: i64) -> bool {
        let validity = self.parsed.validity();
        (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&moment)
    }

    /// The algorithm of the signature stands twice and must be the same, and no extension may
    /// stand twice (RFC 5280, 4.1.1.2 and 4.2).
    fn is_well_formed(&self) -> bool {
        self.parsed.tbs_certificate.signature == self.parsed.signature_algorithm
            && self.parsed.extensions_map().is_ok()
    }

    /// What the extensions leave to say. A critical one that is not known makes a certificate
    /// unusable (RFC 5280, 4.2); rules on names and policies are known, and not followed here.
    fn extensions(&self) -> Verdict {
        let found: Vec<Verdict> = self.parsed.extensions().iter().map(of_extension).collect();
        worst(&found)
    }

    /// May it issue certificates, with so many authorities between it and the leaf? A root of an
    /// old version cannot say that it is an authority, and is one because it is trusted.
    fn may_issue(&self, below: u32, is_anchor: bool) -> bool {
        if is_anchor && self.parsed.version() != X509Version::V3 {
            return true;
        }
        let basic = self.parsed.basic_constraints().ok().flatten();
        let is_authority = basic.is_some_and(|basic| {
            basic.value.ca && basic.value.path_len_constraint.is_none_or(|most| below <= most)
        });
        let usage = self.parsed.key_usage().ok().flatten();
        is_authority && usage.is_none_or(|usage| usage.value.key_cert_sign())
    }
}

fn of_extension(extension: &X509Extension<'_>) -> Verdict {
    match extension.parsed_extension() {
        ParsedExtension::ParseError { .. } => Verdict::Invalid,
        // A rule for all below it, critical or not.
        ParsedExtension::NameConstraints(_) | ParsedExtension::PolicyConstraints(_) => {
            Verdict::Unknown
        }
        ParsedExtension::AuthorityKeyIdentifier(_)
        | ParsedExtension::SubjectKeyIdentifier(_)
        | ParsedExtension::KeyUsage(_)
        | ParsedExtension::CertificatePolicies(_)
        | ParsedExtension::PolicyMappings(_)
        | ParsedExtension::SubjectAlternativeName(_)
        | ParsedExtension::IssuerAlternativeName(_)
        | ParsedExtension::BasicConstraints(_)
        | ParsedExtension::ExtendedKeyUsage(_)
        | ParsedExtension::InhibitAnyPolicy(_) => Verdict::Valid,
        ParsedExtension::UnsupportedExtension { .. }
        | ParsedExtension::CRLDistributionPoints(_)
        | ParsedExtension::AuthorityInfoAccess(_)
        | ParsedExtension::SubjectInfoAccess(_)
        | ParsedExtension::NSCertType(_)
        | ParsedExtension::NsCertComment(_)
        | ParsedExtension::IssuingDistributionPoint(_)
        | ParsedExtension::CRLNumber(_)
        | ParsedExtension::ReasonCode(_)
        | ParsedExtension::InvalidityDate(_)
        | ParsedExtension::SCT(_)
        | ParsedExtension::Unparsed => match extension.critical {
            true => Verdict::Invalid,
            false => Verdict::Valid,
        },
    }
}
