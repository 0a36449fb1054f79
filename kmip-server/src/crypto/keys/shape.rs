//! Shapes of DER: whether bytes can be a key, a container or a certificate that is not read here,
//! because its curve, its algorithm or the number of its primes is none that this server computes
//! with. Such a thing is kept as it came; what has another shape is none.
//!
//! Nothing is verified here but the outline.

use der::asn1::{AnyRef, BitStringRef, OctetStringRef, UintRef};
use der::{Decode, Reader, SliceReader, Tag};
use kmip::vocabulary::CryptographicAlgorithm;

use super::der as write;
use super::pkcs::{algorithm, oid};

/// What the outline of a key says: the algorithm, where this server knows its identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Outline {
    /// The algorithm, or the name of its family.
    pub algorithm: Option<CryptographicAlgorithm>,
}

fn is_sequence_of(bytes: &[u8], body: impl Fn(&mut SliceReader<'_>) -> der::Result<()>) -> bool {
    write::read(bytes, |r| body(r)).is_ok()
}

fn any(reader: &mut SliceReader<'_>, tag: Tag) -> der::Result<()> {
    let found = AnyRef::decode(reader)?;
    match der::Tagged::tag(&found) == tag {
        true => Ok(()),
        false => Err(tag.value_error().into()),
    }
}

fn rest(reader: &mut SliceReader<'_>) -> der::Result<()> {
    while !reader.is_finished() {
        AnyRef::decode(reader)?;
    }
    Ok(())
}

fn numbers(reader: &mut SliceReader<'_>, count: usize) -> der::Result<()> {
    for _ in 0..count {
        UintRef::decode(reader)?;
    }
    Ok(())
}

/// RSAPublicKey (RFC 8017, A.1.1).
pub(crate) fn is_rsa_public(bytes: &[u8]) -> bool {
    is_sequence_of(bytes, |r| numbers(r, 2))
}

/// RSAPrivateKey of two primes or more (RFC 8017, A.1.2).
pub(crate) fn is_rsa_private(bytes: &[u8]) -> bool {
    is_sequence_of(bytes, |r| match u8::decode(r)? {
        0 => numbers(r, 8),
        _ => {
            numbers(r, 8)?;
            any(r, Tag::Sequence)
        }
    })
}

/// ECPrivateKey (RFC 5915, 3).
pub(crate) fn is_ec_private(bytes: &[u8]) -> bool {
    is_sequence_of(bytes, |r| {
        if u8::decode(r)? != 1 {
            return Err(Tag::Integer.value_error().into());
        }
        <&OctetStringRef>::decode(r)?;
        rest(r)
    })
}

/// PrivateKeyInfo, OneAsymmetricKey or EncryptedPrivateKeyInfo (RFC 5958, 2 and 3).
pub(crate) fn pkcs8(bytes: &[u8]) -> Option<Outline> {
    if is_sequence_of(bytes, |r| algorithm(r).and_then(|_| any(r, Tag::OctetString))) {
        return Some(Outline { algorithm: None });
    }
    let (name, inside) = write::read(bytes, |r| {
        u8::decode(r)?;
        let found = (algorithm(r)?.oid, <&OctetStringRef>::decode(r)?.as_bytes());
        rest(r)?;
        Ok(found)
    })
    .ok()?;
    outline(&name, is_rsa_private(inside), is_ec_private(inside))
}

/// SubjectPublicKeyInfo (RFC 5280, 4.1.2.7).
pub(crate) fn spki(bytes: &[u8]) -> Option<Outline> {
    let (name, inside) =
        write::read(bytes, |r| Ok((algorithm(r)?.oid, BitStringRef::decode(r)?))).ok()?;
    outline(&name, inside.as_bytes().is_some_and(is_rsa_public), true)
}

fn outline(name: &str, fits_rsa: bool, fits_ec: bool) -> Option<Outline> {
    use CryptographicAlgorithm as A;
    let (algorithm, fits) = match name {
        oid::RSA | oid::RSA_PSS => (Some(A::RSA), fits_rsa),
        oid::EC => (Some(A::EC), fits_ec),
        _ => (None, true),
    };
    fits.then_some(Outline { algorithm })
}

/// PFX (RFC 7292, 4).
pub(crate) fn is_pkcs12(bytes: &[u8]) -> bool {
    is_sequence_of(bytes, |r| {
        if u8::decode(r)? != 3 {
            return Err(Tag::Integer.value_error().into());
        }
        any(r, Tag::Sequence)?;
        rest(r)
    })
}

/// Certificate (RFC 5280, 4.1).
pub(crate) fn is_certificate(bytes: &[u8]) -> bool {
    is_signed(bytes, |r| {
        // A certificate of version 1 does not say its version.
        let first = der::Tagged::tag(&AnyRef::decode(r)?);
        if first.is_context_specific() {
            any(r, Tag::Integer)?;
        } else if first != Tag::Integer {
            return Err(Tag::Integer.value_error().into());
        }
        // Signature, issuer, validity, subject, public key.
        (0..5).try_for_each(|_| any(r, Tag::Sequence))?;
        rest(r)
    })
}

/// CertificationRequest (RFC 2986, 4).
pub(crate) fn is_certification_request(bytes: &[u8]) -> bool {
    is_signed(bytes, |r| {
        any(r, Tag::Integer)?;
        // Subject, public key.
        (0..2).try_for_each(|_| any(r, Tag::Sequence))?;
        match r.is_finished() || der::Tagged::tag(&AnyRef::decode(r)?).is_context_specific() {
            true => Ok(()),
            false => Err(Tag::Set.value_error().into()),
        }
    })
}

/// What is signed, how, and the signature.
fn is_signed(bytes: &[u8], inside: impl Fn(&mut SliceReader<'_>) -> der::Result<()>) -> bool {
    is_sequence_of(bytes, |r| {
        r.sequence(|r| inside(r))?;
        any(r, Tag::Sequence)?;
        any(r, Tag::BitString)
    })
}

/// CertReqMessages (RFC 4211, 3).
pub(crate) fn is_sequence(bytes: &[u8]) -> bool {
    is_sequence_of(bytes, rest)
}

/// Packets of OpenPGP (RFC 9580, 4.2), or their ASCII armor (6.2).
pub(crate) fn is_open_pgp(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|first| first & 0x80 != 0) || bytes.starts_with(b"-----BEGIN PGP ")
}
