//! Longest answer of each function, by its parameters: known before it is called, so that nothing
//! is done whose answer cannot be given.

use kmip::vocabulary::{PKCS_11Function as Function, PKCS_11ReturnCode as Code};
use zeroize::Zeroizing;

use super::functions::{DIGEST_LEN_MAX, RANDOM_MAX};
use super::module::{Answer, CORRELATION_LEN};
use super::parameters::{Input, Malformed};

/// Functions that only read, or whose effect nobody sees: they may be called in vain.
const LEAVES_NOTHING: &[Function] = &[
    Function::C_GenerateRandom,
    Function::C_GetInfo,
    Function::C_GetMechanismList,
    Function::C_GetSlotInfo,
    Function::C_GetSlotList,
];

/// Length of CK_INFO, and of CK_SLOT_INFO (PKCS#11 3.0, 3.1 and 3.2).
const INFO_LEN: usize = 2 + 32 + 8 + 32 + 2;
const SLOT_INFO_LEN: usize = 64 + 32 + 8 + 2 + 2;

/// Length of a count and of a number.
const COUNT_LEN: usize = size_of::<u32>();
const ULONG_LEN: usize = size_of::<u64>();

/// Returns whether a function changes what later calls find.
pub(crate) fn has_effect(function: Function) -> bool {
    !LEAVES_NOTHING.contains(&function)
}

/// Longest answer of a function that is given these parameters.
pub(crate) fn longest_answer(function: Function, input: &[u8]) -> Answer {
    let is_first = function == Function::C_Initialize;
    let len = output_len_max(function, Input::new(input)).unwrap_or(0);
    Answer {
        correlation_value: is_first.then(|| vec![0; CORRELATION_LEN]),
        output: (len > 0).then(|| Zeroizing::new(vec![0; len])),
        // No code has a longer name.
        return_code: Code::UNWRAPPING_KEY_TYPE_INCONSISTENT,
    }
}

/// Parameters that cannot be read have no output.
fn output_len_max(function: Function, input: Input<'_>) -> Result<usize, Malformed> {
    Ok(match function {
        Function::C_GetInfo => INFO_LEN,
        Function::C_GetSlotInfo => SLOT_INFO_LEN,
        Function::C_GetSlotList => {
            list_len(input.all(|input| input.flag().and_then(|_| input.room()))?)
        }
        Function::C_GetMechanismList => {
            list_len(input.all(|input| input.ulong().and_then(|_| input.room()))?)
        }
        Function::C_GenerateRandom => {
            let room = input.all(|input| input.ulong().and_then(|_| input.room()))?;
            COUNT_LEN.saturating_add(room.unwrap_or(0).min(RANDOM_MAX))
        }
        Function::C_OpenSession => ULONG_LEN,
        Function::C_Digest | Function::C_DigestFinal => COUNT_LEN.saturating_add(DIGEST_LEN_MAX),
        _ => 0,
    })
}

/// Most numbers of a list: no module has so many slots or mechanisms.
const LIST_MAX: usize = 4096;

fn list_len(room: Option<usize>) -> usize {
    let count = room.unwrap_or(0).min(LIST_MAX);
    COUNT_LEN.saturating_add(count.saturating_mul(ULONG_LEN))
}
