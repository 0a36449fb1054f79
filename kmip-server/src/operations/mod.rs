//! What each operation does: one file an operation.
//!
//! An operation takes a typed request and gives a typed response. What it wants written goes into
//! the view of its batch. **It sees no socket, no bytes, no encoding and no other operation**, and
//! it asks for an object through [`Context::object`] alone, which is where access is checked.

mod activate;
mod add_attribute;
mod adjust_attribute;
mod answer;
mod archive;
pub(crate) mod availability;
mod cancel;
mod certify;
mod check;
pub(crate) mod cost;
mod create;
mod create_key_pair;
mod create_split_key;
mod decrypt;
mod delegated_login;
mod delete_attribute;
mod derive_key;
mod destroy;
mod discover_versions;
mod encrypt;
mod export;
mod get;
mod get_attribute_list;
mod get_attributes;
mod get_constraints;
mod get_usage_allocation;
mod hash;
mod import;
mod interop;
mod join_split_key;
mod locate;
mod log;
mod login;
mod logout;
mod mac;
mod mac_verify;
mod modify_attribute;
mod obtain_lease;
mod ping;
mod pkcs_11;
mod poll;
mod process;
mod query;
mod query_asynchronous_requests;
mod re_certify;
mod re_key;
mod re_key_key_pair;
mod re_provision;
mod recover;
mod register;
mod revoke;
mod rng_retrieve;
mod rng_seed;
mod set_attribute;
mod set_constraints;
mod set_defaults;
mod set_endpoint_role;
mod sign;
mod signature_verify;
mod validate;

use kmip::payload::{MalformedPayload, RequestPayload, ResponsePayload};
use kmip::{Version, item_error};
use ttlv::ErrorKind;

use crate::auth::access_control;
use crate::keystore::Context;
use crate::objects::error::{OperationError, Result};
pub(crate) use answer::Answer;

use crate::operations::availability::is_available;
use crate::operations::cost::Cost;

/// Returns whether a request changes something while its batch runs (see
/// [`crate::dispatch::batch`]).
pub(crate) fn acts_at_once(request: &RequestPayload) -> bool {
    if let RequestPayload::PKCS_11(request) = request {
        return pkcs_11::has_effect(request);
    }
    longest_response(request).is_some()
}

/// Longest response to an operation that acts while its batch runs; none for any other.
pub(crate) fn longest_response(request: &RequestPayload) -> Option<ResponsePayload> {
    if let RequestPayload::Cancel(request) = request {
        return Some(cancel::longest(request).into());
    }
    if let RequestPayload::PKCS_11(request) = request {
        return Some(pkcs_11::longest(request).into());
    }
    matches!(request, RequestPayload::Process(_)).then(|| process::longest().into())
}

/// Why a payload is not understood: a number that is not in its enumeration is
/// one field's fault, and what else is wrong is the message's (1.4, 11.1).
fn unreadable(payload: &MalformedPayload, version: Version) -> OperationError {
    let MalformedPayload { operation, error } = payload;
    let why = item_error(error, version);
    if matches!(error.kind, ErrorKind::UnknownValue(_)) {
        return OperationError::invalid_field(why.to_string());
    }
    OperationError::invalid_message(format!("the payload of {operation} cannot be read: {why}"))
}

/// One row an operation: its name, and the file whose function of the same name does it. A new
/// operation does not compile until it stands here; as long as nothing does it, among the rest. One
/// that answers for another with a whole batch item stands among those.
macro_rules! operations {
    (
        served { $($name:ident => $file:ident;)* }
        whole { $($item:ident => $item_file:ident;)* }
        rest { $($other:ident)* }
    ) => {
        /// Does one batch item.
        pub(crate) async fn execute(
            cx: &mut Context<'_>,
            request: RequestPayload,
        ) -> Result<Answer> {
            let operation = request.operation();
            if !is_available(cx, operation) {
                return Err(OperationError::not_supported(operation, cx.version));
            }
            if !access_control::may_ask(cx.client, operation) {
                return Err(OperationError::not_granted(operation));
            }
            cx.operation = operation;
            let Cost::Slow(estimate) = cost::estimate(cx, &request).await else {
                return perform(cx, request).await;
            };
            // Boxed, so that a connection does not keep room for what is seldom done.
            Box::pin(cx.slow_work().run(estimate, perform(cx, request))).await?
        }

        /// Does what is asked for, wherever that is.
        async fn perform(cx: &mut Context<'_>, request: RequestPayload) -> Result<Answer> {
            let operation = request.operation();
            match request {
                // Each in a box of its own size: else all would be as large as the largest.
                $(RequestPayload::$name(request) => {
                    let answer = Box::pin($file::$file(cx, request)).await;
                    answer.map(|answer| Answer::Payload(Box::new(answer.into())))
                })*
                $(RequestPayload::$item(request) => {
                    Box::pin($item_file::$item_file(cx, request)).await
                })*
                $(RequestPayload::$other(_))|* | RequestPayload::Unknown(_) => {
                    Err(OperationError::not_supported(operation, cx.version))
                }
                RequestPayload::Malformed(malformed) => Err(unreadable(&malformed, cx.version)),
            }
        }
    };
}

operations! {
    served {
        Activate => activate;
        AddAttribute => add_attribute;
        AdjustAttribute => adjust_attribute;
        Archive => archive;
        Cancel => cancel;
        Certify => certify;
        Check => check;
        Create => create;
        CreateKeyPair => create_key_pair;
        CreateSplitKey => create_split_key;
        Decrypt => decrypt;
        DelegatedLogin => delegated_login;
        DeleteAttribute => delete_attribute;
        DeriveKey => derive_key;
        Destroy => destroy;
        DiscoverVersions => discover_versions;
        Encrypt => encrypt;
        Export => export;
        Get => get;
        GetAttributeList => get_attribute_list;
        GetAttributes => get_attributes;
        GetConstraints => get_constraints;
        GetUsageAllocation => get_usage_allocation;
        Hash => hash;
        Import => import;
        Interop => interop;
        JoinSplitKey => join_split_key;
        Locate => locate;
        Log => log;
        Login => login;
        Logout => logout;
        MAC => mac;
        MACVerify => mac_verify;
        ModifyAttribute => modify_attribute;
        ObtainLease => obtain_lease;
        Ping => ping;
        PKCS_11 => pkcs_11;
        Process => process;
        Query => query;
        QueryAsynchronousRequests => query_asynchronous_requests;
        ReProvision => re_provision;
        Recover => recover;
        Register => register;
        ReCertify => re_certify;
        ReKey => re_key;
        ReKeyKeyPair => re_key_key_pair;
        Revoke => revoke;
        RNGRetrieve => rng_retrieve;
        RNGSeed => rng_seed;
        SetAttribute => set_attribute;
        SetConstraints => set_constraints;
        SetDefaults => set_defaults;
        SetEndpointRole => set_endpoint_role;
        Sign => sign;
        SignatureVerify => signature_verify;
        Validate => validate;
    }
    whole {
        Poll => poll;
    }
    rest {
        Notify
        Put
    }
}
