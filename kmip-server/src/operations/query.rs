//! 1.4, 4.25; 2.1, 6.1.40: what the server can do, in the client's version.

use std::time::UNIX_EPOCH;

use kmip::Version;
use kmip::objects::ProtectionStorageMasks;
use kmip::payload::{
    CapabilityInformation, ProfileInformation, QueryRequest, QueryResponse, RemainingItems,
    ServerInformation,
};
use kmip::vocabulary::{
    ClientRegistrationMethod, DestroyAction, ObjectType, Operation, ProfileName,
    ProtectionStorageMask, QueryFunction as Function, RNGMode, Row, UnwrapMode,
};
use ttlv::Raw;

use crate::keystore::Context;
use crate::keystore::defaults;
use crate::objects::attribute_consistency::RNG;
use crate::objects::error::{OperationError, Result};
use crate::objects::server_information::{
    STORE_CHECK, STORE_CHECK_DATE, STORE_INCOMPLETE, STORE_UNREADABLE, STORE_WHOLE,
};
use crate::operations::availability::{is_available, served};
use crate::store::{CheckResult, CheckWatch};

/// The kinds of objects that Register takes.
const OBJECT_TYPES: &[ObjectType] = &[
    ObjectType::Certificate,
    ObjectType::SymmetricKey,
    ObjectType::PublicKey,
    ObjectType::PrivateKey,
    ObjectType::SplitKey,
    ObjectType::SecretData,
    ObjectType::OpaqueObject,
    ObjectType::PGPKey,
    ObjectType::CertificateRequest,
    ObjectType::Template,
];

/// The profiles that the server keeps to, up to the version that 1.x has in the names. A profile
/// asks that all its mandatory test cases pass, so one stands here only when they are seen to pass
/// in every version that has its name (docs/conformance.md). Those that follow from the settings
/// are not told: HTTPS, its encodings, Suite B and PKCS#11.
const PROFILES: &[&str] = &[
    "AESXTSServer",
    "AdvancedCryptographicServer",
    "AsymmetricKeyLifecycleServer",
    "BaselineServer",
    "BasicCryptographicServer",
    "OpaqueManagedObjectStoreServer",
    "QuantumSafeServer",
    "RNGCryptographicServer",
    "StorageArrayWithSelfEncryptingDriveServer",
    "SymmetricKeyFoundryServer",
    "SymmetricKeyLifecycleServer",
    "TapeLibraryServer",
];

/// Names of the profiles in `version`.
fn profiles(version: Version) -> impl Iterator<Item = ProfileName> {
    let is_kept = |row: &&Row| {
        let family = row.name.split_once("KMIPV1_").map_or(row.name, |(family, _)| family);
        PROFILES.contains(&family)
    };
    let known = ProfileName::ROWS.iter().filter(move |row| row.exists_in(version));
    known.filter(is_kept).map(|row| ProfileName(row.value))
}

/// Who made the server, as Query tells it.
const VENDOR: &str = concat!("kmip-server ", env!("CARGO_PKG_VERSION"));

pub(super) async fn query(cx: &mut Context<'_>, request: QueryRequest) -> Result<QueryResponse> {
    if request.query_functions.is_empty() {
        return Err(OperationError::missing("the request names no Query Function"));
    }
    if let Some(unknown) = request.query_functions.iter().find(|f| f.row().is_none()) {
        return Err(OperationError::invalid_field(format!(
            "{unknown:?} is not a Query Function of this server"
        )));
    }
    let mut response = QueryResponse::default();
    for function in &request.query_functions {
        if *function == Function::QueryDefaultsInformation {
            let told = defaults::told(cx, request.object_groups.as_ref()).await?;
            response.defaults_information = Some(told);
        }
        answer(*function, cx, &mut response);
    }
    Ok(response)
}

/// One row a function. Of application namespaces, extensions, attestation types and validations
/// the server has none, and answers their functions with nothing.
fn answer(function: Function, cx: &Context<'_>, response: &mut QueryResponse) {
    let version = cx.version;
    match function {
        Function::QueryOperations => {
            let is_told = |operation: &Operation| {
                operation.exists_in(version) && is_available(cx, *operation)
            };
            response.operations = served().filter(is_told).collect();
            response.operations.sort();
        }
        Function::QueryObjects => {
            let exists = |object_type: &ObjectType| object_type.exists_in(version);
            response.object_types = OBJECT_TYPES.iter().copied().filter(exists).collect();
        }
        Function::QueryServerInformation => {
            response.vendor_identification = Some(VENDOR.to_owned());
            response.server_information = Some(Box::new(ServerInformation {
                product_name: Some("kmip-server".to_owned()),
                server_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
                vendor_specific: RemainingItems(store_check(cx)),
                ..ServerInformation::default()
            }));
        }
        Function::QueryRNGs => {
            response.rng_parameters = vec![RNG];
        }
        Function::QueryCapabilities => {
            response.capability_information = vec![CapabilityInformation {
                streaming_capability: Some(true),
                asynchronous_capability: Some(true),
                attestation_capability: Some(false),
                batch_undo_capability: Some(true),
                batch_continue_capability: Some(true),
                unwrap_mode: Some(UnwrapMode::NotProcessed),
                destroy_action: Some(DestroyAction::KeyMaterialDeleted),
                rng_mode: Some(RNGMode::SharedInstantiation),
                ..CapabilityInformation::default()
            }];
        }
        Function::QueryProfiles => {
            response.profile_information = profiles(version).map(profile).collect();
        }
        Function::QueryClientRegistrationMethods => {
            // Whoever runs the server gives out the certificates, by ways that are none of KMIP's.
            response.client_registration_methods = vec![ClientRegistrationMethod::Unspecified];
        }
        Function::QueryStorageProtectionMasks => {
            response.protection_storage_masks =
                Some(ProtectionStorageMasks { masks: vec![ProtectionStorageMask::Software] });
        }
        _ => {}
    }
}

/// What the last check of all rows of the store gave, and when.
fn store_check(cx: &Context<'_>) -> Vec<Raw> {
    let Some(last) = cx.state.last_check.as_ref().map(CheckWatch::last) else { return Vec::new() };
    let since = last.at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let at = i64::try_from(since.as_secs()).unwrap_or_default();
    let state = match last.result {
        CheckResult::Whole => STORE_WHOLE,
        CheckResult::Incomplete(_) => STORE_INCOMPLETE,
        CheckResult::Unfinished(_) => STORE_UNREADABLE,
    };
    vec![
        Raw::build(|w| w.text_string(STORE_CHECK, state)),
        Raw::build(|w| w.date_time(STORE_CHECK_DATE, at)),
    ]
}

/// A profile that is kept to at whatever address the client came to.
const fn profile(profile_name: ProfileName) -> ProfileInformation {
    ProfileInformation { profile_name, profile_version: None, server_uri: None, server_port: None }
}
