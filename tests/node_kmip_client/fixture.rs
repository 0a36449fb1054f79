//! Fixture: a key server with its objects in memory, and certificates for its clients.

use harness::Lab;
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
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

pub(crate) struct Fixture {
    lab: Lab,
    key_server: Arc<KeyServer>,
    address: SocketAddr,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    /// The cluster's certificate and key, as its own key pair is certified.
    client: (String, Zeroizing<String>),
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let lab = Lab::new();
        let pair = lab.authority().client("cluster").unwrap();
        let index_key = IndexKey::new(&[7; KEY_LEN]);
        let key_server = Arc::new(KeyServer::new(Arc::new(MemoryStore::default()), index_key));
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let client = (pair.cert_pem, pair.key_pem);
        let mut fixture = Self { lab, key_server, address, running: None, client };
        fixture.start();
        fixture
    }

    /// Starts the server on its port, with the objects that it had.
    pub(crate) fn start(&mut self) {
        self.start_as("server");
    }

    /// Starts the server with this certificate.
    pub(crate) fn start_as(&mut self, pair: &str) {
        let pki = |kind| self.lab.pki(&format!("{pair}.{kind}"));
        let ca = self.lab.pki("ca.crt");
        let settings = Settings::new(pki("crt"), pki("key"), ca);
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

    fn server(&self) -> KeyServerKmip {
        KeyServerKmip {
            name: "bench".to_owned(),
            hostnames: vec![self.address.ip().to_string()],
            port: self.address.port(),
            ca_certificate: self.lab.pem("ca.crt"),
            client_certificate: self.client.0.clone(),
        }
    }

    /// Where a node finds the server.
    pub(crate) fn place(&self, node_id: NodeId) -> KeyProviderAccess {
        let server = self.server();
        let client_key = self.client.1.clone();
        KeyProviderAccess {
            node_id,
            servers: vec![KeyServerAccess { key_server_id: 1, server, client_key }],
        }
    }

    /// A file of the lab's certificates.
    pub(crate) fn pem(&self, name: &str) -> String {
        self.lab.pem(name)
    }

    /// A client with the cluster's certificate.
    fn client(&self) -> Client {
        Client::builder()
            .server(self.address.to_string())
            .ca_pem(self.lab.pem("ca.crt"))
            .identity_pem(&self.client.0, self.client.1.as_bytes())
            .build()
            .unwrap()
    }

    /// How many keys the cluster has at the server.
    pub(crate) async fn objects(&self) -> usize {
        let attributes: Filter =
            [AttributeValue::ObjectType(ObjectType::SymmetricKey)].into_iter().collect();
        let request = LocateRequest { attributes, ..LocateRequest::default() };
        self.client().request(request).await.unwrap().unique_identifiers.len()
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
        self.client().request(request).await.map(drop)
    }
}
