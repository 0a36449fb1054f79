//! Every direction of a rekey, undisturbed; and two at once.

use serde_json::{Value, json};

use crate::fixture::{Fixture, KeyLocation, params};

const TRANSITIONS: [(KeyLocation, &str); 6] = [
    (
        KeyLocation::External(1),
        "Rekeying Master Key. Master Key management being transferred from Internal Key \
         Management to External Key Management with keyProviderID=1",
    ),
    (
        KeyLocation::External(1),
        "Rekeying Master Key. Master Key management remaining External Key Management with \
         keyProviderID=1",
    ),
    (
        KeyLocation::External(2),
        "Rekeying Master Key. Master Key management being transferred from External Key \
         Management with keyProviderID=1 to External Key Management with keyProviderID=2",
    ),
    (
        KeyLocation::Internal,
        "Rekeying Master Key. Master Key management being transferred from External Key \
         Management with keyProviderID=2 to Internal Key Management",
    ),
    (
        KeyLocation::Internal,
        "Rekeying Master Key. Master Key management remaining Internal Key Management",
    ),
    (
        KeyLocation::External(2),
        "Rekeying Master Key. Master Key management being transferred from Internal Key \
         Management to External Key Management with keyProviderID=2",
    ),
];

#[test]
fn a_rekey_leads_every_way_and_the_cluster_starts_again_on_it() {
    let mut fixture = Fixture::new(3, 2);
    fixture.assert_settled(KeyLocation::Internal);
    for (to, operation) in TRANSITIONS {
        let old = fixture.key_id();
        let result = fixture.rekey(to);
        assert_eq!(result["operation"], json!(operation));
        assert_eq!(result["keyToDecommission"]["keyID"], json!(old));
        let new = fixture.key_id();
        assert_eq!(result["newKey"]["keyID"], json!(new));
        assert_ne!(old, new);
        assert_key_info(&fixture, to);
        fixture.assert_settled(to);
        for provider in [1, 2] {
            let is_active = to == KeyLocation::External(provider);
            assert_eq!(fixture.provider_is_active(provider), is_active, "provider {provider}");
        }
        // What was in memory may have hidden what is on disk.
        fixture.cluster.restart();
        fixture.assert_settled(to);
    }
}

fn assert_key_info(fixture: &Fixture, location: KeyLocation) {
    let info = fixture.cluster.call("GetSoftwareEncryptionAtRestInfo", json!({}));
    assert_eq!(info["state"], json!("enabled"));
    let (management, provider) = match location {
        KeyLocation::Internal => ("internal", Value::Null),
        KeyLocation::External(provider) => ("external", json!(provider)),
    };
    assert_eq!(info["masterKeyInfo"]["keyManagementType"], json!(management));
    assert_eq!(info["masterKeyInfo"]["keyProviderID"], provider);
}

#[test]
fn a_second_rekey_is_refused_while_one_runs() {
    let fixture = Fixture::new(2, 2);
    fixture.power(2, "stop");
    let first = fixture.start_rekey(KeyLocation::External(1));
    for to in [KeyLocation::External(1), KeyLocation::External(2), KeyLocation::Internal] {
        let method = "RekeySoftwareEncryptionAtRestMasterKey";
        let error = fixture.cluster.try_call(method, &params(to)).unwrap_err();
        assert_eq!((error.code, error.name.as_str()), (500, "xRekeyInProgress"), "{to:?}");
        assert!(error.message.contains(&first.to_string()), "{}", error.message);
    }
    fixture.power(2, "start");
    fixture.finished(&first);
    fixture.assert_settled(KeyLocation::External(1));
    fixture.rekey(KeyLocation::External(2));
    fixture.assert_settled(KeyLocation::External(2));
}
