//! Interop (2.1, 6.1.26): for testers alone.

use crate::config::policy::Policy;
use kmip::payload::{
    Constraint, Constraints, GetConstraintsRequest, InteropRequest, SetConstraintsRequest,
};
use kmip::vocabulary::{InteropFunction, StorageStatusMask};

use crate::tests::harness::*;

fn interop(function: InteropFunction, test: Option<&str>) -> InteropRequest {
    InteropRequest { interop_function: function, interop_identifier: test.map(str::to_owned) }
}

fn tested() -> Harness {
    Harness::ruled(Policy { interop: true, ..Policy::default() })
}

async fn operations(harness: &Harness) -> Vec<Operation> {
    let query =
        QueryRequest { query_functions: vec![QueryFunction::QueryOperations], object_groups: None };
    harness.ask(NEWEST, query).await.unwrap().operations
}

#[tokio::test]
async fn a_server_in_use_has_no_such_operation() {
    let (in_use, tested) = (Harness::new(), tested());
    let begin = || interop(InteropFunction::Begin, Some("BL-M-1-21"));
    let refused = in_use.ask(NEWEST, begin()).await.map(drop);
    assert_eq!(refused, Err(ResultReason::OperationNotSupported));
    assert!(!operations(&in_use).await.contains(&Operation::Interop));
    tested.ask(NEWEST, begin()).await.unwrap();
    assert!(operations(&tested).await.contains(&Operation::Interop));
}

#[tokio::test]
async fn reset_forgets_the_clients_objects_and_nobody_elses() {
    let harness = tested();
    let bob = harness.beside("bob");
    let group = || AttributeValue::ObjectGroup("g".to_owned());
    let mut keys = Vec::new();
    for n in 0..20 {
        keys.push(harness.create(NEWEST, vec![name(&format!("n{n}")), group()]).await);
    }
    harness.ask(NEWEST, DestroyRequest { unique_identifier: id(&keys[0]) }).await.unwrap();
    let bits = AttributeValue::CryptographicLength(256);
    let constraint =
        Constraint { attributes: Some(Attributes::new([bits])), ..Constraint::default() };
    let constraints = Constraints { constraints: vec![constraint] };
    harness.ask(NEWEST, SetConstraintsRequest { constraints }).await.unwrap();
    let his = bob.create(NEWEST, vec![name("n1"), group()]).await;

    // Begin and End change nothing.
    for function in [InteropFunction::Begin, InteropFunction::End] {
        harness.ask(NEWEST, interop(function, Some("BL-M-1-21"))).await.unwrap();
        harness.ask(NEWEST, get(&keys[1])).await.unwrap();
        let unnamed = harness.ask(NEWEST, interop(function, None)).await.map(drop);
        assert_eq!(unnamed, Err(ResultReason::MissingData));
    }
    harness.ask(NEWEST, interop(InteropFunction::Reset, None)).await.unwrap();
    for key in &keys {
        let gone = harness.ask(NEWEST, get(key)).await.map(drop);
        assert_eq!(gone, Err(ResultReason::ObjectNotFound));
    }
    for filter in [vec![], vec![group()], vec![name("n1")]] {
        let all = StorageStatusMask(7);
        let request = LocateRequest { storage_status_mask: Some(all), ..locate(filter) };
        assert!(harness.ask(NEWEST, request).await.unwrap().unique_identifiers.is_empty());
    }
    let left = harness.ask(NEWEST, GetConstraintsRequest {}).await.unwrap();
    assert_eq!(left.constraints, Constraints::default());
    harness.create(NEWEST, vec![name("n1")]).await;
    bob.ask(NEWEST, get(&his)).await.unwrap();
    let found = bob.ask(NEWEST, locate(vec![name("n1")])).await.unwrap();
    assert_eq!(found.unique_identifiers, [his]);
}

#[tokio::test]
async fn a_reset_that_is_too_large_forgets_nothing() {
    let harness = tested();
    let mut first = None;
    for _ in 0..400 {
        let key = harness.create(NEWEST, vec![]).await;
        first.get_or_insert(key);
    }
    let reset = || interop(InteropFunction::Reset, None);
    assert_eq!(
        harness.ask(NEWEST, reset()).await.map(drop),
        Err(ResultReason::ServerLimitExceeded)
    );
    harness.ask(NEWEST, get(&first.unwrap())).await.unwrap();
    let found = harness.ask(NEWEST, locate(vec![])).await.unwrap();
    assert_eq!(found.located_items, Some(400));
}
