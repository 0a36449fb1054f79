//! When a key may be used, and what the settings let operations do; and random bytes: RNG Retrieve
//! and RNG Seed.

use crate::config::RngSeed;
use crate::config::policy::Policy;
use kmip::InputData;
use kmip::payload::{
    DecryptRequest, EncryptRequest, MACRequest, RNGRetrieveRequest, RNGSeedRequest,
};
use kmip::structures::CryptographicParameters;
use kmip::vocabulary::{BlockCipherMode, HashingAlgorithm};

use crate::tests::harness::*;
use crate::tests::known_answers::served::{data, hash};

const V1_4: Version = Version::V1_4;

/// One row a key that may not be used so: its attributes, and the reason in 2.1 of Encrypt and of
/// Decrypt (2.1, 4.17, 4.38, 4.40 and 4.57).
#[tokio::test]
async fn when_a_key_may_be_used() {
    use AttributeValue as V;
    let harness = Harness::new();
    let (past, future) = (DateTime(1), DateTime(i64::MAX));
    let state = Some(ResultReason::WrongKeyLifecycleState);
    let active = V::ActivationDate(past);
    type Row = (&'static str, Vec<AttributeValue>, Option<ResultReason>, Option<ResultReason>);
    let rows: &[Row] = &[
        ("active", vec![active.clone()], None, None),
        ("not yet active", vec![], state, state),
        ("to be active", vec![V::ActivationDate(future)], state, state),
        ("deactivated", vec![active.clone(), V::DeactivationDate(past)], state, None),
        ("protects no more", vec![active.clone(), V::ProtectStopDate(past)], state, None),
        ("processes later", vec![active.clone(), V::ProcessStartDate(future)], None, state),
    ];
    for (what, more, encrypts, decrypts) in rows {
        let key = harness.create(V1_4, more.clone()).await;
        let ecb = Some(Box::new(CryptographicParameters {
            block_cipher_mode: Some(BlockCipherMode::ECB),
            ..CryptographicParameters::default()
        }));
        let encrypt = EncryptRequest {
            unique_identifier: id(&key),
            cryptographic_parameters: ecb.clone(),
            data: data(&[0; 16]),
            ..EncryptRequest::default()
        };
        let decrypt = DecryptRequest {
            unique_identifier: id(&key),
            cryptographic_parameters: ecb,
            data: data(&[0; 16]),
            ..DecryptRequest::default()
        };
        assert_eq!(harness.ask(NEWEST, encrypt).await.err(), *encrypts, "{what}: encrypt");
        assert_eq!(harness.ask(NEWEST, decrypt).await.err(), *decrypts, "{what}: decrypt");
        let mac =
            MACRequest { unique_identifier: id(&key), data: data(b"x"), ..MACRequest::default() };
        let reason = if encrypts.is_some() {
            *encrypts
        } else {
            Some(ResultReason::IncompatibleCryptographicUsageMask)
        };
        assert_eq!(harness.ask(NEWEST, mac).await.err(), reason, "{what}: no mask for MAC");
    }
}

/// KMIP 1.4, 4.35: as many bytes as were asked for, and others each time.
#[tokio::test]
async fn random_bytes() {
    let harness = Harness::new();
    let mut seen = Vec::new();
    for len in [0, 1, 32, 1000] {
        let bytes = harness.ask(V1_4, RNGRetrieveRequest { data_length: len }).await.unwrap().data;
        assert_eq!(bytes.as_bytes().len(), usize::try_from(len).unwrap());
        assert!(len < 32 || !seen.contains(&bytes));
        seen.push(bytes);
    }
    for len in [-1, i32::MAX] {
        assert!(harness.ask(V1_4, RNGRetrieveRequest { data_length: len }).await.is_err());
    }
}

/// KMIP 1.4, 4.36: the server may use all of a seed, some of it, none, or refuse.
#[tokio::test]
async fn seeds() {
    let rows = [
        (RngSeed::All, Ok(40)),
        (RngSeed::Some, Ok(16)),
        (RngSeed::None, Ok(0)),
        (RngSeed::Refuse, Err(ResultReason::PermissionDenied)),
    ];
    for (rng_seed, used) in rows {
        let harness = Harness::ruled(Policy { rng_seed, ..Policy::default() });
        let seed = RNGSeedRequest { data: InputData::from(&[7; 40][..]) };
        let answer = harness.ask(V1_4, seed).await.map(|answer| answer.data_length);
        assert_eq!(answer, used, "{rng_seed:?}");
        let bytes = harness.ask(V1_4, RNGRetrieveRequest { data_length: 64 }).await.unwrap().data;
        assert_ne!(bytes.as_bytes(), [0; 64]);
    }
}

/// What the settings turn off is neither made nor kept nor used.
#[tokio::test]
async fn what_is_turned_off() {
    let disabled = "DES3,ECB,MD5".parse().unwrap();
    let harness = Harness::ruled(Policy { disabled, ..Policy::default() });
    let denied = Some(ResultReason::PermissionDenied);
    let des3 = create_with([
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::DES3),
        AttributeValue::CryptographicUsageMask(CryptographicUsageMask::Encrypt),
    ]);
    assert_eq!(harness.ask(V1_4, des3).await.err(), denied);
    let md5 = hash(Some(HashingAlgorithm::MD5), data(b"x"));
    assert_eq!(harness.ask(V1_4, md5).await.err(), denied);
    let key = harness.create(V1_4, vec![AttributeValue::ActivationDate(DateTime(0))]).await;
    let encrypt = |mode| EncryptRequest {
        unique_identifier: id(&key),
        cryptographic_parameters: Some(Box::new(CryptographicParameters {
            block_cipher_mode: Some(mode),
            ..CryptographicParameters::default()
        })),
        data: data(&[0; 16]),
        ..EncryptRequest::default()
    };
    assert_eq!(harness.ask(V1_4, encrypt(BlockCipherMode::ECB)).await.err(), denied);
    harness.ask(V1_4, encrypt(BlockCipherMode::CBC)).await.unwrap();
}
