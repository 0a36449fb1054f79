//! Setup of a cluster for its first rekey: key pair, key provider and key server.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::{Cluster, Lab};

impl Cluster {
    /// Makes the cluster's key pair for key servers.
    #[track_caller]
    pub fn make_key_pair(&self, common_name: &str) {
        self.call("CreatePublicPrivateKeyPair", json!({ "commonName": common_name }));
    }

    /// Makes a provider with the key server at this address and tries both; gives the provider's
    /// id. The lab's authority certifies the cluster's key pair.
    #[track_caller]
    pub fn add_key_server(&self, lab: &Lab, address: SocketAddr) -> u64 {
        let provider = self.call("CreateKeyProviderKmip", json!({ "keyProviderName": "kms" }));
        let provider = member(&provider, "kmipKeyProvider", "keyProviderID");
        let server = self.call("CreateKeyServerKmip", self.key_server(lab, address));
        let server = member(&server, "kmipKeyServer", "keyServerID");
        self.call("TestKeyServerKmip", json!({ "keyServerID": server }));
        let both = json!({ "keyProviderID": provider, "keyServerID": server });
        self.call("AddKeyServerToProviderKmip", both);
        self.call("TestKeyProviderKmip", json!({ "keyProviderID": provider }));
        provider
    }

    /// The parameters of `CreateKeyServerKmip` for the key server at this address.
    #[track_caller]
    pub fn key_server(&self, lab: &Lab, address: SocketAddr) -> Value {
        let request = self.call("GetClientCertificateSignRequest", json!({}));
        let request = request.get("clientCertificateSignRequest").and_then(Value::as_str);
        let request = request.expect("a request in PEM");
        json!({
            "kmipKeyServerName": "kms",
            "kmipKeyServerHostnames": [address.ip().to_string()],
            "kmipKeyServerPort": address.port(),
            "kmipCaCertificate": lab.pem("ca.crt"),
            "kmipClientCertificate": lab.authority().sign(request).expect("a certificate"),
        })
    }
}

#[track_caller]
fn member(answer: &Value, object: &str, name: &str) -> u64 {
    let id = answer.get(object).and_then(|object| object.get(name)).and_then(Value::as_u64);
    id.unwrap_or_else(|| panic!("no {object}.{name} in {answer}"))
}
