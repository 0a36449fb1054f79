//! What a key server refuses: for good, or until it is asked again. Servers of other versions.

use crate::fixture::Fixture;
use crate::{created, ensure, fetch, retired, retired_known};
use node_sim::testing::{Destruction, KeyId, KeyServerClient, KmipClient, KmipServerFault};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn refusal_that_asking_again_does_not_change_is_permanent() {
    let fixture = Fixture::new().await;
    let proxy = fixture.proxy();
    let client = KmipClient::new(None);
    let place = fixture.place_of(&[proxy.address()]);
    for (action, permanent) in [
        ("{\"fail\": {\"reason\": \"Invalid Attribute\"}}", true),
        ("{\"fail\": {\"reason\": \"Invalid Field\"}}", true),
        ("{\"fail\": {\"reason\": \"Feature Not Supported\"}}", true),
        ("{\"fail\": {\"reason\": \"Operation Not Supported\"}}", true),
        ("{\"fail\": {\"reason\": \"Permission Denied\"}}", true),
        ("{\"fail\": {\"reason\": \"Unsupported Attribute\"}}", true),
        ("\"read-only\"", true),
        ("{\"fail\": {\"reason\": \"General Failure\"}}", false),
        ("{\"fail\": {\"reason\": \"Internal Server Error\"}}", false),
        ("{\"fail\": {\"reason\": \"Server Limit Exceeded\"}}", false),
        ("{\"fail\": {\"reason\": \"Item Not Found\"}}", false),
        ("{\"fail\": {\"reason\": \"Cryptographic Failure\"}}", false),
        ("{\"fail\": {\"reason\": \"Authentication Not Successful\"}}", false),
        ("{\"reset\": {\"at\": \"request\"}}", false),
    ] {
        let key_id = KeyId::random();
        proxy.rule("Create", action);
        let error = ensure(&client, &place, key_id).await.unwrap_err();
        assert_eq!(error.permanent, permanent, "{action}: {error}");
        assert!(error.message.starts_with(&proxy.address().to_string()), "{error}");
        assert!(error.message.contains("Create"), "{error}");
        proxy.end_rules();
        ensure(&client, &place, key_id).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answer_after_the_deadline_is_a_connection_failure() {
    let fixture = Fixture::new().await;
    let proxy = fixture.proxy();
    let client = KmipClient::new(None).with_request_deadline(Duration::from_millis(200));
    let place = fixture.place_of(&[proxy.address()]);
    proxy.rule("Locate", "{\"delay\": {\"ms\": 10000, \"at\": \"response\"}}");
    let begun = Instant::now();
    let error = ensure(&client, &place, KeyId::random()).await.unwrap_err();
    assert_eq!(error.fault, KmipServerFault::ConnectionFailure, "{error}");
    assert!(!error.permanent, "{error}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    proxy.end_rules();
}

#[tokio::test(flavor = "multi_thread")]
async fn key_that_is_created_and_not_answered_is_found() {
    let fixture = Fixture::new().await;
    let proxy = fixture.proxy();
    let (client, key_id) = (KmipClient::new(None), KeyId::random());
    let place = fixture.place_of(&[proxy.address()]);
    for operation in ["Create", "Activate"] {
        proxy.rule(operation, "{\"reset\": {\"at\": \"response\"}}");
    }
    ensure(&client, &place, key_id).await.unwrap();
    proxy.end_rules();
    ensure(&client, &place, key_id).await.unwrap();
    assert_eq!(fixture.objects().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_creation_says_whether_the_key_is_known_to_exist() {
    let fixture = Fixture::new().await;
    let proxy = fixture.proxy();
    let (client, key_id) = (KmipClient::new(None), KeyId::random());
    let place = fixture.place_of(&[proxy.address()]);
    for action in
        ["{\"fail\": {\"reason\": \"General Failure\"}}", "{\"drop\": {\"at\": \"request\"}}"]
    {
        proxy.rule("Create", action);
        let client = KmipClient::new(None).with_request_deadline(Duration::from_millis(100));
        let error = ensure(&client, &place, key_id).await.unwrap_err();
        assert!(!error.key_exists, "{error}");
        proxy.end_rules();
    }
    proxy.rule("Locate", "\"not-found\"");
    for text in ["has no master key", "refused Create because an object has the Name"] {
        let error = ensure(&client, &place, key_id).await.unwrap_err();
        assert!(error.key_exists && error.message.contains(text), "{error}");
    }
    proxy.end_rules();
    for operation in ["Get Attributes", "Activate"] {
        proxy.rule(operation, "{\"fail\": {\"reason\": \"General Failure\"}}");
        let error = ensure(&client, &place, KeyId::random()).await.unwrap_err();
        assert!(error.key_exists, "{operation}: {error}");
        proxy.end_rules();
    }
    ensure(&client, &place, key_id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn server_without_the_operations_is_refused_for_good() {
    let fixture = Fixture::new().await;
    let proxy = fixture.proxy();
    let client = KmipClient::new(None);
    let place = fixture.place_of(&[proxy.address()]);
    let payload = "<ResponsePayload><Operation type='Enumeration' value='Get'/></ResponsePayload>";
    proxy.rule("Query", &format!("{{\"succeed\": {{\"payload\": \"{payload}\"}}}}"));
    let error = client.choose_host(&place).await.unwrap_err();
    assert!(error.permanent && error.message.contains("does not offer [Create, Locate"), "{error}");
    let both = fixture.place_of(&[proxy.address(), fixture.address()]);
    let origin = client.choose_host(&both).await.unwrap();
    assert_eq!(origin.host, fixture.address().to_string());
    proxy.end_rules();
}

#[tokio::test(flavor = "multi_thread")]
async fn activation_that_is_answered_and_not_done_is_an_error() {
    let fixture = Fixture::new().await;
    let proxy = fixture.proxy();
    let (client, key_id) = (KmipClient::new(None), KeyId::random());
    let place = fixture.place_of(&[proxy.address()]);
    proxy.rule("Activate", "{\"succeed\": {}}");
    let error = ensure(&client, &place, key_id).await.unwrap_err();
    assert!(error.message.contains("shows master key") && !error.permanent, "{error}");
    assert!(error.message.contains("as Pre-Active"), "{error}");
    proxy.end_rules();
    ensure(&client, &place, key_id).await.unwrap();
    assert_eq!(fixture.objects().await, 1);
    proxy.rule("Get Attributes", "{\"state\": {\"state\": \"Compromised\"}}");
    let error = ensure(&client, &place, key_id).await.unwrap_err();
    assert!(error.permanent && error.message.contains("is Compromised there"), "{error}");
    proxy.end_rules();
}

#[tokio::test(flavor = "multi_thread")]
async fn key_is_proved_and_destroyed_in_every_version() {
    let fixture = Fixture::new().await;
    let proxy = fixture.proxy();
    let place = fixture.place_of(&[proxy.address()]);
    for version in ["1.0", "1.4", "2.1"] {
        let (client, key_id) = (KmipClient::new(None), KeyId::random());
        proxy.rule_for_all(&format!("{{\"personality\": \"only-{version}\"}}"));
        let known = created(&client, &place, key_id).await;
        let key = retired_known(key_id, &known);
        for _ in 0..2 {
            let destroyed = client.destroy(&place, &key).await;
            assert_eq!(destroyed, Ok(Destruction::Confirmed), "{version}");
        }
        let by_name = client.destroy(&place, &retired(key_id)).await;
        assert_eq!(by_name, Ok(Destruction::Confirmed), "{version}");
        let key_id = KeyId::random();
        created(&client, &place, key_id).await;
        proxy.rule("Get", "{\"key-bytes\": {}}");
        let error = fetch(&client, &place, key_id).await.unwrap_err();
        assert!(error.message.contains("SHA_256 Digest"), "{version}: {error}");
        assert_eq!(error.fault, KmipServerFault::ServerError);
        proxy.end_rules();
    }
}
