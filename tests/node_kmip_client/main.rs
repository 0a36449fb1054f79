//! The KMIP client of the cluster's nodes at a real key server, over mutual TLS on real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops, also in what tests share"
)]

mod destruction;
mod fetch;
mod fixture;
mod hosts;
mod refusals;

use fixture::Fixture;
use node_sim::testing::{
    Destruction, DigestProof, FetchedKey, KeyId, KeyProviderAccess, KeyServerClient,
    KeyServerError, KmipClient, KmipServerFault, KnownKey, NodeId, RetiredKey,
};
use std::sync::Arc;

/// Permission to destroy a key that was planned and never used.
fn retired(key_id: KeyId) -> RetiredKey {
    retired_known(key_id, &KnownKey::default())
}

/// Permission to destroy a key of which this is known.
fn retired_known(key_id: KeyId, known: &KnownKey) -> RetiredKey {
    node_sim::testing::retired_key(key_id, known.clone()).unwrap()
}

/// Makes sure of the key at the first host that can be used.
async fn ensure(
    client: &KmipClient,
    place: &KeyProviderAccess,
    key_id: KeyId,
) -> Result<(), KeyServerError> {
    let origin = client.choose_host(place).await?;
    client.ensure(place, &origin, key_id).await
}

/// Fetches a key of which nothing is known.
async fn fetch(
    client: &KmipClient,
    place: &KeyProviderAccess,
    key_id: KeyId,
) -> Result<FetchedKey, KeyServerError> {
    client.fetch(place, key_id, &KnownKey::default()).await
}

/// Creates a key and fetches it; what the ledger then knows of it.
async fn created(client: &KmipClient, place: &KeyProviderAccess, key_id: KeyId) -> KnownKey {
    let origin = client.choose_host(place).await.unwrap();
    client.ensure(place, &origin, key_id).await.unwrap();
    let fetched = fetch(client, place, key_id).await.unwrap();
    let check = Some(fetched.key.check_value(key_id));
    KnownKey { origin: Some(origin), identifier: Some(fetched.identifier), check }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_once_had_by_every_node_and_destroyed() {
    let fixture = Fixture::new().await;
    let client = KmipClient::new(None);
    let (one, two) = (fixture.place(NodeId(1)), fixture.place(NodeId(2)));
    client.test(&one).await.unwrap();
    let (key_id, other) = (KeyId::random(), KeyId::random());
    ensure(&client, &one, key_id).await.unwrap();
    ensure(&client, &two, key_id).await.unwrap();
    ensure(&client, &one, other).await.unwrap();
    assert_eq!(fixture.objects().await, 2, "one object for each key");
    let key = fetch(&client, &one, key_id).await.unwrap();
    assert_eq!(fetch(&client, &two, key_id).await.unwrap().key.bytes(), key.key.bytes());
    assert_ne!(fetch(&client, &two, other).await.unwrap().key.bytes(), key.key.bytes());
    assert_eq!(key.digest, DigestProof::Matches);
    for place in [&two, &one] {
        let destroyed = client.destroy(place, &retired(key_id)).await;
        assert_eq!(destroyed, Ok(Destruction::Confirmed));
    }
    let error = fetch(&client, &one, key_id).await.unwrap_err();
    assert_eq!(error.fault, KmipServerFault::ServerError);
    assert!(error.message.contains(&key_id.to_string()), "{error}");
    assert_eq!(fixture.objects().await, 1, "the other key is left alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_make_the_same_key_at_once_make_one() {
    let fixture = Fixture::new().await;
    let client = Arc::new(KmipClient::new(None));
    let key_id = KeyId::random();
    let mut asked = tokio::task::JoinSet::new();
    for node in 1..=8 {
        let (client, place) = (Arc::clone(&client), fixture.place(NodeId(node)));
        asked.spawn(async move { ensure(&client, &place, key_id).await });
    }
    while let Some(answer) = asked.join_next().await {
        answer.unwrap().unwrap();
    }
    assert_eq!(fixture.objects().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_that_comes_late_makes_no_second_key() {
    let fixture = Fixture::new().await;
    let client = KmipClient::new(None);
    let (place, key_id) = (fixture.place(NodeId(1)), KeyId::random());
    ensure(&client, &place, key_id).await.unwrap();
    let late = fixture.create(&format!("SolidFire-KeyID-{key_id}"), &[]).await;
    assert!(late.is_err(), "the Name is taken");
    assert_eq!(fixture.objects().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_keys_of_one_name_are_a_fault_and_both_can_be_destroyed() {
    let fixture = Fixture::new().await;
    let client = KmipClient::new(None);
    let (place, key_id) = (fixture.place(NodeId(1)), KeyId::random());
    for name in ["one", "two"] {
        fixture.create(name, &[(&key_id.attribute_name(), &key_id.to_string())]).await.unwrap();
    }
    fixture.create("a stranger", &[(&key_id.attribute_name(), "another value")]).await.unwrap();
    for error in [
        ensure(&client, &place, key_id).await.unwrap_err(),
        fetch(&client, &place, key_id).await.map(drop).unwrap_err(),
    ] {
        assert_eq!(error.fault, KmipServerFault::ServerError);
        assert!(error.message.contains("2 objects"), "{error}");
    }
    client.destroy(&place, &retired(key_id)).await.unwrap();
    assert_eq!(fixture.objects().await, 1, "the stranger is left alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_certificate_on_either_side_is_an_authentication_failure() {
    let mut fixture = Fixture::new().await;
    let good = fixture.place(NodeId(1));
    let clients = ["expired", "not-yet-valid", "other-ca", "no-eku", "other-key", "self-signed"];
    for name in clients {
        let mut place = good.clone();
        let file = |kind: &str| fixture.pem(&format!("bad/client-{name}.{kind}"));
        place.servers[0].server.client_certificate = file("crt");
        place.servers[0].client_key = file("key").into();
        let error = KmipClient::new(None).test(&place).await.unwrap_err();
        assert_eq!(error.fault, KmipServerFault::AuthenticationFailure, "client {name}: {error}");
    }
    // Those that our own server refuses to start with are not here.
    for name in ["other-ca", "no-san", "other-host", "self-signed"] {
        fixture.stop().await;
        fixture.start_as(&format!("bad/server-{name}"));
        let error = KmipClient::new(None).test(&good).await.unwrap_err();
        assert_eq!(error.fault, KmipServerFault::AuthenticationFailure, "server {name}: {error}");
    }
    fixture.stop().await;
    let error = KmipClient::new(None).test(&good).await.unwrap_err();
    assert_eq!(error.fault, KmipServerFault::ConnectionFailure, "{error}");
}
