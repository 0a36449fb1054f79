//! What each operation is asked and what it answers: one file an operation (1.4, 4; 2.1, 6.1).
//!
//! One line of the table at the end binds an operation to its request and its response; from it
//! come the two enums, the conversions and the trait [`Request`], by which a client that sends a
//! `CreateRequest` is given a `CreateResponse`.

mod activate;
mod add_attribute;
mod check;
mod create;
mod delete_attribute;
mod destroy;
mod discover_versions;
mod get;
mod get_attribute_list;
mod get_attributes;
mod locate;
mod modify_attribute;
mod query;
mod re_key;
mod register;
mod revoke;
mod set_attribute;

use ttlv::{Error, Raw, Reader, Tag, Writer};

use crate::codec::{Decode, Encode};
use crate::version::Version;
use crate::vocabulary::{Operation, tags};

pub use activate::{ActivateRequest, ActivateResponse};
pub use add_attribute::{AddAttributeRequest, AddAttributeResponse};
pub use check::{CheckRequest, CheckResponse};
pub use create::{CreateRequest, CreateResponse};
pub use delete_attribute::{DeleteAttributeRequest, DeleteAttributeResponse};
pub use destroy::{DestroyRequest, DestroyResponse};
pub use discover_versions::{DiscoverVersionsRequest, DiscoverVersionsResponse};
pub use get::{GetRequest, GetResponse, KeyWrappingSpecification};
pub use get_attribute_list::{GetAttributeListRequest, GetAttributeListResponse};
pub use get_attributes::{GetAttributesRequest, GetAttributesResponse};
pub use locate::{Condition, Filter, LocateRequest, LocateResponse};
pub use modify_attribute::{ModifyAttributeRequest, ModifyAttributeResponse};
pub use query::{
    CapabilityInformation, ProfileInformation, QueryRequest, QueryResponse, ServerInformation,
};
pub use re_key::{ReKeyRequest, ReKeyResponse};
pub use register::{RegisterRequest, RegisterResponse};
pub use revoke::{RevokeRequest, RevokeResponse};
pub use set_attribute::{SetAttributeRequest, SetAttributeResponse};

/// A request payload, and the response it is answered with.
pub trait Request: Into<RequestPayload> {
    /// The operation.
    const OPERATION: Operation;
    /// The answer.
    type Response: TryFrom<ResponsePayload, Error = ResponsePayload>;
}

/// A payload of an operation that is in no row of the table, as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct UnknownPayload {
    /// The operation.
    pub operation: Operation,
    /// The payload, header included; empty when there was none.
    pub payload: Raw,
}

/// A payload of a known operation that could not be read.
#[derive(Clone, Debug, PartialEq)]
pub struct MalformedPayload {
    /// The operation.
    pub operation: Operation,
    /// What was wrong.
    pub error: Error,
}

/// What a variant holds: the payload, or a large one in a box, so that the small ones are quick to
/// move.
macro_rules! held {
    ($payload:ident) => { $payload };
    ($payload:ident, $large:ident) => { $large<$payload> };
}

/// The payload that a variant held.
macro_rules! taken {
    ($held:ident) => {
        $held
    };
    ($held:ident, $large:ident) => {
        *$held
    };
}

/// One row an operation: its name and its two payloads; the answer in a box if it is large.
macro_rules! operations {
    ($($name:ident => $request:ident, $response:ident $(in $large:ident)?;)*) => {
        /// What a client asks for in one batch item.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs, reason = "each variant is named after its operation")]
        pub enum RequestPayload {
            $($name($request),)*
            /// An operation that is in no row.
            Unknown(UnknownPayload),
            /// A payload that could not be read.
            Malformed(MalformedPayload),
        }

        /// What a server answers in one batch item.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs, reason = "each variant is named after its operation")]
        pub enum ResponsePayload {
            $($name(held!($response $(, $large)?)),)*
            /// An operation that is in no row.
            Unknown(UnknownPayload),
        }

        /// The operations of the table.
        pub const OPERATIONS: &[Operation] = &[$(Operation::$name,)*];

        impl RequestPayload {
            /// The operation this payload belongs to.
            pub const fn operation(&self) -> Operation {
                match self {
                    $(Self::$name(_) => Operation::$name,)*
                    Self::Unknown(unknown) => unknown.operation,
                    Self::Malformed(malformed) => malformed.operation,
                }
            }

            /// Reads the payload of `operation`. A malformed one is a value and no error: it
            /// spoils its own item alone.
            pub(crate) fn decode(
                operation: Operation,
                r: &mut Reader<'_>,
                version: Version,
            ) -> Result<Self, Error> {
                let mut payload = r.clone();
                let result = match operation {
                    $(Operation::$name => {
                        $request::decode(tags::RequestPayload, &mut payload, version)
                            .map(Self::$name)
                    })*
                    _ => unknown(operation, tags::RequestPayload, &mut payload).map(Self::Unknown),
                };
                match result {
                    Ok(value) => {
                        *r = payload;
                        Ok(value)
                    }
                    Err(error) => {
                        r.value(tags::RequestPayload, ttlv::Type::Structure)?;
                        Ok(Self::Malformed(MalformedPayload { operation, error }))
                    }
                }
            }
        }

        impl Encode for RequestPayload {
            fn encode(&self, tag: Tag, w: &mut Writer, version: Version) {
                match self {
                    $(Self::$name(payload) => payload.encode(tag, w, version),)*
                    Self::Unknown(unknown) => w.raw(unknown.payload.as_bytes()),
                    Self::Malformed(_) => w.structure(tag, |_| {}),
                }
            }
        }

        impl ResponsePayload {
            /// The operation this payload belongs to.
            pub const fn operation(&self) -> Operation {
                match self {
                    $(Self::$name(_) => Operation::$name,)*
                    Self::Unknown(unknown) => unknown.operation,
                }
            }

            /// Reads the payload of an answer to `operation`, if there is one.
            pub(crate) fn decode(
                operation: Option<Operation>,
                r: &mut Reader<'_>,
                version: Version,
            ) -> Result<Option<Self>, Error> {
                let tag = tags::ResponsePayload;
                if r.peek() != Some(tag) {
                    return Ok(None);
                }
                Ok(Some(match operation {
                    $(Some(Operation::$name) => {
                        Self::$name(Decode::decode(tag, r, version)?)
                    })*
                    other => Self::Unknown(unknown(other.unwrap_or(Operation(0)), tag, r)?),
                }))
            }
        }

        impl Encode for ResponsePayload {
            fn encode(&self, tag: Tag, w: &mut Writer, version: Version) {
                match self {
                    $(Self::$name(payload) => payload.encode(tag, w, version),)*
                    Self::Unknown(unknown) => w.raw(unknown.payload.as_bytes()),
                }
            }
        }

        $(
            impl Request for $request {
                const OPERATION: Operation = Operation::$name;
                type Response = $response;
            }

            impl From<$request> for RequestPayload {
                fn from(payload: $request) -> Self {
                    Self::$name(payload)
                }
            }

            impl From<$response> for ResponsePayload {
                fn from(payload: $response) -> Self {
                    Self::$name(payload.into())
                }
            }

            impl TryFrom<ResponsePayload> for $response {
                type Error = ResponsePayload;

                fn try_from(payload: ResponsePayload) -> Result<Self, ResponsePayload> {
                    match payload {
                        ResponsePayload::$name(response) => Ok(taken!(response $(, $large)?)),
                        other => Err(other),
                    }
                }
            }
        )*
    };
}

/// Keeps a payload as it came; one that is left out is kept as nothing.
fn unknown(operation: Operation, tag: Tag, r: &mut Reader<'_>) -> Result<UnknownPayload, Error> {
    let payload = match r.peek() == Some(tag) {
        true => r.raw()?,
        false => Raw::default(),
    };
    Ok(UnknownPayload { operation, payload })
}

operations! {
    Activate => ActivateRequest, ActivateResponse;
    AddAttribute => AddAttributeRequest, AddAttributeResponse in Box;
    Check => CheckRequest, CheckResponse;
    Create => CreateRequest, CreateResponse;
    DeleteAttribute => DeleteAttributeRequest, DeleteAttributeResponse in Box;
    Destroy => DestroyRequest, DestroyResponse;
    DiscoverVersions => DiscoverVersionsRequest, DiscoverVersionsResponse;
    Get => GetRequest, GetResponse in Box;
    GetAttributeList => GetAttributeListRequest, GetAttributeListResponse;
    GetAttributes => GetAttributesRequest, GetAttributesResponse;
    Locate => LocateRequest, LocateResponse;
    ModifyAttribute => ModifyAttributeRequest, ModifyAttributeResponse in Box;
    Query => QueryRequest, QueryResponse in Box;
    ReKey => ReKeyRequest, ReKeyResponse;
    Register => RegisterRequest, RegisterResponse;
    Revoke => RevokeRequest, RevokeResponse;
    SetAttribute => SetAttributeRequest, SetAttributeResponse;
}
