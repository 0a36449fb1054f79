//! PKCS#11 (2.1, 6.1.37): a function of PKCS#11, called through the server.

use ttlv::{Error, Reader, Tag, Type, Writer};

use crate::codec::{Decode, Encode, SecretBytes};
use crate::macros::structure;
use crate::version::Version;
use crate::vocabulary::{PKCS_11Function, PKCS_11ReturnCode};

structure! {
    /// Asks for a function to be called (2.1, 6.1.37).
    PKCS11Request {
        /// The name of the interface; that of version 3.0 when absent.
        PKCS_11Interface => interface: Option<String>,
        /// The function.
        PKCS_11Function => function: PKCS11Call,
        /// What the last answer gave.
        CorrelationValue => correlation_value: Option<Vec<u8>>,
        /// What the function takes. PINs and keys pass here.
        PKCS_11InputParameters => input_parameters: Option<SecretBytes>,
    }
}

structure! {
    /// What the function gave (2.1, 6.1.37).
    PKCS11Response {
        /// The name of the interface; that of version 3.0 when absent.
        PKCS_11Interface => interface: Option<String>,
        /// The function.
        PKCS_11Function => function: PKCS11Call,
        /// What the client must send with the next request.
        CorrelationValue => correlation_value: Option<Vec<u8>>,
        /// What the function gives. Keys pass here.
        PKCS_11OutputParameters => output_parameters: Option<SecretBytes>,
        /// How it went.
        PKCS_11ReturnCode => return_code: PKCS_11ReturnCode,
    }
}

/// Which function: one of PKCS#11's own, or by a number of the vendor's (2.1, 6.1.37).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PKCS11Call {
    /// A function of PKCS#11.
    Standard(PKCS_11Function),
    /// A vendor's.
    Vendor(i32),
}

impl Encode for PKCS11Call {
    fn encode(&self, tag: Tag, w: &mut Writer, version: Version) {
        match self {
            Self::Standard(function) => function.encode(tag, w, version),
            Self::Vendor(number) => number.encode(tag, w, version),
        }
    }
}

impl Decode for PKCS11Call {
    fn decode(tag: Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        match r.peek_type() {
            Some(Type::Integer) => Decode::decode(tag, r, version).map(Self::Vendor),
            _ => Decode::decode(tag, r, version).map(Self::Standard),
        }
    }
}
