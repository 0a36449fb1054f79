//! Messages, payloads and attributes in which nothing is left out.

mod administration;
mod attributes;
mod cryptography;
mod objects;

use kmip::attributes::{
    AllAttributes, Attribute, AttributeList, AttributeReference, AttributeValue, Attributes,
    VendorAttribute,
};
use kmip::message::{Asynchronous, Authentication, Credential, RequestHeader, ResponseHeader};
use kmip::payload::*;
use kmip::structures::{MessageExtension, Name, ObjectGroups, RevocationReason};
use kmip::vocabulary::*;
use kmip::{DateTime, Identifier, Interval, Version};
use ttlv::Raw;

pub(crate) use attributes::attributes;
use objects::{certificate, masks, object, objects};

pub(crate) fn message_extension() -> MessageExtension {
    MessageExtension {
        vendor_identification: "acme".to_owned(),
        criticality_indicator: false,
        vendor_extension: Raw::build(|w| w.structure(tags::VendorExtension, |_| {})),
    }
}

pub(crate) fn request_header(version: Version) -> RequestHeader {
    let credential = Credential {
        credential_type: CredentialType::UsernameAndPassword,
        credential_value: Raw::build(|w| {
            w.structure(tags::CredentialValue, |w| w.text_string(tags::Username, "ada"));
        }),
    };
    RequestHeader {
        protocol_version: version,
        maximum_response_size: Some(4096),
        client_correlation_value: Some("c".to_owned()),
        server_correlation_value: Some("s".to_owned()),
        asynchronous_indicator: Some(Asynchronous(AsynchronousIndicator::Optional)),
        attestation_capable_indicator: Some(true),
        attestation_types: vec![AttestationType::TPMQuote],
        authentication: Some(Authentication { credentials: vec![credential] }),
        batch_error_continuation_option: Some(BatchErrorContinuationOption::Stop),
        batch_order_option: Some(true),
        time_stamp: Some(DateTime(1)),
        batch_count: 1,
    }
}

pub(crate) fn response_header(version: Version) -> ResponseHeader {
    ResponseHeader {
        protocol_version: version,
        time_stamp: DateTime(1),
        nonce: Some(Raw::build(|w| {
            w.structure(tags::Nonce, |w| {
                w.byte_string(tags::NonceID, &[1]);
                w.byte_string(tags::NonceValue, &[2]);
            });
        })),
        server_hashed_password: Some(vec![3]),
        attestation_types: vec![AttestationType::TPMQuote],
        client_correlation_value: Some("c".to_owned()),
        server_correlation_value: Some("s".to_owned()),
        batch_count: 1,
    }
}

fn id() -> String {
    "0b9e".to_owned()
}

fn asked() -> Option<Identifier> {
    Some(Identifier::from("0b9e"))
}

/// An attribute that every version has, with an index.
fn attribute() -> Attribute {
    Attribute { index: Some(1), value: AttributeValue::Name(Name::text("n")) }
}

fn all() -> Attributes {
    let mut all = Attributes::new(attributes());
    all.names.push(Name::text("template"));
    all.attributes.push(AttributeValue::Vendor(VendorAttribute::text("Rack", "7")).into());
    all
}

fn references() -> Vec<AttributeReference> {
    vec![
        AttributeReference::Standard(tags::Name),
        AttributeReference::Vendor { vendor: "x".to_owned(), name: "Rack".to_owned() },
    ]
}

pub(crate) fn requests() -> Vec<RequestPayload> {
    let mut requests = attribute_requests();
    requests.extend(making_requests());
    requests.extend(pair_requests());
    requests.extend(asking_requests());
    requests.extend(keeping_requests());
    requests.extend(cryptography::requests());
    requests.extend(administration::requests());
    requests
}

/// What makes an object, and what ends it.
fn making_requests() -> Vec<RequestPayload> {
    let created = CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: all(),
        protection_storage_masks: Some(masks()),
    };
    let mut requests: Vec<RequestPayload> = vec![
        ActivateRequest { unique_identifier: asked() }.into(),
        created.into(),
        DestroyRequest { unique_identifier: asked() }.into(),
        ReKeyRequest {
            unique_identifier: asked(),
            offset: Some(Interval(1)),
            attributes: Some(all()),
            protection_storage_masks: Some(masks()),
        }
        .into(),
        RevokeRequest {
            unique_identifier: asked(),
            revocation_reason: RevocationReason {
                code: RevocationReasonCode::KeyCompromise,
                message: Some("why".to_owned()),
            },
            compromise_occurrence_date: Some(DateTime(1)),
        }
        .into(),
        RegisterRequest {
            object_type: ObjectType::SymmetricKey,
            attributes: all(),
            object: object(),
            protection_storage_masks: Some(masks()),
        }
        .into(),
    ];
    requests.extend(objects().into_iter().map(|object| {
        RegisterRequest {
            object_type: object.object_type(),
            attributes: Attributes::default(),
            object,
            protection_storage_masks: None,
        }
        .into()
    }));
    requests
}

/// What makes pairs of keys, and certificates.
fn pair_requests() -> Vec<RequestPayload> {
    vec![
        CreateKeyPairRequest {
            common_attributes: Some(all()),
            private_key_attributes: Some(all()),
            public_key_attributes: Some(all()),
            common_protection_storage_masks: Some(masks()),
            private_protection_storage_masks: Some(masks()),
            public_protection_storage_masks: Some(masks()),
        }
        .into(),
        ReKeyKeyPairRequest {
            private_key_unique_identifier: asked(),
            offset: Some(Interval(1)),
            common_attributes: Some(all()),
            private_key_attributes: Some(all()),
            public_key_attributes: Some(all()),
            common_protection_storage_masks: Some(masks()),
            private_protection_storage_masks: Some(masks()),
            public_protection_storage_masks: Some(masks()),
        }
        .into(),
        CertifyRequest {
            unique_identifier: asked(),
            certificate_request_type: Some(CertificateRequestType::PKCS_10),
            certificate_request_value: Some(vec![1]),
            attributes: Some(all()),
            protection_storage_masks: Some(masks()),
        }
        .into(),
        ReCertifyRequest {
            unique_identifier: asked(),
            certificate_request_unique_identifier: asked(),
            certificate_request_type: Some(CertificateRequestType::PKCS_10),
            certificate_request_value: Some(vec![1]),
            offset: Some(Interval(1)),
            attributes: Some(all()),
            protection_storage_masks: Some(masks()),
        }
        .into(),
        ValidateRequest {
            certificates: vec![certificate(), certificate()],
            unique_identifiers: asked().into_iter().chain(asked()).collect(),
            validity_date: Some(DateTime(1)),
        }
        .into(),
    ]
}

/// What keeps objects, brings them and sends them.
fn keeping_requests() -> Vec<RequestPayload> {
    vec![
        ObtainLeaseRequest { unique_identifier: asked() }.into(),
        GetUsageAllocationRequest { unique_identifier: asked(), usage_limits_count: 1 }.into(),
        ArchiveRequest { unique_identifier: asked() }.into(),
        RecoverRequest { unique_identifier: asked() }.into(),
        ImportRequest {
            unique_identifier: id(),
            object_type: Some(ObjectType::SymmetricKey),
            replace_existing: Some(true),
            key_wrap_type: Some(KeyWrapType::NotWrapped),
            attributes: AllAttributes(all().attributes),
            object: object(),
        }
        .into(),
        ExportRequest {
            unique_identifier: asked(),
            key_format_type: Some(KeyFormatType::Raw),
            key_wrap_type: Some(KeyWrapType::AsRegistered),
            key_compression_type: Some(KeyCompressionType::ECPublicKeyTypeUncompressed),
            key_wrapping_specification: Some(Box::new(objects::wrapping_specification())),
        }
        .into(),
        NotifyRequest {
            unique_identifier: id(),
            attributes: AttributeList(all().attributes),
            deleted: references(),
        }
        .into(),
        PutRequest {
            unique_identifier: id(),
            put_function: PutFunction::Replace,
            replaced_unique_identifier: Some(id()),
            object: object(),
            attributes: AttributeList(all().attributes),
        }
        .into(),
    ]
}

/// What looks at objects and at the server.
fn asking_requests() -> Vec<RequestPayload> {
    vec![
        CheckRequest {
            unique_identifier: asked(),
            usage_limits_count: Some(1),
            cryptographic_usage_mask: Some(CryptographicUsageMask::Encrypt),
            lease_time: Some(Interval(1)),
        }
        .into(),
        DiscoverVersionsRequest { protocol_versions: Version::SERVED.to_vec() }.into(),
        GetRequest {
            unique_identifier: asked(),
            key_format_type: Some(KeyFormatType::Raw),
            key_wrap_type: Some(KeyWrapType::AsRegistered),
            key_compression_type: Some(KeyCompressionType::ECPublicKeyTypeUncompressed),
            key_wrapping_specification: Some(Box::new(objects::wrapping_specification())),
        }
        .into(),
        LocateRequest {
            maximum_items: Some(1),
            offset_items: Some(1),
            storage_status_mask: Some(StorageStatusMask::OnLineStorage),
            object_group_member: Some(ObjectGroupMember::GroupMemberFresh),
            attributes: [
                AttributeValue::Name(Name::text("n")),
                AttributeValue::QuantumSafe(true),
                AttributeValue::Vendor(VendorAttribute::text("Rack", "7")),
            ]
            .into_iter()
            .collect(),
        }
        .into(),
        QueryRequest {
            query_functions: vec![QueryFunction::QueryOperations],
            object_groups: Some(ObjectGroups { object_groups: vec!["g".to_owned()] }),
        }
        .into(),
    ]
}

fn attribute_requests() -> Vec<RequestPayload> {
    vec![
        AddAttributeRequest { unique_identifier: asked(), attribute: attribute() }.into(),
        DeleteAttributeRequest {
            unique_identifier: asked(),
            current_attribute: Some(attribute()),
            attribute: Some(AttributeReference::Standard(tags::Name)),
            attribute_index: Some(1),
        }
        .into(),
        GetAttributeListRequest { unique_identifier: asked() }.into(),
        GetAttributesRequest { unique_identifier: asked(), attributes: references() }.into(),
        ModifyAttributeRequest {
            unique_identifier: asked(),
            current_attribute: Some(attribute()),
            attribute: attribute(),
        }
        .into(),
        SetAttributeRequest { unique_identifier: asked(), attribute: attribute() }.into(),
    ]
}

pub(crate) fn responses() -> Vec<ResponsePayload> {
    let made = || Some(all());
    let mut responses: Vec<ResponsePayload> = vec![
        ActivateResponse { unique_identifier: id() }.into(),
        AddAttributeResponse { unique_identifier: id(), attribute: Some(attribute()) }.into(),
        CheckResponse {
            unique_identifier: Some(id()),
            usage_limits_count: Some(1),
            cryptographic_usage_mask: Some(CryptographicUsageMask::Encrypt),
            lease_time: Some(Interval(1)),
        }
        .into(),
        CreateResponse {
            object_type: ObjectType::SymmetricKey,
            unique_identifier: id(),
            template_attribute: made(),
        }
        .into(),
        DeleteAttributeResponse { unique_identifier: id(), attribute: Some(attribute()) }.into(),
        DestroyResponse { unique_identifier: id() }.into(),
        DiscoverVersionsResponse { protocol_versions: Version::SERVED.to_vec() }.into(),
        GetAttributeListResponse { unique_identifier: id(), attributes: references() }.into(),
        GetAttributesResponse {
            unique_identifier: id(),
            attributes: AllAttributes(all().attributes),
        }
        .into(),
        LocateResponse { located_items: Some(1), unique_identifiers: vec![id(), id()] }.into(),
        ModifyAttributeResponse { unique_identifier: id(), attribute: Some(attribute()) }.into(),
        objects::query_response().into(),
        ReKeyResponse { unique_identifier: id(), template_attribute: made() }.into(),
        RegisterResponse { unique_identifier: id(), template_attribute: made() }.into(),
        RevokeResponse { unique_identifier: id() }.into(),
        SetAttributeResponse { unique_identifier: id() }.into(),
    ];
    responses.extend(pair_responses());
    responses.extend(keeping_responses());
    responses.extend(cryptography::responses());
    responses.extend(administration::responses());
    responses.extend(objects().into_iter().chain([object()]).map(|object| {
        let object_type = object.object_type();
        GetResponse { object_type, unique_identifier: id(), object }.into()
    }));
    responses
}

fn pair_responses() -> Vec<ResponsePayload> {
    let made = || Some(all());
    vec![
        CreateKeyPairResponse {
            private_key_unique_identifier: id(),
            public_key_unique_identifier: id(),
            private_key_template_attribute: made(),
            public_key_template_attribute: made(),
        }
        .into(),
        ReKeyKeyPairResponse {
            private_key_unique_identifier: id(),
            public_key_unique_identifier: id(),
            private_key_template_attribute: made(),
            public_key_template_attribute: made(),
        }
        .into(),
        CertifyResponse { unique_identifier: id(), template_attribute: made() }.into(),
        ReCertifyResponse { unique_identifier: id(), template_attribute: made() }.into(),
        ValidateResponse { validity_indicator: ValidityIndicator::Valid }.into(),
    ]
}

fn keeping_responses() -> Vec<ResponsePayload> {
    vec![
        ObtainLeaseResponse {
            unique_identifier: id(),
            lease_time: Interval(1),
            last_change_date: DateTime(1),
        }
        .into(),
        GetUsageAllocationResponse { unique_identifier: id() }.into(),
        ArchiveResponse { unique_identifier: id() }.into(),
        RecoverResponse { unique_identifier: id() }.into(),
        ImportResponse { unique_identifier: id() }.into(),
        ExportResponse {
            object_type: ObjectType::SymmetricKey,
            unique_identifier: id(),
            attributes: AllAttributes(all().attributes),
            object: Some(object()),
        }
        .into(),
        NotifyResponse {}.into(),
        PutResponse {}.into(),
    ]
}
