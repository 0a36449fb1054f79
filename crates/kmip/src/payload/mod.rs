//! What each operation is asked and what it answers: one file an operation (1.4, 4; 2.1, 6.1).
//!
//! One line of the table at the end binds an operation to its request and its response; from it
//! come the two enums, the conversions and the trait [`Request`], by which a client that sends a
//! `CreateRequest` is given a `CreateResponse`.

mod activate;
mod add_attribute;
mod adjust_attribute;
mod archive;
mod cancel;
mod certify;
mod check;
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
mod notify;
mod obtain_lease;
mod ping;
mod pkcs_11;
mod poll;
mod process;
mod put;
mod query;
mod query_asynchronous_requests;
mod re_certify;
mod re_key;
mod re_key_key_pair;
mod re_provision;
mod recover;
mod references;
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

use ttlv::{Error, Raw, Reader, Tag, Writer};

use crate::codec::{Decode, Encode, Field};
use crate::unknown_values::check_values;
use crate::version::Version;
use crate::vocabulary::{Operation, tags};

pub use activate::{ActivateRequest, ActivateResponse};
pub use add_attribute::{AddAttributeRequest, AddAttributeResponse};
pub use adjust_attribute::{AdjustAttributeRequest, AdjustAttributeResponse, AdjustmentValue};
pub use archive::{ArchiveRequest, ArchiveResponse};
pub use cancel::{CancelRequest, CancelResponse};
pub use certify::{CertifyRequest, CertifyResponse};
pub use check::{CheckRequest, CheckResponse};
pub use create::{CreateRequest, CreateResponse};
pub use create_key_pair::{CreateKeyPairRequest, CreateKeyPairResponse};
pub use create_split_key::{CreateSplitKeyRequest, CreateSplitKeyResponse};
pub use decrypt::{DecryptRequest, DecryptResponse};
pub use delegated_login::{DelegatedLoginRequest, DelegatedLoginResponse, Objects, Right, Rights};
pub use delete_attribute::{DeleteAttributeRequest, DeleteAttributeResponse};
pub use derive_key::{DerivationParameters, DeriveKeyRequest, DeriveKeyResponse};
pub use destroy::{DestroyRequest, DestroyResponse};
pub use discover_versions::{DiscoverVersionsRequest, DiscoverVersionsResponse};
pub use encrypt::{EncryptRequest, EncryptResponse};
pub use export::{ExportRequest, ExportResponse};
pub use get::{GetRequest, GetResponse, KeyWrappingSpecification};
pub use get_attribute_list::{GetAttributeListRequest, GetAttributeListResponse};
pub use get_attributes::{GetAttributesRequest, GetAttributesResponse};
pub use get_constraints::{GetConstraintsRequest, GetConstraintsResponse};
pub use get_usage_allocation::{GetUsageAllocationRequest, GetUsageAllocationResponse};
pub use hash::{HashRequest, HashResponse};
pub use import::{ImportRequest, ImportResponse};
pub use interop::{InteropRequest, InteropResponse};
pub use join_split_key::{JoinSplitKeyRequest, JoinSplitKeyResponse};
pub use locate::{Condition, Filter, LocateRequest, LocateResponse};
pub use log::{LogRequest, LogResponse};
pub use login::{LoginRequest, LoginResponse, Ticket, TicketLease};
pub use logout::{LogoutRequest, LogoutResponse};
pub use mac::{MACRequest, MACResponse};
pub use mac_verify::{MACVerifyRequest, MACVerifyResponse};
pub use modify_attribute::{ModifyAttributeRequest, ModifyAttributeResponse};
pub use notify::{NotifyRequest, NotifyResponse};
pub use obtain_lease::{ObtainLeaseRequest, ObtainLeaseResponse};
pub use ping::{PingRequest, PingResponse};
pub use pkcs_11::{PKCS11Call, PKCS11Request, PKCS11Response};
pub use poll::{PollRequest, PollResponse};
pub use process::{ProcessRequest, ProcessResponse};
pub use put::{PutRequest, PutResponse};
pub use query::{
    CapabilityInformation, ExtensionInformation, ExtensionType, ProfileInformation, ProfileVersion,
    QueryRequest, QueryResponse, RemainingItems, ServerInformation, ValidationInformation,
};
pub use query_asynchronous_requests::{
    AsynchronousCorrelationValues, AsynchronousRequest, QueryAsynchronousRequestsRequest,
    QueryAsynchronousRequestsResponse,
};
pub use re_certify::{ReCertifyRequest, ReCertifyResponse};
pub use re_key::{ReKeyRequest, ReKeyResponse};
pub use re_key_key_pair::{ReKeyKeyPairRequest, ReKeyKeyPairResponse};
pub use re_provision::{ReProvisionRequest, ReProvisionResponse};
pub use recover::{RecoverRequest, RecoverResponse};
pub use register::{RegisterRequest, RegisterResponse};
pub use revoke::{RevokeRequest, RevokeResponse};
pub use rng_retrieve::{RNGRetrieveRequest, RNGRetrieveResponse};
pub use rng_seed::{RNGSeedRequest, RNGSeedResponse};
pub use set_attribute::{SetAttributeRequest, SetAttributeResponse};
pub use set_constraints::{Constraint, Constraints, SetConstraintsRequest, SetConstraintsResponse};
pub use set_defaults::{
    DefaultsInformation, ObjectDefaults, SetDefaultsRequest, SetDefaultsResponse,
};
pub use set_endpoint_role::{SetEndpointRoleRequest, SetEndpointRoleResponse};
pub use sign::{SignRequest, SignResponse};
pub use signature_verify::{SignatureVerifyRequest, SignatureVerifyResponse};
pub use validate::{ValidateRequest, ValidateResponse};

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

/// The items of a request and of its response (1.4, 4; 2.1, 6.1).
#[derive(Clone, Copy, Debug)]
pub struct PayloadFields {
    /// The operation.
    pub operation: Operation,
    /// What it is asked.
    pub request: &'static [Field],
    /// What it answers.
    pub response: &'static [Field],
}

/// Type of a variant's content: the payload, or a box of a large one, so that the small ones are
/// quick to move.
macro_rules! variant_payload {
    ($payload:ident) => { $payload };
    ($payload:ident, $large:ident) => { $large<$payload> };
}

/// Payload out of a variant's content.
macro_rules! unboxed {
    ($content:ident) => {
        $content
    };
    ($content:ident, $large:ident) => {
        *$content
    };
}

/// One row an operation: its name and its two payloads; the answer in a box if it is large.
macro_rules! operations {
    ($($name:ident => $request:ident, $response:ident $(in $large:ident)?;)*) => {
        /// What a client asks for in one batch item.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(
            missing_docs,
            non_camel_case_types,
            reason = "each variant is named after its operation, as the standard spells it"
        )]
        pub enum RequestPayload {
            $($name($request),)*
            /// An operation that is in no row.
            Unknown(UnknownPayload),
            /// A payload that could not be read.
            Malformed(MalformedPayload),
        }

        /// What a server answers in one batch item.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(
            missing_docs,
            non_camel_case_types,
            reason = "each variant is named after its operation, as the standard spells it"
        )]
        pub enum ResponsePayload {
            $($name(variant_payload!($response $(, $large)?)),)*
            /// An operation that is in no row.
            Unknown(UnknownPayload),
        }

        /// The operations of the table.
        pub const OPERATIONS: &[Operation] = &[$(Operation::$name,)*];

        /// The items of the payloads of each operation of the table.
        pub const PAYLOADS: &[PayloadFields] = &[$(PayloadFields {
            operation: Operation::$name,
            request: $request::FIELDS,
            response: $response::FIELDS,
        },)*];

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
                let mut whole = r.clone();
                let result = match operation {
                    $(Operation::$name => {
                        $request::decode(tags::RequestPayload, &mut payload, version)
                            .and_then(|read| {
                                check_values(&mut whole.enter(tags::RequestPayload)?)?;
                                Ok(Self::$name(read))
                            })
                    })*
                    _ => unknown(operation, tags::RequestPayload, &mut payload).map(Self::Unknown),
                };
                match result {
                    Ok(value) => {
                        *r = payload;
                        Ok(value)
                    }
                    Err(error) => {
                        if r.peek() == Some(tags::RequestPayload) {
                            r.value(tags::RequestPayload, ttlv::Type::Structure)?;
                        }
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

            /// Reads the payload of an answer to `operation`, if there is one, to where it belongs.
            pub(crate) fn decode_into(
                place: &mut Option<Self>,
                operation: Option<Operation>,
                r: &mut Reader<'_>,
                version: Version,
            ) -> Result<(), Error> {
                let tag = tags::ResponsePayload;
                if r.peek() != Some(tag) {
                    return Ok(());
                }
                *place = Some(match operation {
                    $(Some(Operation::$name) => {
                        Self::$name(Decode::decode(tag, r, version)?)
                    })*
                    other => Self::Unknown(unknown(other.unwrap_or(Operation(0)), tag, r)?),
                });
                Ok(())
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
                        ResponsePayload::$name(response) => Ok(unboxed!(response $(, $large)?)),
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
    AdjustAttribute => AdjustAttributeRequest, AdjustAttributeResponse;
    Archive => ArchiveRequest, ArchiveResponse;
    Cancel => CancelRequest, CancelResponse;
    Certify => CertifyRequest, CertifyResponse;
    Check => CheckRequest, CheckResponse;
    Create => CreateRequest, CreateResponse;
    CreateKeyPair => CreateKeyPairRequest, CreateKeyPairResponse in Box;
    CreateSplitKey => CreateSplitKeyRequest, CreateSplitKeyResponse;
    Decrypt => DecryptRequest, DecryptResponse;
    DelegatedLogin => DelegatedLoginRequest, DelegatedLoginResponse;
    DeleteAttribute => DeleteAttributeRequest, DeleteAttributeResponse in Box;
    DeriveKey => DeriveKeyRequest, DeriveKeyResponse;
    Destroy => DestroyRequest, DestroyResponse;
    DiscoverVersions => DiscoverVersionsRequest, DiscoverVersionsResponse;
    Encrypt => EncryptRequest, EncryptResponse in Box;
    Export => ExportRequest, ExportResponse in Box;
    Get => GetRequest, GetResponse in Box;
    GetAttributeList => GetAttributeListRequest, GetAttributeListResponse;
    GetAttributes => GetAttributesRequest, GetAttributesResponse;
    GetConstraints => GetConstraintsRequest, GetConstraintsResponse;
    GetUsageAllocation => GetUsageAllocationRequest, GetUsageAllocationResponse;
    Hash => HashRequest, HashResponse;
    Import => ImportRequest, ImportResponse;
    Interop => InteropRequest, InteropResponse;
    JoinSplitKey => JoinSplitKeyRequest, JoinSplitKeyResponse;
    Locate => LocateRequest, LocateResponse;
    Log => LogRequest, LogResponse;
    Login => LoginRequest, LoginResponse;
    Logout => LogoutRequest, LogoutResponse;
    MAC => MACRequest, MACResponse;
    MACVerify => MACVerifyRequest, MACVerifyResponse;
    ModifyAttribute => ModifyAttributeRequest, ModifyAttributeResponse in Box;
    Notify => NotifyRequest, NotifyResponse;
    ObtainLease => ObtainLeaseRequest, ObtainLeaseResponse;
    PKCS_11 => PKCS11Request, PKCS11Response in Box;
    Ping => PingRequest, PingResponse;
    Poll => PollRequest, PollResponse;
    Process => ProcessRequest, ProcessResponse;
    Put => PutRequest, PutResponse;
    Query => QueryRequest, QueryResponse in Box;
    QueryAsynchronousRequests => QueryAsynchronousRequestsRequest,
        QueryAsynchronousRequestsResponse;
    RNGRetrieve => RNGRetrieveRequest, RNGRetrieveResponse;
    RNGSeed => RNGSeedRequest, RNGSeedResponse;
    ReCertify => ReCertifyRequest, ReCertifyResponse;
    ReKey => ReKeyRequest, ReKeyResponse;
    ReKeyKeyPair => ReKeyKeyPairRequest, ReKeyKeyPairResponse in Box;
    ReProvision => ReProvisionRequest, ReProvisionResponse;
    Recover => RecoverRequest, RecoverResponse;
    Register => RegisterRequest, RegisterResponse;
    Revoke => RevokeRequest, RevokeResponse;
    SetAttribute => SetAttributeRequest, SetAttributeResponse;
    SetConstraints => SetConstraintsRequest, SetConstraintsResponse;
    SetDefaults => SetDefaultsRequest, SetDefaultsResponse;
    SetEndpointRole => SetEndpointRoleRequest, SetEndpointRoleResponse;
    Sign => SignRequest, SignResponse;
    SignatureVerify => SignatureVerifyRequest, SignatureVerifyResponse;
    Validate => ValidateRequest, ValidateResponse;
}
