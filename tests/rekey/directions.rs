//! Every way that a rekey can lead, undisturbed; and two at once.

use serde_json::{Value, json};

use crate::bench::{Bench, Place, params};

const WAYS: [(Place, &str); 6] = [
    (
        Place::External(1),
        "Rekeying Master Key. Master Key management being transferred from Internal Key \
         Management to External Key Management with keyProviderID=1",
    ),
    (
        Place::External(1),
        "Rekeying Master Key. Master Key management remaining External Key Management with \
         keyProviderID=1",
    ),
    (
        Place::External(2),
        "Rekeying Master Key. Master Key management being transferred from External Key \
         Management with keyProviderID=1 to External Key Management with keyProviderID=2",
    ),
    (
        Place::Internal,
        "Rekeying Master Key. Master Key management being transferred from External Key \
         Management with keyProviderID=2 to Internal Key Management",
    ),
    (
        Place::Internal,
        "Rekeying Master Key. Master Key management remaining Internal Key Management",
    ),
    (
        Place::External(2),
        "Rekeying Master Key. Master Key management being transferred from Internal Key \
         Management to External Key Management with keyProviderID=2",
    ),
];

#[test]
fn a_rekey_leads_every_way_and_the_cluster_starts_again_on_it() {
    let mut bench = Bench::new(3, 2);
    bench.assert_settled(Place::Internal);
    for (to, operation) in WAYS {
        let old = bench.key_id();
        let result = bench.rekey(to);
        assert_eq!(result["operation"], json!(operation));
        assert_eq!(result["keyToDecommission"]["keyID"], json!(old));
        let new = bench.key_id();
        assert_eq!(result["newKey"]["keyID"], json!(new));
        assert_ne!(old, new);
        assert_key_info(&bench, to);
        bench.assert_settled(to);
        for provider in [1, 2] {
            let is_active = to == Place::External(provider);
            assert_eq!(bench.provider_is_active(provider), is_active, "provider {provider}");
        }
        // What was in memory may have hidden what is on disk.
        bench.cluster.restart();
        bench.assert_settled(to);
    }
}

fn assert_key_info(bench: &Bench, place: Place) {
    let info = bench.cluster.call("GetSoftwareEncryptionAtRestInfo", json!({}));
    assert_eq!(info["state"], json!("enabled"));
    let (management, provider) = match place {
        Place::Internal => ("internal", Value::Null),
        Place::External(provider) => ("external", json!(provider)),
    };
    assert_eq!(info["masterKeyInfo"]["keyManagementType"], json!(management));
    assert_eq!(info["masterKeyInfo"]["keyProviderID"], provider);
}

#[test]
fn a_second_rekey_is_refused_while_one_runs() {
    let bench = Bench::new(2, 2);
    bench.power(2, "stop");
    let first = bench.start_rekey(Place::External(1));
    for to in [Place::External(1), Place::External(2), Place::Internal] {
        let method = "RekeySoftwareEncryptionAtRestMasterKey";
        let error = bench.cluster.try_call(method, &params(to)).unwrap_err();
        assert_eq!((error.code, error.name.as_str()), (500, "xRekeyInProgress"), "{to:?}");
        assert!(error.message.contains(&first.to_string()), "{}", error.message);
    }
    bench.power(2, "start");
    bench.finished(&first);
    bench.assert_settled(Place::External(1));
    bench.rekey(Place::External(2));
    bench.assert_settled(Place::External(2));
}
