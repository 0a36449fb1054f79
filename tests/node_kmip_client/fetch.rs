//! Fetches from key servers that answer something else than the key.

use crate::fixture::Fixture;
use crate::{created, fetch};
use node_sim::testing::{
    DigestProof, KeyId, KeyServerClient, KmipClient, KmipServerFault, KnownKey,
};

/// Answer to Get Attributes without the Digest.
fn without_digest(key_id: KeyId) -> String {
    let payload = format!(
        "<ResponsePayload><UniqueIdentifier type='TextString' value='$object'/><Attributes>\
         <State type='Enumeration' value='Active'/><Attribute>\
         <VendorIdentification type='TextString' value='x'/>\
         <AttributeName type='TextString' value='SolidFire-KeyID-{key_id}'/>\
         <AttributeValue type='TextString' value='{key_id}'/></Attribute></Attributes>\
         </ResponsePayload>"
    );
    format!("{{\"succeed\": {{\"payload\": \"{payload}\"}}}}")
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_do_not_have_the_digest_are_refused_and_another_host_is_asked() {
    let fixture = Fixture::new().await;
    let proxy = fixture.proxy();
    let (client, key_id) = (KmipClient::new(None), KeyId::random());
    let lying = fixture.place_of(&[proxy.address()]);
    let both = fixture.place_of(&[proxy.address(), fixture.address()]);
    let known = created(&client, &lying, key_id).await;
    for (how, cause) in [
        ("flip-bit", "than those of its own SHA_256 Digest"),
        ("zero", "than those of its own SHA_256 Digest"),
        ("random", "than those of its own SHA_256 Digest"),
        ("shorter", "as a raw AES-256 key"),
        ("longer", "as a raw AES-256 key"),
    ] {
        proxy.rule("Get", &format!("{{\"key-bytes\": {{\"how\": \"{how}\"}}}}"));
        let error = fetch(&client, &lying, key_id).await.unwrap_err();
        assert_eq!(error.fault, KmipServerFault::ServerError, "{how}: {error}");
        assert!(error.message.contains(cause) && !error.permanent, "{how}: {error}");
        let fetched = fetch(&client, &both, key_id).await.unwrap();
        assert_eq!(fetched.host, fixture.address().to_string(), "{how}");
        assert_eq!(Some(fetched.key.check_value(key_id)), known.check, "{how}");
        proxy.end_rules();
    }
    let fetched = fetch(&client, &both, key_id).await.unwrap();
    assert_eq!(fetched.digest, DigestProof::Matches);
    assert_eq!(fetched.host, proxy.address().to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_digest_the_check_value_finds_other_bytes() {
    let fixture = Fixture::new().await;
    let proxy = fixture.proxy();
    let (client, key_id) = (KmipClient::new(None), KeyId::random());
    let place = fixture.place_of(&[proxy.address()]);
    let known = created(&client, &place, key_id).await;
    proxy.rule("Get Attributes", &without_digest(key_id));
    let fetched = client.fetch(&place, key_id, &known).await.unwrap();
    assert_eq!(fetched.digest, DigestProof::NotGiven);
    proxy.rule("Get", "{\"key-bytes\": {\"how\": \"random\"}}");
    let unproved = fetch(&client, &place, key_id).await.unwrap();
    assert_eq!(unproved.digest, DigestProof::NotGiven, "nothing shows that the bytes are others");
    assert_ne!(Some(unproved.key.check_value(key_id)), known.check);
    let error = client.fetch(&place, key_id, &known).await.unwrap_err();
    assert!(error.message.contains("gives another key for master key"), "{error}");
    proxy.end_rules();
}

#[tokio::test(flavor = "multi_thread")]
async fn key_that_locate_does_not_find_is_fetched_by_its_identifier() {
    let fixture = Fixture::new().await;
    let proxy = fixture.proxy();
    let (client, key_id) = (KmipClient::new(None), KeyId::random());
    let place = fixture.place_of(&[proxy.address()]);
    let known = created(&client, &place, key_id).await;
    proxy.rule("Locate", "{\"succeed\": {\"payload\": \"<ResponsePayload/>\"}}");
    let error = fetch(&client, &place, key_id).await.unwrap_err();
    assert!(error.message.contains("has no master key"), "{error}");
    let fetched = client.fetch(&place, key_id, &known).await.unwrap();
    assert_eq!(Some(fetched.key.check_value(key_id)), known.check);
    let identifier = known.identifier.clone();
    let other = KeyId::random();
    let error = client.fetch(&place, other, &KnownKey { identifier, ..KnownKey::default() }).await;
    assert!(error.is_err(), "the object of this identifier does not carry the other keyID");
    proxy.end_rules();
}

#[tokio::test(flavor = "multi_thread")]
async fn answer_about_another_object_is_refused() {
    let fixture = Fixture::new().await;
    let proxy = fixture.proxy();
    let (client, key_id) = (KmipClient::new(None), KeyId::random());
    let place = fixture.place_of(&[proxy.address()]);
    let known = created(&client, &place, key_id).await;
    for (operation, expected) in [("Get", "answered Get for"), ("Get Attributes", "GetAttributes")]
    {
        proxy.rule(operation, "{\"identifier\": {}}");
        let error = client.fetch(&place, key_id, &known).await.unwrap_err();
        assert!(error.message.contains(expected), "{error}");
        assert!(error.message.contains("for another object than requested"), "{error}");
        proxy.end_rules();
    }
    let long = "x".repeat(2000);
    let payload = format!(
        "<ResponsePayload><UniqueIdentifier type='TextString' value='{long}'/></ResponsePayload>"
    );
    proxy.rule("Locate", &format!("{{\"succeed\": {{\"payload\": \"{payload}\"}}}}"));
    let error = client.fetch(&place, key_id, &known).await.unwrap_err();
    assert!(error.message.contains("a Unique Identifier of 2000 bytes"), "{error}");
    proxy.end_rules();
}
