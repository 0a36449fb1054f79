//! The signatures that stand in certificates and requests (RFC 3279, 4055, 5758 and 8410).
//!
//! Which hashes an authority may still sign with is decided here; keys are used in `crypto` alone.

use kmip::vocabulary::HashingAlgorithm as H;
use x509_parser::signature_algorithm::RsaSsaPssParams;
use x509_parser::x509::AlgorithmIdentifier;

use crate::crypto::asymmetric::ecc;
use crate::crypto::asymmetric::rsa::pss;
use crate::crypto::asymmetric::{self, Input, Scheme};
use crate::crypto::keys::der::{self, Der};
use crate::crypto::keys::{Edwards, Key};

const RSASSA_PSS: &str = "1.2.840.113549.1.1.10";
const ED25519: &str = "1.3.101.112";

/// Which keys a signature is made with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    /// RSASSA-PKCS1-v1_5.
    Rsa,
    /// ECDSA.
    Ecdsa,
}

/// One row a signature whose name says all: its object identifier, the keys, the hash.
const NAMED: &[(&str, Family, H)] = &[
    ("1.2.840.113549.1.1.4", Family::Rsa, H::MD5),
    ("1.2.840.113549.1.1.5", Family::Rsa, H::SHA_1),
    ("1.2.840.113549.1.1.14", Family::Rsa, H::SHA_224),
    ("1.2.840.113549.1.1.11", Family::Rsa, H::SHA_256),
    ("1.2.840.113549.1.1.12", Family::Rsa, H::SHA_384),
    ("1.2.840.113549.1.1.13", Family::Rsa, H::SHA_512),
    ("1.2.840.10045.4.1", Family::Ecdsa, H::SHA_1),
    ("1.2.840.10045.4.3.1", Family::Ecdsa, H::SHA_224),
    ("1.2.840.10045.4.3.2", Family::Ecdsa, H::SHA_256),
    ("1.2.840.10045.4.3.3", Family::Ecdsa, H::SHA_384),
    ("1.2.840.10045.4.3.4", Family::Ecdsa, H::SHA_512),
];

/// One row a hash of RSASSA-PSS, by its object identifier.
const HASHES: &[(&str, H)] = &[
    ("1.3.14.3.2.26", H::SHA_1),
    ("2.16.840.1.101.3.4.2.1", H::SHA_256),
    ("2.16.840.1.101.3.4.2.2", H::SHA_384),
    ("2.16.840.1.101.3.4.2.3", H::SHA_512),
];

/// What can be said of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The key made it.
    Good,
    /// The key did not make it, or another could have made it too: its hash is broken.
    Bad,
    /// It is of a kind that this server does not know.
    Unknown,
}

/// How a signature was made by a key of this kind; none if that is not known here.
fn scheme(algorithm: &AlgorithmIdentifier<'_>, key: &Key) -> Option<Scheme> {
    let oid = algorithm.algorithm.to_id_string();
    let row = NAMED.iter().find(|(named, _, _)| *named == oid);
    match (key, row) {
        (Key::RsaPublic(_), Some((_, Family::Rsa, hash))) => Some(Scheme::Pkcs1(*hash)),
        (Key::EcPublic(_), Some((_, Family::Ecdsa, hash))) => Some(Scheme::Ecdsa(*hash)),
        (Key::RsaPublic(_), None) if oid == RSASSA_PSS => of_pss(algorithm),
        (Key::EdwardsPublic(Edwards::Ed25519, _), None) if oid == ED25519 => Some(Scheme::Ed25519),
        _ => None,
    }
}

fn of_pss(algorithm: &AlgorithmIdentifier<'_>) -> Option<Scheme> {
    let parameters = RsaSsaPssParams::try_from(algorithm.parameters.as_ref()?).ok()?;
    let hash = |oid: String| HASHES.iter().find(|(named, _)| *named == oid).map(|(_, hash)| *hash);
    let mask = parameters.mask_gen_algorithm().ok()?;
    Some(Scheme::Pss(pss::Parameters {
        hash: hash(parameters.hash_algorithm_oid().to_id_string())?,
        mask_hash: hash(mask.hash.to_id_string())?,
        salt_len: Some(usize::try_from(parameters.salt_length()).ok()?),
    }))
}

/// Two messages with the same one of these hashes can be made by anybody.
const fn is_broken(hash: Option<H>) -> bool {
    matches!(hash, Some(H::MD2 | H::MD4 | H::MD5 | H::SHA_1))
}

/// Did this public key sign the data? That of a root of trust proves nothing and may be old.
pub(crate) fn check(
    key: &Key,
    algorithm: &AlgorithmIdentifier<'_>,
    data: &[u8],
    signature: &[u8],
    is_of_a_root: bool,
) -> Found {
    let Some(scheme) = scheme(algorithm, key) else { return Found::Unknown };
    if is_broken(scheme.hash()) && !is_of_a_root {
        return Found::Bad;
    }
    match asymmetric::verify(key, &scheme, Input::Data(data), signature) {
        Ok(true) => Found::Good,
        Ok(false) | Err(_) => Found::Bad,
    }
}

/// How a private key signs certificates: the scheme, and its name in DER (`AlgorithmIdentifier`).
pub(crate) fn of_issuer(key: &Key) -> Option<(Scheme, Der)> {
    let named = |family, hash| {
        NAMED.iter().find(|(_, f, h)| *f == family && *h == hash).map(|(oid, _, _)| der::oid(oid))
    };
    match key {
        Key::RsaPrivate(_) => {
            let oid = named(Family::Rsa, H::SHA_256)?;
            Some((Scheme::Pkcs1(H::SHA_256), der::sequence(&[&oid, &der::null()])))
        }
        Key::EcPrivate(ec) => {
            let hash = ecc::default_hash(ec.curve);
            Some((Scheme::Ecdsa(hash), der::sequence(&[&named(Family::Ecdsa, hash)?])))
        }
        Key::EdwardsPrivate(Edwards::Ed25519, _) => {
            Some((Scheme::Ed25519, der::sequence(&[&der::oid(ED25519)])))
        }
        Key::Symmetric(_)
        | Key::RsaPublic(_)
        | Key::DsaPublic(..)
        | Key::DsaPrivate(..)
        | Key::DhPublic(..)
        | Key::DhPrivate(..)
        | Key::EcPublic(_)
        | Key::EdwardsPublic(..)
        | Key::EdwardsPrivate(..) => None,
    }
}
