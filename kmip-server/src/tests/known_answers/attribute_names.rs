//! What cannot be an attribute is refused wherever a request names one: a name of 1.x that is
//! neither the standard's nor begins with `x-`, a tag of 2.x that is not an attribute's, a vendor
//! that no name can be (KMIP 1.4, 3.39 and 11.10; 2.1, 4.60).

use kmip::attributes::{AllAttributes, AttributeList, OtherAttribute};
use kmip::objects::Template;
use kmip::payload::*;
use kmip::structures::ObjectGroups;
use kmip::vocabulary::{AdjustmentType, CertificateRequestType};
use ttlv::Tag;

use crate::operations::availability;
use crate::tests::harness::*;
use crate::tests::known_answers::certificates::{certifying, der, of_request, values};
use crate::tests::sessions::guarded_reads::requests;
use AttributeValue as A;

/// Operations whose requests name no attribute.
const NAMES_NO_ATTRIBUTE: &[Operation] = &[
    Operation::Activate,
    Operation::Archive,
    Operation::Cancel,
    Operation::Check,
    Operation::Decrypt,
    Operation::DelegatedLogin,
    Operation::Destroy,
    Operation::DiscoverVersions,
    Operation::Encrypt,
    Operation::GetAttributeList,
    Operation::GetConstraints,
    Operation::GetUsageAllocation,
    Operation::Hash,
    Operation::Interop,
    Operation::Log,
    Operation::Login,
    Operation::Logout,
    Operation::MAC,
    Operation::MACVerify,
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
    Operation::SetEndpointRole,
    Operation::Sign,
    Operation::SignatureVerify,
    Operation::Validate,
];

/// Names that a client may take for the standard's, and that no attribute has.
const NAMES: [&str; 7] =
    ["CryptographicLength", "Sensitive ", "sensitive", "X-Rack", "z-Rack", "Rack", ""];

/// So many characters of a name, of which few are told when it is refused.
const LONG: usize = 100_000;

/// Values that cannot be those of an attribute, in the form that the version has.
fn impossible(version: Version) -> Vec<A> {
    if version < Version::V2_0 {
        let value = Raw::build(|w| w.text_string(tags::AttributeValue, "7"));
        let named = |name: &&str| OtherAttribute::Named((*name).to_owned(), value.clone());
        let long = "\u{1b}".repeat(LONG);
        return NAMES.iter().chain([&long.as_str()]).map(named).map(A::Other).collect();
    }
    let tagged = |tag: Tag| {
        let item = Raw::build(|w| w.text_string(tag, "7"));
        A::Other(OtherAttribute::Tagged(tag, item))
    };
    let vendor = |vendor: &str| {
        let vendor = vendor.to_owned();
        A::Vendor(VendorAttribute { vendor, ..VendorAttribute::text("Rack", "7") })
    };
    vec![
        // A vendor's own tag, one of the standard that is not an attribute's, one of nobody.
        tagged(Tag(0x54_0001)),
        tagged(tags::KeyMaterial),
        tagged(Tag(0x42_FFFF)),
        vendor(""),
        vendor("a vendor"),
        vendor(&" \u{1b}".repeat(LONG)),
    ]
}

/// A server with a key, a pair, a certificate and the parts of a key.
struct World {
    harness: Harness,
    key: String,
    wrapping: String,
    private: String,
    certificate: String,
    parts: Vec<String>,
}

impl World {
    async fn new() -> Self {
        let harness = Harness::living(certifying());
        let key = || {
            let mask = A::CryptographicUsageMask(CryptographicUsageMask(0x000F_FFFF));
            let algorithm = A::CryptographicAlgorithm(CryptographicAlgorithm::AES);
            create_with([mask, algorithm, A::ActivationDate(DateTime(1))])
        };
        let wrapping = harness.ask(NEWEST, key()).await.unwrap().unique_identifier;
        let key = harness.ask(NEWEST, key()).await.unwrap().unique_identifier;
        let pair = harness.ask(NEWEST, requests::pair(vec![])).await.unwrap();
        let certify = of_request(CertificateRequestType::PKCS_10, der("p-256"));
        let made = harness.ask(NEWEST, certify).await.unwrap();
        let parts = harness.ask(NEWEST, requests::split(None)).await.unwrap();
        Self {
            harness,
            key,
            wrapping,
            private: pair.private_key_unique_identifier,
            certificate: made.unique_identifier,
            parts: parts.unique_identifiers,
        }
    }

    /// Requests of an operation that name this attribute, one for each place in which it can do so.
    fn requests(&self, operation: Operation, value: &A) -> Vec<RequestPayload> {
        let given = || Some(Attributes::new([value.clone()]));
        match operation {
            Operation::Create => vec![aes(vec![value.clone()]).into()],
            Operation::CreateKeyPair => {
                let own = |mask: CryptographicUsageMask| {
                    Some(Attributes::new([A::CryptographicUsageMask(mask), value.clone()]))
                };
                let plain = || requests::pair(vec![]);
                let sign = CryptographicUsageMask::Sign;
                vec![
                    requests::pair(vec![value.clone()]).into(),
                    CreateKeyPairRequest { private_key_attributes: own(sign), ..plain() }.into(),
                    CreateKeyPairRequest { public_key_attributes: own(sign), ..plain() }.into(),
                ]
            }
            Operation::CreateSplitKey => {
                let attributes = aes(vec![value.clone()]).attributes;
                let new = CreateSplitKeyRequest { attributes, ..requests::split(None) };
                let attributes = given().unwrap();
                let of = CreateSplitKeyRequest { attributes, ..requests::split(Some(&self.key)) };
                vec![new.into(), of.into()]
            }
            Operation::DeriveKey => {
                let length = A::CryptographicLength(256);
                let attributes = Attributes::new([length, value.clone()]);
                vec![DeriveKeyRequest { attributes, ..requests::derive(&self.key) }.into()]
            }
            _ => self.replaces(operation, value),
        }
    }

    /// Those of operations that make an object out of others.
    fn replaces(&self, operation: Operation, value: &A) -> Vec<RequestPayload> {
        let given = || Some(Attributes::new([value.clone()]));
        let unique_identifier = id(&self.key);
        match operation {
            Operation::JoinSplitKey => {
                let join = requests::join(&self.parts);
                vec![JoinSplitKeyRequest { attributes: given(), ..join }.into()]
            }
            Operation::ReKey => vec![
                ReKeyRequest {
                    unique_identifier,
                    offset: None,
                    attributes: given(),
                    protection_storage_masks: None,
                }
                .into(),
            ],
            Operation::ReKeyKeyPair => {
                let plain = || ReKeyKeyPairRequest {
                    private_key_unique_identifier: id(&self.private),
                    ..ReKeyKeyPairRequest::default()
                };
                vec![
                    ReKeyKeyPairRequest { common_attributes: given(), ..plain() }.into(),
                    ReKeyKeyPairRequest { private_key_attributes: given(), ..plain() }.into(),
                    ReKeyKeyPairRequest { public_key_attributes: given(), ..plain() }.into(),
                ]
            }
            Operation::Certify => {
                let request = of_request(CertificateRequestType::PKCS_10, der("p-256"));
                vec![CertifyRequest { attributes: given(), ..request }.into()]
            }
            Operation::ReCertify => {
                let unique_identifier = id(&self.certificate);
                let attributes = given();
                let plain = ReCertifyRequest::default();
                vec![ReCertifyRequest { unique_identifier, attributes, ..plain }.into()]
            }
            _ => self.changes(operation, value),
        }
    }

    /// Those of operations on the attributes of an object.
    fn changes(&self, operation: Operation, value: &A) -> Vec<RequestPayload> {
        let unique_identifier = id(&self.key);
        let reference = value.reference();
        match operation {
            Operation::AddAttribute => {
                vec![requests::add_attribute(&self.key, value.clone()).into()]
            }
            Operation::ModifyAttribute => vec![
                ModifyAttributeRequest {
                    unique_identifier,
                    current_attribute: None,
                    attribute: value.clone().into(),
                }
                .into(),
            ],
            Operation::SetAttribute => {
                let attribute = value.clone().into();
                vec![SetAttributeRequest { unique_identifier, attribute }.into()]
            }
            Operation::DeleteAttribute => vec![
                requests::delete(&self.key, value.clone()).into(),
                DeleteAttributeRequest {
                    unique_identifier,
                    current_attribute: None,
                    attribute: Some(reference),
                    attribute_index: None,
                }
                .into(),
            ],
            Operation::AdjustAttribute => vec![
                AdjustAttributeRequest {
                    unique_identifier,
                    attribute: reference,
                    adjustment_type: AdjustmentType::Increment,
                    adjustment_value: Some(AdjustmentValue::Integer(1)),
                }
                .into(),
            ],
            _ => self.further_requests(operation, value),
        }
    }

    fn further_requests(&self, operation: Operation, value: &A) -> Vec<RequestPayload> {
        let attributes = Attributes::new([value.clone()]);
        let kind = ObjectType::SymmetricKey;
        match operation {
            Operation::Register => {
                let template = AttributeList(vec![value.clone().into()]);
                let template = RegisterRequest {
                    object_type: ObjectType::Template,
                    attributes: Attributes::new([name("template")]),
                    object: Object::Template(Template { attributes: template }),
                    protection_storage_masks: None,
                };
                let key = RegisterRequest {
                    object_type: kind,
                    attributes: aes(vec![value.clone()]).attributes,
                    object: key(),
                    protection_storage_masks: None,
                };
                vec![key.into(), template.into()]
            }
            Operation::Import => {
                let attributes = AllAttributes(vec![value.clone().into()]);
                vec![ImportRequest { attributes, ..requests::import("i", key()) }.into()]
            }
            Operation::Locate => vec![locate(vec![value.clone()]).into()],
            Operation::GetAttributes => vec![
                GetAttributesRequest {
                    unique_identifier: id(&self.key),
                    attributes: vec![value.reference()],
                }
                .into(),
            ],
            Operation::SetDefaults => {
                let set = ObjectDefaults {
                    object_type: Some(kind),
                    object_types: None,
                    attributes,
                    object_groups: None,
                };
                let defaults = DefaultsInformation { object_defaults: vec![set] };
                vec![SetDefaultsRequest { defaults_information: Some(defaults) }.into()]
            }
            Operation::SetConstraints => {
                let constraint = Constraint {
                    object_types: None,
                    object_groups: Some(ObjectGroups { object_groups: vec!["g".to_owned()] }),
                    attributes: Some(attributes),
                };
                let constraints = Constraints { constraints: vec![constraint] };
                vec![SetConstraintsRequest { constraints }.into()]
            }
            Operation::Get | Operation::Export => {
                let specification = requests::wrapping(&self.wrapping).map(|plain| {
                    Box::new(KeyWrappingSpecification {
                        attribute_names: vec![value.reference().name()],
                        ..*plain
                    })
                });
                let get = GetRequest {
                    key_wrapping_specification: specification.clone(),
                    ..get(&self.key)
                };
                let export = ExportRequest {
                    unique_identifier: id(&self.key),
                    key_wrapping_specification: specification,
                    ..ExportRequest::default()
                };
                vec![if operation == Operation::Get { get.into() } else { export.into() }]
            }
            _ => Vec::new(),
        }
    }
}

fn key() -> Object {
    let mut key_block = KeyBlock::plain(KeyFormatType::Raw, &[7; 32]);
    key_block.cryptographic_algorithm = Some(CryptographicAlgorithm::AES);
    key_block.cryptographic_length = Some(256);
    Object::SymmetricKey(Key { key_block })
}

/// What a server answers to one who adds, changes or deletes an attribute that an object lacks:
/// that there is none to be changed says as much.
fn is_refusal(operation: Operation, reason: ResultReason) -> bool {
    match operation {
        Operation::ModifyAttribute | Operation::DeleteAttribute => matches!(
            reason,
            ResultReason::ItemNotFound
                // There is no Current Attribute in 1.x.
                | ResultReason::MissingData
                | ResultReason::AttributeReadOnly
                | ResultReason::AttributeNotFound
                | ResultReason::AttributeInstanceNotFound
                | ResultReason::InvalidField
        ),
        _ => reason == ResultReason::InvalidField,
    }
}

/// One row an operation; a new one fails until it is known whether it names attributes.
#[tokio::test]
async fn what_cannot_be_an_attribute_is_refused() {
    let custom = A::Vendor(VendorAttribute::text("Rack", "7"));
    let at = World::new().await;
    for operation in availability::served() {
        let is_other = NAMES_NO_ATTRIBUTE.contains(&operation);
        assert_eq!(at.requests(operation, &custom).is_empty(), is_other, "{operation:?}");
        for version in Version::SERVED.iter().filter(|version| operation.exists_in(**version)) {
            let before = values(&at.harness, *version, &at.key).await;
            for value in impossible(*version) {
                for request in at.requests(operation, &value) {
                    if is_template(&request) && *version >= Version::V2_0 {
                        continue;
                    }
                    let item = at.harness.batch(*version, vec![request.clone()]).await.remove(0);
                    let case = format!("{operation:?} in {version}: {value:?} in {request:?}");
                    let reason = item.result_reason.expect(&case);
                    assert!(is_refusal(operation, reason), "{case}: {reason:?}");
                }
            }
            assert_eq!(values(&at.harness, *version, &at.key).await, before, "{operation:?}");
        }
    }
}

fn is_template(request: &RequestPayload) -> bool {
    matches!(request, RequestPayload::Register(request)
        if request.object_type == ObjectType::Template)
}

/// The same requests with a custom attribute are not refused for their attribute.
#[tokio::test]
async fn custom_attribute_is_accepted_where_others_are_refused() {
    let custom = A::Vendor(VendorAttribute::text("Rack", "7"));
    // What is not there cannot be changed, and what is text cannot be counted.
    let needs_another =
        [Operation::ModifyAttribute, Operation::DeleteAttribute, Operation::AdjustAttribute];
    let count = World::new().await;
    for operation in availability::served().filter(|other| !needs_another.contains(other)) {
        for (which, request) in count.requests(operation, &custom).iter().enumerate() {
            for version in [OLDEST, Version::V1_4, NEWEST] {
                let is_lacking = is_template(request) && version >= Version::V2_0;
                if is_lacking || !operation.exists_in(version) {
                    continue;
                }
                let at = World::new().await;
                let request = at.requests(operation, &custom).remove(which);
                let item = at.harness.batch(version, vec![request]).await.remove(0);
                let case = format!("{operation:?}, {which}, in {version}");
                assert_eq!(item.result_reason, None, "{case}: {:?}", item.result_message);
            }
        }
    }
}

/// A condition on a value that its attribute cannot have finds nothing, and says why.
#[tokio::test]
async fn condition_of_another_type_is_refused() {
    let harness = Harness::new();
    harness.create(NEWEST, vec![]).await;
    for version in Version::SERVED {
        let condition = Condition {
            attribute: AttributeReference::Standard(tags::CryptographicLength),
            value: Raw::build(|w| w.text_string(tags::AttributeValue, "256")),
        };
        let request =
            LocateRequest { attributes: Filter(vec![condition]), ..LocateRequest::default() };
        let refused = harness.ask(*version, request).await.map(drop);
        assert_eq!(refused, Err(ResultReason::InvalidField), "{version}");
    }
}
