//! The transparent forms of keys: the numbers themselves (1.4, 2.1.7; 2.1, 3.4 to 3.12).
//!
//! A key block carries such a form as an item whose reading is by its Key Format Type
//! ([`KeyMaterial::Transparent`](crate::objects::KeyMaterial)); here are the structures that it
//! is read as. The numbers that make a key private are [`SecretInteger`]s.
//!
//! No key is checked here: that p times q is n is known to who computes with them.

use ttlv::{Error, Raw};

use crate::codec::{BigInteger, Decode, Encode, SecretBytes, SecretInteger};
use crate::macros::structure;
use crate::version::Version;
use crate::vocabulary::{RecommendedCurve, tags};

structure! {
    /// A symmetric key (1.4, 2.1.7.1; 2.1, 3.4).
    TransparentSymmetricKey {
        /// The key.
        Key => key: SecretBytes,
    }
}

structure! {
    /// A DSA private key (1.4, 2.1.7.2; 2.1, 3.5).
    TransparentDSAPrivateKey {
        /// The prime modulus.
        P => p: BigInteger,
        /// The prime divisor of p - 1.
        Q => q: BigInteger,
        /// The generator.
        G => g: BigInteger,
        /// The secret.
        X => x: SecretInteger,
    }
}

structure! {
    /// A DSA public key (1.4, 2.1.7.3; 2.1, 3.6).
    TransparentDSAPublicKey {
        /// The prime modulus.
        P => p: BigInteger,
        /// The prime divisor of p - 1.
        Q => q: BigInteger,
        /// The generator.
        G => g: BigInteger,
        /// The public number.
        Y => y: BigInteger,
    }
}

structure! {
    /// An RSA private key (1.4, 2.1.7.4; 2.1, 3.7): the modulus, and the private exponent, the
    /// primes or their exponents.
    TransparentRSAPrivateKey {
        /// n.
        Modulus => modulus: BigInteger,
        /// d.
        PrivateExponent => private_exponent: Option<SecretInteger>,
        /// e.
        PublicExponent => public_exponent: Option<BigInteger>,
        /// The first prime.
        P => p: Option<SecretInteger>,
        /// The second prime.
        Q => q: Option<SecretInteger>,
        /// d mod (p - 1).
        PrimeExponentP => prime_exponent_p: Option<SecretInteger>,
        /// d mod (q - 1).
        PrimeExponentQ => prime_exponent_q: Option<SecretInteger>,
        /// The inverse of q mod p.
        CRTCoefficient => crt_coefficient: Option<SecretInteger>,
    }
}

structure! {
    /// An RSA public key (1.4, 2.1.7.5; 2.1, 3.8).
    TransparentRSAPublicKey {
        /// n.
        Modulus => modulus: BigInteger,
        /// e.
        PublicExponent => public_exponent: BigInteger,
    }
}

structure! {
    /// A Diffie-Hellman private key (1.4, 2.1.7.6; 2.1, 3.9).
    TransparentDHPrivateKey {
        /// The prime modulus.
        P => p: BigInteger,
        /// The prime divisor of p - 1.
        Q => q: Option<BigInteger>,
        /// The generator.
        G => g: BigInteger,
        /// The cofactor.
        J => j: Option<BigInteger>,
        /// The secret.
        X => x: SecretInteger,
    }
}

structure! {
    /// A Diffie-Hellman public key (1.4, 2.1.7.7; 2.1, 3.10).
    TransparentDHPublicKey {
        /// The prime modulus.
        P => p: BigInteger,
        /// The prime divisor of p - 1.
        Q => q: Option<BigInteger>,
        /// The generator.
        G => g: BigInteger,
        /// The cofactor.
        J => j: Option<BigInteger>,
        /// The public number.
        Y => y: BigInteger,
    }
}

structure! {
    /// A private key on a curve (1.4, 2.1.7.14; 2.1, 3.11). The forms for ECDSA, ECDH and ECMQV
    /// of 1.0 to 1.4 (1.4, 2.1.7.8 to 2.1.7.13) have the same items.
    TransparentECPrivateKey {
        /// The curve.
        RecommendedCurve => recommended_curve: RecommendedCurve,
        /// The secret.
        D => d: SecretInteger,
    }
}

structure! {
    /// A public key on a curve (1.4, 2.1.7.15; 2.1, 3.12), likewise.
    TransparentECPublicKey {
        /// The curve.
        RecommendedCurve => recommended_curve: RecommendedCurve,
        /// The point, compressed or not (SEC 1, 2.3.3).
        QString => q_string: Vec<u8>,
    }
}

/// Reads Key Material as one of the structures here. Their items are the same in every version.
pub fn read<T: Decode>(material: &Raw) -> Result<T, Error> {
    T::decode(tags::KeyMaterial, &mut material.reader(), Version::V1_0)
}

/// Writes one of the structures here as Key Material.
pub fn write<T: Encode>(key: &T) -> Raw {
    Raw::build(|w| key.encode(tags::KeyMaterial, w, Version::V1_0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read is written again byte for byte, with the sign's bytes where the number had
    /// none (1.4, 9.1.1.4).
    #[test]
    fn numbers_are_written_as_they_were_read() {
        let raw = Raw::build(|w| {
            w.structure(tags::KeyMaterial, |w| {
                w.big_integer(tags::Modulus, &[0, 0xC3]);
                w.big_integer(tags::PrivateExponent, &[0x11]);
                w.big_integer(tags::PublicExponent, &[1, 0, 1]);
            });
        });
        let key: TransparentRSAPrivateKey = read(&raw).unwrap();
        assert_eq!(key.modulus.0, [0, 0, 0, 0, 0, 0, 0, 0xC3]);
        assert!(key.p.is_none());
        assert_eq!(write(&key), raw);
        assert_eq!(format!("{:?}", key.private_exponent), "Some(SecretInteger(8 bytes))");
    }
}
