//! The functions that are served: one arm each, its parameters in the order of PKCS#11 3.0.
//!
//! A function that is not here is answered with CKR_FUNCTION_NOT_SUPPORTED.

use std::sync::{Arc, Mutex, PoisonError};

use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::session::Session;
use cryptoki::slot::Slot;
use kmip::vocabulary::{PKCS_11Function as Function, PKCS_11ReturnCode as Code};
use zeroize::Zeroizing;

use super::module::{Answer, Call, CallError, Module, SESSIONS_MAX};
use super::parameters::{Input, Malformed, Output};

/// The version of the encoding that C_Initialize names (2.1 profiles, 5.18.1).
const ENCODING: u8 = 1;

/// The most random bytes of one call: an answer stays far below the longest message.
pub(super) const RANDOM_MAX: usize = 64 << 10;

/// CKF_RW_SESSION of C_OpenSession (PKCS#11 3.0, 3.3).
const RW_SESSION: u64 = 2;
/// CKF_SERIAL_SESSION, which each session must have.
const SERIAL_SESSION: u64 = 4;

/// Why a function did not give what it should.
enum Stop {
    /// There was no call.
    Call(CallError),
    /// The function said so.
    Code(Code),
    /// The room is too small: the function says how much there must be.
    TooSmall(Output),
}

impl<E: Into<CallError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Call(error.into())
    }
}

type Given = Result<Output, Stop>;

impl Module {
    /// Makes a call. It may take as long as the module does: not for a thread that serves others.
    pub(crate) fn call(&self, request: &Call<'_>) -> Result<Answer, CallError> {
        call(self, request)
    }
}

fn call(module: &Module, call: &Call<'_>) -> Result<Answer, CallError> {
    let input = Input::new(call.input);
    let given = match call.function {
        Function::C_Initialize => return initialize(module, call, input),
        Function::C_Finalize => finalize(module, call, input),
        Function::C_GetInfo => get_info(module, call, input),
        Function::C_GetSlotList => get_slot_list(module, call, input),
        Function::C_GetSlotInfo => get_slot_info(module, call, input),
        Function::C_GetMechanismList => get_mechanism_list(module, call, input),
        Function::C_OpenSession => open_session(module, call, input),
        Function::C_CloseSession => close_session(module, call, input),
        Function::C_CloseAllSessions => close_all_sessions(module, call, input),
        Function::C_SeedRandom => seed_random(module, call, input),
        Function::C_GenerateRandom => generate_random(module, call, input),
        Function::C_DigestInit => digest_init(module, call, input),
        Function::C_Digest => digest(module, call, input),
        Function::C_DigestUpdate => digest_update(module, call, input),
        Function::C_DigestFinal => digest_final(module, call, input),
        _ => return Ok(Answer::of(Code::FUNCTION_NOT_SUPPORTED)),
    };
    let (output, return_code) = match given {
        Ok(output) => (Some(output), Code::OK),
        Err(Stop::TooSmall(output)) => (Some(output), Code::BUFFER_TOO_SMALL),
        Err(Stop::Code(code)) => (None, code),
        Err(Stop::Call(error)) => return Err(error),
    };
    let output = output.map(Output::into_bytes).filter(|bytes| !bytes.is_empty());
    Ok(Answer { correlation_value: None, output, return_code })
}

/// pInitArgs does not travel; the version of the encoding stands in its place.
fn initialize(module: &Module, call: &Call<'_>, input: Input<'_>) -> Result<Answer, CallError> {
    let version = input.all(Input::byte)?;
    if version != ENCODING {
        return Ok(Answer::of(Code::ARGUMENTS_BAD));
    }
    Ok(match module.begin(call.owner) {
        Some(value) => Answer { correlation_value: Some(value), ..Answer::of(Code::OK) },
        None => Answer::of(Code::HOST_MEMORY),
    })
}

fn finalize(module: &Module, call: &Call<'_>, input: Input<'_>) -> Given {
    input.all(|_| Ok(()))?;
    module.end(call)?;
    Ok(Output::default())
}

/// CK_INFO.
fn get_info(module: &Module, call: &Call<'_>, input: Input<'_>) -> Given {
    input.all(|_| Ok(()))?;
    module.with(call, |_| ())?;
    let info = module.module.get_library_info().map_err(code)?;
    let mut output = Output::default();
    version(&mut output, info.cryptoki_version());
    output.padded(info.manufacturer_id(), 32);
    // No flag of CK_INFO is defined (PKCS#11 3.0, 3.1).
    output.ulong(0);
    output.padded(info.library_description(), 32);
    version(&mut output, info.library_version());
    Ok(output)
}

fn version(output: &mut Output, version: cryptoki::types::Version) {
    output.byte(version.major());
    output.byte(version.minor());
}

fn get_slot_list(module: &Module, call: &Call<'_>, input: Input<'_>) -> Given {
    let (with_token, room) = input.all(|input| Ok((input.flag()?, input.room()?)))?;
    module.with(call, |_| ())?;
    let slots = match with_token {
        true => module.module.get_slots_with_token(),
        false => module.module.get_all_slots(),
    };
    list(room, slots.map_err(code)?.iter().map(Slot::id))
}

/// CK_SLOT_INFO.
fn get_slot_info(module: &Module, call: &Call<'_>, input: Input<'_>) -> Given {
    let number = input.all(Input::ulong)?;
    module.with(call, |_| ())?;
    let info = module.module.get_slot_info(slot(number)?).map_err(code)?;
    let mut output = Output::default();
    output.padded(info.slot_description(), 64);
    output.padded(info.manufacturer_id(), 32);
    let flags =
        [(info.token_present(), 1), (info.removable_device(), 2), (info.hardware_slot(), 4)];
    output.ulong(flags.iter().filter(|(set, _)| *set).fold(0, |all, (_, flag)| all | flag));
    version(&mut output, info.hardware_version());
    version(&mut output, info.firmware_version());
    Ok(output)
}

fn get_mechanism_list(module: &Module, call: &Call<'_>, input: Input<'_>) -> Given {
    let (number, room) = input.all(|input| Ok((input.ulong()?, input.room()?)))?;
    module.with(call, |_| ())?;
    let mechanisms = module.module.get_mechanism_list(slot(number)?).map_err(code)?;
    list(room, mechanisms.iter().map(|mechanism| **mechanism))
}

/// The application's pointers do not travel.
fn open_session(module: &Module, call: &Call<'_>, input: Input<'_>) -> Given {
    let (number, flags) = input.all(|input| Ok((input.ulong()?, input.ulong()?)))?;
    let slot = slot(number)?;
    if flags & SERIAL_SESSION == 0 {
        return Err(Stop::Code(Code::SESSION_PARALLEL_NOT_SUPPORTED));
    }
    if module.with(call, |instance| instance.sessions.len())? >= SESSIONS_MAX {
        return Err(Stop::Code(Code::SESSION_COUNT));
    }
    let session = match flags & RW_SESSION {
        0 => module.module.open_ro_session(slot),
        _ => module.module.open_rw_session(slot),
    };
    let session = session.map_err(code)?;
    let handle = session.handle();
    let session = Arc::new(Mutex::new(session));
    module.with(call, |instance| instance.sessions.insert(handle, session))?;
    let mut output = Output::default();
    output.ulong(handle);
    Ok(output)
}

fn close_session(module: &Module, call: &Call<'_>, input: Input<'_>) -> Given {
    let handle = input.all(Input::ulong)?;
    let closed = module.with(call, |instance| instance.sessions.remove(&handle))?;
    closed.map(|_| Output::default()).ok_or(Stop::Code(Code::SESSION_HANDLE_INVALID))
}

/// Those of the caller's instance with this slot.
fn close_all_sessions(module: &Module, call: &Call<'_>, input: Input<'_>) -> Given {
    let slot = slot(input.all(Input::ulong)?)?;
    let sessions = module.with(call, |instance| instance.sessions.clone())?;
    let is_of_slot = |session: &Arc<Mutex<Session>>| {
        let session = session.lock().unwrap_or_else(PoisonError::into_inner);
        session.get_session_info().is_ok_and(|info| info.slot_id().id() == slot.id())
    };
    let closed: Vec<u64> =
        sessions.iter().filter(|(_, s)| is_of_slot(s)).map(|(handle, _)| *handle).collect();
    module.with(call, |instance| instance.sessions.retain(|h, _| !closed.contains(h)))?;
    Ok(Output::default())
}

fn seed_random(module: &Module, call: &Call<'_>, input: Input<'_>) -> Given {
    let (handle, seed) = input.all(|input| Ok((input.ulong()?, input.bytes()?)))?;
    on(module, call, handle, |session| session.seed_random(seed))?;
    Ok(Output::default())
}

fn generate_random(module: &Module, call: &Call<'_>, input: Input<'_>) -> Given {
    let (handle, room) = input.all(|input| Ok((input.ulong()?, input.room()?)))?;
    let len = room.filter(|len| *len <= RANDOM_MAX);
    let len = len.ok_or(Stop::Code(Code::ARGUMENTS_BAD))?;
    let mut bytes = Zeroizing::new(vec![0; len]);
    on(module, call, handle, |session| session.generate_random_slice(&mut bytes))?;
    let mut output = Output::default();
    output.bytes(&bytes);
    Ok(output)
}

fn digest_init(module: &Module, call: &Call<'_>, input: Input<'_>) -> Given {
    let (handle, number, has_parameter) =
        input.all(|input| Ok((input.ulong()?, input.ulong()?, has_parameter(input)?)))?;
    if has_parameter {
        return Err(Stop::Code(Code::MECHANISM_PARAM_INVALID));
    }
    let found = DIGESTS.iter().find(|(known, _)| *known == number);
    let (_, mechanism) = found.ok_or(Stop::Code(Code::MECHANISM_INVALID))?;
    on(module, call, handle, |session| session.digest_init(mechanism))?;
    Ok(Output::default())
}

/// Has the mechanism a parameter? None of those that are served has, so that it is read over.
fn has_parameter(input: &mut Input<'_>) -> Result<bool, Malformed> {
    let has_one = input.flag()?;
    if has_one {
        input.bytes()?;
    }
    Ok(has_one)
}

/// The digests by their numbers (PKCS#11 3.0, the header file).
const DIGESTS: &[(u64, Mechanism<'_>)] = &[
    (0x0000_0220, Mechanism::Sha1),
    (0x0000_0250, Mechanism::Sha256),
    (0x0000_0255, Mechanism::Sha224),
    (0x0000_0260, Mechanism::Sha384),
    (0x0000_0270, Mechanism::Sha512),
];

fn digest(module: &Module, call: &Call<'_>, input: Input<'_>) -> Given {
    let (handle, data, room) =
        input.all(|input| Ok((input.ulong()?, input.bytes()?, input.room()?)))?;
    needs_room(room)?;
    on(module, call, handle, |session| session.digest_update(data))?;
    finished(module, call, handle)
}

fn digest_update(module: &Module, call: &Call<'_>, input: Input<'_>) -> Given {
    let (handle, data) = input.all(|input| Ok((input.ulong()?, input.bytes()?)))?;
    on(module, call, handle, |session| session.digest_update(data))?;
    Ok(Output::default())
}

fn digest_final(module: &Module, call: &Call<'_>, input: Input<'_>) -> Given {
    let (handle, room) = input.all(|input| Ok((input.ulong()?, input.room()?)))?;
    needs_room(room)?;
    finished(module, call, handle)
}

fn finished(module: &Module, call: &Call<'_>, handle: u64) -> Given {
    let value = on(module, call, handle, Session::digest_final)?;
    let mut output = Output::default();
    output.bytes(&value);
    Ok(output)
}

/// The longest digest: with so much room none is too long, and none is lost for want of it.
pub(super) const DIGEST_LEN_MAX: usize = 64;

/// A digest is over once it was given, so the room is asked for first.
fn needs_room(room: Option<usize>) -> Result<(), Stop> {
    if room.is_some_and(|room| room >= DIGEST_LEN_MAX) {
        return Ok(());
    }
    let mut output = Output::default();
    output.count(DIGEST_LEN_MAX);
    Err(Stop::TooSmall(output))
}

/// Does something with a session of the caller's.
fn on<T>(
    module: &Module,
    call: &Call<'_>,
    handle: u64,
    act: impl FnOnce(&Session) -> cryptoki::error::Result<T>,
) -> Result<T, Stop> {
    let session = module.with(call, |instance| instance.sessions.get(&handle).cloned())?;
    let session = session.ok_or(Stop::Code(Code::SESSION_HANDLE_INVALID))?;
    let session = session.lock().unwrap_or_else(PoisonError::into_inner);
    act(&session).map_err(code)
}

fn slot(number: u64) -> Result<Slot, Stop> {
    Slot::try_from(number).map_err(|_| Stop::Code(Code::SLOT_ID_INVALID))
}

/// Numbers after their count; the count alone where there is no room for them.
fn list(room: Option<usize>, numbers: impl ExactSizeIterator<Item = u64>) -> Given {
    let mut output = Output::default();
    output.count(numbers.len());
    match room {
        Some(room) if room < numbers.len() => Err(Stop::TooSmall(output)),
        Some(_) => {
            numbers.for_each(|number| output.ulong(number));
            Ok(output)
        }
        None => Ok(output),
    }
}

/// The return codes that these functions give.
fn code(error: Error) -> Stop {
    let Error::Pkcs11(error, _) = error else { return Stop::Code(Code::FUNCTION_FAILED) };
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the functions that are served give no other code"
    )]
    Stop::Code(match error {
        RvError::ArgumentsBad => Code::ARGUMENTS_BAD,
        RvError::DeviceError => Code::DEVICE_ERROR,
        RvError::DeviceMemory => Code::DEVICE_MEMORY,
        RvError::DeviceRemoved => Code::DEVICE_REMOVED,
        RvError::FunctionCanceled => Code::FUNCTION_CANCELED,
        RvError::FunctionFailed => Code::FUNCTION_FAILED,
        RvError::FunctionNotSupported => Code::FUNCTION_NOT_SUPPORTED,
        RvError::HostMemory => Code::HOST_MEMORY,
        RvError::MechanismInvalid => Code::MECHANISM_INVALID,
        RvError::MechanismParamInvalid => Code::MECHANISM_PARAM_INVALID,
        RvError::OperationActive => Code::OPERATION_ACTIVE,
        RvError::OperationNotInitialized => Code::OPERATION_NOT_INITIALIZED,
        RvError::RandomNoRng => Code::RANDOM_NO_RNG,
        RvError::RandomSeedNotSupported => Code::RANDOM_SEED_NOT_SUPPORTED,
        RvError::SessionClosed => Code::SESSION_CLOSED,
        RvError::SessionCount => Code::SESSION_COUNT,
        RvError::SessionHandleInvalid => Code::SESSION_HANDLE_INVALID,
        RvError::SlotIdInvalid => Code::SLOT_ID_INVALID,
        RvError::TokenNotPresent => Code::TOKEN_NOT_PRESENT,
        RvError::TokenNotRecognized => Code::TOKEN_NOT_RECOGNIZED,
        RvError::TokenWriteProtected => Code::TOKEN_WRITE_PROTECTED,
        RvError::UserNotLoggedIn => Code::USER_NOT_LOGGED_IN,
        _ => Code::GENERAL_ERROR,
    })
}
