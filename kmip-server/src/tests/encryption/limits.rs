//! Limits count what the batches under way add, and not only what is there.

use std::sync::Arc;
use std::time::Duration;

use kmip::InputData;
use kmip::payload::{
    DecryptRequest, DelegatedLoginRequest, EncryptRequest, HashRequest, LoginRequest, Rights,
};
use kmip::structures::CryptographicParameters;
use kmip::vocabulary::{BlockCipherMode, HashingAlgorithm};

use crate::auth::tickets::PER_CLIENT_MAX;
use crate::keystore::async_requests::{
    AsyncRequests, BYTES_MAX, BYTES_PER_CLIENT_MAX, ITEMS_MAX, ITEMS_PER_CLIENT_MAX,
};
use crate::keystore::process_state::ProcessState;
use crate::keystore::processor_pool::ProcessorPool;
use crate::tests::harness::*;
use crate::tests::known_answers::served::{data, register};

/// The most streams that one client has.
const STREAMS: usize = 32;

/// Asks for as many as a message may hold, in one message: so many are done, and the next is
/// refused. One that is undone takes no place.
async fn fill(request: impl Fn() -> RequestPayload, most: usize) {
    let harness = Harness::new();
    for (on_error, done) in
        [(BatchErrorContinuationOption::Undo, 0), (BatchErrorContinuationOption::Stop, most)]
    {
        let items = (0..100).map(|_| request()).collect();
        let items = harness.batch_with(NEWEST, Some(on_error), items).await;
        assert_eq!(items.len(), most + 1, "the item after the last place ends the batch");
        let of = |status| items.iter().filter(|item| item.result_status == status).count();
        assert_eq!(of(ResultStatus::Success), done, "{on_error:?}");
        let last = items.last().unwrap();
        assert_eq!(last.result_reason, Some(ResultReason::ServerLimitExceeded));
    }
    let more = harness.batch(NEWEST, vec![request()]).await.remove(0);
    assert_eq!(more.result_reason, Some(ResultReason::ServerLimitExceeded));
    let other = harness.beside("bob").batch(NEWEST, vec![request()]).await.remove(0);
    assert_eq!(other.result_status, ResultStatus::Success, "another client has its own places");
}

#[tokio::test]
async fn streams_of_one_batch_count() {
    let first = || {
        RequestPayload::from(HashRequest {
            cryptographic_parameters: Box::new(CryptographicParameters {
                hashing_algorithm: Some(HashingAlgorithm::SHA_256),
                ..CryptographicParameters::default()
            }),
            data: data(b"a"),
            correlation_value: None,
            init_indicator: Some(true),
            final_indicator: None,
        })
    };
    fill(first, STREAMS).await;
}

#[tokio::test]
async fn tickets_of_one_batch_count() {
    fill(|| LoginRequest::default().into(), PER_CLIENT_MAX).await;
    let delegated = || {
        RequestPayload::from(DelegatedLoginRequest {
            lease_time: None,
            request_count: None,
            usage_limits: None,
            rights: Rights { rights: Vec::new() },
        })
    };
    fill(delegated, PER_CLIENT_MAX).await;
}

/// Results that batches under way will keep count, of one client and of all.
#[test]
fn results_of_asynchronous_batches_under_way_count() {
    let requests = AsyncRequests::default();
    let submit = |owner: &str| requests.submit(owner, &[Operation::Get], 1).unwrap();
    let (one, other) = (submit("alice"), submit("alice"));
    let most = BYTES_PER_CLIENT_MAX;
    assert!(requests.reserve("alice", &one.all, &[most]));
    assert!(requests.reserve("alice", &one.all, &[most]), "a batch that is done again");
    assert!(!requests.reserve("alice", &other.all, &[1]), "the first will be kept");
    assert!(requests.reserve("alice", &one.all, &[most - 1]));
    assert!(requests.reserve("alice", &other.all, &[1]));
    let clients = BYTES_MAX / most;
    for client in 1..clients {
        let owner = client.to_string();
        assert!(requests.reserve(&owner, &submit(&owner).all, &[most]), "{client}");
    }
    let last = requests.submit("last", &[Operation::Get], 1);
    assert!(last.is_err_and(|error| error.reason == ResultReason::ServerLimitExceeded));
}

/// Everything beside the store that operations add to, and what bounds it. A new member fails to
/// compile here until it has a line.
#[test]
fn every_part_of_the_process_state_has_a_bound() {
    let ProcessState {
        // Turns of work under way, bounded where they are given; see its tests.
        processor: _,
        // Given by the settings.
        pkcs11: _,
        authority: _,
        last_check: _,
        client_authorities: _,
        push_targets: _,
        // One queue a client, taken under its lock at once and not by effects; see its tests.
        notifications: _,
        // One state of 32 bytes.
        pool: _,
        // Places are reserved by the batch that takes them: the tests above.
        streams: _,
        tickets: _,
        // Places are taken before the batch begins, and bytes reserved.
        async_requests,
    } = ProcessState::default();
    for owner in 0..ITEMS_MAX / ITEMS_PER_CLIENT_MAX {
        let items = vec![Operation::Get; ITEMS_PER_CLIENT_MAX];
        let owner = owner.to_string();
        assert!(async_requests.submit(&owner, &items, 1).is_ok());
        assert!(async_requests.submit(&owner, &[Operation::Get], 1).is_err(), "its own are taken");
    }
    assert!(async_requests.submit("another", &[Operation::Get], 1).is_err(), "all are taken");
}

/// Additional data takes as long as data: a request with much of it waits for its turn.
#[tokio::test]
async fn additional_data_is_work_as_data_is() {
    let pool = Arc::new(ProcessorPool::new(1));
    let state = ProcessState { processor: Arc::clone(&pool), ..ProcessState::default() };
    let harness = Harness::living(state);
    let key = register(&harness, CryptographicAlgorithm::AES, &[1; 16], vec![]).await;
    let gcm = CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::GCM),
        ..CryptographicParameters::default()
    };
    let encrypt = EncryptRequest {
        unique_identifier: id(&key),
        cryptographic_parameters: Some(Box::new(gcm.clone())),
        data: data(b"a"),
        iv_counter_nonce: Some(vec![1; 12]),
        authenticated_encryption_additional_data: Some(SecretBytes::new(&[0; 32 << 10])),
        ..EncryptRequest::default()
    };
    let encrypted = harness.ask(NEWEST, encrypt.clone()).await.unwrap();
    let decrypt = DecryptRequest {
        unique_identifier: id(&key),
        cryptographic_parameters: Some(Box::new(gcm)),
        data: encrypted.data.map(|data| InputData::from(data.as_bytes())),
        iv_counter_nonce: Some(vec![1; 12]),
        authenticated_encryption_additional_data: encrypt
            .authenticated_encryption_additional_data
            .clone(),
        authenticated_encryption_tag: encrypted.authenticated_encryption_tag,
        ..DecryptRequest::default()
    };
    for request in [RequestPayload::from(encrypt), RequestPayload::from(decrypt)] {
        let permit = pool.acquire("another client", Duration::from_millis(1)).await;
        let at = harness.beside("alice");
        let mut asked = tokio::spawn(async move { at.batch(NEWEST, vec![request]).await });
        tokio::select! {
            () = pool.until_one_waits() => {}
            _ = &mut asked => panic!("it was done beside the other client's work"),
        }
        drop(permit);
        assert_eq!(asked.await.unwrap()[0].result_status, ResultStatus::Success);
    }
}
