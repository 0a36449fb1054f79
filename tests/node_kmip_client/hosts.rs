//! Several hosts of one key provider: one is down, one is an empty replica, one holds the key.

use crate::fixture::Fixture;
use crate::{created, ensure, fetch, retired_known};
use kmip::vocabulary::State;
use node_sim::testing::{
    Destruction, KeyId, KeyOrigin, KeyProviderAccess, KeyServerClient, KmipClient, KmipServerFault,
    KnownKey, NodeId, ShownKey,
};

/// An address of this machine where nothing listens at the ports of the servers.
const DOWN: &str = "127.0.0.2";

/// This host, under any client certificate.
fn origin(host: impl ToString) -> KeyOrigin {
    KeyOrigin { host: host.to_string(), client_certificate: None }
}

/// A key that was planned, and to be created there.
fn known_origin(origin: KeyOrigin) -> KnownKey {
    KnownKey { origin: Some(origin), ..KnownKey::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_fail_are_all_named_with_their_causes() {
    let fixture = Fixture::new().await;
    let port = fixture.address().port();
    let (up, down) = (format!("127.0.0.1:{port}"), format!("{DOWN}:{port}"));
    let (client, key_id) = (KmipClient::new(None), KeyId::random());
    let absent = format!("{up}: has no master key {key_id}");
    let refused = format!("{down}: cannot connect: Connection refused");
    for (names, fault, first, second) in [
        ([DOWN, "127.0.0.1"], KmipServerFault::ConnectionFailure, &refused, &absent),
        (["127.0.0.1", DOWN], KmipServerFault::ServerError, &absent, &refused),
    ] {
        let servers = vec![fixture.access(1, &names, port)];
        let place = KeyProviderAccess { node_id: NodeId(1), servers };
        let error = fetch(&client, &place, key_id).await.unwrap_err();
        assert_eq!(error.fault, fault, "{error}");
        assert!(error.message.starts_with(first.as_str()), "{error}");
        assert!(error.message.contains(&format!("; {second}")), "{error}");
        assert!(!error.permanent, "{error}");
        client.test(&place).await.unwrap();
        assert_eq!(client.choose_host(&place).await.map(|origin| origin.host), Ok(up.clone()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn key_is_created_at_the_chosen_host_only_and_fetched_from_it() {
    let fixture = Fixture::new().await;
    let empty = fixture.empty_server();
    let (client, key_id) = (KmipClient::new(None), KeyId::random());
    let (first, second) = (empty.address(), fixture.address());
    let place = fixture.place_of(&[first, second]);
    client.ensure(&place, &origin(second), key_id).await.unwrap();
    assert_eq!((fixture.objects_at(first).await, fixture.objects().await), (0, 1));
    assert_eq!(fetch(&client, &place, key_id).await.unwrap().host, second.to_string());
    let error = client.ensure(&place, &origin("kms.example:5696"), key_id).await.unwrap_err();
    assert!(error.message.contains("kms.example:5696, which is not a host"), "{error}");
    assert_eq!((fixture.objects_at(first).await, fixture.objects().await), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_host_or_certificate_neither_creates_a_key_nor_shows_that_it_was_not_created() {
    let fixture = Fixture::new().await;
    let empty = fixture.empty_server();
    let (client, key_id) = (KmipClient::new(None), KeyId::random());
    let place = fixture.place(NodeId(1));
    let origin = client.choose_host(&place).await.unwrap();
    client.ensure(&place, &origin, key_id).await.unwrap();
    let mut as_alice = place.clone();
    as_alice.servers[0].server.client_certificate = fixture.pem("alice.crt");
    as_alice.servers[0].client_key = fixture.pem("alice.key").into();
    let elsewhere = fixture.place_of(&[empty.address()]);
    let planned = |key_id| retired_known(key_id, &known_origin(origin.clone()));
    for (place, text) in [
        (&as_alice, "under another client certificate than the present one"),
        (&elsewhere, "which is not a host of the key provider any more"),
    ] {
        let error = client.ensure(place, &origin, key_id).await.unwrap_err();
        assert!(error.message.contains(text) && !error.permanent, "{error}");
        let answer = client.destroy(place, &planned(key_id)).await.unwrap();
        let Destruction::NotConfirmed { reason, origin_asked } = answer else {
            panic!("{answer:?}")
        };
        assert!(reason.contains(text) && !origin_asked, "{reason}");
    }
    assert_eq!((fixture.objects().await, fixture.objects_at(empty.address()).await), (1, 0));
    let absent = client.destroy(&place, &planned(KeyId::random())).await.unwrap();
    assert!(matches!(absent, Destruction::NotConfirmed { origin_asked: true, .. }), "{absent:?}");
    assert_eq!(client.destroy(&place, &planned(key_id)).await, Ok(Destruction::Confirmed));
}

#[tokio::test(flavor = "multi_thread")]
async fn destruction_at_an_empty_replica_is_not_confirmed_while_the_other_host_is_down() {
    let mut fixture = Fixture::new().await;
    let mut empty = fixture.empty_server();
    let (client, key_id) = (KmipClient::new(None), KeyId::random());
    let place = fixture.place_of(&[fixture.address(), empty.address()]);
    let known = created(&client, &place, key_id).await;
    let key = retired_known(key_id, &known);
    fixture.stop().await;
    let error = client.destroy(&place, &key).await.unwrap_err();
    assert_eq!(error.fault, KmipServerFault::ConnectionFailure);
    assert!(error.message.starts_with(&fixture.address().to_string()), "{error}");
    let only_empty = fixture.place_of(&[empty.address()]);
    let answer = client.destroy(&only_empty, &key).await.unwrap();
    let Destruction::NotConfirmed { reason, .. } = answer else { panic!("{answer:?}") };
    assert!(reason.contains(&empty.address().to_string()), "{reason}");
    assert!(reason.contains(&key_id.to_string()), "{reason}");
    fixture.start_as("server");
    empty.stop().await;
    let error = client.destroy(&place, &key).await.unwrap_err();
    assert!(error.message.starts_with(&empty.address().to_string()), "{error}");
    assert_eq!(fixture.objects().await, 0, "it was destroyed at the host that was reached");
    fixture.start(&mut empty);
    assert_eq!(client.destroy(&place, &key).await, Ok(Destruction::Confirmed));
}

#[tokio::test(flavor = "multi_thread")]
async fn destruction_begins_at_the_host_that_created_the_key_and_reaches_all() {
    let mut fixture = Fixture::new().await;
    let mut other = fixture.empty_server();
    let (client, key_id) = (KmipClient::new(None), KeyId::random());
    let places = [fixture.address(), other.address()].map(|address| fixture.place_of(&[address]));
    for place in &places {
        ensure(&client, place, key_id).await.unwrap();
    }
    let both = fixture.place_of(&[fixture.address(), other.address()]);
    // Both are of one name, and none was fetched: there is no check value to tell them apart.
    let key = retired_known(key_id, &known_origin(origin(other.address())));
    fixture.stop().await;
    other.stop().await;
    let error = client.destroy(&both, &key).await.unwrap_err();
    assert!(error.message.starts_with(&other.address().to_string()), "{error}");
    assert!(error.message.contains(&format!("; {}", fixture.address())), "{error}");
    fixture.start_as("server");
    fixture.start(&mut other);
    assert_eq!(client.destroy(&both, &key).await, Ok(Destruction::Confirmed));
    let left = (fixture.objects().await, fixture.objects_at(other.address()).await);
    assert_eq!(left, (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn survey_reports_each_host_in_order() {
    let mut fixture = Fixture::new().await;
    let empty = fixture.empty_server();
    let (client, key_id) = (KmipClient::new(None), KeyId::random());
    let known = created(&client, &fixture.place(NodeId(1)), key_id).await;
    let identifier = known.identifier.as_deref().unwrap();
    let port = fixture.address().port();
    let place = KeyProviderAccess {
        node_id: NodeId(1),
        servers: vec![
            fixture.access(4, &[DOWN, "127.0.0.1"], port),
            fixture.access(9, &["127.0.0.1"], empty.address().port()),
        ],
    };
    for expected in [State::Active, State::Destroyed] {
        let reports = client.survey(&place, key_id, Some(identifier)).await;
        let hosts: Vec<_> = reports.iter().map(|r| (r.key_server_id, r.host.clone())).collect();
        let up = |port| format!("127.0.0.1:{port}");
        let down = format!("{DOWN}:{port}");
        assert_eq!(hosts, [(4, down.clone()), (4, up(port)), (9, up(empty.address().port()))]);
        let error = reports[0].shown.clone().unwrap_err();
        assert_eq!(error.fault, KmipServerFault::ConnectionFailure);
        assert!(error.message.starts_with(&down), "{error}");
        let shown = ShownKey { identifier: identifier.to_owned(), state: expected };
        assert_eq!(reports[1].shown, Ok(Some(shown)));
        assert_eq!(reports[2].shown, Ok(None));
        client.destroy(&fixture.place(NodeId(1)), &retired_known(key_id, &known)).await.unwrap();
    }
    fixture.stop().await;
    let reports = client.survey(&place, key_id, Some(identifier)).await;
    assert!(reports[1].shown.is_err() && reports[2].shown == Ok(None), "{reports:?}");
}
