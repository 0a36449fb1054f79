//! Whatever makes, replaces or gives out an object: in each version each attribute is shown as
//! often as the tables of the standard allow (1.4, 3; 2.1, 4).

use std::collections::BTreeSet;

use kmip::attributes::ATTRIBUTES;
use kmip::objects::{SecretData, SplitKey};
use kmip::payload::*;
use kmip::vocabulary::{CertificateRequestType, SecretDataType, SplitKeyMethod};

use crate::config::policy::Policy;
use crate::operations::availability;
use crate::tests::harness::*;
use crate::tests::known_answers::certificates::{certifying, der, of_request, values};
use crate::tests::sessions::guarded_reads::requests;
use AttributeValue as A;

/// Operations after which there is no new object. What Re-Provision makes needs a client
/// certificate, and is checked with it.
const MAKES_NO_OBJECT: &[Operation] = &[
    Operation::Activate,
    Operation::AddAttribute,
    Operation::AdjustAttribute,
    Operation::Archive,
    Operation::Cancel,
    Operation::Check,
    Operation::Decrypt,
    Operation::DelegatedLogin,
    Operation::DeleteAttribute,
    Operation::Destroy,
    Operation::DiscoverVersions,
    Operation::Encrypt,
    Operation::Export,
    Operation::Get,
    Operation::GetAttributeList,
    Operation::GetAttributes,
    Operation::GetConstraints,
    Operation::GetUsageAllocation,
    Operation::Hash,
    Operation::Interop,
    Operation::Locate,
    Operation::Log,
    Operation::Login,
    Operation::Logout,
    Operation::MAC,
    Operation::MACVerify,
    Operation::ModifyAttribute,
    Operation::ObtainLease,
    Operation::Ping,
    Operation::PKCS_11,
    Operation::Poll,
    Operation::Process,
    Operation::Query,
    Operation::QueryAsynchronousRequests,
    Operation::ReProvision,
    Operation::Recover,
    Operation::Revoke,
    Operation::RNGRetrieve,
    Operation::RNGSeed,
    Operation::SetAttribute,
    Operation::SetConstraints,
    Operation::SetDefaults,
    Operation::SetEndpointRole,
    Operation::Sign,
    Operation::SignatureVerify,
    Operation::Validate,
];

/// A key that may be used for everything, active since 1970.
async fn active(harness: &Harness) -> String {
    let mask = A::CryptographicUsageMask(CryptographicUsageMask(0x000F_FFFF));
    let algorithm = A::CryptographicAlgorithm(CryptographicAlgorithm::AES);
    let request = create_with([mask, algorithm, A::ActivationDate(DateTime(1))]);
    harness.ask(NEWEST, request).await.unwrap().unique_identifier
}

fn re_key(key: &str) -> ReKeyRequest {
    ReKeyRequest {
        unique_identifier: id(key),
        offset: None,
        attributes: None,
        protection_storage_masks: None,
    }
}

fn register(object: Object) -> RequestPayload {
    let mask = A::CryptographicUsageMask(CryptographicUsageMask(0x000F_FFFF));
    RegisterRequest {
        object_type: object.object_type(),
        attributes: Attributes::new([mask]),
        object,
        protection_storage_masks: None,
    }
    .into()
}

/// Objects that a client brings: those that have a key.
fn brought() -> Vec<Object> {
    let mut key_block = KeyBlock::plain(KeyFormatType::Raw, &[7; 32]);
    key_block.cryptographic_algorithm = Some(CryptographicAlgorithm::AES);
    key_block.cryptographic_length = Some(256);
    let secret = KeyBlock::plain(KeyFormatType::Raw, b"secret");
    vec![
        Object::SymmetricKey(Key { key_block: key_block.clone() }),
        Object::SecretData(SecretData {
            secret_data_type: SecretDataType::Password,
            key_block: secret,
        }),
        Object::SplitKey(SplitKey {
            parts: 2,
            part_identifier: 1,
            threshold: 2,
            method: SplitKeyMethod::XOR,
            polynomial: None,
            prime_field_size: None,
            key_block,
        }),
    ]
}

/// Requests of an operation that makes objects; each kind of object that it makes.
async fn makes(harness: &Harness, operation: Operation) -> Vec<RequestPayload> {
    match operation {
        Operation::Create => vec![requests::create()],
        Operation::CreateKeyPair => vec![requests::pair(vec![]).into()],
        Operation::CreateSplitKey => {
            let key = active(harness).await;
            let attributes = aes(vec![]).attributes;
            let new = CreateSplitKeyRequest { attributes, ..requests::split(None) };
            vec![new.into(), requests::split(Some(&key)).into()]
        }
        Operation::DeriveKey => vec![requests::derive(&active(harness).await).into()],
        Operation::Register => brought().into_iter().map(register).collect(),
        Operation::Import => {
            let all = brought().into_iter().enumerate();
            all.map(|(at, object)| requests::import(&format!("{at}"), object).into()).collect()
        }
        Operation::JoinSplitKey => {
            let parts = harness.ask(NEWEST, requests::split(None)).await.unwrap();
            vec![requests::join(&parts.unique_identifiers).into()]
        }
        Operation::ReKey => {
            let once = re_key(&active(harness).await);
            let once = harness.ask(NEWEST, once).await.unwrap().unique_identifier;
            vec![re_key(&once).into()]
        }
        Operation::ReKeyKeyPair => {
            let pair = harness.ask(NEWEST, requests::pair(vec![])).await.unwrap();
            let request = |key: &str| ReKeyKeyPairRequest {
                private_key_unique_identifier: id(key),
                ..ReKeyKeyPairRequest::default()
            };
            let once = request(&pair.private_key_unique_identifier);
            let once = harness.ask(NEWEST, once).await.unwrap();
            vec![request(&once.private_key_unique_identifier).into()]
        }
        Operation::Certify => vec![certify().into()],
        Operation::ReCertify => {
            let request = |certificate: &str| ReCertifyRequest {
                unique_identifier: id(certificate),
                ..ReCertifyRequest::default()
            };
            let made = certify();
            let made = harness.ask(NEWEST, made).await.unwrap().unique_identifier;
            let once = harness.ask(NEWEST, request(&made)).await.unwrap().unique_identifier;
            vec![request(&once).into()]
        }
        _ => Vec::new(),
    }
}

/// A request for a certificate, in the way of every version.
fn certify() -> CertifyRequest {
    of_request(CertificateRequestType::PKCS_10, der("p-256"))
}

async fn all(harness: &Harness) -> BTreeSet<String> {
    let found = harness.ask(NEWEST, locate(vec![])).await.unwrap();
    found.unique_identifiers.into_iter().collect()
}

/// One row an operation; a new one fails until it is known whether it makes an object.
#[tokio::test]
async fn each_attribute_of_a_new_object_is_shown_as_often_as_it_may_be() {
    for operation in availability::served() {
        let harness = Harness::living(certifying());
        let is_other = MAKES_NO_OBJECT.contains(&operation);
        assert_eq!(makes(&harness, operation).await.is_empty(), is_other, "{operation:?}");
        for version in [OLDEST, Version::V1_4, Version::V2_0, NEWEST] {
            let harness = Harness::living(certifying());
            for request in makes(&harness, operation).await {
                if !operation.exists_in(version) {
                    continue;
                }
                let before = all(&harness).await;
                let items = harness.batch(version, vec![request]).await;
                let case = format!("{operation:?} in {version}");
                assert_eq!(items[0].result_reason, None, "{case}: {:?}", items[0].result_message);
                let after = all(&harness).await;
                let mut new = after.difference(&before).peekable();
                assert!(new.peek().is_some(), "{case}: there is no new object");
                for object in new {
                    check(&case, &harness, object).await;
                }
            }
        }
    }
}

async fn check(case: &str, harness: &Harness, object: &str) {
    for version in [OLDEST, Version::V1_4, Version::V2_0, NEWEST] {
        let shown = values(harness, version, object).await;
        check_counts(&format!("{case}, shown in {version}"), version, &shown);
        let list = GetAttributeListRequest { unique_identifier: id(object) };
        let names = harness.ask(version, list).await.unwrap().attributes;
        let once: BTreeSet<_> = names.iter().collect();
        assert_eq!(once.len(), names.len(), "{case}: {names:?}");
        if Operation::Export.exists_in(version) {
            let export = ExportRequest { unique_identifier: id(object), ..Default::default() };
            let exported = harness.ask(version, export).await.unwrap().attributes.0;
            let exported: Vec<A> = exported.into_iter().map(|attribute| attribute.value).collect();
            check_counts(&format!("{case}, exported in {version}"), version, &exported);
        }
    }
}

fn check_counts(case: &str, version: Version, shown: &[A]) {
    for row in ATTRIBUTES.iter().filter(|row| row.versions().contains(&version)) {
        let count = shown.iter().filter(|value| value.tag() == Some(row.tag)).count();
        assert!(row.multiple || count <= 1, "{case}: {count} of {}", row.name);
    }
    let lease_time = A::LeaseTime(Policy::default().lease_time);
    assert!(shown.contains(&lease_time), "{case}: Lease Time is not the server's");
    let dates = shown.iter().filter(|value| matches!(value, A::InitialDate(_)));
    assert_eq!(dates.count(), 1, "{case}");
}

/// What an older program has kept twice is shown once, and copied never.
#[tokio::test]
async fn attribute_that_is_kept_twice_is_shown_once() {
    use crate::objects::attribute_rules::shown;
    use crate::objects::record::Metadata;

    let kind = A::ObjectType(ObjectType::SymmetricKey);
    let mut metadata = Metadata::of_new("subject:CN=a".to_owned(), [kind]);
    metadata.add(A::LeaseTime(kmip::Interval(1)));
    metadata.add(A::LeaseTime(kmip::Interval(2)));
    let shown = shown("an-id", &metadata, DateTime(7));
    let times = shown.iter().filter(|attribute| matches!(attribute.value, A::LeaseTime(_)));
    assert_eq!(times.count(), 1);
    let twice = [A::LeaseTime(kmip::Interval(1)), A::LeaseTime(kmip::Interval(2))];
    let new = Metadata::of_new("subject:CN=a".to_owned(), twice.clone());
    assert_eq!(new.values().collect::<Vec<_>>(), [&twice[1]]);
}

/// A name that is asked for twice is refused (KMIP 1.4, 11.13): it would be answered twice.
#[tokio::test]
async fn attribute_cannot_be_asked_for_twice() {
    let harness = Harness::new();
    let key = harness.create(NEWEST, vec![]).await;
    for version in Version::SERVED {
        let request = GetAttributesRequest {
            unique_identifier: id(&key),
            attributes: vec![AttributeReference::Standard(tags::LeaseTime); 2],
        };
        let refused = harness.ask(*version, request).await.map(drop);
        assert_eq!(refused, Err(ResultReason::InvalidMessage), "{version}");
    }
}
