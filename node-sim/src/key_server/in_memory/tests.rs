//! Tests of the key servers in memory.

use super::{Call, FaultTiming, InMemoryKeyServers, first_host};
use crate::key_server::{
    Destruction, DigestProof, KeyProviderAccess, KeyServerAccess, KeyServerClient, KeyServerError,
};
use crate::state::key_ring::{
    CreatedKey, KeyId, KeyManagement, KeyOrigin, KeyRing, KnownKey, NodeId,
};
use crate::state::key_server_registry::KeyServerKmip;
use kmip::vocabulary::State;

const SERVER: u64 = 1;

fn provider(node: u32) -> KeyProviderAccess {
    let server = KeyServerKmip {
        name: String::new(),
        hostnames: vec!["kms".to_owned()],
        port: 5696,
        ca_certificate: String::new(),
        client_certificate: String::new(),
    };
    let client_key = String::new().into();
    let access = KeyServerAccess { key_server_id: SERVER, server, client_key };
    KeyProviderAccess { node_id: NodeId(node), servers: vec![access] }
}

fn origin(host: &str) -> KeyOrigin {
    KeyOrigin { host: host.to_owned(), client_certificate: None }
}

async fn key(servers: &InMemoryKeyServers) -> (KeyId, KnownKey) {
    let (place, key_id) = (provider(1), KeyId::random());
    let origin = servers.choose_host(&place).await.unwrap();
    servers.ensure(&place, &origin, key_id).await.unwrap();
    let fetched = servers.fetch(&place, key_id, &KnownKey::default()).await.unwrap();
    let check = Some(fetched.key.check_value(key_id));
    (key_id, KnownKey { origin: Some(origin), identifier: Some(fetched.identifier), check })
}

async fn destroy(
    servers: &InMemoryKeyServers,
    key_id: KeyId,
    known: &KnownKey,
) -> Result<Destruction, KeyServerError> {
    let mut ring = KeyRing::default();
    ring.plan(key_id, KeyManagement::External { key_provider_id: 1 }, String::new());
    let (check, identifier) = (known.check.clone().unwrap(), known.identifier.clone());
    ring.put_in_use(key_id, CreatedKey { dealing: None, check, identifier }).unwrap();
    ring.retire(key_id).unwrap();
    servers.destroy(&provider(1), &ring.retired(key_id).unwrap()).await
}

#[tokio::test]
async fn lies_are_found_out_by_the_digest_or_the_check_value() {
    let servers = InMemoryKeyServers::new();
    let (key_id, known) = key(&servers).await;
    let unknown = KnownKey::default();
    servers.lie(Some(NodeId(2)), 1);
    assert!(servers.fetch(&provider(1), key_id, &unknown).await.is_ok());
    assert!(servers.fetch(&provider(2), key_id, &unknown).await.is_err());
    servers.no_digest(SERVER);
    servers.lie(None, 2);
    let lied = servers.fetch(&provider(2), key_id, &unknown).await.unwrap();
    assert_eq!(lied.digest, DigestProof::NotGiven);
    assert_ne!(Some(lied.key.check_value(key_id)), known.check);
    assert!(servers.fetch(&provider(1), key_id, &known).await.is_err());
    assert!(servers.fetch(&provider(1), key_id, &known).await.is_ok());
}

#[tokio::test]
async fn a_destruction_is_confirmed_only_by_a_server_that_shows_it() {
    let servers = InMemoryKeyServers::new();
    let (key_id, known) = key(&servers).await;
    servers.do_not_destroy(1);
    assert!(destroy(&servers, key_id, &known).await.is_err());
    servers.hide(SERVER);
    let hidden = destroy(&servers, key_id, &known).await.unwrap();
    assert!(matches!(hidden, Destruction::NotConfirmed { .. }));
    assert!(servers.ensure(&provider(1), &origin("kms:5696"), key_id).await.is_err());
    servers.show(SERVER);
    assert_eq!(servers.keys(SERVER).len(), 1);
    let lost = KeyServerError::connection("the answer was lost");
    servers.fail(Call::Destroy, FaultTiming::After, 1, lost);
    assert!(destroy(&servers, key_id, &known).await.is_err());
    assert_eq!(destroy(&servers, key_id, &known).await, Ok(Destruction::Confirmed));
    let reports = servers.survey(&provider(1), key_id, None).await;
    let shown = reports[0].shown.clone().unwrap().unwrap();
    assert_eq!((reports[0].host.as_str(), shown.state), ("kms:5696", State::Destroyed));
    servers.put(SERVER, key_id, [7; 32]);
    assert!(destroy(&servers, key_id, &known).await.is_err(), "it is another key");
}

#[tokio::test]
async fn a_refusal_is_permanent() {
    let servers = InMemoryKeyServers::new();
    servers.refuse(Call::Ensure, 1, "Invalid Attribute");
    let (place, key_id) = (provider(1), KeyId::random());
    let elsewhere = origin("another:5696");
    let origin = origin(&first_host(&place).unwrap());
    assert!(servers.ensure(&place, &origin, key_id).await.unwrap_err().permanent);
    assert!(servers.ensure(&place, &elsewhere, key_id).await.is_err());
    assert!(servers.ensure(&place, &origin, key_id).await.is_ok());
}
