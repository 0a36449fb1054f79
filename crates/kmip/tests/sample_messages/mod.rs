//! Sample headers, requests, responses and attributes with every field set.

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

fn unique_identifier() -> String {
    "0b9e".to_owned()
}

fn identifier() -> Option<Identifier> {
    Some(Identifier::from("0b9e"))
}

/// An attribute that every version has, with an index.
fn attribute() -> Attribute {
    Attribute { index: Some(1), value: AttributeValue::Name(Name::text("n")) }
}

fn all_attributes() -> Attributes {
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
    requests.extend(creation_requests());
    requests.extend(pair_requests());
    requests.extend(query_requests());
    requests.extend(storage_requests());
    requests.extend(cryptography::requests());
    requests.extend(administration::requests());
    requests
}

/// Operations that create, activate, revoke and destroy an object.
fn creation_requests() -> Vec<RequestPayload> {
    let created = CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: all_attributes(),
        protection_storage_masks: Some(masks()),
    };
    let mut requests: Vec<RequestPayload> = vec![
        ActivateRequest { unique_identifier: identifier() }.into(),
        created.into(),
        DestroyRequest { unique_identifier: identifier() }.into(),
        ReKeyRequest {
            unique_identifier: identifier(),
            offset: Some(Interval(1)),
            attributes: Some(all_attributes()),
            protection_storage_masks: Some(masks()),
        }
        .into(),
        RevokeRequest {
            unique_identifier: identifier(),
            revocation_reason: RevocationReason {
                code: RevocationReasonCode::KeyCompromise,
                message: Some("why".to_owned()),
            },
            compromise_occurrence_date: Some(DateTime(1)),
        }
        .into(),
        RegisterRequest {
            object_type: ObjectType::SymmetricKey,
            attributes: all_attributes(),
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

/// Operations of key pairs and certificates.
fn pair_requests() -> Vec<RequestPayload> {
    vec![
        CreateKeyPairRequest {
            common_attributes: Some(all_attributes()),
            private_key_attributes: Some(all_attributes()),
            public_key_attributes: Some(all_attributes()),
            common_protection_storage_masks: Some(masks()),
            private_protection_storage_masks: Some(masks()),
            public_protection_storage_masks: Some(masks()),
        }
        .into(),
        ReKeyKeyPairRequest {
            private_key_unique_identifier: identifier(),
            offset: Some(Interval(1)),
            common_attributes: Some(all_attributes()),
            private_key_attributes: Some(all_attributes()),
            public_key_attributes: Some(all_attributes()),
            common_protection_storage_masks: Some(masks()),
            private_protection_storage_masks: Some(masks()),
            public_protection_storage_masks: Some(masks()),
        }
        .into(),
        CertifyRequest {
            unique_identifier: identifier(),
            certificate_request_type: Some(CertificateRequestType::PKCS_10),
            certificate_request_value: Some(vec![1]),
            attributes: Some(all_attributes()),
            protection_storage_masks: Some(masks()),
        }
        .into(),
        ReCertifyRequest {
            unique_identifier: identifier(),
            certificate_request_unique_identifier: identifier(),
            certificate_request_type: Some(CertificateRequestType::PKCS_10),
            certificate_request_value: Some(vec![1]),
            offset: Some(Interval(1)),
            attributes: Some(all_attributes()),
            protection_storage_masks: Some(masks()),
        }
        .into(),
        ValidateRequest {
            certificates: vec![certificate(), certificate()],
            unique_identifiers: identifier().into_iter().chain(identifier()).collect(),
            validity_date: Some(DateTime(1)),
        }
        .into(),
    ]
}

/// Leases, archive, import, export, and the requests of a server.
fn storage_requests() -> Vec<RequestPayload> {
    vec![
        ObtainLeaseRequest { unique_identifier: identifier() }.into(),
        GetUsageAllocationRequest { unique_identifier: identifier(), usage_limits_count: 1 }.into(),
        ArchiveRequest { unique_identifier: identifier() }.into(),
        RecoverRequest { unique_identifier: identifier() }.into(),
        ImportRequest {
            unique_identifier: unique_identifier(),
            object_type: Some(ObjectType::SymmetricKey),
            replace_existing: Some(true),
            key_wrap_type: Some(KeyWrapType::NotWrapped),
            attributes: AllAttributes(all_attributes().attributes),
            object: object(),
        }
        .into(),
        ExportRequest {
            unique_identifier: identifier(),
            key_format_type: Some(KeyFormatType::Raw),
            key_wrap_type: Some(KeyWrapType::AsRegistered),
            key_compression_type: Some(KeyCompressionType::ECPublicKeyTypeUncompressed),
            key_wrapping_specification: Some(Box::new(objects::wrapping_specification())),
        }
        .into(),
        NotifyRequest {
            unique_identifier: unique_identifier(),
            attributes: AttributeList(all_attributes().attributes),
            deleted: references(),
        }
        .into(),
        PutRequest {
            unique_identifier: unique_identifier(),
            put_function: PutFunction::Replace,
            replaced_unique_identifier: Some(unique_identifier()),
            object: object(),
            attributes: AttributeList(all_attributes().attributes),
        }
        .into(),
    ]
}

/// Queries about objects and about the server.
fn query_requests() -> Vec<RequestPayload> {
    vec![
        CheckRequest {
            unique_identifier: identifier(),
            usage_limits_count: Some(1),
            cryptographic_usage_mask: Some(CryptographicUsageMask::Encrypt),
            lease_time: Some(Interval(1)),
        }
        .into(),
        DiscoverVersionsRequest { protocol_versions: Version::SERVED.to_vec() }.into(),
        GetRequest {
            unique_identifier: identifier(),
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
        AddAttributeRequest { unique_identifier: identifier(), attribute: attribute() }.into(),
        DeleteAttributeRequest {
            unique_identifier: identifier(),
            current_attribute: Some(attribute()),
            attribute: Some(AttributeReference::Standard(tags::Name)),
            attribute_index: Some(1),
        }
        .into(),
        GetAttributeListRequest { unique_identifier: identifier() }.into(),
        GetAttributesRequest { unique_identifier: identifier(), attributes: references() }.into(),
        ModifyAttributeRequest {
            unique_identifier: identifier(),
            current_attribute: Some(attribute()),
            attribute: attribute(),
        }
        .into(),
        SetAttributeRequest { unique_identifier: identifier(), attribute: attribute() }.into(),
    ]
}

pub(crate) fn responses() -> Vec<ResponsePayload> {
    let made = || Some(all_attributes());
    let mut responses: Vec<ResponsePayload> = vec![
        ActivateResponse { unique_identifier: unique_identifier() }.into(),
        AddAttributeResponse {
            unique_identifier: unique_identifier(),
            attribute: Some(attribute()),
        }
        .into(),
        CheckResponse {
            unique_identifier: Some(unique_identifier()),
            usage_limits_count: Some(1),
            cryptographic_usage_mask: Some(CryptographicUsageMask::Encrypt),
            lease_time: Some(Interval(1)),
        }
        .into(),
        CreateResponse {
            object_type: ObjectType::SymmetricKey,
            unique_identifier: unique_identifier(),
            template_attribute: made(),
        }
        .into(),
        DeleteAttributeResponse {
            unique_identifier: unique_identifier(),
            attribute: Some(attribute()),
        }
        .into(),
        DestroyResponse { unique_identifier: unique_identifier() }.into(),
        DiscoverVersionsResponse { protocol_versions: Version::SERVED.to_vec() }.into(),
        GetAttributeListResponse {
            unique_identifier: unique_identifier(),
            attributes: references(),
        }
        .into(),
        GetAttributesResponse {
            unique_identifier: unique_identifier(),
            attributes: AllAttributes(all_attributes().attributes),
        }
        .into(),
        LocateResponse {
            located_items: Some(1),
            unique_identifiers: vec![unique_identifier(), unique_identifier()],
        }
        .into(),
        ModifyAttributeResponse {
            unique_identifier: unique_identifier(),
            attribute: Some(attribute()),
        }
        .into(),
        objects::query_response().into(),
        ReKeyResponse { unique_identifier: unique_identifier(), template_attribute: made() }.into(),
        RegisterResponse { unique_identifier: unique_identifier(), template_attribute: made() }
            .into(),
        RevokeResponse { unique_identifier: unique_identifier() }.into(),
        SetAttributeResponse { unique_identifier: unique_identifier() }.into(),
    ];
    responses.extend(pair_responses());
    responses.extend(storage_responses());
    responses.extend(cryptography::responses());
    responses.extend(administration::responses());
    responses.extend(object_responses());
    responses
}

/// Answers that carry an object, of each kind.
fn object_responses() -> Vec<ResponsePayload> {
    let mut responses = Vec::new();
    for object in objects().into_iter().chain([object()]) {
        let (object_type, unique_identifier) = (object.object_type(), unique_identifier());
        let attributes = AllAttributes::default();
        responses.push(
            ExportResponse {
                object_type,
                unique_identifier: unique_identifier.clone(),
                attributes,
                object: Some(object.clone()),
            }
            .into(),
        );
        responses.push(GetResponse { object_type, unique_identifier, object }.into());
    }
    responses
}

fn pair_responses() -> Vec<ResponsePayload> {
    let made = || Some(all_attributes());
    vec![
        CreateKeyPairResponse {
            private_key_unique_identifier: unique_identifier(),
            public_key_unique_identifier: unique_identifier(),
            private_key_template_attribute: made(),
            public_key_template_attribute: made(),
        }
        .into(),
        ReKeyKeyPairResponse {
            private_key_unique_identifier: unique_identifier(),
            public_key_unique_identifier: unique_identifier(),
            private_key_template_attribute: made(),
            public_key_template_attribute: made(),
        }
        .into(),
        CertifyResponse { unique_identifier: unique_identifier(), template_attribute: made() }
            .into(),
        ReCertifyResponse { unique_identifier: unique_identifier(), template_attribute: made() }
            .into(),
        ValidateResponse { validity_indicator: ValidityIndicator::Valid }.into(),
    ]
}

fn storage_responses() -> Vec<ResponsePayload> {
    vec![
        ObtainLeaseResponse {
            unique_identifier: unique_identifier(),
            lease_time: Interval(1),
            last_change_date: DateTime(1),
        }
        .into(),
        GetUsageAllocationResponse { unique_identifier: unique_identifier() }.into(),
        ArchiveResponse { unique_identifier: unique_identifier() }.into(),
        RecoverResponse { unique_identifier: unique_identifier() }.into(),
        ImportResponse { unique_identifier: unique_identifier() }.into(),
        ExportResponse {
            object_type: ObjectType::SymmetricKey,
            unique_identifier: unique_identifier(),
            attributes: AllAttributes(all_attributes().attributes),
            object: Some(object()),
        }
        .into(),
        NotifyResponse {}.into(),
        PutResponse {}.into(),
    ]
}
