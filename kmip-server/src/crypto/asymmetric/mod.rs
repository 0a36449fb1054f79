//! What the operations ask of asymmetric keys: pairs, encryption, signatures and key agreement,
//! with the parameters in the words of the standard (1.4, 3.6; 2.1, 4.16).
//!
//! ```text
//! Cryptographic Parameters + key -> Scheme -> rsa . elliptic . edwards
//! ```
//!
//! **The key says which algorithm it is used with**; parameters that name another are those of
//! whoever asked, and what they say of paddings is nothing to a curve (CS-AC-M-3-ECC of 1.3).

pub(crate) mod ecc;
pub(crate) mod ed25519;
pub(crate) mod rsa;
pub(crate) mod signature;

use kmip::SecretBytes;
use kmip::structures::CryptographicParameters;
use kmip::vocabulary::{
    CryptographicAlgorithm as A, DigitalSignatureAlgorithm as S, HashingAlgorithm as H,
    MaskGenerator, PaddingMethod, RecommendedCurve,
};
use zeroize::Zeroizing;

use super::hash::algorithms;
use super::{Error, Result};
use crate::crypto::keys::{EcPrivate, EcPublic, Edwards, Key, Misfit, OTHER_PAIR, pkcs};
use rsa::{oaep, pkcs1, pss};

/// Checks whether the numbers of a key fit together. Those of keys that this server does not
/// compute with are nobody's to judge.
pub(crate) fn check(key: &Key) -> core::result::Result<(), Misfit> {
    match key {
        Key::RsaPublic(key) => rsa::numbers::check_public(key),
        Key::RsaPrivate(key) => rsa::numbers::check_private(&rsa::Given::of_private(key)),
        Key::EcPublic(key) => ecc::check_public(key),
        Key::EcPrivate(key) => ecc::check_private(key),
        Key::EdwardsPublic(Edwards::Ed25519, public) => ed25519::check_public(public),
        // Any 32 bytes are a key (RFC 7748, 5; RFC 8032, 5.1.5).
        Key::EdwardsPublic(Edwards::X25519, _) | Key::EdwardsPrivate(..) => Ok(()),
        Key::Symmetric(_)
        | Key::DsaPublic(..)
        | Key::DsaPrivate(..)
        | Key::DhPublic(..)
        | Key::DhPrivate(..) => Ok(()),
    }
}

/// Checks the public key that a private one carries beside it: the bytes of a point, or the DER of
/// an RSA key.
pub(crate) fn check_carried(private: &Key, carried: &[u8]) -> core::result::Result<(), Misfit> {
    let fits = match private {
        Key::EcPrivate(key) => {
            let key = EcPrivate { point: Some(carried.to_vec()), ..key.clone() };
            return ecc::check_private(&key);
        }
        Key::EdwardsPrivate(curve, seed) => {
            ed25519::public_of(*curve, seed).is_ok_and(|public| public == carried)
        }
        Key::RsaPrivate(key) => pkcs::read_rsa_public(carried).as_ref() == Some(&key.public),
        Key::Symmetric(_)
        | Key::RsaPublic(_)
        | Key::DsaPublic(..)
        | Key::DsaPrivate(..)
        | Key::DhPublic(..)
        | Key::DhPrivate(..)
        | Key::EcPublic(_)
        | Key::EdwardsPublic(..) => true,
    };
    match fits {
        true => Ok(()),
        false => Err(OTHER_PAIR),
    }
}

/// A private key and its public key.
pub(crate) struct Pair {
    /// The private key.
    pub private: Key,
    /// The public key.
    pub public: Key,
}

/// What pair of keys is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// RSA, with so many bits.
    Rsa(i32),
    /// On a curve.
    Elliptic(RecommendedCurve),
    /// Ed25519 or X25519.
    Edwards(Edwards),
}

/// The curve that an elliptic key has when the client names its length alone.
const CURVES_BY_LENGTH: [(i32, RecommendedCurve); 4] = [
    (224, RecommendedCurve::P_224),
    (256, RecommendedCurve::P_256),
    (384, RecommendedCurve::P_384),
    (521, RecommendedCurve::P_521),
];

impl Kind {
    /// The pair that attributes ask for.
    pub(crate) fn of(
        algorithm: Option<A>,
        length: Option<i32>,
        curve: Option<RecommendedCurve>,
    ) -> Result<Self> {
        let algorithm = algorithm.ok_or_else(|| {
            Error::parameters("the attributes lack the Cryptographic Algorithm of the new pair")
        })?;
        let kind = match (algorithm, curve) {
            (A::RSA, _) => {
                let length = length.unwrap_or(2048);
                rsa::check_length(length)?;
                return Ok(Self::Rsa(length));
            }
            (A::Ed25519, None | Some(RecommendedCurve::CURVE25519)) => {
                Self::Edwards(Edwards::Ed25519)
            }
            (A::EC | A::ECDH, Some(RecommendedCurve::CURVE25519)) => Self::Edwards(Edwards::X25519),
            (A::EC | A::ECDSA | A::ECDH | A::ECMQV, Some(curve)) => Self::Elliptic(curve),
            (A::EC | A::ECDSA | A::ECDH | A::ECMQV, None) => Self::Elliptic(of_length(length)?),
            (other, _) => {
                return Err(Error::unsupported(format!(
                    "this server makes no pair of keys for {other:?}"
                )));
            }
        };
        match length {
            Some(length) if length != kind.length() => Err(Error::parameters(format!(
                "{length} bits is no length of a key on this curve: it is {}",
                kind.length()
            ))),
            _ => Ok(kind),
        }
    }

    /// The Cryptographic Length of both keys.
    pub(crate) fn length(self) -> i32 {
        match self {
            Self::Rsa(length) => length,
            Self::Elliptic(curve) => crate::crypto::keys::curves::bits(curve),
            Self::Edwards(_) => 256,
        }
    }

    /// Makes a pair. It may take many seconds: not for a thread that others wait for.
    pub(crate) fn generate(self) -> Result<Pair> {
        let private = match self {
            Self::Rsa(length) => Key::RsaPrivate(rsa::generate(length)?),
            Self::Elliptic(curve) => Key::EcPrivate(ecc::generate(curve)?),
            Self::Edwards(curve) => Key::EdwardsPrivate(curve, ed25519::generate()?),
        };
        let public = public_of(&private)?;
        Ok(Pair { private, public })
    }
}

fn of_length(length: Option<i32>) -> Result<RecommendedCurve> {
    let length = length.unwrap_or(256);
    let row = CURVES_BY_LENGTH.iter().find(|(bits, _)| *bits == length);
    row.map(|(_, curve)| *curve).ok_or_else(|| {
        Error::parameters(format!(
            "{length} bits name no curve: give a Recommended Curve in the Cryptographic Domain \
             Parameters, or 224, 256, 384 or 521 bits"
        ))
    })
}

/// The public key of a private one.
pub(crate) fn public_of(private: &Key) -> Result<Key> {
    Ok(match private {
        Key::RsaPrivate(key) => Key::RsaPublic(key.public.clone()),
        Key::EcPrivate(key) => Key::EcPublic(ecc::public_of(key)?),
        Key::EdwardsPrivate(curve, seed) => {
            Key::EdwardsPublic(*curve, ed25519::public_of(*curve, seed)?)
        }
        Key::Symmetric(_)
        | Key::RsaPublic(_)
        | Key::DsaPublic(..)
        | Key::DsaPrivate(..)
        | Key::DhPublic(..)
        | Key::DhPrivate(..)
        | Key::EcPublic(_)
        | Key::EdwardsPublic(..) => {
            return Err(Error::unsupported("the public key of this key is not computed here"));
        }
    })
}

/// How RSA encrypts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Padding {
    /// The data is the number.
    None,
    /// RSAES-PKCS1-v1_5.
    Pkcs1,
    /// RSAES-OAEP.
    Oaep(oaep::Parameters),
}

impl Padding {
    /// The padding that parameters name. A mask hash that is not named is the hash itself: the
    /// standard says SHA-1 there (2.1, 4.16), and the profiles' test cases say otherwise.
    pub(crate) fn of(parameters: &CryptographicParameters) -> Result<Self> {
        match parameters.padding_method {
            Some(PaddingMethod::None) => Ok(Self::None),
            Some(PaddingMethod::PKCS1V1_5) => Ok(Self::Pkcs1),
            Some(PaddingMethod::OAEP) => {
                let hash = parameters.hashing_algorithm.unwrap_or(H::SHA_1);
                Ok(Self::Oaep(oaep::Parameters {
                    hash,
                    mask_hash: mask_hash(parameters, hash)?,
                    label: parameters.p_source.clone().unwrap_or_default(),
                }))
            }
            Some(other) => Err(Error::parameters(format!("{other:?} is no padding that RSA has"))),
            None => Err(Error::parameters(
                "RSA encrypts with a Padding Method, and neither the request nor the key names one",
            )),
        }
    }
}

fn mask_hash(parameters: &CryptographicParameters, hash: H) -> Result<H> {
    match parameters.mask_generator {
        None | Some(MaskGenerator::MGF1) => {
            Ok(parameters.mask_generator_hashing_algorithm.unwrap_or(hash))
        }
        Some(other) => Err(Error::unsupported(format!("{other:?} is no mask generator here"))),
    }
}

/// Encrypts with a public key, or with the public half of a private one.
pub(crate) fn encrypt(
    key: &Key,
    parameters: &CryptographicParameters,
    data: &[u8],
) -> Result<Vec<u8>> {
    let public = match key {
        Key::RsaPublic(key) => key,
        Key::RsaPrivate(key) => &key.public,
        Key::Symmetric(_)
        | Key::DsaPublic(..)
        | Key::DsaPrivate(..)
        | Key::DhPublic(..)
        | Key::DhPrivate(..)
        | Key::EcPublic(_)
        | Key::EcPrivate(_)
        | Key::EdwardsPublic(..)
        | Key::EdwardsPrivate(..) => return Err(no_encryption()),
    };
    match Padding::of(parameters)? {
        Padding::None => rsa::raw_public(public, data),
        Padding::Pkcs1 => pkcs1::encrypt(public, data),
        Padding::Oaep(oaep) => oaep::encrypt(public, &oaep, data),
    }
}

/// Decrypts with a private key.
pub(crate) fn decrypt(
    key: &Key,
    parameters: &CryptographicParameters,
    data: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    let Key::RsaPrivate(key) = key else { return Err(no_encryption()) };
    match Padding::of(parameters)? {
        Padding::None => rsa::raw_private(key, data),
        Padding::Pkcs1 => pkcs1::decrypt(key, data),
        Padding::Oaep(oaep) => oaep::decrypt(key, &oaep, data),
    }
}

fn no_encryption() -> Error {
    Error::parameters("this key is none that encrypts: of asymmetric keys those of RSA do")
}

/// How a signature is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// RSASSA-PKCS1-v1_5.
    Pkcs1(H),
    /// RSASSA-PSS.
    Pss(pss::Parameters),
    /// ECDSA.
    Ecdsa(H),
    /// Ed25519, which hashes by itself.
    Ed25519,
}

/// One row a signature's algorithm: its padding, and its hash where the name has one.
const SIGNATURES: [(S, Option<PaddingMethod>, Option<H>); 17] = [
    (S::MD5WithRSAEncryption, Some(PaddingMethod::PKCS1V1_5), Some(H::MD5)),
    (S::SHA_1WithRSAEncryption, Some(PaddingMethod::PKCS1V1_5), Some(H::SHA_1)),
    (S::SHA_224WithRSAEncryption, Some(PaddingMethod::PKCS1V1_5), Some(H::SHA_224)),
    (S::SHA_256WithRSAEncryption, Some(PaddingMethod::PKCS1V1_5), Some(H::SHA_256)),
    (S::SHA_384WithRSAEncryption, Some(PaddingMethod::PKCS1V1_5), Some(H::SHA_384)),
    (S::SHA_512WithRSAEncryption, Some(PaddingMethod::PKCS1V1_5), Some(H::SHA_512)),
    (S::RSASSA_PSS, Some(PaddingMethod::PSS), None),
    (S::SHA3_256WithRSAEncryption, Some(PaddingMethod::PKCS1V1_5), Some(H::SHA3_256)),
    (S::SHA3_384WithRSAEncryption, Some(PaddingMethod::PKCS1V1_5), Some(H::SHA3_384)),
    (S::SHA3_512WithRSAEncryption, Some(PaddingMethod::PKCS1V1_5), Some(H::SHA3_512)),
    (S::ECDSAWithSHA_1, None, Some(H::SHA_1)),
    (S::ECDSAWithSHA224, None, Some(H::SHA_224)),
    (S::ECDSAWithSHA256, None, Some(H::SHA_256)),
    (S::ECDSAWithSHA384, None, Some(H::SHA_384)),
    (S::ECDSAWithSHA512, None, Some(H::SHA_512)),
    (S::DSAWithSHA_1, None, Some(H::SHA_1)),
    (S::DSAWithSHA256, None, Some(H::SHA_256)),
];

impl Scheme {
    /// The scheme that parameters name for a key.
    pub(crate) fn of(key: &Key, parameters: &CryptographicParameters) -> Result<Self> {
        let named = match parameters.digital_signature_algorithm {
            Some(algorithm) => {
                let row = SIGNATURES.iter().find(|(row, _, _)| *row == algorithm);
                Some(row.ok_or_else(|| {
                    Error::unsupported(format!("this server makes no signature {algorithm:?}"))
                })?)
            }
            None => None,
        };
        let hash = named.and_then(|(_, _, hash)| *hash).or(parameters.hashing_algorithm);
        let padding = named.and_then(|(_, padding, _)| *padding).or(parameters.padding_method);
        match key {
            Key::RsaPublic(_) | Key::RsaPrivate(_) => Self::of_rsa(padding, hash, parameters),
            Key::EcPublic(EcPublic { curve, .. }) | Key::EcPrivate(EcPrivate { curve, .. }) => {
                Ok(Self::Ecdsa(hash.unwrap_or_else(|| ecc::default_hash(*curve))))
            }
            Key::EdwardsPublic(Edwards::Ed25519, _) | Key::EdwardsPrivate(Edwards::Ed25519, _) => {
                Ok(Self::Ed25519)
            }
            Key::Symmetric(_)
            | Key::DsaPublic(..)
            | Key::DsaPrivate(..)
            | Key::DhPublic(..)
            | Key::DhPrivate(..)
            | Key::EdwardsPublic(..)
            | Key::EdwardsPrivate(..) => {
                Err(Error::unsupported("this server signs with RSA, ECDSA and Ed25519 keys alone"))
            }
        }
    }

    fn of_rsa(
        padding: Option<PaddingMethod>,
        hash: Option<H>,
        parameters: &CryptographicParameters,
    ) -> Result<Self> {
        let hash = hash.unwrap_or(H::SHA_256);
        match padding {
            Some(PaddingMethod::PKCS1V1_5) => Ok(Self::Pkcs1(hash)),
            Some(PaddingMethod::PSS) => {
                if parameters.trailer_field.is_some_and(|trailer| trailer != 1) {
                    return Err(Error::unsupported("PSS has the trailer field 1 here"));
                }
                let salt_len = parameters.salt_length.map(usize::try_from).transpose();
                let salt_len =
                    salt_len.map_err(|_| Error::parameters("Salt Length cannot be negative"))?;
                let mask_hash = mask_hash(parameters, hash)?;
                Ok(Self::Pss(pss::Parameters { hash, mask_hash, salt_len }))
            }
            Some(other) => {
                Err(Error::parameters(format!("{other:?} is no padding of RSA's signatures")))
            }
            None => Err(Error::parameters(
                "RSA signs with a Padding Method or a Digital Signature Algorithm, and neither \
                 the request nor the key names one",
            )),
        }
    }

    /// The hash that is taken of the data first; none where the data itself is signed.
    pub(crate) const fn hash(&self) -> Option<H> {
        match self {
            Self::Pkcs1(hash) | Self::Ecdsa(hash) => Some(*hash),
            Self::Pss(parameters) => Some(parameters.hash),
            Self::Ed25519 => None,
        }
    }
}

/// What is signed.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    /// The data.
    Data(&'a [u8]),
    /// Its hash.
    Digest(&'a [u8]),
}

impl Input<'_> {
    fn digest(self, hash: H) -> Result<Zeroizing<Vec<u8>>> {
        match self {
            Self::Data(data) => algorithms::digest(hash, &[data]),
            Self::Digest(digest) => {
                algorithms::check_len(hash, digest)?;
                Ok(Zeroizing::new(digest.to_vec()))
            }
        }
    }

    fn data(&self) -> Result<&[u8]> {
        match self {
            Self::Data(data) => Ok(data),
            Self::Digest(_) => {
                Err(Error::parameters("Ed25519 signs the data itself, and no Digested Data"))
            }
        }
    }
}

/// Signs with a private key.
pub(crate) fn sign(key: &Key, scheme: &Scheme, input: Input<'_>) -> Result<Vec<u8>> {
    match (scheme, key) {
        (Scheme::Pkcs1(hash), Key::RsaPrivate(key)) => {
            pkcs1::sign(key, *hash, &input.digest(*hash)?)
        }
        (Scheme::Pss(parameters), Key::RsaPrivate(key)) => {
            pss::sign(key, parameters, &input.digest(parameters.hash)?)
        }
        (Scheme::Ecdsa(hash), Key::EcPrivate(key)) => ecc::sign(key, &input.digest(*hash)?),
        (Scheme::Ed25519, Key::EdwardsPrivate(_, seed)) => ed25519::sign(seed, input.data()?),
        _ => Err(Error::parameters("this key signs nothing: it is no private key")),
    }
}

/// Is it the signature of the input? A private key says so for its public key.
pub(crate) fn verify(
    key: &Key,
    scheme: &Scheme,
    input: Input<'_>,
    signature: &[u8],
) -> Result<bool> {
    if !key.is_public() {
        return verify(&public_of(key)?, scheme, input, signature);
    }
    match (scheme, key) {
        (Scheme::Pkcs1(hash), Key::RsaPublic(key)) => {
            pkcs1::verify(key, *hash, &input.digest(*hash)?, signature)
        }
        (Scheme::Pss(parameters), Key::RsaPublic(key)) => {
            pss::verify(key, parameters, &input.digest(parameters.hash)?, signature)
        }
        (Scheme::Ecdsa(hash), Key::EcPublic(key)) => {
            ecc::verify(key, &input.digest(*hash)?, signature)
        }
        (Scheme::Ed25519, Key::EdwardsPublic(_, public)) => {
            Ok(ed25519::verify(public, input.data()?, signature))
        }
        _ => Err(Error::parameters("this key has no such signatures")),
    }
}

/// The secret that the holders of two pairs share: the private key of one and the public key of
/// the other (1.4, 4.6; 2.1, 6.1.14: the method Asymmetric Key).
pub(crate) fn agree(private: &Key, public: &Key) -> Result<SecretBytes> {
    match (private, public) {
        (Key::EcPrivate(private), Key::EcPublic(public)) => ecc::agree(private, public),
        (
            Key::EdwardsPrivate(Edwards::X25519, seed),
            Key::EdwardsPublic(Edwards::X25519, public),
        ) => ed25519::agree(seed, public),
        _ => Err(Error::parameters(
            "a secret is agreed on with a private key and a public key that are on one curve",
        )),
    }
}
