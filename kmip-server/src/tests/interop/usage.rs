//! Usage Limits (1.4, 3.21 and 4.18; 2.1, 4.59 and 6.1.23): no unit is given out twice.

use kmip::payload::{CheckRequest, GetUsageAllocationRequest};
use kmip::structures::UsageLimits;
use kmip::vocabulary::UsageLimitsUnit;

use crate::tests::harness::*;

fn limits(total: i64, count: Option<i64>) -> AttributeValue {
    AttributeValue::UsageLimits(UsageLimits { total, count, unit: UsageLimitsUnit::Byte })
}

fn active() -> AttributeValue {
    AttributeValue::ActivationDate(DateTime(1))
}

fn allocate(object: &str, units: i64) -> GetUsageAllocationRequest {
    GetUsageAllocationRequest { unique_identifier: id(object), usage_limits_count: units }
}

async fn left(harness: &Harness, object: &str) -> (i64, Option<i64>) {
    match attribute(harness, object, "Usage Limits").await {
        Some(AttributeValue::UsageLimits(limits)) => (limits.total, limits.count),
        other => panic!("{other:?}"),
    }
}

/// 1.4, 4.18: a client takes what it needs, until there is no more.
#[tokio::test]
async fn units_are_given_until_none_are_left() {
    let harness = Harness::new();
    let rows = [
        (OLDEST, ResultReason::PermissionDenied),
        (Version::V1_4, ResultReason::PermissionDenied),
        (NEWEST, ResultReason::UsageLimitExceeded),
    ];
    for (version, none_left) in rows {
        let key = harness.create(version, vec![active(), limits(100, Some(100))]).await;
        for (units, rest) in [(60, 40), (40, 0)] {
            harness.ask(version, allocate(&key, units)).await.unwrap();
            assert_eq!(left(&harness, &key).await, (100, Some(rest)));
        }
        let refused = harness.ask(version, allocate(&key, 1)).await.map(drop);
        assert_eq!(refused, Err(none_left), "{version}");
        for units in [0, -1, i64::MIN] {
            let refused = harness.ask(version, allocate(&key, units)).await.map(drop);
            assert_eq!(refused, Err(ResultReason::InvalidField), "{units}");
        }
        assert_eq!(left(&harness, &key).await, (100, Some(0)));
    }
}

/// What may be allocated at all, a row a case: attributes, usage mask, and the reasons of 1.x and
/// 2.x when not.
#[tokio::test]
async fn only_what_is_limited_and_protects_now_is_allocated() {
    use CryptographicUsageMask as Mask;
    use ResultReason as R;

    let stopped = AttributeValue::ProtectStopDate(DateTime(2));
    let rows = [
        (vec![active(), limits(9, Some(9))], Mask::Encrypt, None),
        (vec![active()], Mask::Encrypt, Some((R::IllegalOperation, R::AttributeNotFound))),
        (
            vec![active(), limits(9, Some(9))],
            Mask::Decrypt,
            Some((R::IllegalOperation, R::InvalidObjectType)),
        ),
        (
            vec![limits(9, Some(9))],
            Mask::Encrypt,
            Some((R::PermissionDenied, R::WrongKeyLifecycleState)),
        ),
        (
            vec![active(), stopped, limits(9, Some(9))],
            Mask::Encrypt,
            Some((R::PermissionDenied, R::WrongKeyLifecycleState)),
        ),
    ];
    let harness = Harness::new();
    for (more, mask, refused) in rows {
        let basic = [
            AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
            AttributeValue::CryptographicLength(128),
            AttributeValue::CryptographicUsageMask(mask),
        ];
        let shown = format!("{more:?}");
        let request = create_with(basic.into_iter().chain(more));
        let key = harness.ask(NEWEST, request).await.unwrap().unique_identifier;
        for version in [Version::V1_4, NEWEST] {
            let expected = refused
                .map_or(Ok(()), |(old, new)| Err(if version < Version::V2_0 { old } else { new }));
            let found = harness.ask(version, allocate(&key, 1)).await.map(drop);
            assert_eq!(found, expected, "{version}: {shown} to {mask:?}");
        }
    }
}

#[tokio::test]
async fn clients_at_once_are_given_no_unit_twice() {
    let harness = std::sync::Arc::new(Harness::new());
    let key = harness.create(NEWEST, vec![active(), limits(20, Some(20))]).await;
    let tasks: Vec<_> = (0..30)
        .map(|_| {
            let (harness, key) = (std::sync::Arc::clone(&harness), key.clone());
            tokio::spawn(async move { harness.ask(NEWEST, allocate(&key, 1)).await.is_ok() })
        })
        .collect();
    let mut given = 0;
    for task in tasks {
        given += u32::from(task.await.unwrap());
    }
    assert_eq!((given, left(&harness, &key).await), (20, (20, Some(0))));
}

#[tokio::test]
async fn an_allocation_that_is_undone_takes_nothing() {
    let harness = Harness::new();
    let key = harness.create(NEWEST, vec![active(), limits(20, Some(20))]).await;
    let items = vec![allocate(&key, 5).into(), get("none").into()];
    let undo = Some(BatchErrorContinuationOption::Undo);
    assert_eq!(harness.batch_with(NEWEST, undo, items).await.len(), 2);
    assert_eq!(left(&harness, &key).await, (20, Some(20)));
}

/// A new key begins anew with the same total (1.4, table 173; 2.1, table 304).
#[tokio::test]
async fn a_key_that_replaces_another_has_all_its_units() {
    let harness = Harness::new();
    let key = harness.create(NEWEST, vec![active(), limits(20, Some(20))]).await;
    harness.ask(NEWEST, allocate(&key, 5)).await.unwrap();
    let request = ReKeyRequest {
        unique_identifier: id(&key),
        offset: None,
        attributes: None,
        protection_storage_masks: None,
    };
    let new = harness.ask(NEWEST, request).await.unwrap().unique_identifier;
    assert_eq!(left(&harness, &key).await, (20, Some(15)));
    assert_eq!(left(&harness, &new).await, (20, Some(20)));
}

/// Check asks and takes nothing; what is refused leaves no object for the items after it.
#[tokio::test]
async fn check_takes_nothing_and_what_it_refuses_is_named_no_more() {
    let harness = Harness::new();
    let key = harness.create(NEWEST, vec![active(), limits(20, Some(20))]).await;
    let check = |units| CheckRequest {
        unique_identifier: id(&key),
        usage_limits_count: Some(units),
        cryptographic_usage_mask: None,
        lease_time: None,
    };
    let on_error = Some(BatchErrorContinuationOption::Continue);
    for (units, reason) in [(20, None), (21, Some(ResultReason::UsageLimitExceeded))] {
        let items = vec![get(&key).into(), check(units).into(), get_as(None, None).into()];
        let items = harness.batch_with(NEWEST, on_error, items).await;
        assert_eq!(items[1].result_reason, reason);
        assert_eq!(items[2].result_reason.is_some(), reason.is_some(), "{items:?}");
    }
    assert_eq!(left(&harness, &key).await, (20, Some(20)));
}

/// 1.4, 4.9: total and count as great as those wanted, or greater.
#[tokio::test]
async fn locate_finds_limits_that_are_as_great_or_greater() {
    let harness = Harness::new();
    let key = harness.create(NEWEST, vec![active(), limits(20, Some(20))]).await;
    harness.ask(NEWEST, allocate(&key, 5)).await.unwrap();
    let rows = [
        (limits(20, Some(15)), 1),
        (limits(1, None), 1),
        (limits(20, Some(16)), 0),
        (limits(21, Some(1)), 0),
        (
            AttributeValue::UsageLimits(UsageLimits {
                total: 1,
                count: None,
                unit: UsageLimitsUnit::Object,
            }),
            0,
        ),
    ];
    for version in [OLDEST, NEWEST] {
        for (wanted, hits) in &rows {
            let found = harness.ask(version, locate(vec![wanted.clone()])).await.unwrap();
            assert_eq!(found.unique_identifiers.len(), *hits, "{wanted:?}");
        }
    }
}
