//! Archive and Recover (1.4, 4.22 and 4.23; 2.1, 6.1.4 and 6.1.42), and leases.

use std::sync::Arc;

use crate::store::memory_store::MemoryStore;
use kmip::Interval;
use kmip::payload::{
    ArchiveRequest, CheckRequest, GetAttributeListRequest, ObtainLeaseRequest, PingRequest,
    RecoverRequest,
};
use kmip::vocabulary::StorageStatusMask;

use crate::tests::harness::*;

fn archive(object: &str) -> ArchiveRequest {
    ArchiveRequest { unique_identifier: id(object) }
}

fn recover(object: &str) -> RecoverRequest {
    RecoverRequest { unique_identifier: id(object) }
}

async fn located(
    harness: &Harness,
    version: Version,
    mask: Option<StorageStatusMask>,
) -> Vec<String> {
    let mut found = Vec::new();
    // By the name, by the group, and all there is: each goes another way through the index.
    for filter in [vec![name("n")], vec![AttributeValue::ObjectGroup("g".to_owned())], vec![]] {
        let request = LocateRequest { storage_status_mask: mask, ..locate(filter) };
        let ids = harness.ask(version, request).await.unwrap().unique_identifiers;
        found.push(ids);
    }
    assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "{mask:?}: {found:?}");
    found.remove(0)
}

/// One row an operation that names an object (1.4, 11; 2.1, 6.1): all of them refuse.
#[tokio::test]
async fn an_archived_object_is_recovered_first() {
    let harness = Harness::new();
    for version in [OLDEST, NEWEST] {
        let key = harness.create(version, vec![name("n")]).await;
        harness.ask(version, archive(&key)).await.unwrap();
        let comment = AttributeValue::ContactInformation("me".to_owned());
        let requests: Vec<RequestPayload> = vec![
            archive(&key).into(),
            get(&key).into(),
            ActivateRequest { unique_identifier: id(&key) }.into(),
            revoke(&key, RevocationReasonCode::KeyCompromise).into(),
            DestroyRequest { unique_identifier: id(&key) }.into(),
            AddAttributeRequest { unique_identifier: id(&key), attribute: comment.into() }.into(),
            GetAttributesRequest { unique_identifier: id(&key), attributes: Vec::new() }.into(),
            GetAttributeListRequest { unique_identifier: id(&key) }.into(),
            ObtainLeaseRequest { unique_identifier: id(&key) }.into(),
            CheckRequest {
                unique_identifier: id(&key),
                usage_limits_count: None,
                cryptographic_usage_mask: None,
                lease_time: None,
            }
            .into(),
        ];
        for request in requests {
            let operation = request.operation();
            let reason = harness.batch(version, vec![request]).await[0].result_reason;
            assert_eq!(reason, Some(ResultReason::ObjectArchived), "{operation:?} in {version}");
        }
        let recovered = vec![recover(&key).into(), get_as(None, None).into()];
        let items = harness.batch(version, recovered).await;
        assert!(items.iter().all(|item| item.result_reason.is_none()), "{items:?}");
        assert_eq!(attribute(&harness, &key, "Archive Date").await, None);
        // What is on-line stays so.
        harness.ask(version, recover(&key)).await.unwrap();
        harness.ask(version, DestroyRequest { unique_identifier: id(&key) }).await.unwrap();
    }
}

#[tokio::test]
async fn locate_finds_the_archive_only_when_asked_for_it() {
    let harness = Harness::new();
    let group = AttributeValue::ObjectGroup("g".to_owned());
    let key = harness.create(NEWEST, vec![name("n"), group]).await;
    let online = StorageStatusMask::OnLineStorage;
    let archival = StorageStatusMask::ArchivalStorage;
    for (is_archived, version) in [(false, OLDEST), (true, OLDEST), (false, NEWEST), (true, NEWEST)]
    {
        match is_archived {
            true => drop(harness.ask(version, archive(&key)).await.unwrap()),
            false => drop(harness.ask(version, recover(&key)).await.unwrap()),
        }
        let rows = [
            (None, !is_archived),
            (Some(online), !is_archived),
            (Some(archival), is_archived),
            (Some(online.union(archival)), true),
            (Some(StorageStatusMask(0)), false),
        ];
        for (mask, is_found) in rows {
            let expected: &[&str] = if is_found { &[&key] } else { &[] };
            assert_eq!(located(&harness, version, mask).await, expected, "{mask:?} {is_archived}");
        }
    }
}

#[tokio::test]
async fn an_archived_object_keeps_its_name() {
    let harness = Harness::new();
    let key = harness.create(NEWEST, vec![name("n")]).await;
    harness.ask(NEWEST, archive(&key)).await.unwrap();
    let taken = harness.ask(NEWEST, aes(vec![name("n")])).await.map(drop);
    assert_eq!(taken, Err(ResultReason::NonUniqueNameAttribute));
}

/// Whether the row of the name says that an object is at hand, or has to leave it to the object.
#[tokio::test]
async fn of_those_who_share_a_name_the_archived_are_passed_over() {
    let harness = Harness::sharing(Arc::new(MemoryStore::default()));
    let mut keys = Vec::new();
    for _ in 0..3 {
        keys.insert(0, harness.create(NEWEST, vec![name("n")]).await);
    }
    let located =
        async || harness.ask(NEWEST, locate(vec![name("n")])).await.unwrap().unique_identifiers;
    for archived in &keys {
        harness.ask(NEWEST, archive(archived)).await.unwrap();
        let others: Vec<_> = keys.iter().filter(|key| *key != archived).cloned().collect();
        assert_eq!(located().await, others);
        harness.ask(NEWEST, recover(archived)).await.unwrap();
        assert_eq!(located().await, keys);
    }
    // The first one has the row of the name, and leaves it to another, archived or not.
    let first = keys.pop().unwrap();
    harness.ask(NEWEST, archive(&keys[1])).await.unwrap();
    harness.ask(NEWEST, DestroyRequest { unique_identifier: id(&first) }).await.unwrap();
    assert_eq!(located().await, keys[..1]);
    harness.ask(NEWEST, recover(&keys[1])).await.unwrap();
    assert_eq!(located().await, keys);
}

#[tokio::test]
async fn nobody_archives_what_is_anothers_or_gone() {
    let harness = Harness::new();
    let key = harness.create(NEWEST, vec![]).await;
    let other = harness.beside("bob");
    for result in [
        other.ask(NEWEST, archive(&key)).await.map(drop),
        other.ask(NEWEST, recover(&key)).await.map(drop),
    ] {
        assert_eq!(result, Err(ResultReason::ObjectNotFound));
    }
    harness.ask(NEWEST, DestroyRequest { unique_identifier: id(&key) }).await.unwrap();
    assert_eq!(
        harness.ask(NEWEST, archive(&key)).await.map(drop),
        Err(ResultReason::ObjectDestroyed)
    );
    assert_eq!(
        harness.ask(NEWEST, recover(&key)).await.map(drop),
        Err(ResultReason::ObjectDestroyed)
    );
}

/// 1.4, 3.20: the attribute is the longest lease there is, and stands on every object.
#[tokio::test]
async fn a_lease_is_as_long_as_the_settings_say() {
    for seconds in [3600, 60, 0] {
        let harness = Harness::ruled(crate::config::policy::Policy {
            lease_time: Interval(seconds),
            ..crate::config::policy::Policy::default()
        });
        let key = harness.create(NEWEST, vec![]).await;
        let stands = attribute(&harness, &key, "Lease Time").await;
        let expected = AttributeValue::LeaseTime(Interval(seconds));
        assert_eq!(stands, (seconds > 0).then_some(expected));
        for version in [OLDEST, NEWEST] {
            let lease = ObtainLeaseRequest { unique_identifier: id(&key) };
            let lease = harness.ask(version, lease).await.unwrap();
            assert_eq!(lease.lease_time, Interval(seconds));
            let changed = attribute(&harness, &key, "Last Change Date").await;
            let expected = AttributeValue::LastChangeDate(lease.last_change_date);
            assert_eq!(changed, Some(expected));
        }
        // Check tells whether a lease of some length would be given (1.4, 4.10).
        for (asked, granted) in [(seconds, true), (seconds + 1, seconds == 0)] {
            let check = CheckRequest {
                unique_identifier: id(&key),
                usage_limits_count: None,
                cryptographic_usage_mask: None,
                lease_time: Some(Interval(asked)),
            };
            let expected = match granted {
                true => Ok(()),
                false => Err(ResultReason::PermissionDenied),
            };
            assert_eq!(
                harness.ask(NEWEST, check).await.map(drop),
                expected,
                "{asked} of {seconds}"
            );
        }
    }
}

#[tokio::test]
async fn ping_is_of_2_1() {
    let harness = Harness::new();
    harness.ask(Version::V2_1, PingRequest {}).await.unwrap();
    let older = harness.ask(Version::V2_0, PingRequest {}).await.map(drop);
    assert_eq!(older, Err(ResultReason::OperationNotSupported));
}
