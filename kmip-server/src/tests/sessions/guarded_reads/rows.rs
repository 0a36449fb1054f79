//! One table a kind of operation.

use kmip::payload::*;
use kmip::structures::UsageLimits;
use kmip::vocabulary::{AdjustmentType, InteropFunction, UsageLimitsUnit};

use super::requests::*;
use super::{A, Row, World, of_1_2, row};
use crate::tests::harness::*;
use crate::tests::known_answers::certificates::of_key;
use ResultReason as R;

/// Operations by which nothing that is written depends on an object. Delegated Login looks at the
/// objects of its rights, which are looked at again whenever the ticket is used.
pub(super) const READS_NO_OBJECT: &[Operation] = &[
    Operation::Cancel,
    Operation::DelegatedLogin,
    Operation::DiscoverVersions,
    Operation::GetConstraints,
    Operation::Hash,
    Operation::Log,
    Operation::Login,
    Operation::Logout,
    Operation::Ping,
    Operation::PKCS_11,
    Operation::Poll,
    Operation::Process,
    Operation::Query,
    Operation::QueryAsynchronousRequests,
    Operation::ReProvision,
    Operation::RNGRetrieve,
    Operation::RNGSeed,
    Operation::SetConstraints,
    Operation::SetDefaults,
    Operation::SetEndpointRole,
];

/// The rows of an operation.
pub(in crate::tests::sessions) async fn of(at: &World, operation: Operation) -> Vec<Row> {
    let mut rows = of_one(at, operation).await;
    rows.extend(of_any_state(at, operation).await);
    rows.extend(of_a_use(at, operation).await);
    rows.extend(of_templates(at, operation).await);
    rows.extend(of_wrapping_keys(at, operation).await);
    rows.extend(of_pairs(at, operation).await);
    rows.extend(of_parts_and_finds(at, operation).await);
    rows
}

/// Those that do something to one object, which is destroyed meanwhile.
async fn of_one(at: &World, operation: Operation) -> Vec<Row> {
    let key = at.key(vec![name("n")]).await;
    let unique_identifier = id(&key);
    let request: RequestPayload = match operation {
        Operation::Activate => ActivateRequest { unique_identifier }.into(),
        Operation::AddAttribute => add_name(&key).into(),
        Operation::AdjustAttribute => AdjustAttributeRequest {
            unique_identifier,
            attribute: AttributeReference::Standard(tags::RotateAutomatic),
            adjustment_type: AdjustmentType::Negate,
            adjustment_value: None,
        }
        .into(),
        Operation::Archive => ArchiveRequest { unique_identifier }.into(),
        Operation::Check => CheckRequest {
            unique_identifier,
            usage_limits_count: None,
            cryptographic_usage_mask: Some(CryptographicUsageMask::Encrypt),
            lease_time: None,
        }
        .into(),
        Operation::CreateSplitKey => split(Some(&key)).into(),
        Operation::DeleteAttribute => delete_name(&key).into(),
        Operation::Destroy => destroy(&key).into(),
        Operation::Get => get(&key).into(),
        Operation::ModifyAttribute => ModifyAttributeRequest {
            unique_identifier,
            current_attribute: None,
            attribute: name("other").into(),
        }
        .into(),
        Operation::ObtainLease => ObtainLeaseRequest { unique_identifier }.into(),
        Operation::ReKey => ReKeyRequest {
            unique_identifier,
            offset: None,
            attributes: None,
            protection_storage_masks: None,
        }
        .into(),
        Operation::SetAttribute => SetAttributeRequest {
            unique_identifier,
            attribute: A::ContactInformation("somebody".to_owned()).into(),
        }
        .into(),
        _ => return Vec::new(),
    };
    vec![row([request, create()], destroy(&key), Err(R::ObjectDestroyed))]
}

/// Those that do as well with the object as it is then.
async fn of_any_state(at: &World, operation: Operation) -> Vec<Row> {
    let key = at.key(vec![]).await;
    let unique_identifier = id(&key);
    let meanwhile: RequestPayload = add_name(&key).into();
    let (request, meanwhile): (RequestPayload, _) = match operation {
        Operation::Export => {
            (ExportRequest { unique_identifier, ..ExportRequest::default() }.into(), meanwhile)
        }
        Operation::GetAttributeList => {
            (GetAttributeListRequest { unique_identifier }.into(), meanwhile)
        }
        Operation::GetAttributes => {
            (GetAttributesRequest { unique_identifier, attributes: vec![] }.into(), meanwhile)
        }
        Operation::Interop => {
            let interop_function = InteropFunction::Reset;
            (InteropRequest { interop_function, interop_identifier: None }.into(), meanwhile)
        }
        Operation::Recover => {
            at.harness.ask(NEWEST, ArchiveRequest { unique_identifier }).await.unwrap();
            let recover = || RecoverRequest { unique_identifier: id(&key) };
            (recover().into(), recover().into())
        }
        Operation::Revoke => (compromise(&key).into(), meanwhile),
        _ => return Vec::new(),
    };
    vec![row([request, create()], meanwhile, Ok(()))]
}

/// Those that use a key, whose compromise becomes known meanwhile: it protects nothing more.
async fn of_a_use(at: &World, operation: Operation) -> Vec<Row> {
    let active = A::ActivationDate(DateTime(1));
    let limits = UsageLimits { total: 9, count: None, unit: UsageLimitsUnit::Object };
    let key = at.key(vec![active, A::UsageLimits(limits)]).await;
    let (private, public) = at.pair().await;
    let denied = Err(R::WrongKeyLifecycleState);
    let (request, used, then): (RequestPayload, _, _) = match operation {
        Operation::Decrypt => (decrypt(&key).into(), key, Ok(())),
        Operation::DeriveKey => (derive(&key).into(), key, denied),
        Operation::Encrypt => (encrypt(&key).into(), key, denied),
        Operation::GetUsageAllocation => {
            let unique_identifier = id(&key);
            let request = GetUsageAllocationRequest { unique_identifier, usage_limits_count: 1 };
            (request.into(), key, denied)
        }
        Operation::MAC => (mac(&key).into(), key, denied),
        Operation::MACVerify => (mac_verify(&key).into(), key, Ok(())),
        Operation::Sign => (sign(&private).into(), private, denied),
        Operation::SignatureVerify => (signature_verify(&public).into(), public, Ok(())),
        _ => return Vec::new(),
    };
    vec![row([request, create()], compromise(&used), then)]
}

/// Those that make objects by a template, which is changed and then destroyed meanwhile.
async fn of_templates(at: &World, operation: Operation) -> Vec<Row> {
    let mut attributes = Attributes::new([]);
    attributes.names = vec![Name::text("template")];
    let key = at.key(vec![]).await;
    let (private, _) = at.pair().await;
    let given = Some(attributes.clone());
    let request: RequestPayload = match operation {
        Operation::Create => {
            let mut request = aes(vec![]);
            request.attributes.names = attributes.names;
            request.into()
        }
        Operation::CreateKeyPair => {
            let mut request = pair(vec![]);
            request.common_attributes = request
                .common_attributes
                .map(|common| Attributes { names: attributes.names, ..common });
            request.into()
        }
        Operation::ReKey => ReKeyRequest {
            unique_identifier: id(&key),
            offset: None,
            attributes: given,
            protection_storage_masks: None,
        }
        .into(),
        Operation::ReKeyKeyPair => ReKeyKeyPairRequest {
            private_key_unique_identifier: id(&private),
            common_attributes: given,
            ..ReKeyKeyPairRequest::default()
        }
        .into(),
        Operation::Register => {
            let object = Object::SymmetricKey(Key {
                key_block: KeyBlock::plain(KeyFormatType::Raw, &[7; 32]),
            });
            let values = aes(vec![]).attributes.attributes;
            RegisterRequest {
                object_type: ObjectType::SymmetricKey,
                attributes: Attributes { attributes: values, ..attributes },
                object,
                protection_storage_masks: None,
            }
            .into()
        }
        _ => return Vec::new(),
    };
    let template = at.template().await;
    vec![
        of_1_2(request.clone(), add_attribute(&template, A::ObjectGroup("added".into())), Ok(())),
        // So the reason is called in 1.2.
        of_1_2(request, destroy(&template), Err(R::ItemNotFound)),
    ]
}

/// Those that wrap or unwrap: the wrapping key is given up meanwhile, and destroyed.
async fn of_wrapping_keys(at: &World, operation: Operation) -> Vec<Row> {
    let (key, wrapping_key) = (at.active().await, at.active().await);
    let denied = Err(R::WrongKeyLifecycleState);
    match operation {
        Operation::Export => {
            let export = ExportRequest {
                unique_identifier: id(&key),
                key_wrapping_specification: wrapping(&wrapping_key),
                ..ExportRequest::default()
            };
            vec![row([export.into(), create()], compromise(&wrapping_key), denied)]
        }
        // It is served for the first time, which is written.
        Operation::Get => {
            vec![row([get_wrapped(&key, &wrapping_key).into()], compromise(&wrapping_key), denied)]
        }
        Operation::Import => {
            let object = at.wrapped(&key, &wrapping_key).await;
            let given_up = revoke(&wrapping_key, RevocationReasonCode::CessationOfOperation);
            at.harness.ask(NEWEST, given_up).await.unwrap();
            let imports = [import("imported", object).into()];
            vec![row(imports, destroy(&wrapping_key), Err(R::WrappingObjectDestroyed))]
        }
        Operation::Register => {
            let (password, contained) = at.contained().await;
            vec![row([contained.into()], destroy(&password), Err(R::InvalidField))]
        }
        _ => Vec::new(),
    }
}

/// Those of a public key, or of a request for its certificate.
async fn of_pairs(at: &World, operation: Operation) -> Vec<Row> {
    let (private, public) = at.pair().await;
    let named = || of_key(&public, [A::CertificateSubjectCN("a name".to_owned())]);
    match operation {
        Operation::Certify => {
            let request = at.certificate_request().await;
            let certify =
                CertifyRequest { unique_identifier: id(&request), ..CertifyRequest::default() };
            vec![
                row([named().into()], compromise(&public), Err(R::WrongKeyLifecycleState)),
                row([certify.into()], destroy(&request), Err(R::ObjectDestroyed)),
            ]
        }
        Operation::ReCertify => {
            let request = at.certificate_request().await;
            let certify =
                CertifyRequest { unique_identifier: id(&request), ..CertifyRequest::default() };
            let made = at.harness.ask(NEWEST, certify).await.unwrap().unique_identifier;
            let renew = ReCertifyRequest {
                unique_identifier: id(&made),
                certificate_request_unique_identifier: id(&request),
                ..ReCertifyRequest::default()
            };
            vec![row([renew.into()], destroy(&request), Err(R::ObjectDestroyed))]
        }
        Operation::ReKeyKeyPair => {
            let renew = ReKeyKeyPairRequest {
                private_key_unique_identifier: id(&private),
                ..ReKeyKeyPairRequest::default()
            };
            vec![row([renew.into()], add_name(&public), Ok(()))]
        }
        Operation::Validate => {
            let certificate = at.harness.ask(NEWEST, named()).await.unwrap().unique_identifier;
            let unique_identifiers = vec![Identifier::from(certificate.as_str())];
            let validate = ValidateRequest { unique_identifiers, ..ValidateRequest::default() };
            vec![row([validate.into(), create()], compromise(&certificate), Ok(()))]
        }
        _ => Vec::new(),
    }
}

/// Join Split Key, and Locate with what follows from it.
async fn of_parts_and_finds(at: &World, operation: Operation) -> Vec<Row> {
    match operation {
        Operation::JoinSplitKey => {
            let parts = at.harness.ask(NEWEST, split(None)).await.unwrap().unique_identifiers;
            vec![row([join(&parts[..2]).into()], destroy(&parts[1]), Err(R::ObjectDestroyed))]
        }
        Operation::Locate => {
            let group = || A::ObjectGroup("g".to_owned());
            let key = at.key(vec![name("located"), group()]).await;
            let none = || locate(vec![name("none")]).into();
            vec![
                row(
                    [locate(vec![name("located")]).into(), create()],
                    delete(&key, name("located")),
                    Ok(()),
                ),
                row([locate(vec![group()]).into(), create()], delete(&key, group()), Ok(())),
                row([none(), create()], aes(vec![name("none")]), Ok(())),
            ]
        }
        _ => Vec::new(),
    }
}
