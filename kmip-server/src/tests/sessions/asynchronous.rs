//! Requests that are answered later (1.4, 4.27, 4.28 and 6.7; 2.1, 6.1.5, 6.1.38, 6.1.39, 6.1.41
//! and 9.2; usage guide 2.1, 2.6 and 3.33 to 3.36).

use std::sync::Arc;
use std::time::Duration;

use crate::config::policy::Policy;
use crate::keystore::async_requests::ITEMS_PER_CLIENT_MAX;
use crate::keystore::process_state::ProcessState;
use crate::keystore::processor_pool::ProcessorPool;
use crate::store::memory_store::MemoryStore;
use kmip::message::Asynchronous;
use kmip::payload::{
    AsynchronousCorrelationValues, AsynchronousRequest, CancelRequest, EncryptRequest, PollRequest,
    ProcessRequest, QueryAsynchronousRequestsRequest,
};
use kmip::structures::{Operations, UsageLimits};
use kmip::vocabulary::{
    AsynchronousIndicator, CancellationResult, ProcessingStage, UsageLimitsUnit,
};
use ttlv::Tag;

use crate::tests::harness::*;
use crate::tests::known_answers::served::data;
use crate::tests::sessions::blocking_store::BlockingStore;
use crate::tests::sessions::guarded_reads::requests;

/// A message that takes no answer but a later one.
async fn submit(
    harness: &Harness,
    version: Version,
    on_error: Option<BatchErrorContinuationOption>,
    items: Vec<RequestPayload>,
) -> Vec<ResponseBatchItem> {
    let mut header = RequestHeader::new(version, i32::try_from(items.len()).unwrap());
    header.asynchronous_indicator = Some(Asynchronous(AsynchronousIndicator::Mandatory));
    header.batch_error_continuation_option = on_error;
    let items = items.into_iter().map(RequestBatchItem::from).collect();
    harness.message(&RequestMessage { header, items }).await.items
}

/// Its correlation values.
async fn submitted(harness: &Harness, items: Vec<RequestPayload>) -> Vec<Vec<u8>> {
    let count = items.len();
    let items = submit(harness, NEWEST, None, items).await;
    assert_eq!(items.len(), count);
    let value = |item: ResponseBatchItem| {
        assert_eq!(item.result_status, ResultStatus::OperationPending);
        assert_eq!((item.payload, item.result_reason), (None, None));
        item.asynchronous_correlation_value.expect("a value to poll for")
    };
    items.into_iter().map(value).collect()
}

async fn poll(harness: &Harness, version: Version, value: &[u8]) -> ResponseBatchItem {
    let request = PollRequest { asynchronous_correlation_value: value.to_vec() };
    harness.batch(version, vec![request.into()]).await.remove(0)
}

/// Polls until it is no longer pending; what Process is for.
async fn finished(harness: &Harness, value: &[u8]) -> ResponseBatchItem {
    let request = ProcessRequest { asynchronous_correlation_value: value.to_vec() };
    let processed = harness.ask(NEWEST, request).await;
    assert!(matches!(processed, Ok(_) | Err(ResultReason::DuplicateProcessRequest)));
    let item = poll(harness, NEWEST, value).await;
    assert_ne!(item.result_status, ResultStatus::OperationPending, "Process was answered");
    item
}

async fn cancel(harness: &Harness, value: &[u8]) -> CancellationResult {
    let request = CancelRequest { asynchronous_correlation_value: value.to_vec() };
    let answer = harness.ask(NEWEST, request).await.unwrap();
    assert_eq!(answer.asynchronous_correlation_value, value);
    answer.cancellation_result
}

async fn outstanding(
    harness: &Harness,
    values: Vec<Vec<u8>>,
    operations: Vec<Operation>,
) -> Vec<AsynchronousRequest> {
    let request = QueryAsynchronousRequestsRequest {
        asynchronous_correlation_values: (!values.is_empty())
            .then_some(AsynchronousCorrelationValues { asynchronous_correlation_values: values }),
        operations: (!operations.is_empty()).then_some(Operations { operations }),
    };
    harness.ask(NEWEST, request).await.unwrap().asynchronous_requests
}

#[tokio::test]
async fn the_result_of_a_poll_is_the_answer_that_would_have_come_at_once() {
    let store = BlockingStore::new();
    let harness = Harness::over(store.clone());
    let values = submitted(&harness, vec![aes(vec![name("slow")]).into()]).await;
    let item = poll(&harness, NEWEST, &values[0]).await;
    assert_eq!(item.result_status, ResultStatus::OperationPending);
    assert_eq!(item.payload, None);
    let located = harness.ask(NEWEST, locate(vec![name("slow")])).await.unwrap();
    assert!(located.unique_identifiers.is_empty(), "nothing is done before it is durable");

    store.let_through(1);
    let item = finished(&harness, &values[0]).await;
    assert_eq!(item.result_status, ResultStatus::Success);
    assert_eq!(item.operation, Some(Operation::Create));
    let located = harness.ask(NEWEST, locate(vec![name("slow")])).await.unwrap();
    assert_eq!(located.unique_identifiers, [created(&item)]);
    // The answer may have been lost with its connection, and what it is polled in is free.
    assert_eq!(created(&poll(&harness, OLDEST, &values[0]).await), created(&item));
}

#[tokio::test]
async fn the_items_of_a_message_are_one_batch_then_as_now() {
    let harness = Harness::new();
    let items = vec![
        aes(vec![name("a")]).into(),
        ActivateRequest { unique_identifier: None }.into(),
        get_as(None, None).into(),
    ];
    let values = submitted(&harness, items).await;
    let mut operations = Vec::new();
    for value in &values {
        let item = finished(&harness, value).await;
        assert_eq!(item.result_status, ResultStatus::Success);
        operations.extend(item.operation);
    }
    assert_eq!(operations, [Operation::Create, Operation::Activate, Operation::Get]);

    // Undo takes back what was done, and what came after the failure was not begun.
    let undo = Some(BatchErrorContinuationOption::Undo);
    let items = vec![aes(vec![name("b")]).into(), get("none").into(), aes(vec![]).into()];
    let items = submit(&harness, NEWEST, undo, items).await;
    let mut statuses = Vec::new();
    for item in items {
        let value = item.asynchronous_correlation_value.unwrap();
        let item = finished(&harness, &value).await;
        statuses.push((item.result_status, item.result_reason));
    }
    assert_eq!(
        statuses,
        [
            (ResultStatus::OperationUndone, None),
            (ResultStatus::OperationFailed, Some(ResultReason::ObjectNotFound)),
            (ResultStatus::OperationFailed, Some(ResultReason::GeneralFailure)),
        ]
    );
    let located = harness.ask(NEWEST, locate(vec![name("b")])).await.unwrap();
    assert!(located.unique_identifiers.is_empty());
}

/// One row a message: version, indicator, what it asks for, and how it is answered now.
#[tokio::test]
async fn what_may_be_answered_later_and_what_may_not() {
    use AsynchronousIndicator as Indicator;
    let harness = Harness::new();
    let create = || RequestPayload::from(aes(vec![]));
    let pair = || {
        let payload =
            Raw::build(|w| w.structure(tags::RequestPayload, |w| w.integer(Tag(0x54_0001), 1)));
        RequestPayload::Unknown(UnknownPayload { operation: Operation::CreateKeyPair, payload })
    };
    let poll =
        || RequestPayload::from(PollRequest { asynchronous_correlation_value: b"none".to_vec() });
    let (now, later) = (ResultStatus::Success, ResultStatus::OperationPending);
    let rows = [
        (Version::V1_4, Indicator::Optional, vec![create()], (now, None)),
        (Version::V1_4, Indicator::Optional, vec![pair()], (later, None)),
        (Version::V1_4, Indicator::Optional, vec![create(), pair()], (later, None)),
        (NEWEST, Indicator::Optional, vec![create()], (now, None)),
        (NEWEST, Indicator::Prohibited, vec![create()], (now, None)),
        (NEWEST, Indicator::Mandatory, vec![create()], (later, None)),
        (
            NEWEST,
            Indicator::Mandatory,
            vec![poll()],
            (
                ResultStatus::OperationFailed,
                Some(ResultReason::InvalidAsynchronousCorrelationValue),
            ),
        ),
        (Version::V1_4, Indicator::Optional, vec![poll()], {
            (ResultStatus::OperationFailed, Some(ResultReason::ItemNotFound))
        }),
        (
            NEWEST,
            Indicator::Mandatory,
            vec![create(), poll()],
            (ResultStatus::OperationFailed, Some(ResultReason::InvalidField)),
        ),
        (
            NEWEST,
            AsynchronousIndicator(0x8000_0009),
            vec![create()],
            (ResultStatus::OperationFailed, Some(ResultReason::InvalidField)),
        ),
        (
            NEWEST,
            AsynchronousIndicator(9),
            vec![create()],
            (ResultStatus::OperationFailed, Some(ResultReason::InvalidMessage)),
        ),
    ];
    for (version, indicator, items, expected) in rows {
        let mut header = RequestHeader::new(version, i32::try_from(items.len()).unwrap());
        header.asynchronous_indicator = Some(Asynchronous(indicator));
        let items = items.into_iter().map(RequestBatchItem::from).collect();
        let response = harness.message(&RequestMessage { header, items }).await;
        let found = (response.items[0].result_status, response.items[0].result_reason);
        assert_eq!(found, expected, "{version} {indicator:?}");
    }
}

/// Usage guide 2.1, 3.33.
#[tokio::test]
async fn cancel_is_in_time_until_the_request_is_begun() {
    let store = BlockingStore::new();
    let processor = Arc::new(ProcessorPool::new(1));
    let state = ProcessState { processor, ..ProcessState::default() };
    let harness = Harness::with(store.clone(), Policy::default(), state);
    let begun = submitted(&harness, vec![aes(vec![]).into()]).await;
    // It is at work, before the shut store; the next two wait for their turn.
    for value in &begun {
        while outstanding(&harness, vec![value.clone()], vec![]).await[0].processing_stage
            != ProcessingStage::InProcess
        {
            tokio::task::yield_now().await;
        }
    }
    let waits = submitted(&harness, vec![aes(vec![name("canceled")]).into()]).await.remove(0);
    let two = submitted(&harness, vec![aes(vec![]).into(), aes(vec![]).into()]).await;
    assert_eq!(cancel(&harness, &begun[0]).await, CancellationResult::UnableToCancel);
    assert_eq!(cancel(&harness, &two[0]).await, CancellationResult::UnableToCancel, "one of two");
    assert_eq!(cancel(&harness, b"none").await, CancellationResult::Unavailable);
    let other = harness.beside("bob");
    assert_eq!(cancel(&other, &waits).await, CancellationResult::Unavailable, "another's");
    assert_eq!(cancel(&harness, &waits).await, CancellationResult::Canceled);
    assert_eq!(cancel(&harness, &waits).await, CancellationResult::Canceled, "again");
    let item = poll(&harness, NEWEST, &waits).await;
    assert_eq!(item.result_reason, Some(ResultReason::OperationCanceledByRequester));

    store.let_through(2);
    let item = finished(&harness, &begun[0]).await;
    assert_eq!(cancel(&harness, &begun[0]).await, CancellationResult::Completed);
    assert_eq!(item.result_status, ResultStatus::Success);
    let failed = submitted(&harness, vec![get("none").into()]).await;
    assert_eq!(finished(&harness, &failed[0]).await.result_status, ResultStatus::OperationFailed);
    assert_eq!(cancel(&harness, &failed[0]).await, CancellationResult::Failed);
    for value in begun.iter().chain(&two) {
        finished(&harness, value).await;
    }
    let located = harness.ask(NEWEST, locate(vec![name("canceled")])).await.unwrap();
    assert!(located.unique_identifiers.is_empty(), "what was canceled was never done");
}

/// Usage guide 2.1, 3.35.
#[tokio::test]
async fn a_client_finds_what_it_has_lost_sight_of_and_no_other_does() {
    let store = BlockingStore::new();
    let harness = Harness::over(store.clone());
    let values = submitted(&harness, vec![aes(vec![]).into(), aes(vec![]).into()]).await;
    let find = submitted(&harness, vec![locate(vec![]).into()]).await.remove(0);
    let all = outstanding(&harness, vec![], vec![]).await;
    assert_eq!(all.len(), 3);
    let by_operation = outstanding(&harness, vec![], vec![Operation::Locate]).await;
    assert_eq!(by_operation.len(), 1);
    assert_eq!(by_operation[0].asynchronous_correlation_value, find);
    assert_eq!(by_operation[0].operation, Operation::Locate);
    let by_value = outstanding(&harness, vec![values[1].clone()], vec![]).await;
    assert_eq!(by_value[0].operation, Operation::Create);
    assert!(by_value[0].submission_date.0 > 1_700_000_000_000_000, "microseconds since 1970");
    assert!(outstanding(&harness.beside("bob"), vec![], vec![]).await.is_empty());
    let item = poll(&harness.beside("bob"), NEWEST, &find).await;
    assert_eq!(item.result_reason, Some(ResultReason::InvalidAsynchronousCorrelationValue));

    store.let_through(2);
    finished(&harness, &find).await;
    assert_eq!(outstanding(&harness, vec![], vec![]).await.len(), 2, "what was polled is told");
    for value in &values {
        finished(&harness, value).await;
    }
    assert!(outstanding(&harness, vec![], vec![]).await.is_empty());
}

/// What takes long and is answered later has a turn for each item, and what is quick needs none.
#[tokio::test]
async fn message_that_is_answered_later_takes_turns_item_by_item() {
    let processor = Arc::new(ProcessorPool::new(1));
    let state = ProcessState { processor: Arc::clone(&processor), ..ProcessState::default() };
    let alice = Harness::living(state);
    let bob = alice.beside("bob");
    let others = processor.acquire("another", Duration::from_millis(1)).await;
    let pairs = vec![requests::pair(vec![]).into(); 3];
    let slow = submitted(&alice, pairs).await;
    processor.until_one_waits().await;
    let quick = submitted(&bob, vec![requests::create()]).await;
    let created = finished(&bob, &quick[0]).await;
    assert_eq!(created.result_status, ResultStatus::Success, "what is quick waits for nobody");
    // Who asks for a turn while the first item has its own is next.
    let asked = processor.acquire("bob", Duration::from_millis(1));
    let (permit, ()) = tokio::join!(asked, async { drop(others) });
    let last = poll(&alice, NEWEST, &slow[2]).await;
    assert_eq!(last.result_status, ResultStatus::OperationPending, "not all items in one turn");
    drop(permit);
    let last = finished(&alice, &slow[2]).await;
    assert_eq!(last.result_status, ResultStatus::Success);
}

/// 2.1, 6.1.39; usage guide 2.1, 3.36.
#[tokio::test]
async fn what_is_processed_is_done_when_process_is_answered_and_once() {
    let harness = Harness::new();
    let value = submitted(&harness, vec![aes(vec![]).into()]).await.remove(0);
    let request = || ProcessRequest { asynchronous_correlation_value: value.clone() };
    harness.ask(NEWEST, request()).await.unwrap();
    assert_eq!(poll(&harness, NEWEST, &value).await.result_status, ResultStatus::Success);
    let again = harness.ask(NEWEST, request()).await;
    assert_eq!(again.err(), Some(ResultReason::DuplicateProcessRequest));
    let unknown = ProcessRequest { asynchronous_correlation_value: vec![0; 16] };
    let answer = harness.ask(NEWEST, unknown).await;
    assert_eq!(answer.err(), Some(ResultReason::InvalidAsynchronousCorrelationValue));
}

#[tokio::test]
async fn a_client_that_never_polls_is_told_so() {
    let harness = Harness::new();
    let items = |count| (0..count).map(|_| locate(vec![]).into()).collect::<Vec<_>>();
    for _ in 0..ITEMS_PER_CLIENT_MAX / 64 {
        submitted(&harness, items(64)).await;
    }
    let refused = submit(&harness, NEWEST, None, items(1)).await;
    assert_eq!(refused[0].result_reason, Some(ResultReason::ServerLimitExceeded));
    submitted(&harness.beside("bob"), items(1)).await;
}

#[tokio::test]
async fn what_cannot_be_taken_back_stands_alone() {
    let harness = Harness::new();
    let reaching = || CancelRequest { asynchronous_correlation_value: vec![1] }.into();
    let items = harness.batch(NEWEST, vec![aes(vec![]).into(), reaching()]).await;
    assert_eq!(items[0].result_reason, Some(ResultReason::InvalidField));
    let undo = Some(BatchErrorContinuationOption::Undo);
    let items = harness.batch_with(NEWEST, undo, vec![reaching(), reaching()]).await;
    assert_eq!(items[0].result_reason, Some(ResultReason::InvalidField));
    let items = harness.batch(NEWEST, vec![reaching(), reaching()]).await;
    assert_eq!(items.len(), 2);
    let located = harness.ask(NEWEST, locate(vec![])).await.unwrap();
    assert!(located.unique_identifiers.is_empty(), "the refused batch made nothing");
}

/// Maximum Response Size is that of every answer (1.4, 6.3; 2.1, 9.12): what cannot be answered is
/// neither taken for later nor canceled.
#[tokio::test]
async fn message_whose_answer_would_be_too_large_is_not_begun() {
    let processor = Arc::new(ProcessorPool::new(1));
    let state = ProcessState { processor: Arc::clone(&processor), ..ProcessState::default() };
    let harness = Harness::with(Arc::new(MemoryStore::default()), Policy::default(), state);
    // Another client has the one permit, so that the request waits.
    let permit = processor.acquire("other", Duration::from_millis(1)).await;
    let waits = submitted(&harness, vec![aes(vec![]).into()]).await.remove(0);
    let cancel_it = CancelRequest { asynchronous_correlation_value: waits };
    let later = Some(Asynchronous(AsynchronousIndicator::Mandatory));
    let rows: [(RequestPayload, _); 2] = [(cancel_it.into(), None), (aes(vec![]).into(), later)];
    for (payload, indicator) in rows {
        let before = outstanding(&harness, vec![], vec![]).await;
        for size in (0..).step_by(8) {
            let mut header = RequestHeader::new(NEWEST, 1);
            header.asynchronous_indicator = indicator;
            header.maximum_response_size = Some(size);
            let items = vec![payload.clone().into()];
            let item = harness.message(&RequestMessage { header, items }).await.items.remove(0);
            let after = outstanding(&harness, vec![], vec![]).await;
            if item.result_reason != Some(ResultReason::ResponseTooLarge) {
                assert_eq!(item.result_reason, None);
                assert_ne!(after, before);
                break;
            }
            assert_eq!(after, before, "{:?}, {size}", payload.operation());
        }
    }
    drop(permit);
}

/// A result that no Poll could give is not kept, and its request has no effect.
#[tokio::test]
async fn request_whose_result_would_be_too_large_has_no_effect() {
    let harness = Harness::ruled(Policy { response_len_max: 4096, ..Policy::default() });
    let limits = UsageLimits { total: 8000, count: None, unit: UsageLimitsUnit::Byte };
    let values = vec![
        AttributeValue::ActivationDate(DateTime(1)),
        AttributeValue::UsageLimits(limits.clone()),
    ];
    let key = harness.create(NEWEST, values).await;
    for (len, reason) in [(4096, Some(ResultReason::ResponseTooLarge)), (1024, None)] {
        let encrypt = EncryptRequest { data: data(&vec![0; len]), ..requests::encrypt(&key) };
        let before = attribute(&harness, &key, "Usage Limits").await;
        let value = submitted(&harness, vec![encrypt.into()]).await.remove(0);
        assert_eq!(finished(&harness, &value).await.result_reason, reason, "{len} bytes");
        let after = attribute(&harness, &key, "Usage Limits").await;
        assert_eq!(after == before, reason.is_some(), "{len} bytes");
    }
}
