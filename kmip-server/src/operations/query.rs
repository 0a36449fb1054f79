//! 1.4, 4.25; 2.1, 6.1.40: what the server can do, in the client's version.

use kmip::Version;
use kmip::objects::ProtectionStorageMasks;
use kmip::payload::{CapabilityInformation, QueryRequest, QueryResponse, ServerInformation};
use kmip::vocabulary::{
    DestroyAction, ObjectType, Operation, ProtectionStorageMask, QueryFunction as Function, RNGMode,
};

use super::{Context, SERVED};
use crate::defaults;
use crate::error::Result;
use crate::promises::RNG;

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
    ObjectType::Template,
];

/// Who made the server, as Query tells it.
const VENDOR: &str = concat!("kmip-server ", env!("CARGO_PKG_VERSION"));

pub(super) async fn query(cx: &mut Context<'_>, request: QueryRequest) -> Result<QueryResponse> {
    let mut response = QueryResponse::default();
    for function in &request.query_functions {
        if *function == Function::QueryDefaultsInformation {
            let told = defaults::told(cx, request.object_groups.as_ref()).await?;
            response.defaults_information = Some(told);
        }
        answer(*function, cx.version, &mut response);
    }
    if cx.live.pkcs11.is_none() {
        response.operations.retain(|operation| *operation != Operation::PKCS_11);
    }
    Ok(response)
}

/// Functions that are not here have no answer but an empty one: nothing of theirs is supported.
fn answer(function: Function, version: Version, response: &mut QueryResponse) {
    match function {
        Function::QueryOperations => {
            let is_served = |operation: &Operation| operation.exists_in(version);
            response.operations = SERVED.iter().copied().filter(is_served).collect();
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
                ..ServerInformation::default()
            }));
        }
        Function::QueryRNGs => {
            response.rng_parameters = vec![RNG];
        }
        Function::QueryCapabilities => {
            response.capability_information = vec![CapabilityInformation {
                streaming_capability: Some(false),
                asynchronous_capability: Some(true),
                attestation_capability: Some(false),
                batch_undo_capability: Some(true),
                batch_continue_capability: Some(true),
                destroy_action: Some(DestroyAction::KeyMaterialDeleted),
                rng_mode: Some(RNGMode::SharedInstantiation),
                ..CapabilityInformation::default()
            }];
        }
        Function::QueryStorageProtectionMasks => {
            response.protection_storage_masks =
                Some(ProtectionStorageMasks { masks: vec![ProtectionStorageMask::Software] });
        }
        _ => {}
    }
}
