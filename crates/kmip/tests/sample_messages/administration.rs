//! Samples of operations about the server, its clients, and asynchronous requests.

use kmip::attributes::{AttributeReference, Attributes};
use kmip::codec::DateTimeExtended;
use kmip::objects::{Certificate, CertificateRequest};
use kmip::payload::*;
use kmip::structures::{ObjectGroups, ObjectTypes, Operations, UsageLimits};
use kmip::vocabulary::*;
use kmip::{DateTime, Identifier, Interval, SecretBytes, Version};

use super::{all_attributes, identifier, unique_identifier};

fn limits() -> Option<UsageLimits> {
    Some(UsageLimits { total: 2, count: Some(1), unit: UsageLimitsUnit::Object })
}

fn ticket() -> Ticket {
    Ticket { ticket_type: TicketType::Login, ticket_value: SecretBytes::new(b"hidden") }
}

fn operations() -> Option<Operations> {
    Some(Operations { operations: vec![Operation::Get, Operation::Locate] })
}

fn groups() -> Option<ObjectGroups> {
    Some(ObjectGroups { object_groups: vec!["g".to_owned(), "h".to_owned()] })
}

fn types() -> Option<ObjectTypes> {
    Some(ObjectTypes { object_types: vec![ObjectType::SymmetricKey, ObjectType::PrivateKey] })
}

/// Those that 2.1 has; it names no templates.
fn attributes() -> Attributes {
    let mut attributes = Attributes { names: Vec::new(), ..all_attributes() };
    attributes.attributes.retain(|attribute| attribute.value.exists_in(Version::V2_1));
    attributes
}

pub(super) fn defaults() -> DefaultsInformation {
    let defaults = ObjectDefaults {
        object_type: Some(ObjectType::SymmetricKey),
        object_types: types(),
        attributes: attributes(),
        object_groups: groups(),
    };
    DefaultsInformation { object_defaults: vec![defaults.clone(), defaults] }
}

fn constraints() -> Constraints {
    let constraint = Constraint {
        object_types: types(),
        object_groups: groups(),
        attributes: Some(attributes()),
    };
    Constraints { constraints: vec![constraint.clone(), constraint] }
}

pub(super) fn requests() -> Vec<RequestPayload> {
    vec![
        LogRequest { log_message: "a line".to_owned() }.into(),
        LoginRequest {
            lease_time: Some(TicketLease::Until(DateTime(1))),
            request_count: Some(3),
            usage_limits: limits(),
        }
        .into(),
        LogoutRequest { ticket: ticket() }.into(),
        DelegatedLoginRequest {
            lease_time: Some(TicketLease::For(Interval(1))),
            request_count: Some(3),
            usage_limits: limits(),
            rights: Rights {
                rights: vec![Right {
                    usage_limits: limits(),
                    operations: operations(),
                    objects: Some(Objects {
                        unique_identifiers: vec![Identifier::from("0b9e"), Identifier::Index(1)],
                    }),
                    object_groups: groups(),
                }],
            },
        }
        .into(),
        SetEndpointRoleRequest { endpoint_role: EndpointRole::Server }.into(),
        InteropRequest {
            interop_function: InteropFunction::Begin,
            interop_identifier: Some("BL-M-1-21".to_owned()),
        }
        .into(),
        ReProvisionRequest {
            certificate_request: Some(CertificateRequest {
                certificate_request_type: CertificateRequestType::PKCS_10,
                certificate_request_value: vec![1],
            }),
            certificate: Some(Certificate {
                certificate_type: CertificateType::X_509,
                certificate_value: vec![1],
            }),
        }
        .into(),
        SetDefaultsRequest { defaults_information: Some(defaults()) }.into(),
        SetConstraintsRequest { constraints: constraints() }.into(),
        GetConstraintsRequest {}.into(),
        CancelRequest { asynchronous_correlation_value: vec![1] }.into(),
        PollRequest { asynchronous_correlation_value: vec![1] }.into(),
        ProcessRequest { asynchronous_correlation_value: vec![1] }.into(),
        QueryAsynchronousRequestsRequest {
            asynchronous_correlation_values: Some(AsynchronousCorrelationValues {
                asynchronous_correlation_values: vec![vec![1], vec![2]],
            }),
            operations: operations(),
        }
        .into(),
        PingRequest {}.into(),
        AdjustAttributeRequest {
            unique_identifier: identifier(),
            attribute: AttributeReference::Standard(tags::ProtectionPeriod),
            adjustment_type: AdjustmentType::Increment,
            adjustment_value: Some(AdjustmentValue::Interval(Interval(1))),
        }
        .into(),
    ]
}

pub(super) fn responses() -> Vec<ResponsePayload> {
    vec![
        LogResponse {}.into(),
        LoginResponse { ticket: ticket() }.into(),
        LogoutResponse {}.into(),
        DelegatedLoginResponse { ticket: ticket() }.into(),
        SetEndpointRoleResponse { endpoint_role: EndpointRole::Server }.into(),
        InteropResponse {}.into(),
        ReProvisionResponse { unique_identifier: Some(unique_identifier()) }.into(),
        SetDefaultsResponse {}.into(),
        SetConstraintsResponse {}.into(),
        GetConstraintsResponse { constraints: constraints() }.into(),
        CancelResponse {
            asynchronous_correlation_value: vec![1],
            cancellation_result: CancellationResult::Canceled,
        }
        .into(),
        PollResponse {}.into(),
        ProcessResponse {}.into(),
        QueryAsynchronousRequestsResponse {
            asynchronous_requests: vec![AsynchronousRequest {
                asynchronous_correlation_value: vec![1],
                operation: Operation::Recover,
                submission_date: DateTimeExtended(1),
                processing_stage: ProcessingStage::InProcess,
            }],
        }
        .into(),
        PingResponse {}.into(),
        AdjustAttributeResponse { unique_identifier: unique_identifier() }.into(),
    ]
}
