//! What a batch that writes has read of objects is the same when it is committed: one row and more
//! an operation, each with a request that another connection has processed in between.

pub(crate) mod requests;
pub(super) mod rows;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use kmip::objects::{CertificateRequest, SecretData, SplitKey, Template};
use kmip::structures::Link;
use kmip::vocabulary::{CertificateRequestType, SecretDataType, SplitKeyMethod};

use self::requests::{create, get_wrapped, import, join};
use super::guards::Interposed;
use crate::config::policy::Policy;
use crate::operations::availability;
use crate::store::memory_store::MemoryStore;
use crate::store::{CHANGES_MAX, Key, Range, Store as _};
use crate::tests::harness::*;
use crate::tests::known_answers::certificates::{certifying, der};
use AttributeValue as A;

const V1_2: Version = Version::V1_2;

/// Every use.
const ALL: CryptographicUsageMask = CryptographicUsageMask(0x000F_FFFF);

/// A server whose store lets another request in before a commit.
pub(super) struct World {
    store: Arc<Interposed>,
    pub(super) harness: Harness,
}

/// A batch, and what another client has done before it is committed.
pub(super) struct Row {
    pub(super) version: Version,
    pub(super) items: Vec<RequestPayload>,
    meanwhile: RequestPayload,
    /// What comes of the first item that fails the second time, if one does.
    then: Result<(), ResultReason>,
}

fn row(
    items: impl IntoIterator<Item = RequestPayload>,
    meanwhile: impl Into<RequestPayload>,
    then: Result<(), ResultReason>,
) -> Row {
    let items = items.into_iter().collect();
    Row { version: NEWEST, items, meanwhile: meanwhile.into(), then }
}

/// As [`row`], of a version that has templates.
fn of_1_2(
    item: impl Into<RequestPayload>,
    meanwhile: impl Into<RequestPayload>,
    then: Result<(), ResultReason>,
) -> Row {
    Row { version: V1_2, ..row([item.into()], meanwhile, then) }
}

impl World {
    pub(super) fn new() -> Self {
        let store = Interposed {
            store: Arc::new(MemoryStore::default()),
            request: Mutex::new(None),
            commits: AtomicUsize::new(0),
        };
        let store = Arc::new(store);
        let rules = Policy { interop: true, ..Policy::default() };
        let harness = Harness::with(store.clone(), rules, certifying());
        Self { store, harness }
    }

    /// Has the batch processed with the other request before its first commit. Returns the first
    /// failure, and how often the batch was committed.
    async fn run(&self, row: Row) -> (Result<(), ResultReason>, usize) {
        let other = Harness::over(self.store.store.clone());
        *self.store.request.lock().unwrap() = Some((other, row.version, row.meanwhile));
        let before = self.store.commits.load(Ordering::SeqCst);
        let items = self.harness.batch(row.version, row.items).await;
        let commits = self.store.commits.load(Ordering::SeqCst) - before;
        (items.iter().find_map(|item| item.result_reason).map_or(Ok(()), Err), commits)
    }

    /// All rows of the store.
    pub(super) async fn content(&self) -> Vec<(Key, Vec<u8>)> {
        let all = Range { from: Vec::new(), to: vec![u8::MAX], limit: usize::MAX };
        let rows = self.store.store.scan(all).await.unwrap();
        rows.into_iter().map(|(key, record)| (key, record.value.to_vec())).collect()
    }

    /// A key that is not active yet, and so may be destroyed.
    async fn key(&self, more: Vec<A>) -> String {
        let basic = [
            A::CryptographicAlgorithm(CryptographicAlgorithm::AES),
            A::CryptographicLength(256),
            A::CryptographicUsageMask(ALL),
        ];
        let request = create_with(basic.into_iter().chain(more));
        self.harness.ask(NEWEST, request).await.unwrap().unique_identifier
    }

    async fn active(&self) -> String {
        self.key(vec![A::ActivationDate(DateTime(1))]).await
    }

    async fn register(&self, version: Version, object: Object, values: Vec<A>) -> String {
        let request = RegisterRequest {
            object_type: object.object_type(),
            attributes: Attributes::new(values),
            object,
            protection_storage_masks: None,
        };
        self.harness.ask(version, request).await.unwrap().unique_identifier
    }

    /// A pair of keys on a curve that are active.
    async fn pair(&self) -> (String, String) {
        let request = requests::pair(vec![A::ActivationDate(DateTime(1))]);
        let pair = self.harness.ask(NEWEST, request).await.unwrap();
        (pair.private_key_unique_identifier, pair.public_key_unique_identifier)
    }

    /// A template that gives a group, under the name "template".
    async fn template(&self) -> String {
        let group = A::ObjectGroup("of the template".to_owned());
        let attributes = kmip::attributes::AttributeList(vec![Attribute::from(group)]);
        let template = Object::Template(Template { attributes });
        self.register(V1_2, template, vec![name("template")]).await
    }

    /// A certificate request that is kept.
    async fn certificate_request(&self) -> String {
        let request = CertificateRequest {
            certificate_request_type: CertificateRequestType::PKCS_10,
            certificate_request_value: der("p-256"),
        };
        self.register(NEWEST, Object::CertificateRequest(request), vec![]).await
    }

    async fn password(&self) -> String {
        let secret = SecretData {
            secret_data_type: SecretDataType::Password,
            key_block: KeyBlock::plain(KeyFormatType::Raw, b"secret"),
        };
        let mask = A::CryptographicUsageMask(CryptographicUsageMask(0));
        self.register(NEWEST, Object::SecretData(secret), vec![mask]).await
    }

    /// The password of a container, and a request to keep the container.
    async fn contained(&self) -> (String, RegisterRequest) {
        let (password, (private, _)) = (self.password().await, self.pair().await);
        let link = A::Link(Link {
            link_type: LinkType::PKCS_12PasswordLink,
            linked_object_identifier: Identifier::from(password.as_str()),
        });
        let attribute = link.clone().into();
        let add = AddAttributeRequest { unique_identifier: id(&private), attribute };
        self.harness.ask(NEWEST, add).await.unwrap();
        let container = get_as(Some(&private), Some(KeyFormatType::PKCS_12));
        let object = self.harness.ask(NEWEST, container).await.unwrap().object;
        let values = [link, A::CryptographicUsageMask(ALL)];
        let register = RegisterRequest {
            object_type: object.object_type(),
            attributes: Attributes::new(values),
            object,
            protection_storage_masks: None,
        };
        (password, register)
    }

    /// A part of a key that has very many.
    async fn part(&self, number: i32) -> String {
        let part = SplitKey {
            parts: i32::try_from(CHANGES_MAX).unwrap(),
            part_identifier: number,
            threshold: i32::try_from(CHANGES_MAX).unwrap(),
            method: SplitKeyMethod::XOR,
            polynomial: None,
            prime_field_size: None,
            key_block: KeyBlock::plain(KeyFormatType::Raw, &[0; 16]),
        };
        let mask = A::CryptographicUsageMask(ALL);
        self.register(NEWEST, Object::SplitKey(part), vec![mask]).await
    }

    /// A key as it leaves under another one.
    async fn wrapped(&self, key: &str, wrapping: &str) -> Object {
        self.harness.ask(NEWEST, get_wrapped(key, wrapping)).await.unwrap().object
    }
}

/// One row an operation that this server performs; a new one fails until it stands in one of the
/// tables, or among those that read no object.
#[tokio::test]
async fn every_operation_reads_objects_as_they_are_at_the_commit() {
    let mut wrong = Vec::new();
    for operation in availability::served() {
        let at = World::new();
        let rows = rows::of(&at, operation).await;
        let reads_no_object = rows::READS_NO_OBJECT.contains(&operation);
        assert_eq!(rows.is_empty(), reads_no_object, "{operation:?} is not classified, or twice");
        for (number, row) in rows.into_iter().enumerate() {
            let is_named = row.items.iter().any(|item| item.operation() == operation);
            assert!(is_named, "{operation:?}, row {number}: of another operation");
            // What fails the second time writes nothing.
            let expected = (row.then, if row.then.is_ok() { 2 } else { 1 });
            let found = at.run(row).await;
            if found != expected {
                wrong.push(format!("{operation:?}, row {number}: {found:?}, not {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Keys that wrap, are split or are certified are read by many at once.
#[tokio::test]
async fn those_who_only_read_an_object_do_not_wait_for_each_other() {
    let at = World::new();
    let (key, wrapping) = (at.active().await, at.active().await);
    let object = at.wrapped(&key, &wrapping).await;
    let split = || requests::split(Some(&key));
    let rows = [
        row([import("one", object.clone()).into()], import("two", object), Ok(())),
        row([split().into()], split(), Ok(())),
        row([get(&key).into(), create()], get_wrapped(&key, &wrapping), Ok(())),
    ];
    for (number, row) in rows.into_iter().enumerate() {
        assert_eq!(at.run(row).await, (Ok(()), 1), "row {number}");
    }
    // A base key is given a link to each key that is derived from it: both are, one after another.
    let derive = || requests::derive(&key);
    assert_eq!(at.run(row([derive().into()], derive(), Ok(()))).await, (Ok(()), 2));
}

/// That there is no object is read too: another connection may bring it.
#[tokio::test]
async fn absent_object_is_absent_at_the_commit() {
    let at = World::new();
    let (key, wrapping) = (at.active().await, at.active().await);
    let object = at.wrapped(&key, &wrapping).await;
    let other = Harness::over(at.store.store.clone());
    *at.store.request.lock().unwrap() = Some((other, NEWEST, import("brought", object).into()));
    let go_on = Some(BatchErrorContinuationOption::Continue);
    let items = vec![get("brought").into(), create()];
    let items = at.harness.batch_with(NEWEST, go_on, items).await;
    assert_eq!(items.iter().find_map(|item| item.result_reason), None);
}

/// A batch that writes nothing is answered with what it read.
#[tokio::test]
async fn what_is_only_read_is_not_guarded() {
    let at = World::new();
    let key = at.active().await;
    at.harness.ask(NEWEST, get(&key)).await.unwrap();
    let row = row([get(&key).into()], requests::compromise(&key), Ok(()));
    assert_eq!(at.run(row).await, (Ok(()), 0));
    let meanwhile = at.store.request.lock().unwrap().take();
    assert!(meanwhile.is_some(), "there was no commit to wait for");
}

/// All that a commit may have is guarded; more is refused, by name.
#[tokio::test]
async fn a_batch_that_reads_more_than_a_commit_takes_is_refused() {
    let at = World::new();
    let mut parts = Vec::new();
    for number in 1..=CHANGES_MAX {
        parts.push(at.part(i32::try_from(number).unwrap()).await);
    }
    let refused = at.harness.ask(NEWEST, join(&parts)).await.map(drop);
    assert_eq!(refused, Err(ResultReason::ServerLimitExceeded));
}
