//! Batches: order, failure, undo, the ID Placeholder.

use crate::tests::harness::*;

#[tokio::test]
async fn stop_is_the_default_and_what_follows_is_not_done() {
    let harness = Harness::new();
    let items = harness.batch(OLDEST, vec![get("none").into(), aes(vec![name("a")]).into()]).await;
    assert_eq!(items.len(), 1);
    assert_eq!(items[0].result_reason, Some(ResultReason::ItemNotFound));
    assert!(
        harness.ask(OLDEST, locate(vec![name("a")])).await.unwrap().unique_identifiers.is_empty()
    );
}

#[tokio::test]
async fn what_stop_left_before_the_failure_stays() {
    let harness = Harness::new();
    let items = harness.batch(OLDEST, vec![aes(vec![name("a")]).into(), get("none").into()]).await;
    assert_eq!(items[0].result_status, ResultStatus::Success);
    let found = harness.ask(OLDEST, locate(vec![name("a")])).await.unwrap();
    assert_eq!(found.unique_identifiers, [created(&items[0])]);
}

#[tokio::test]
async fn continue_goes_on_after_a_failure() {
    let harness = Harness::new();
    let on_error = Some(BatchErrorContinuationOption::Continue);
    let items = vec![get("none").into(), aes(vec![]).into()];
    let items = harness.batch_with(OLDEST, on_error, items).await;
    assert_eq!(items[0].result_status, ResultStatus::OperationFailed);
    assert_eq!(items[1].result_status, ResultStatus::Success);
    harness.ask(OLDEST, get(&created(&items[1]))).await.unwrap();
}

#[tokio::test]
async fn undone_means_gone() {
    let harness = Harness::new();
    let on_error = Some(BatchErrorContinuationOption::Undo);
    let items = vec![aes(vec![name("a")]).into(), get("none").into()];
    let items = harness.batch_with(NEWEST, on_error, items).await;
    assert_eq!(items[0].result_status, ResultStatus::OperationUndone);
    assert!(items[0].payload.is_some(), "what was undone is told");
    assert_eq!(items[1].result_status, ResultStatus::OperationFailed);
    let found = harness.ask(NEWEST, locate(vec![])).await.unwrap();
    assert_eq!((found.located_items, found.unique_identifiers.len()), (Some(0), 0));
}

#[tokio::test]
async fn the_id_placeholder_serves_every_operation_of_a_batch() {
    let harness = Harness::new();
    for version in Version::SERVED {
        let items = harness
            .batch(
                *version,
                vec![
                    aes(vec![]).into(),
                    ActivateRequest { unique_identifier: None }.into(),
                    get_as(None, None).into(),
                    RevokeRequest {
                        unique_identifier: None,
                        revocation_reason: RevocationReason {
                            code: RevocationReasonCode::CessationOfOperation,
                            message: None,
                        },
                        compromise_occurrence_date: None,
                    }
                    .into(),
                    DestroyRequest { unique_identifier: None }.into(),
                ],
            )
            .await;
        assert_eq!(items.len(), 5, "{version}");
        assert!(items.iter().all(|i| i.result_status == ResultStatus::Success), "{items:?}");
    }
}

#[tokio::test]
async fn a_batch_count_that_does_not_fit_is_invalid() {
    let harness = Harness::new();
    for count in [2, 0, -1, i32::MAX] {
        let header = RequestHeader::new(Version::V1_2, count);
        let items = vec![RequestBatchItem::from(aes(vec![]))];
        let response = harness.message(&RequestMessage { header, items }).await;
        assert_eq!(response.header.protocol_version, Version::V1_2);
        assert_eq!(response.items[0].result_reason, Some(ResultReason::InvalidMessage));
    }
    assert!(harness.ask(NEWEST, locate(vec![])).await.unwrap().unique_identifiers.is_empty());
}

#[tokio::test]
async fn an_item_that_cannot_be_read_spoils_itself_alone() {
    let harness = Harness::new();
    let payload = Raw::build(|w| {
        w.structure(tags::RequestPayload, |w| w.integer(tags::UniqueIdentifier, 5));
    });
    let broken = UnknownPayload { operation: Operation::Get, payload };
    let on_error = Some(BatchErrorContinuationOption::Continue);
    let items = vec![RequestPayload::Unknown(broken), aes(vec![]).into()];
    let items = harness.batch_with(Version::V1_4, on_error, items).await;
    assert_eq!(items[0].operation, Some(Operation::Get));
    assert_eq!(items[0].result_reason, Some(ResultReason::InvalidMessage));
    assert_eq!(items[1].result_status, ResultStatus::Success);
}

/// An item that names no object, as Query, was counted as if it named the last one again.
#[tokio::test]
async fn a_number_counts_the_identifiers_of_the_answers_and_no_more() {
    let harness = Harness::new();
    let query =
        QueryRequest { query_functions: vec![QueryFunction::QueryOperations], object_groups: None };
    let nth = |index| {
        let mut get = get_as(None, None);
        get.unique_identifier = Some(Identifier::Index(index));
        get
    };
    let items = vec![
        aes(vec![]).into(),
        query.into(),
        aes(vec![]).into(),
        nth(1).into(),
        nth(0).into(),
        nth(-1).into(),
    ];
    let items = harness.batch(NEWEST, items).await;
    let (first, second) = (created(&items[0]), created(&items[2]));
    let got: Vec<&str> = items[3..]
        .iter()
        .flat_map(|item| item.payload.as_ref().unwrap().unique_identifiers())
        .collect();
    assert_eq!(got, [second.as_str(), &first, &first]);
}
