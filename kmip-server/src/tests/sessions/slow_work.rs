//! Slow work draws from one pool by whatever way it comes, and what cannot be answered is not done.

use std::sync::Arc;
use std::time::Duration;

use kmip::InputData;
use kmip::message::Asynchronous;
use kmip::objects::OpaqueObject;
use kmip::payload::{CreateKeyPairRequest, PollRequest, ProcessRequest, SignRequest};
use kmip::vocabulary::{AsynchronousIndicator, OpaqueDataType};
use tokio::sync::watch;

use super::guarded_reads::{World, rows};
use crate::auth::client::Client;
use crate::config::policy::Policy;
use crate::dispatch::response::TOLD_WHEN_UNDONE;
use crate::keystore::process_state::ProcessState;
use crate::keystore::processor_pool::ProcessorPool;
use crate::operations::availability;
use crate::secret::SecretBuffer;
use crate::tests::harness::*;

fn pair() -> RequestPayload {
    super::guarded_reads::requests::pair(vec![]).into()
}

fn harness(pool: &Arc<ProcessorPool>) -> Harness {
    let state = ProcessState { processor: Arc::clone(pool), ..ProcessState::default() };
    Harness::living(state)
}

/// Ways in which a client can ask for something slow.
#[derive(Clone, Copy, Debug)]
enum Way {
    AtOnce,
    Later,
    Processed,
}

async fn ask(harness: &Harness, way: Way) -> ResponseBatchItem {
    let mut header = RequestHeader::new(NEWEST, 1);
    if !matches!(way, Way::AtOnce) {
        header.asynchronous_indicator = Some(Asynchronous(AsynchronousIndicator::Mandatory));
    }
    let request = RequestMessage { header, items: vec![RequestBatchItem::from(pair())] };
    let item = harness.message(&request).await.items.remove(0);
    let Some(value) = item.asynchronous_correlation_value.clone() else { return item };
    if let Way::Processed = way {
        let request = ProcessRequest { asynchronous_correlation_value: value.clone() };
        harness.ask(NEWEST, request).await.unwrap();
    }
    loop {
        let request = PollRequest { asynchronous_correlation_value: value.clone() };
        let item = harness.batch(NEWEST, vec![request.into()]).await.remove(0);
        if item.result_status != ResultStatus::OperationPending {
            return item;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn slow_work_waits_for_a_permit_by_whatever_way_it_comes() {
    for way in [Way::AtOnce, Way::Later, Way::Processed] {
        let pool = Arc::new(ProcessorPool::new(1));
        let at = harness(&pool);
        let permit = pool.acquire("another client", Duration::from_millis(1)).await;
        let asked = tokio::spawn(async move { ask(&at, way).await });
        pool.until_one_waits().await;
        assert!(!asked.is_finished(), "{way:?}");
        drop(permit);
        assert_eq!(asked.await.unwrap().result_status, ResultStatus::Success, "{way:?}");
    }
}

#[tokio::test]
async fn a_message_has_so_much_of_the_processor_and_no_more() {
    let rules = Policy { message_work: Duration::from_millis(1), ..Policy::default() };
    let at = Harness::ruled(rules);
    let go_on = Some(BatchErrorContinuationOption::Continue);
    let items = at.batch_with(NEWEST, go_on, vec![pair(), pair(), aes(vec![]).into()]).await;
    let reasons: Vec<_> = items.iter().map(|item| item.result_reason).collect();
    assert_eq!(reasons, [None, Some(ResultReason::ServerLimitExceeded), None]);
}

#[tokio::test]
async fn nothing_is_done_for_a_client_that_is_gone() {
    let at = Harness::new();
    let (departure, departed) = watch::channel(false);
    let gone = at.as_client(Client { departed: Some(departed), ..client("alice") });
    departure.send_replace(true);
    let items = gone.batch(NEWEST, vec![aes(vec![name("a")]).into()]).await;
    assert_eq!(items[0].result_reason, Some(ResultReason::OperationCanceledByRequester));
    let located = at.ask(NEWEST, locate(vec![name("a")])).await.unwrap();
    assert!(located.unique_identifiers.is_empty());
}

#[tokio::test]
async fn a_client_that_leaves_while_it_waits_is_not_waited_for() {
    let pool = Arc::new(ProcessorPool::new(1));
    let at = harness(&pool);
    let permit = pool.acquire("another client", Duration::from_millis(1)).await;
    let (departure, departed) = watch::channel(false);
    let leaving = at.as_client(Client { departed: Some(departed), ..client("alice") });
    let asked = tokio::spawn(async move { leaving.batch(NEWEST, vec![pair()]).await });
    pool.until_one_waits().await;
    departure.send_replace(true);
    let items = asked.await.unwrap();
    assert_eq!(items[0].result_reason, Some(ResultReason::OperationCanceledByRequester));
    drop(permit);
}

/// Every operation with each of its rows: an answer that cannot be written, or is too long, or for
/// which the client has no room, has no effect.
#[tokio::test]
async fn what_cannot_be_answered_is_not_done() {
    let no_form = |_: SecretBuffer| Err("no form".to_owned());
    for operation in availability::served() {
        let at = World::new();
        for (number, row) in rows::of(&at, operation).await.into_iter().enumerate() {
            let before = at.content().await;
            let count = i32::try_from(row.items.len()).unwrap();
            let header = RequestHeader::new(row.version, count);
            let items = row.items.into_iter().map(RequestBatchItem::from).collect();
            let frame = RequestMessage { header, items }.encode();
            at.harness.bytes_as(&frame, &no_form).await;
            assert!(at.content().await == before, "{operation:?}, row {number}");
        }
    }
}

/// A batch ends where its answer would be too long; what was done before stays.
#[tokio::test]
async fn answers_have_a_length_that_they_keep() {
    let rules = Policy { response_len_max: 2_000, ..Policy::default() };
    let at = Harness::ruled(rules);
    let key = at.create(NEWEST, vec![]).await;
    let get_often = |count| std::iter::repeat_with(|| get(&key).into()).take(count).collect();
    let go_on = Some(BatchErrorContinuationOption::Continue);
    let items = at.batch_with(NEWEST, go_on, get_often(5)).await;
    assert!(items.iter().all(|item| item.result_reason.is_none()));
    let mut items: Vec<RequestPayload> = get_often(20);
    items.push(aes(vec![name("last")]).into());
    let items = at.batch_with(NEWEST, go_on, items).await;
    let last = items.last().unwrap();
    assert_eq!(last.result_reason, Some(ResultReason::ResponseTooLarge));
    let located = at.ask(NEWEST, locate(vec![name("last")])).await.unwrap();
    assert!(located.unique_identifiers.is_empty(), "what is not answered is not done");
}

/// A part of a message that is signed with Ed25519, which needs all of it at the end; the value to
/// go on with, if there is one.
async fn part(
    at: &Harness,
    key: &str,
    before: Option<Vec<u8>>,
    is_last: bool,
) -> Result<Option<Vec<u8>>, ResultReason> {
    let request = SignRequest {
        unique_identifier: id(key),
        data: Some(InputData::Bytes(SecretBytes::new(&[0; 40_000]))),
        init_indicator: Some(before.is_none()),
        final_indicator: Some(is_last),
        correlation_value: before,
        ..SignRequest::default()
    };
    at.ask(NEWEST, request).await.map(|answer| answer.correlation_value)
}

async fn signing_key(at: &Harness) -> String {
    let mask = || Some(Attributes::new([AttributeValue::CryptographicUsageMask(ALL)]));
    let request = CreateKeyPairRequest {
        common_attributes: Some(Attributes::new([
            AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::Ed25519),
            AttributeValue::ActivationDate(DateTime(1)),
        ])),
        private_key_attributes: mask(),
        public_key_attributes: mask(),
        ..CreateKeyPairRequest::default()
    };
    at.ask(NEWEST, request).await.unwrap().private_key_unique_identifier
}

const ALL: CryptographicUsageMask = CryptographicUsageMask(0x000F_FFFF);

/// What waits for the end of a message is part of its client's share.
#[tokio::test]
async fn messages_in_parts_hold_no_more_than_their_clients_share() {
    let at = Harness::ruled(Policy { held_bytes_per_client_max: 100_000, ..Policy::default() });
    let other = at.beside("bob");
    let (key, others) = (signing_key(&at).await, signing_key(&other).await);
    let first = part(&at, &key, None, false).await.unwrap();
    let second = part(&at, &key, None, false).await.unwrap();
    let refused = Err(ResultReason::ServerLimitExceeded);
    assert_eq!(part(&at, &key, first, false).await, refused);
    assert_eq!(part(&at, &key, None, false).await, refused);
    let theirs = part(&other, &others, None, false).await.unwrap();
    part(&other, &others, theirs, false).await.expect("another has a share of its own");
    part(&at, &key, second, true).await.unwrap();
    part(&at, &key, None, false).await.expect("what has come to its end is let go");
}

/// Answers that wait for the other items of their batch are part of their client's share.
#[tokio::test]
async fn answers_of_a_batch_hold_no_more_than_their_clients_share() {
    let at = Harness::ruled(Policy { held_bytes_per_client_max: 100_000, ..Policy::default() });
    let object = Object::OpaqueObject(OpaqueObject {
        opaque_data_type: OpaqueDataType(0x8000_0001),
        opaque_data_value: SecretBytes::new(&[7; 40_000]),
    });
    let request = RegisterRequest {
        object_type: ObjectType::OpaqueObject,
        attributes: Attributes::default(),
        object,
        protection_storage_masks: None,
    };
    let object = at.ask(NEWEST, request).await.unwrap().unique_identifier;
    let gets = vec![get(&object).into(); 4];
    let go_on = Some(BatchErrorContinuationOption::Continue);
    for _ in 0..2 {
        let items = at.batch_with(NEWEST, go_on, gets.clone()).await;
        let reasons: Vec<_> = items.iter().map(|item| item.result_reason).collect();
        let refused = Some(ResultReason::ServerLimitExceeded);
        assert_eq!(reasons, [None, None, refused, refused]);
    }
}

/// What a search has found is part of its client's share while it goes on.
#[tokio::test]
async fn search_holds_no_more_than_its_clients_share() {
    let at = Harness::ruled(Policy { held_bytes_per_client_max: 100_000, ..Policy::default() });
    for _ in 0..20 {
        at.batch(NEWEST, vec![aes(vec![]).into(); 100]).await;
    }
    assert_eq!(at.ask(NEWEST, locate(vec![])).await, Err(ResultReason::ServerLimitExceeded));
    let some = LocateRequest { maximum_items: Some(1_000), ..locate(vec![]) };
    let found = at.ask(NEWEST, some).await.unwrap();
    assert_eq!((found.unique_identifiers.len(), found.located_items), (1_000, Some(2_000)));
    assert_eq!(at.beside("bob").ask(NEWEST, locate(vec![])).await.unwrap().located_items, Some(0));
}

/// Operations whose answers give out what a client may not have of an item that was undone: results
/// of keys, keys, allocations, tickets, or what is said of objects and of the server.
const GIVE_OUT: &[Operation] = &[
    Operation::Cancel,
    Operation::Decrypt,
    Operation::DelegatedLogin,
    Operation::DiscoverVersions,
    Operation::Encrypt,
    Operation::Export,
    Operation::Get,
    Operation::GetAttributeList,
    Operation::GetAttributes,
    Operation::GetConstraints,
    Operation::GetUsageAllocation,
    Operation::Hash,
    Operation::Interop,
    Operation::Log,
    Operation::Login,
    Operation::Logout,
    Operation::MAC,
    Operation::MACVerify,
    Operation::ObtainLease,
    Operation::PKCS_11,
    Operation::Ping,
    Operation::Poll,
    Operation::Process,
    Operation::Query,
    Operation::QueryAsynchronousRequests,
    Operation::RNGRetrieve,
    Operation::RNGSeed,
    Operation::ReProvision,
    Operation::SetConstraints,
    Operation::SetDefaults,
    Operation::SetEndpointRole,
    Operation::Sign,
    Operation::SignatureVerify,
    Operation::Validate,
];

/// A use of a key that is undone is not counted, and a message in parts stands where it was: so
/// nothing that came of it is given out.
#[tokio::test]
async fn what_is_undone_gives_nothing_out() {
    for operation in availability::served() {
        let is_told = TOLD_WHEN_UNDONE.contains(&operation);
        assert_ne!(is_told, GIVE_OUT.contains(&operation), "{operation:?} is classified once");
        let at = World::new();
        for (number, row) in rows::of(&at, operation).await.into_iter().enumerate() {
            let mut items = row.items;
            items.push(get("none").into());
            let undo = Some(BatchErrorContinuationOption::Undo);
            let items = at.harness.batch_with(row.version, undo, items).await;
            let undone = items.iter().filter(|i| i.result_status == ResultStatus::OperationUndone);
            for item in undone {
                let told = item.operation.is_some_and(|o| TOLD_WHEN_UNDONE.contains(&o));
                assert!(told || item.payload.is_none(), "{operation:?}, row {number}: {item:?}");
            }
        }
    }
}
