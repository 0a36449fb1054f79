//! Fixture: key servers with their objects in memory, proxies before them, and certificates for
//! their clients.

use harness::proxy_http::{delete, get, post};
use harness::{KmipProxy, Lab};
use kmip::attributes::{AttributeValue, Attributes, VendorAttribute};
use kmip::client::{Client, Error};
use kmip::payload::{CreateRequest, Filter, LocateRequest};
use kmip::structures::Name;
use kmip::vocabulary::{CryptographicAlgorithm, CryptographicUsageMask, ObjectType};
use kmip_server::KeyServer;
use kmip_server::config::Settings;
use kmip_server::store::MemoryStore;
use kmip_server::store::{IndexKey, KEY_LEN};
use kmip_server::{listen, serve};
use node_sim::testing::{KeyProviderAccess, KeyServerAccess, KeyServerKmip, NodeId};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

pub(crate) struct Fixture {
    lab: Lab,
    server: TestServer,
    /// The cluster's certificate and key, as its own key pair is certified.
    client: (String, Zeroizing<String>),
}

/// A key server.
pub(crate) struct TestServer {
    key_server: Arc<KeyServer>,
    address: SocketAddr,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl TestServer {
    fn new() -> Self {
        let index_key = IndexKey::new(&[7; KEY_LEN]);
        let key_server = Arc::new(KeyServer::new(Arc::new(MemoryStore::default()), index_key));
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = listener.local_addr().unwrap();
        Self { key_server, address, running: None }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts the server on its port with this certificate and the objects that it had.
    fn start_as(&mut self, lab: &Lab, pair: &str) {
        let pki = |kind| lab.pki(&format!("{pair}.{kind}"));
        let settings = Settings::new(pki("crt"), pki("key"), lab.pki("ca.crt"));
        let listener = listen(self.address).unwrap();
        let key_server = Arc::clone(&self.key_server);
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            serve(listener, &settings, key_server, stopped).await.unwrap();
        });
        self.running = Some((stop, task));
    }

    /// Stops the server, and waits until it is gone.
    pub(crate) async fn stop(&mut self) {
        let (stop, task) = self.running.take().unwrap();
        drop(stop);
        task.await.unwrap();
    }
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let lab = Lab::new();
        let pair = lab.authority().client("cluster").unwrap();
        let client = (pair.cert_pem, pair.key_pem);
        let mut server = TestServer::new();
        server.start_as(&lab, "server");
        Self { lab, server, client }
    }

    /// Starts another key server, without objects.
    pub(crate) fn empty_server(&self) -> TestServer {
        let mut server = TestServer::new();
        self.start(&mut server);
        server
    }

    /// Starts a key server that was stopped.
    pub(crate) fn start(&self, server: &mut TestServer) {
        server.start_as(&self.lab, "server");
    }

    /// Starts the fixture's own server with this certificate.
    pub(crate) fn start_as(&mut self, pair: &str) {
        self.server.start_as(&self.lab, pair);
    }

    /// Stops the fixture's own server, and waits until it is gone.
    pub(crate) async fn stop(&mut self) {
        self.server.stop().await;
    }

    /// Starts a proxy before the fixture's own server, which sees the cluster's certificate.
    pub(crate) fn proxy(&self) -> Proxy {
        Proxy(KmipProxy::start_for(&self.lab, self.server.address, "cluster"))
    }

    /// A key server with these host names at this port.
    pub(crate) fn access(&self, id: u64, hostnames: &[&str], port: u16) -> KeyServerAccess {
        let server = KeyServerKmip {
            name: "bench".to_owned(),
            hostnames: hostnames.iter().map(|&name| name.to_owned()).collect(),
            port,
            ca_certificate: self.lab.pem("ca.crt"),
            client_certificate: self.client.0.clone(),
        };
        KeyServerAccess { key_server_id: id, server, client_key: self.client.1.clone() }
    }

    /// Where a node finds the fixture's own server.
    pub(crate) fn place(&self, node_id: NodeId) -> KeyProviderAccess {
        let servers = self.place_of(&[self.server.address]).servers;
        KeyProviderAccess { node_id, servers }
    }

    /// Where node 1 finds key servers at these addresses.
    pub(crate) fn place_of(&self, addresses: &[SocketAddr]) -> KeyProviderAccess {
        let access = |(id, address): (u64, &SocketAddr)| {
            self.access(id, &[&address.ip().to_string()], address.port())
        };
        KeyProviderAccess {
            node_id: NodeId(1),
            servers: (1..).zip(addresses).map(access).collect(),
        }
    }

    /// The address of the fixture's own server.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// A file of the lab's certificates.
    pub(crate) fn pem(&self, name: &str) -> String {
        self.lab.pem(name)
    }

    /// A client with the cluster's certificate.
    pub(crate) fn client(&self, address: SocketAddr) -> Client {
        Client::builder()
            .server(address.to_string())
            .ca_pem(self.lab.pem("ca.crt"))
            .identity_pem(&self.client.0, self.client.1.as_bytes())
            .build()
            .unwrap()
    }

    /// How many keys the cluster has at the fixture's own server.
    pub(crate) async fn objects(&self) -> usize {
        self.objects_at(self.server.address).await
    }

    /// How many keys the cluster has at this server.
    pub(crate) async fn objects_at(&self, address: SocketAddr) -> usize {
        let attributes: Filter =
            [AttributeValue::ObjectType(ObjectType::SymmetricKey)].into_iter().collect();
        let request = LocateRequest { attributes, ..LocateRequest::default() };
        self.client(address).request(request).await.unwrap().unique_identifiers.len()
    }

    /// Makes a key of this Name with these custom attributes.
    pub(crate) async fn create(&self, name: &str, marks: &[(&str, &str)]) -> Result<(), Error> {
        let mut attributes = vec![
            AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
            AttributeValue::CryptographicLength(256),
            AttributeValue::CryptographicUsageMask(CryptographicUsageMask::Encrypt),
            AttributeValue::Name(Name::text(name)),
        ];
        attributes.extend(marks.iter().map(|(name, value)| {
            let name = name.strip_prefix("x-").unwrap();
            AttributeValue::Vendor(VendorAttribute::text(name, value))
        }));
        let request = CreateRequest {
            object_type: ObjectType::SymmetricKey,
            attributes: Attributes::new(attributes),
            protection_storage_masks: None,
        };
        self.client(self.server.address).request(request).await.map(drop)
    }
}

/// A proxy before the fixture's own server.
pub(crate) struct Proxy(KmipProxy);

impl Proxy {
    pub(crate) fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// Changes this operation from now on.
    #[track_caller]
    pub(crate) fn rule(&self, operation: &str, action: &str) {
        self.add(&format!("\"name\": \"{operation}\", \"operation\": \"{operation}\""), action);
    }

    /// Changes every operation from now on.
    #[track_caller]
    pub(crate) fn rule_for_all(&self, action: &str) {
        self.add("\"name\": \"all\"", action);
    }

    #[track_caller]
    fn add(&self, conditions: &str, action: &str) {
        let rule = format!("{{{conditions}, \"action\": {action}}}");
        let (status, body) = post(self.0.http(), "/rules", &rule);
        assert_eq!(status, 201, "{body}");
    }

    /// Ends all rules, each of which must have changed something.
    #[track_caller]
    pub(crate) fn end_rules(&self) {
        let (_, body) = get(self.0.http(), "/rules");
        let rules: Value = serde_json::from_str(&body).unwrap();
        for rule in rules.as_array().unwrap() {
            assert!(rule["fired"].as_u64().unwrap() > 0, "a rule changed nothing: {rule}");
        }
        assert_eq!(delete(self.0.http(), "/rules").0, 200);
    }
}
