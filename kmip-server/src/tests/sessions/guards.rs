//! What a batch decided by is the same when it is committed, or the batch runs again.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use certs::Authority;
use kmip::objects::Certificate;
use kmip::payload::{
    Constraint, Constraints, DefaultsInformation, ObjectDefaults, ReProvisionRequest,
    SetConstraintsRequest, SetDefaultsRequest,
};
use kmip::vocabulary::CertificateType;
use x509_parser::pem::parse_x509_pem;

use crate::auth::client::Client;
use crate::config::Identity;
use crate::config::policy::Policy;
use crate::crypto::x509::certificate::Certificate as Credential;
use crate::keystore::process_state::ProcessState;
use crate::store::memory_store::MemoryStore;
use crate::store::{Change, Key, Outcome, Pending, Range, Record, Store, StoreError};
use crate::tests::harness::*;

/// A store where another request is processed right before the first commit.
pub(super) struct Interposed {
    pub(super) store: Arc<MemoryStore>,
    pub(super) request: Mutex<Option<(Harness, Version, RequestPayload)>>,
    pub(super) commits: AtomicUsize,
}

impl Interposed {
    async fn carry_out(&self, changes: Vec<Change>) -> Result<Outcome, StoreError> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        let request = self.request.lock().unwrap().take();
        if let Some((harness, version, request)) = request {
            let items = harness.batch(version, vec![request]).await;
            assert_eq!(items[0].result_reason, None, "{items:?}");
        }
        self.store.commit(changes).await
    }
}

impl Store for Interposed {
    fn get<'a>(&'a self, key: &'a [u8]) -> Pending<'a, Option<Record>> {
        self.store.get(key)
    }

    fn scan(&self, range: Range) -> Pending<'_, Vec<(Key, Record)>> {
        self.store.scan(range)
    }

    fn commit(&self, changes: Vec<Change>) -> Pending<'_, Outcome> {
        Box::pin(self.carry_out(changes))
    }
}

/// A client certificate of one subject.
fn credential(authority: &Authority) -> (Vec<u8>, Client) {
    let pair = authority.client("node-1").unwrap();
    let der = parse_x509_pem(pair.cert_pem.as_bytes()).unwrap().1.contents;
    let peer = SocketAddr::from(([127, 0, 0, 1], 1));
    let credential = Credential::parse(&der).unwrap();
    (der, Client::from_certificate(credential, Identity::Subject, peer))
}

/// Creates a key while the same client has the other request processed between what the Create
/// reads and its commit. Returns the result, and how often the Create was committed.
async fn create_while(
    client: &Client,
    request: impl Into<RequestPayload>,
) -> (Result<(Harness, String), ResultReason>, usize) {
    create_beside(ProcessState::default(), client, request).await
}

/// As [`create_while`], with what the server has beside its store.
async fn create_beside(
    state: ProcessState,
    client: &Client,
    request: impl Into<RequestPayload>,
) -> (Result<(Harness, String), ResultReason>, usize) {
    let store = Arc::new(MemoryStore::default());
    let other = Harness::with(store.clone(), Policy::default(), state).as_client(client.clone());
    let request = Mutex::new(Some((other, NEWEST, request.into())));
    let store = Arc::new(Interposed { store, request, commits: AtomicUsize::new(0) });
    let harness = Harness::over(store.clone()).as_client(client.clone());
    let created = harness.ask(NEWEST, aes(vec![])).await;
    let commits = store.commits.load(Ordering::SeqCst);
    (created.map(|created| (harness, created.unique_identifier)), commits)
}

#[tokio::test]
async fn constraints_that_are_set_during_a_create_are_kept_by_it() {
    let attributes = Attributes::new([AttributeValue::CryptographicLength(128)]);
    let constraint = Constraint { attributes: Some(attributes), ..Constraint::default() };
    let constraints = Constraints { constraints: vec![constraint] };
    let request = SetConstraintsRequest { constraints };
    let (created, commits) = create_while(&client("alice"), request).await;
    assert_eq!(created.map(drop), Err(ResultReason::ConstraintViolation));
    assert_eq!(commits, 1, "the second run had nothing to commit");
}

#[tokio::test]
async fn defaults_that_are_set_during_a_create_are_in_the_object() {
    let comment = AttributeValue::ContactInformation("as the default has it".to_owned());
    let set = ObjectDefaults {
        object_type: Some(ObjectType::SymmetricKey),
        object_types: None,
        attributes: Attributes::new([comment.clone()]),
        object_groups: None,
    };
    let defaults_information = Some(DefaultsInformation { object_defaults: vec![set] });
    let request = SetDefaultsRequest { defaults_information };
    let (created, commits) = create_while(&client("alice"), request).await;
    let (harness, key) = created.unwrap();
    assert_eq!(attribute(&harness, &key, "Contact Information").await, Some(comment));
    assert_eq!(commits, 2);
}

#[tokio::test]
async fn certificate_that_is_replaced_during_a_create_creates_nothing() {
    let authority = Authority::new("authority").unwrap();
    let ((_, first), (der, _)) = (credential(&authority), credential(&authority));
    let certificate =
        Certificate { certificate_type: CertificateType::X_509, certificate_value: der };
    let request = ReProvisionRequest { certificate: Some(certificate), certificate_request: None };
    let (created, commits) = create_beside(signed_by(&authority), &first, request).await;
    assert_eq!(created.map(drop), Err(ResultReason::AuthenticationNotSuccessful));
    assert_eq!(commits, 1);
}

/// A limit that is read from the store is in the row of the key, which is written: one use only.
#[tokio::test]
async fn usage_limit_is_drawn_on_once() {
    use kmip::payload::GetUsageAllocationRequest;
    let store = Arc::new(MemoryStore::default());
    let other = Harness::over(store.clone());
    let limits = AttributeValue::UsageLimits(kmip::structures::UsageLimits {
        total: 1,
        count: None,
        unit: kmip::vocabulary::UsageLimitsUnit::Object,
    });
    let key = other.create(NEWEST, vec![limits]).await;
    other.ask(NEWEST, ActivateRequest { unique_identifier: id(&key) }).await.unwrap();
    let take = GetUsageAllocationRequest { unique_identifier: id(&key), usage_limits_count: 1 };
    let request = Mutex::new(Some((other, NEWEST, take.clone().into())));
    let store = Interposed { store, request, commits: AtomicUsize::new(0) };
    let harness = Harness::over(Arc::new(store));
    let refused = harness.ask(NEWEST, take).await.map(drop);
    assert_eq!(refused, Err(ResultReason::UsageLimitExceeded));
}
