//! Destruction of a key at servers that say one thing and do another.

use crate::fixture::Fixture;
use crate::{created, retired, retired_known};
use node_sim::testing::{
    Destruction, KeyId, KeyServerClient, KmipClient, KmipServerFault, KnownKey,
};

const FINDS_NOTHING: &str = "{\"succeed\": {\"payload\": \"<ResponsePayload/>\"}}";

#[tokio::test(flavor = "multi_thread")]
async fn key_that_locate_does_not_find_is_destroyed_by_its_identifier() {
    let fixture = Fixture::new().await;
    let proxy = fixture.proxy();
    let (client, key_id) = (KmipClient::new(None), KeyId::random());
    let place = fixture.place_of(&[proxy.address()]);
    let known = created(&client, &place, key_id).await;
    proxy.rule("Locate", FINDS_NOTHING);
    let unknown = client.destroy(&place, &retired(key_id)).await.unwrap();
    assert!(matches!(unknown, Destruction::NotConfirmed { .. }), "{unknown:?}");
    assert_eq!(fixture.objects().await, 1);
    let destroyed = client.destroy(&place, &retired_known(key_id, &known)).await;
    assert_eq!(destroyed, Ok(Destruction::Confirmed));
    assert_eq!(fixture.objects().await, 0);
    proxy.end_rules();
}

#[tokio::test(flavor = "multi_thread")]
async fn success_that_is_answered_and_not_done_is_an_error() {
    let fixture = Fixture::new().await;
    let proxy = fixture.proxy();
    let (client, key_id) = (KmipClient::new(None), KeyId::random());
    let place = fixture.place_of(&[proxy.address()]);
    let known = created(&client, &place, key_id).await;
    let key = retired_known(key_id, &known);
    for (operation, state) in [("Revoke", "Active"), ("Destroy", "Deactivated")] {
        proxy.rule(operation, "{\"succeed\": {}}");
        for _ in 0..2 {
            let error = client.destroy(&place, &key).await.unwrap_err();
            assert_eq!(error.fault, KmipServerFault::ServerError);
            let expected = format!(
                "answered {operation} with success and shows master key {key_id} as {state}"
            );
            assert!(error.message.contains(&expected), "{error}");
            assert_eq!(fixture.objects().await, 1);
        }
        proxy.end_rules();
    }
    assert_eq!(client.destroy(&place, &key).await, Ok(Destruction::Confirmed));
    assert_eq!(fixture.objects().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answer_is_an_error_until_the_server_shows_the_key_as_destroyed() {
    let fixture = Fixture::new().await;
    let proxy = fixture.proxy();
    let client = KmipClient::new(None);
    let place = fixture.place_of(&[proxy.address()]);
    let reset = "{\"reset\": {\"at\": \"response\"}}";
    let refuse = "{\"fail\": {\"reason\": \"General Failure\", \"forward\": true}}";
    for (loss, fault) in
        [(reset, KmipServerFault::ConnectionFailure), (refuse, KmipServerFault::ServerError)]
    {
        let key_id = KeyId::random();
        let known = created(&client, &place, key_id).await;
        // The State tells that Revoke was done.
        proxy.rule("Revoke", loss);
        proxy.rule("Destroy", loss);
        let error = client.destroy(&place, &retired_known(key_id, &known)).await.unwrap_err();
        assert_eq!(error.fault, fault, "{error}");
        assert!(error.message.contains("Destroy") && !error.permanent, "{error}");
        assert_eq!(fixture.objects().await, 0, "it was done all the same");
        proxy.end_rules();
        // By its identifier, and by Locate among the destroyed objects.
        for key in [retired_known(key_id, &known), retired(key_id)] {
            assert_eq!(client.destroy(&place, &key).await, Ok(Destruction::Confirmed));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn key_that_vanishes_after_a_lost_answer_is_not_confirmed() {
    let fixture = Fixture::new().await;
    let proxy = fixture.proxy();
    let (client, key_id) = (KmipClient::new(None), KeyId::random());
    let place = fixture.place_of(&[proxy.address()]);
    let known = created(&client, &place, key_id).await;
    let key = retired_known(key_id, &known);
    proxy.rule("Destroy", "{\"reset\": {\"at\": \"request\"}}");
    assert!(client.destroy(&place, &key).await.is_err());
    proxy.end_rules();
    let absent = "{\"fail\": {\"reason\": \"Item Not Found\"}}";
    proxy.rule("Locate", FINDS_NOTHING);
    proxy.rule("Get Attributes", absent);
    let answer = client.destroy(&place, &key).await.unwrap();
    assert!(matches!(answer, Destruction::NotConfirmed { .. }), "{answer:?}");
    assert_eq!(fixture.objects().await, 1, "it was never destroyed");
    proxy.end_rules();
    assert_eq!(client.destroy(&place, &key).await, Ok(Destruction::Confirmed));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_of_this_name_is_not_destroyed() {
    let fixture = Fixture::new().await;
    let proxy = fixture.proxy();
    let (client, key_id) = (KmipClient::new(None), KeyId::random());
    let place = fixture.place_of(&[proxy.address()]);
    let mut known = created(&client, &place, key_id).await;
    // The bytes are changed on their way: the key is not known by them.
    proxy.rule("Get", "{\"key-bytes\": {\"how\": \"flip-bit\"}}");
    let error = client.destroy(&place, &retired_known(key_id, &known)).await.unwrap_err();
    assert!(error.message.contains("holds another key than master key"), "{error}");
    proxy.end_rules();
    assert_eq!(fixture.objects().await, 1);
    // A second object carries the attribute; the right one of the two is destroyed.
    let mark = (key_id.attribute_name(), key_id.to_string());
    fixture.create("of another", &[(&mark.0, &mark.1)]).await.unwrap();
    let error = client.destroy(&place, &retired_known(key_id, &known)).await.unwrap_err();
    assert!(error.message.contains("holds another key than master key"), "{error}");
    assert_eq!(fixture.objects().await, 1);
    // Nor is it destroyed when the server does not give its bytes.
    proxy.rule("Get", "{\"fail\": {\"reason\": \"Permission Denied\"}}");
    known.identifier = None;
    let error = client.destroy(&place, &retired_known(key_id, &known)).await.unwrap_err();
    assert!(error.message.contains("refused Get: PermissionDenied"), "{error}");
    assert_eq!(fixture.objects().await, 1);
    proxy.end_rules();
}

#[tokio::test(flavor = "multi_thread")]
async fn revoked_key_that_the_server_does_not_give_is_known_by_its_identifier() {
    let fixture = Fixture::new().await;
    let proxy = fixture.proxy();
    let (client, key_id) = (KmipClient::new(None), KeyId::random());
    let place = fixture.place_of(&[proxy.address()]);
    let known = created(&client, &place, key_id).await;
    let key = retired_known(key_id, &known);
    let refuse_get = || proxy.rule("Get", "{\"fail\": {\"reason\": \"Permission Denied\"}}");
    refuse_get();
    let error = client.destroy(&place, &key).await.unwrap_err();
    assert!(error.message.contains("refused Get"), "an Active key is compared: {error}");
    proxy.end_rules();
    proxy.rule("Destroy", "{\"reset\": {\"at\": \"request\"}}");
    assert!(client.destroy(&place, &key).await.is_err());
    proxy.end_rules();
    refuse_get();
    let identifier = Some("another".to_owned());
    let other = retired_known(key_id, &KnownKey { identifier, ..known.clone() });
    let error = client.destroy(&place, &other).await.unwrap_err();
    assert!(error.message.contains("refused Get"), "{error}");
    assert_eq!(fixture.objects().await, 1);
    assert_eq!(client.destroy(&place, &key).await, Ok(Destruction::Confirmed));
    assert_eq!(fixture.objects().await, 0);
    proxy.end_rules();
}
