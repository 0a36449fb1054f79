//! 2.1, 6.1.37: a function of PKCS#11, done by the module that the server has.
//!
//! What a module has done cannot be undone with its batch, and is done again when the batch is:
//! so what is served changes nothing that outlives the caller's own sessions.

use std::sync::Arc;

use kmip::SecretBytes;
use kmip::payload::{PKCS11Call, PKCS11Request, PKCS11Response};
use kmip::vocabulary::{Operation, PKCS_11ReturnCode, ResultReason};

use crate::crypto::pkcs11::{self, Answer, Call, CallError};
use crate::keystore::Context;
use crate::objects::error::{OperationError, Result};

/// The interface of PKCS#11 itself (PKCS#11 3.0, 5.4).
const INTERFACE: &str = "PKCS 11";

pub(super) async fn pkcs_11(
    cx: &mut Context<'_>,
    request: PKCS11Request,
) -> Result<PKCS11Response> {
    let Some(module) = cx.state.pkcs11.clone() else {
        return Err(OperationError::not_supported(Operation::PKCS_11, cx.version));
    };
    if request.interface.as_deref().is_some_and(|name| name != INTERFACE) {
        return Err(OperationError::new(
            ResultReason::PKCS_11InvalidInterface,
            format!("the one interface here is {INTERFACE:?}"),
        ));
    }
    let PKCS11Call::Standard(function) = request.function else {
        return Err(OperationError::new(
            ResultReason::PKCS_11InvalidFunction,
            "the module has no function of a vendor's number",
        ));
    };
    let (owner, value) = (cx.client.owner.clone(), request.correlation_value);
    let input = request.input_parameters.unwrap_or_default();
    // A module takes its time, and may be a device at the end of a cable.
    let called = tokio::task::spawn_blocking(move || {
        let call = Call {
            owner: &owner,
            function,
            correlation_value: value.as_deref(),
            input: input.as_bytes(),
        };
        Arc::clone(&module).call(&call)
    });
    let answer = called.await.map_err(|_| OperationError::internal("call the module"))?;
    let answer = answer.map_err(|error| {
        let reason = match error {
            CallError::Codec(_) => ResultReason::PKCS_11CodecError,
            CallError::Correlation => ResultReason::InvalidCorrelationValue,
        };
        OperationError::new(reason, error.to_string())
    })?;
    Ok(response(request.interface, request.function, answer))
}

fn response(interface: Option<String>, function: PKCS11Call, answer: Answer) -> PKCS11Response {
    PKCS11Response {
        interface,
        function,
        correlation_value: answer.correlation_value,
        output_parameters: answer.output.map(|bytes| SecretBytes::new(&bytes)),
        return_code: answer.return_code,
    }
}

/// Returns whether later calls find something else after this one.
pub(super) fn has_effect(request: &PKCS11Request) -> bool {
    match request.function {
        PKCS11Call::Standard(function) => pkcs11::has_effect(function),
        PKCS11Call::Vendor(_) => false,
    }
}

/// Longest response to a call.
pub(super) fn longest(request: &PKCS11Request) -> PKCS11Response {
    let input = request.input_parameters.as_ref().map_or(&[][..], SecretBytes::as_bytes);
    let answer = match request.function {
        PKCS11Call::Standard(function) => pkcs11::longest_answer(function, input),
        PKCS11Call::Vendor(_) => Answer::of(PKCS_11ReturnCode::OK),
    };
    // Another interface is refused.
    let interface = request.interface.as_ref().map(|_| INTERFACE.to_owned());
    response(interface, request.function, answer)
}
