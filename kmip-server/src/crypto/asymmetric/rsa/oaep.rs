//! RSAES-OAEP (RFC 8017, 7.1): encryption, with a hash of the label and a hash of the mask.

use aws_lc_rs::rsa as fast;
use kmip::vocabulary::HashingAlgorithm;
use rsa::Oaep;
use zeroize::Zeroizing;

use super::{Random, fast_decrypting, private, public};
use crate::crypto::hash::algorithms::with_digest;
use crate::crypto::keys::{RsaPrivate, RsaPublic};
use crate::crypto::{Error, Result};

/// The parameters of OAEP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parameters {
    /// The hash of the label.
    pub hash: HashingAlgorithm,
    /// The hash of the mask.
    pub mask_hash: HashingAlgorithm,
    /// The label.
    pub label: Vec<u8>,
}

/// Encrypts.
pub(crate) fn encrypt(key: &RsaPublic, parameters: &Parameters, data: &[u8]) -> Result<Vec<u8>> {
    let key = public(key)?;
    let label = parameters.label.clone();
    let encrypted = with_digest!(parameters.hash, D => {
        with_digest!(parameters.mask_hash, M => {
            let padding = Oaep::<D, M>::new_with_mgf_hash_and_label(label);
            Ok(key.encrypt(&mut Random, padding, data))
        })
    })?;
    encrypted.map_err(|_| Error::data("the data is too long for this key with this padding"))
}

/// Decrypts.
pub(crate) fn decrypt(
    key: &RsaPrivate,
    parameters: &Parameters,
    data: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    if let Some(algorithm) = fast_algorithm(parameters)
        && let Some(decrypting) = fast_decrypting(key)
    {
        return fast_decrypt(decrypting, algorithm, parameters, data);
    }
    let key = private(key)?;
    let label = parameters.label.clone();
    let decrypted = with_digest!(parameters.hash, D => {
        with_digest!(parameters.mask_hash, M => {
            let padding = Oaep::<D, M>::new_with_mgf_hash_and_label(label);
            Ok(key.decrypt_blinded(&mut Random, padding, data))
        })
    })?;
    decrypted.map(Zeroizing::new).map_err(|_| Error::Failed)
}

/// The algorithm of aws-lc-rs, which has one hash for both.
fn fast_algorithm(parameters: &Parameters) -> Option<&'static fast::OaepAlgorithm> {
    if parameters.hash != parameters.mask_hash {
        return None;
    }
    Some(match parameters.hash {
        HashingAlgorithm::SHA_1 => &fast::OAEP_SHA1_MGF1SHA1,
        HashingAlgorithm::SHA_256 => &fast::OAEP_SHA256_MGF1SHA256,
        HashingAlgorithm::SHA_384 => &fast::OAEP_SHA384_MGF1SHA384,
        HashingAlgorithm::SHA_512 => &fast::OAEP_SHA512_MGF1SHA512,
        _ => return None,
    })
}

fn fast_decrypt(
    key: fast::PrivateDecryptingKey,
    algorithm: &'static fast::OaepAlgorithm,
    parameters: &Parameters,
    data: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    let key = fast::OaepPrivateDecryptingKey::new(key).map_err(|_| Error::Failed)?;
    let mut room = Zeroizing::new(vec![0; key.min_output_size()]);
    let label = (!parameters.label.is_empty()).then_some(parameters.label.as_slice());
    let plain = key.decrypt(algorithm, data, &mut room, label).map_err(|_| Error::Failed)?;
    Ok(Zeroizing::new(plain.to_vec()))
}
