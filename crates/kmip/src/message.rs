//! Messages: headers and batch items (1.4, 6 and 7; 2.1, 8 and 9).
//!
//! ```text
//! RequestMessage  { RequestHeader  { version .. count } RequestBatchItem { operation payload } * }
//! ResponseMessage { ResponseHeader { version .. count } ResponseBatchItem { status payload } * }
//! ```
//!
//! The version in the header rules how the rest is read. A payload that cannot be read spoils its
//! own item and no other.

use ttlv::{Error, ErrorKind, Raw, Reader, Type, Writer};

use crate::codec::{DateTime, DateTimeExtended, Decode, Encode, SecretBytes};
use crate::macros::structure;
use crate::payload::{RequestPayload, ResponsePayload};
use crate::structures::MessageExtension;
use crate::unknown_values::check_values;
use crate::version::Version;
use crate::vocabulary::{
    AsynchronousIndicator, AttestationType, BatchErrorContinuationOption, CredentialType,
    HashingAlgorithm, Operation, ResultReason, ResultStatus, tags,
};

const V1_2: Version = Version::V1_2;
const V1_4: Version = Version::V1_4;
const V2_0: Version = Version::V2_0;

structure! {
    /// What stands before the items of a request (1.4, 7.2; 2.1, 8.2).
    RequestHeader {
        /// The version that the message is in.
        ProtocolVersion => protocol_version: Version,
        /// The longest answer that the client takes, in bytes.
        MaximumResponseSize => maximum_response_size: Option<i32>,
        /// The client's own number for the message; for logs.
        ClientCorrelationValue [V1_4..] => client_correlation_value: Option<String>,
        /// The server's number for an earlier message.
        ServerCorrelationValue [V1_4..] => server_correlation_value: Option<String>,
        /// May it be answered later? A Boolean in 1.x, an enumeration in 2.x.
        AsynchronousIndicator => asynchronous_indicator: Option<Asynchronous>,
        /// Can the client attest to what it is?
        AttestationCapableIndicator [V1_2..] => attestation_capable_indicator: Option<bool>,
        /// How it can.
        AttestationType [V1_2..] => attestation_types: Vec<AttestationType>,
        /// Who asks, beyond the certificate.
        Authentication => authentication: Option<Authentication>,
        /// What becomes of the batch when an item fails.
        BatchErrorContinuationOption
            => batch_error_continuation_option: Option<BatchErrorContinuationOption>,
        /// Must the items be done in order?
        BatchOrderOption => batch_order_option: Option<bool>,
        /// The client's clock.
        TimeStamp => time_stamp: Option<DateTime>,
        /// How many items follow.
        BatchCount => batch_count: i32,
    }
}

impl RequestHeader {
    /// A header that asks for nothing special.
    pub const fn new(protocol_version: Version, batch_count: i32) -> Self {
        Self {
            protocol_version,
            maximum_response_size: None,
            client_correlation_value: None,
            server_correlation_value: None,
            asynchronous_indicator: None,
            attestation_capable_indicator: None,
            attestation_types: Vec::new(),
            authentication: None,
            batch_error_continuation_option: None,
            batch_order_option: None,
            time_stamp: None,
            batch_count,
        }
    }
}

/// May an answer come later (1.4, 6.7; 2.1, 9.2)? The names are those of 2.x; in 1.x it is a
/// Boolean, whose True says that it may and whose False that it may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asynchronous(pub AsynchronousIndicator);

impl Encode for Asynchronous {
    fn encode(&self, tag: ttlv::Tag, w: &mut Writer, version: Version) {
        match version < V2_0 {
            true => w.boolean(tag, self.0 != AsynchronousIndicator::Prohibited),
            false => self.0.encode(tag, w, version),
        }
    }
}

impl Decode for Asynchronous {
    fn decode(tag: ttlv::Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        if r.peek_type() != Some(Type::Boolean) {
            return Decode::decode(tag, r, version).map(Self);
        }
        Ok(Self(match r.boolean(tag)? {
            true => AsynchronousIndicator::Optional,
            false => AsynchronousIndicator::Prohibited,
        }))
    }
}

structure! {
    /// What stands before the items of a response (1.4, 7.2; 2.1, 8.3).
    ResponseHeader {
        /// The version that the message is in: the request's.
        ProtocolVersion => protocol_version: Version,
        /// The server's clock.
        TimeStamp => time_stamp: DateTime,
        /// A number to be used once, for attestation.
        Nonce [V1_2..] => nonce: Option<Raw>,
        /// A proof that the server knows the client's password.
        ServerHashedPassword [V2_0..] => server_hashed_password: Option<Vec<u8>>,
        /// How the client may attest.
        AttestationType [V1_2..] => attestation_types: Vec<AttestationType>,
        /// The client's number for the request.
        ClientCorrelationValue [V1_4..] => client_correlation_value: Option<String>,
        /// The server's number for the request.
        ServerCorrelationValue [V1_4..] => server_correlation_value: Option<String>,
        /// How many items follow.
        BatchCount => batch_count: i32,
    }
}

structure! {
    /// Who asks, beyond the certificate (1.4, 6.6; 2.1, 9.2). Several from 1.2 on.
    Authentication {
        /// The credentials.
        Credential => credentials: Vec<Credential>,
    }
}

structure! {
    /// One credential (1.4, 2.1.2; 2.1, 7.7). Its value is a secret, and vendors have kinds of
    /// their own, so it is kept as it came.
    Credential {
        /// Its kind.
        CredentialType => credential_type: CredentialType,
        /// Its value.
        CredentialValue => credential_value: Raw,
    }
}

structure! {
    /// A user's name and password: the value of a credential (1.4, 2.1.2; 2.1, 7.7).
    UsernameAndPassword {
        /// The name.
        Username => username: String,
        /// The password.
        Password => password: Option<SecretText>,
    }
}

structure! {
    /// What names a device, and its password: the value of a credential (1.4, 2.1.2; 2.1, 9.11).
    /// One of the names at least is there.
    #[derive(Default)]
    DeviceIdentity {
        /// Its serial number.
        DeviceSerialNumber => device_serial_number: Option<String>,
        /// A secret that it shares with the server.
        Password => password: Option<SecretText>,
        /// Its name.
        DeviceIdentifier => device_identifier: Option<String>,
        /// Its network.
        NetworkIdentifier => network_identifier: Option<String>,
        /// Its machine.
        MachineIdentifier => machine_identifier: Option<String>,
        /// Its medium.
        MediaIdentifier => media_identifier: Option<String>,
    }
}

structure! {
    /// A password that is good once: the value of a credential (2.1, 9.11).
    OneTimePassword {
        /// The user's name.
        Username => username: String,
        /// The password that stays the same.
        Password => password: Option<SecretText>,
        /// The one that does not.
        OneTimePassword => one_time_password: SecretText,
    }
}

structure! {
    /// A proof of a password that does not show it: the value of a credential (2.1, 9.11).
    HashedPassword {
        /// The user's name.
        Username => username: String,
        /// When the proof was made; each is later than the one before.
        TimeStamp => timestamp: DateTimeExtended,
        /// The hash of all that is hashed here; SHA-256 when absent.
        HashingAlgorithm => hashing_algorithm: Option<HashingAlgorithm>,
        /// Hash(Hash(name, password), timestamp), and after it Hash(password, name).
        HashedPassword => hashed_password: SecretBytes,
    }
}

/// Text that nobody may see.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(zeroize::Zeroizing<String>);

impl SecretText {
    /// Keeps a copy.
    pub fn new(text: &str) -> Self {
        Self(zeroize::Zeroizing::new(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SecretText({} bytes)", self.0.len())
    }
}

impl Encode for SecretText {
    fn encode(&self, tag: ttlv::Tag, w: &mut Writer, _: Version) {
        w.text_string(tag, &self.0);
    }
}

impl Decode for SecretText {
    fn decode(tag: ttlv::Tag, r: &mut Reader<'_>, _: Version) -> Result<Self, Error> {
        r.text_string(tag).map(Self::new)
    }
}

/// One thing a client asks for (1.4, 7.2; 2.1, 8.2).
#[derive(Clone, Debug, PartialEq)]
pub struct RequestBatchItem {
    /// Its name within the batch.
    pub unique_batch_item_id: Option<Vec<u8>>,
    /// Is the answer not to be kept? (2.0)
    pub ephemeral: Option<Raw>,
    /// The operation and what it is asked.
    pub payload: RequestPayload,
    /// A vendor's own; in a box, because it is rare and an item is moved often.
    pub message_extension: Option<Box<MessageExtension>>,
}

impl<P: Into<RequestPayload>> From<P> for RequestBatchItem {
    fn from(payload: P) -> Self {
        Self {
            unique_batch_item_id: None,
            ephemeral: None,
            payload: payload.into(),
            message_extension: None,
        }
    }
}

/// What became of one thing that a client asked for (1.4, 7.2; 2.1, 8.3).
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseBatchItem {
    /// The operation; absent when the request could not be read so far.
    pub operation: Option<Operation>,
    /// Its name within the batch, as the request has it.
    pub unique_batch_item_id: Option<Vec<u8>>,
    /// Whether it was done.
    pub result_status: ResultStatus,
    /// Why it was not.
    pub result_reason: Option<ResultReason>,
    /// In words.
    pub result_message: Option<String>,
    /// What to poll for.
    pub asynchronous_correlation_value: Option<Vec<u8>>,
    /// What the operation answers.
    pub payload: Option<ResponsePayload>,
    /// A vendor's own; in a box, because it is rare and an item is moved often.
    pub message_extension: Option<Box<MessageExtension>>,
}

impl Encode for RequestBatchItem {
    fn encode(&self, tag: ttlv::Tag, w: &mut Writer, version: Version) {
        w.structure(tag, |w| {
            self.payload.operation().encode(tags::Operation, w, version);
            if version >= V2_0 {
                self.ephemeral.encode(tags::Ephemeral, w, version);
            }
            self.unique_batch_item_id.encode(tags::UniqueBatchItemID, w, version);
            self.payload.encode(tags::RequestPayload, w, version);
            self.message_extension.encode(tags::MessageExtension, w, version);
        });
    }
}

impl Decode for RequestBatchItem {
    fn decode(tag: ttlv::Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        let r = &mut r.enter(tag)?;
        let operation = Decode::decode(tags::Operation, r, version)?;
        let ephemeral = Decode::decode(tags::Ephemeral, r, version)?;
        let unique_batch_item_id = Decode::decode(tags::UniqueBatchItemID, r, version)?;
        let payload = RequestPayload::decode(operation, r, version)?;
        let message_extension = Decode::decode(tags::MessageExtension, r, version)?;
        r.finish(tag)?;
        Ok(Self { unique_batch_item_id, ephemeral, payload, message_extension })
    }
}

impl Encode for ResponseBatchItem {
    fn encode(&self, tag: ttlv::Tag, w: &mut Writer, version: Version) {
        w.structure(tag, |w| {
            self.operation.encode(tags::Operation, w, version);
            self.unique_batch_item_id.encode(tags::UniqueBatchItemID, w, version);
            self.result_status.encode(tags::ResultStatus, w, version);
            self.result_reason.encode(tags::ResultReason, w, version);
            self.result_message.encode(tags::ResultMessage, w, version);
            self.asynchronous_correlation_value.encode(
                tags::AsynchronousCorrelationValue,
                w,
                version,
            );
            self.payload.encode(tags::ResponsePayload, w, version);
            self.message_extension.encode(tags::MessageExtension, w, version);
        });
    }
}

impl ResponseBatchItem {
    /// Reads what stands before the payload.
    #[inline(always)]
    fn decode_head(r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        let operation = Decode::decode(tags::Operation, r, version)?;
        let unique_batch_item_id = Decode::decode(tags::UniqueBatchItemID, r, version)?;
        let result_status = Decode::decode(tags::ResultStatus, r, version)?;
        let result_reason = Decode::decode(tags::ResultReason, r, version)?;
        let result_message = Decode::decode(tags::ResultMessage, r, version)?;
        let asynchronous_correlation_value =
            Decode::decode(tags::AsynchronousCorrelationValue, r, version)?;
        Ok(Self {
            operation,
            unique_batch_item_id,
            result_status,
            result_reason,
            result_message,
            asynchronous_correlation_value,
            payload: None,
            message_extension: None,
        })
    }

    /// Reads the payload and what stands after it.
    #[inline(always)]
    fn decode_rest(&mut self, r: &mut Reader<'_>, version: Version) -> Result<(), Error> {
        ResponsePayload::decode_into(&mut self.payload, self.operation, r, version)?;
        self.message_extension = Decode::decode(tags::MessageExtension, r, version)?;
        Ok(())
    }
}

impl Decode for ResponseBatchItem {
    fn decode(tag: ttlv::Tag, r: &mut Reader<'_>, version: Version) -> Result<Self, Error> {
        let r = &mut r.enter(tag)?;
        let mut item = Self::decode_head(r, version)?;
        item.decode_rest(r, version)?;
        r.finish(tag)?;
        Ok(item)
    }

    #[inline]
    fn decode_onto(
        all: &mut Vec<Self>,
        tag: ttlv::Tag,
        r: &mut Reader<'_>,
        version: Version,
    ) -> Result<(), Error> {
        let r = &mut r.enter(tag)?;
        let item = all.push_mut(Self::decode_head(r, version)?);
        item.decode_rest(r, version)?;
        r.finish(tag)
    }
}

/// What a client sends (1.4, 7.1; 2.1, 8.1).
#[derive(Clone, Debug, PartialEq)]
pub struct RequestMessage {
    /// The header.
    pub header: RequestHeader,
    /// The items; as many as the header counts.
    pub items: Vec<RequestBatchItem>,
}

/// What a server sends back (1.4, 7.1; 2.1, 8.1).
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseMessage {
    /// The header.
    pub header: ResponseHeader,
    /// The items; as many as the header counts.
    pub items: Vec<ResponseBatchItem>,
}

/// One row a message: its tags and its types. The header's version rules how all is read.
macro_rules! messages {
    ($($message:ident, $header:ident, $item:ident;)*) => {$(
        impl $message {
            /// Writes the message in the version that its header names.
            pub fn encode(&self) -> Vec<u8> {
                let version = self.header.protocol_version;
                let mut w = Writer::default();
                w.structure(tags::$message, |w| {
                    self.header.encode(tags::$header, w, version);
                    self.items.encode(tags::BatchItem, w, version);
                });
                w.into_bytes()
            }

            /// Reads a whole message; nothing may follow it.
            pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
                let mut whole = Reader::new(bytes);
                let mut r = whole.enter(tags::$message)?;
                // A header is read alike in every version.
                let mut unread = r.clone();
                let header: $header = Decode::decode(tags::$header, &mut r, Version::V1_0)?;
                let version = header.protocol_version;
                if tags::$header == tags::RequestHeader {
                    check_values(&mut unread.enter(tags::$header)?)?;
                }
                let items: Vec<$item> = Decode::decode(tags::BatchItem, &mut r, version)?;
                if usize::try_from(header.batch_count) != Ok(items.len()) {
                    let why = "Batch Count is not the number of batch items";
                    return Err(r.error(tags::BatchCount, ErrorKind::Value(why)));
                }
                r.finish(tags::$message)?;
                whole.finish(tags::$message)?;
                Ok(Self { header, items })
            }
        }
    )*};
}

messages! {
    RequestMessage, RequestHeader, RequestBatchItem;
    ResponseMessage, ResponseHeader, ResponseBatchItem;
}

/// The version of a request whose header can be read so far, whatever follows: what an answer to a
/// spoilt request is written in.
pub fn request_version(bytes: &[u8]) -> Option<Version> {
    let mut message = Reader::new(bytes).enter(tags::RequestMessage).ok()?;
    let mut header = message.enter(tags::RequestHeader).ok()?;
    Version::decode(tags::ProtocolVersion, &mut header, Version::V1_0).ok()
}

impl Encode for Version {
    fn encode(&self, tag: ttlv::Tag, w: &mut Writer, _: Version) {
        w.structure(tag, |w| {
            w.integer(tags::ProtocolVersionMajor, self.major);
            w.integer(tags::ProtocolVersionMinor, self.minor);
        });
    }
}

impl Decode for Version {
    #[inline]
    fn decode(tag: ttlv::Tag, r: &mut Reader<'_>, _: Version) -> Result<Self, Error> {
        let mut inside = r.enter(tag)?;
        let major = inside.integer(tags::ProtocolVersionMajor)?;
        let minor = inside.integer(tags::ProtocolVersionMinor)?;
        inside.finish(tag)?;
        Ok(Self { major, minor })
    }
}
