//! A key as what it is, whatever form it came in: the neutral form between the Key Format Types
//! (`formats`) and the algorithms (`crypto`).
//!
//! ```text
//! key block <-> formats <-> keys::Key <-> crypto
//!
//! curves   what is known of each curve
//! pkcs     keys in the forms of the PKCS standards, which are DER
//! shape    outlines of those forms, for keys that are only kept
//! ```
//!
//! Computes nothing, and knows no message. Every number is kept as bytes that are zeroized,
//! without leading zero bytes, and is shown by nothing.

pub(crate) mod curves;
pub(crate) mod der;
pub(crate) mod pkcs;
pub(crate) mod shape;

use kmip::SecretBytes;
use kmip::vocabulary::{CryptographicAlgorithm, RecommendedCurve};

/// A natural number, big-endian and without leading zero bytes. It may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Number(SecretBytes);

impl Number {
    /// The number of big-endian bytes without a sign.
    pub(crate) fn unsigned(bytes: &[u8]) -> Self {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        Self(SecretBytes::new(bytes.get(zeros..).unwrap_or_default()))
    }

    /// The number of big-endian bytes in two's complement; none when it is negative.
    pub(crate) fn signed(bytes: &[u8]) -> Option<Self> {
        match bytes.first() {
            Some(first) if first & 0x80 != 0 => None,
            _ => Some(Self::unsigned(bytes)),
        }
    }

    /// The bytes, without leading zeros; none at all for zero.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The bytes in two's complement: with a zero byte first where the first bit is set.
    pub(crate) fn to_signed(&self) -> zeroize::Zeroizing<Vec<u8>> {
        let first = self.as_bytes().first().copied().unwrap_or(0x80);
        let sign: &[u8] = if first & 0x80 == 0 { &[] } else { &[0] };
        zeroize::Zeroizing::new([sign, self.as_bytes()].concat())
    }

    /// The bytes, with zeros before them up to `len`; none when they are more.
    pub(crate) fn to_padded(&self, len: usize) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        let zeros = len.checked_sub(self.as_bytes().len())?;
        let mut bytes = zeroize::Zeroizing::new(vec![0; len]);
        bytes.get_mut(zeros..)?.copy_from_slice(self.as_bytes());
        Some(bytes)
    }

    /// How many bits it has.
    pub(crate) fn bits(&self) -> i32 {
        let zeros = self.as_bytes().first().map_or(0, |first| first.leading_zeros());
        let bytes = i32::try_from(self.as_bytes().len()).unwrap_or(i32::MAX);
        bytes.saturating_mul(8).saturating_sub(i32::try_from(zeros).unwrap_or(0))
    }
}

/// Why the numbers of a key make none, in words that show none of them.
pub(crate) type Misfit = &'static str;

/// Reason of a private key that carries the public key of another.
pub(crate) const OTHER_PAIR: Misfit = "the private key does not fit the public key that it carries";

/// The numbers of an RSA public key (RFC 8017, 3.1).
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RsaPublic {
    /// The modulus.
    pub n: Number,
    /// The public exponent.
    pub e: Number,
}

/// The numbers of an RSA private key with two primes (RFC 8017, 3.2), all of them.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RsaPrivate {
    /// The public half.
    pub public: RsaPublic,
    /// The private exponent.
    pub d: Number,
    /// The first prime.
    pub p: Number,
    /// The second prime.
    pub q: Number,
    /// d mod (p - 1).
    pub dp: Number,
    /// d mod (q - 1).
    pub dq: Number,
    /// The inverse of q mod p.
    pub qinv: Number,
}

/// The numbers that DSA and DH keys share (FIPS 186-4, 4.2; RFC 2631).
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Group {
    /// The prime modulus.
    pub p: Number,
    /// The prime divisor of p - 1.
    pub q: Option<Number>,
    /// The generator.
    pub g: Number,
    /// The cofactor.
    pub j: Option<Number>,
}

/// A point on a curve, as bytes (SEC 1, 2.3.3): uncompressed, compressed or hybrid.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct EcPublic {
    /// The curve.
    pub curve: RecommendedCurve,
    /// The point.
    pub point: Vec<u8>,
}

/// A private number on a curve.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct EcPrivate {
    /// The curve.
    pub curve: RecommendedCurve,
    /// The number.
    pub d: Number,
    /// The point, where the form had it.
    pub point: Option<Vec<u8>>,
}

/// Which of the curves whose keys are 32 bytes (RFC 7748, RFC 8032).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edwards {
    /// Signatures.
    Ed25519,
    /// Key agreement.
    X25519,
}

/// The bytes of an Edwards key, and of a Montgomery key.
pub(crate) const EDWARDS_LEN: usize = 32;

/// A key.
#[derive(Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "a key lives for one operation")]
pub(crate) enum Key {
    /// Bytes.
    Symmetric(SecretBytes),
    /// An RSA public key.
    RsaPublic(RsaPublic),
    /// An RSA private key.
    RsaPrivate(RsaPrivate),
    /// A DSA public key: the group and y.
    DsaPublic(Group, Number),
    /// A DSA private key: the group and x.
    DsaPrivate(Group, Number),
    /// A Diffie-Hellman public key: the group and y.
    DhPublic(Group, Number),
    /// A Diffie-Hellman private key: the group and x.
    DhPrivate(Group, Number),
    /// A point on a curve.
    EcPublic(EcPublic),
    /// A private number on a curve.
    EcPrivate(EcPrivate),
    /// The public bytes of Ed25519 or X25519.
    EdwardsPublic(Edwards, [u8; EDWARDS_LEN]),
    /// The private bytes of Ed25519 or X25519.
    EdwardsPrivate(Edwards, SecretBytes),
}

impl Key {
    /// Its algorithm, where it says. EC is the name of the family: ECDSA, ECDH and ECMQV say what
    /// a key of it is used for.
    pub(crate) const fn algorithm(&self) -> Option<CryptographicAlgorithm> {
        use CryptographicAlgorithm as A;
        match self {
            Self::Symmetric(_) => None,
            Self::RsaPublic(_) | Self::RsaPrivate(_) => Some(A::RSA),
            Self::DsaPublic(..) | Self::DsaPrivate(..) => Some(A::DSA),
            Self::DhPublic(..) | Self::DhPrivate(..) => Some(A::DH),
            Self::EdwardsPublic(Edwards::Ed25519, _)
            | Self::EdwardsPrivate(Edwards::Ed25519, _) => Some(A::Ed25519),
            Self::EcPublic(_)
            | Self::EcPrivate(_)
            | Self::EdwardsPublic(..)
            | Self::EdwardsPrivate(..) => Some(A::EC),
        }
    }

    /// Its Cryptographic Length in bits (1.4, 3.5; 2.1, 4.15 and 6.1.9): of the modulus, of the
    /// prime p, of the order of the curve, of the bytes.
    pub(crate) fn length(&self) -> i32 {
        match self {
            Self::Symmetric(bytes) => {
                i32::try_from(bytes.as_bytes().len()).unwrap_or(i32::MAX).saturating_mul(8)
            }
            Self::RsaPublic(key) => key.n.bits(),
            Self::RsaPrivate(key) => key.public.n.bits(),
            Self::DsaPublic(group, _)
            | Self::DsaPrivate(group, _)
            | Self::DhPublic(group, _)
            | Self::DhPrivate(group, _) => group.p.bits(),
            Self::EcPublic(key) => curves::bits(key.curve),
            Self::EcPrivate(key) => curves::bits(key.curve),
            Self::EdwardsPublic(..) | Self::EdwardsPrivate(..) => 256,
        }
    }

    /// Its curve, where it has one that the vocabulary names.
    pub(crate) const fn curve(&self) -> Option<RecommendedCurve> {
        match self {
            Self::EcPublic(key) => Some(key.curve),
            Self::EcPrivate(key) => Some(key.curve),
            Self::EdwardsPublic(Edwards::X25519, _) | Self::EdwardsPrivate(Edwards::X25519, _) => {
                Some(RecommendedCurve::CURVE25519)
            }
            Self::Symmetric(_)
            | Self::RsaPublic(_)
            | Self::RsaPrivate(_)
            | Self::DsaPublic(..)
            | Self::DsaPrivate(..)
            | Self::DhPublic(..)
            | Self::DhPrivate(..)
            | Self::EdwardsPublic(..)
            | Self::EdwardsPrivate(..) => None,
        }
    }

    /// Is it the half that is no secret?
    pub(crate) const fn is_public(&self) -> bool {
        match self {
            Self::RsaPublic(_)
            | Self::DsaPublic(..)
            | Self::DhPublic(..)
            | Self::EcPublic(_)
            | Self::EdwardsPublic(..) => true,
            Self::Symmetric(_)
            | Self::RsaPrivate(_)
            | Self::DsaPrivate(..)
            | Self::DhPrivate(..)
            | Self::EcPrivate(_)
            | Self::EdwardsPrivate(..) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Number;

    #[test]
    fn leading_zeros_are_no_part_of_a_number() {
        let number = Number::signed(&[0, 0, 0, 0, 0, 0, 0, 0, 0x93, 4]).unwrap();
        assert_eq!(number.as_bytes(), [0x93, 4]);
        assert_eq!(number.bits(), 16);
        assert_eq!(number.to_signed().as_slice(), [0, 0x93, 4]);
        assert_eq!(number.to_padded(4).unwrap().as_slice(), [0, 0, 0x93, 4]);
        assert!(number.to_padded(1).is_none());
        assert!(Number::signed(&[0xFF]).is_none());
        assert_eq!(Number::unsigned(&[0x0B, 0]).bits(), 12);
        assert_eq!(Number::unsigned(&[]).to_signed().as_slice(), [0]);
    }
}
