//! Comparison of key bytes with the Digest that a server keeps of the key (KMIP 1.4, 3.17).

use super::DigestProof;
use aws_lc_rs::digest::{
    Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA224, SHA256, SHA384, SHA512, SHA512_256, digest,
};
use kmip::structures::Digest;
use kmip::vocabulary::{HashingAlgorithm, KeyFormatType};

/// The bytes do not have a Digest that the server keeps of the key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OtherDigest(pub(super) HashingAlgorithm);

/// Compares the bytes of a raw key with each Digest that is of the raw key and of a hash that can
/// be computed.
///
/// # Errors
/// The bytes do not have one of them.
pub(super) fn compare(digests: &[Digest], key: &[u8]) -> Result<DigestProof, OtherDigest> {
    let mut proof = DigestProof::NotGiven;
    for of_key in digests.iter().filter(|digest| is_of_raw_key(digest)) {
        let algorithm = of_key.hashing_algorithm;
        let Some((hash, value)) = hash(algorithm).zip(of_key.digest_value.as_ref()) else {
            continue;
        };
        if digest(hash, key).as_ref() != value.as_slice() {
            return Err(OtherDigest(algorithm));
        }
        proof = DigestProof::Matches;
    }
    Ok(proof)
}

/// KMIP 1.0 does not say which form was hashed; a symmetric key that a server created has one form
/// there, its bytes.
fn is_of_raw_key(digest: &Digest) -> bool {
    digest.key_format_type.is_none_or(|format| format == KeyFormatType::Raw)
}

fn hash(algorithm: HashingAlgorithm) -> Option<&'static Algorithm> {
    match algorithm {
        HashingAlgorithm::SHA_1 => Some(&SHA1_FOR_LEGACY_USE_ONLY),
        HashingAlgorithm::SHA_224 => Some(&SHA224),
        HashingAlgorithm::SHA_256 => Some(&SHA256),
        HashingAlgorithm::SHA_384 => Some(&SHA384),
        HashingAlgorithm::SHA_512 => Some(&SHA512),
        HashingAlgorithm::SHA_512_256 => Some(&SHA512_256),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{DigestProof, OtherDigest, compare, hash};
    use kmip::structures::Digest;
    use kmip::vocabulary::{HashingAlgorithm, KeyFormatType};

    const KEY: [u8; 32] = [7; 32];

    fn of(algorithm: HashingAlgorithm, key: &[u8], format: Option<KeyFormatType>) -> Digest {
        let value = hash(algorithm).map(|hash| super::digest(hash, key).as_ref().to_vec());
        Digest { hashing_algorithm: algorithm, digest_value: value, key_format_type: format }
    }

    #[test]
    fn bytes_are_compared_with_every_digest_of_the_raw_key() {
        let raw = Some(KeyFormatType::Raw);
        for algorithm in [
            HashingAlgorithm::SHA_1,
            HashingAlgorithm::SHA_224,
            HashingAlgorithm::SHA_256,
            HashingAlgorithm::SHA_384,
            HashingAlgorithm::SHA_512,
            HashingAlgorithm::SHA_512_256,
        ] {
            let digest = of(algorithm, &KEY, raw);
            assert_eq!(compare(&[digest], &KEY), Ok(DigestProof::Matches), "{algorithm:?}");
            let right = of(HashingAlgorithm::SHA_256, &KEY, None);
            let wrong = of(algorithm, &[8; 32], raw);
            assert_eq!(compare(&[right, wrong], &KEY), Err(OtherDigest(algorithm)));
        }
    }

    #[test]
    fn a_digest_that_is_not_of_the_raw_key_proves_nothing() {
        let other_form = Some(KeyFormatType::TransparentSymmetricKey);
        let mut without_value = of(HashingAlgorithm::SHA_256, &KEY, None);
        without_value.digest_value = None;
        let mut of_unknown_hash = of(HashingAlgorithm::MD5, &KEY, None);
        of_unknown_hash.digest_value = Some(vec![1; 16]);
        for digest in
            [of(HashingAlgorithm::SHA_256, &[8; 32], other_form), without_value, of_unknown_hash]
        {
            assert_eq!(compare(&[digest], &KEY), Ok(DigestProof::NotGiven));
        }
    }
}
