//! How much processor time an operation takes, by what is asked for and by the key that it names.
//!
//! A wrong estimate does no harm beyond one turn: what the work really took is charged. What must
//! not happen is that something slow passes for quick, since quick is done on the threads that
//! serve all clients.

use std::time::Duration;

use kmip::objects::Object;
use kmip::payload::{
    CreateKeyPairRequest, CreateSplitKeyRequest, DeriveKeyRequest, RequestPayload,
};
use kmip::vocabulary::{CryptographicAlgorithm as A, KeyFormatType, ObjectType, SplitKeyMethod};
use kmip::{Identifier, InputData};

use crate::keystore::Context;
use crate::objects::attribute::attribute;

/// What an operation costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cost {
    /// Some microseconds, or steps that let others go first.
    Quick,
    /// About so long.
    Slow(Duration),
}

impl Cost {
    /// Of what goes over so many bytes once.
    pub(super) fn of_bytes(len: usize) -> Self {
        bytes(len)
    }
}

/// Bytes from which ciphers and hashes are slow: some tenths of a millisecond.
const SLOW_LEN: usize = 16 * 1024;

/// Nanoseconds for a byte, by the slowest of the ciphers.
const PER_BYTE: u64 = 50;

/// What reading a key, a certificate or a bundle in some format takes.
const FORMATS: Cost = Cost::Slow(Duration::from_millis(1));

/// The longest RSA key that is made or used; longer ones are refused, and that is quick.
const LENGTH_MAX: u64 = 8192;

/// What is done with a private key of a curve, or to a certificate.
const CURVES: Cost = Cost::Slow(Duration::from_millis(1));

/// What calls for a module or goes over all objects of a client.
const UNKNOWN: Cost = Cost::Slow(Duration::from_millis(10));

/// Cost of an operation. A new one does not compile until it is here.
pub(super) async fn estimate(cx: &mut Context<'_>, request: &RequestPayload) -> Cost {
    // These take turns of their own, and nothing may take one within another.
    let takes_turns = matches!(request, RequestPayload::Locate(_) | RequestPayload::Poll(_));
    match by_operation(cx, request).await {
        // Attributes are compared with one another.
        Cost::Quick if cx.work.is_long() && !takes_turns => FORMATS,
        cost @ (Cost::Quick | Cost::Slow(_)) => cost,
    }
}

async fn by_operation(cx: &mut Context<'_>, request: &RequestPayload) -> Cost {
    use RequestPayload as R;
    match request {
        R::Activate(_)
        | R::AddAttribute(_)
        | R::AdjustAttribute(_)
        | R::Archive(_)
        | R::Cancel(_)
        | R::Check(_)
        | R::Create(_)
        | R::DelegatedLogin(_)
        | R::DeleteAttribute(_)
        | R::Destroy(_)
        | R::DiscoverVersions(_)
        | R::GetAttributeList(_)
        | R::GetAttributes(_)
        | R::GetConstraints(_)
        | R::GetUsageAllocation(_)
        | R::Log(_)
        | R::Login(_)
        | R::Logout(_)
        | R::ModifyAttribute(_)
        | R::Notify(_)
        | R::ObtainLease(_)
        | R::Ping(_)
        | R::Poll(_)
        | R::Process(_)
        | R::Put(_)
        | R::Query(_)
        | R::QueryAsynchronousRequests(_)
        | R::RNGRetrieve(_)
        | R::RNGSeed(_)
        | R::ReKey(_)
        | R::Recover(_)
        | R::Revoke(_)
        | R::SetAttribute(_)
        | R::SetConstraints(_)
        | R::SetDefaults(_)
        | R::SetEndpointRole(_) => Cost::Quick,
        // Locate goes step by step, and is slow from some step on.
        R::Locate(_) | R::Unknown(_) | R::Malformed(_) => Cost::Quick,
        R::CreateKeyPair(request) => new_pair(request),
        R::ReKeyKeyPair(request) => {
            of_key(cx, request.private_key_unique_identifier.as_ref(), Use::MakesPair).await
        }
        R::Certify(_) | R::ReCertify(_) | R::ReProvision(_) | R::Validate(_) => CURVES,
        R::CreateSplitKey(request) => split(request),
        R::JoinSplitKey(request) => pieces(request.unique_identifiers.len(), 1),
        R::DeriveKey(request) => derivation(request),
        R::PKCS_11(_) | R::Interop(_) => UNKNOWN,
        R::Register(request) => brought(&request.object),
        R::Import(request) => brought(&request.object),
        R::Get(r) => given(r.key_format_type, r.key_wrapping_specification.is_some()),
        R::Export(r) => given(r.key_format_type, r.key_wrapping_specification.is_some()),
        R::Encrypt(r) => {
            let beside = r.authenticated_encryption_additional_data.as_ref();
            part(cx, &r.unique_identifier, &r.data, beside, r.final_indicator).await
        }
        R::Decrypt(r) => {
            let beside = r.authenticated_encryption_additional_data.as_ref();
            part(cx, &r.unique_identifier, &r.data, beside, r.final_indicator).await
        }
        R::Sign(r) => part(cx, &r.unique_identifier, &r.data, None, r.final_indicator).await,
        R::SignatureVerify(r) => {
            part(cx, &r.unique_identifier, &r.data, None, r.final_indicator).await
        }
        R::Hash(r) => bytes(data_len(cx, r.data.as_ref())),
        R::MAC(r) => bytes(data_len(cx, r.data.as_ref())),
        R::MACVerify(r) => bytes(data_len(cx, r.data.as_ref())),
    }
}

/// What a key is used for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Once,
    MakesPair,
}

/// Length of the data of a request, or of what it refers to.
fn data_len(cx: &Context<'_>, data: Option<&InputData>) -> usize {
    match data {
        None => 0,
        Some(InputData::Bytes(bytes)) => bytes.as_bytes().len(),
        Some(InputData::Enumeration(word)) => cx.references.data_of(*word).map_or(0, data_bytes),
        Some(InputData::Index(index)) => cx.references.data_at(*index).map_or(0, data_bytes),
    }
}

fn data_bytes(data: &kmip::SecretBytes) -> usize {
    data.as_bytes().len()
}

fn bytes(len: usize) -> Cost {
    match len < SLOW_LEN {
        true => Cost::Quick,
        false => Cost::Slow(Duration::from_nanos(
            u64::try_from(len).unwrap_or(u64::MAX).saturating_mul(PER_BYTE),
        )),
    }
}

/// A message, or a part of one, through a key, and additional data beside it. What is gathered of a
/// message is worked on with its last part.
async fn part(
    cx: &mut Context<'_>,
    key: &Option<Identifier>,
    data: &Option<InputData>,
    beside: Option<&kmip::SecretBytes>,
    is_last: Option<bool>,
) -> Cost {
    let len = data_len(cx, data.as_ref()).saturating_add(beside.map_or(0, data_bytes));
    match (of_key(cx, key.as_ref(), Use::Once).await, bytes(len)) {
        (slow @ Cost::Slow(_), _) | (Cost::Quick, slow @ Cost::Slow(_)) => slow,
        (Cost::Quick, Cost::Quick) if is_last == Some(true) => FORMATS,
        (Cost::Quick, Cost::Quick) => Cost::Quick,
    }
}

/// One use of a key: quick if it is symmetric. What cannot be found costs nothing.
async fn of_key(cx: &mut Context<'_>, key: Option<&Identifier>, to: Use) -> Cost {
    let Ok(id) = cx.identify(key) else { return Cost::Quick };
    let Ok(metadata) = cx.glance(&id).await else { return Cost::Quick };
    let is_symmetric = matches!(
        metadata.object_type(),
        Some(ObjectType::SymmetricKey | ObjectType::SecretData | ObjectType::OpaqueObject)
    );
    if is_symmetric && to == Use::Once {
        return Cost::Quick;
    }
    let algorithm = attribute!(metadata.values(), CryptographicAlgorithm);
    let length = attribute!(metadata.values(), CryptographicLength);
    asymmetric(algorithm, length, to)
}

/// RSA grows with the cube of its length, and to make a pair with the fourth power.
fn asymmetric(algorithm: Option<A>, length: Option<i32>, to: Use) -> Cost {
    if algorithm != Some(A::RSA) {
        return CURVES;
    }
    let bits = u64::try_from(length.unwrap_or(2048)).unwrap_or(0).clamp(512, LENGTH_MAX);
    let cube = bits.saturating_mul(bits).saturating_mul(bits);
    let micros = match to {
        // 3 milliseconds for 2048 bits.
        Use::Once => cube.div_ceil(1 << 33).saturating_mul(3_000),
        // 200 milliseconds for 2048 bits.
        Use::MakesPair => cube.saturating_mul(bits).div_ceil(1 << 44).saturating_mul(200_000),
    };
    Cost::Slow(Duration::from_micros(micros))
}

fn new_pair(request: &CreateKeyPairRequest) -> Cost {
    let lists = [
        &request.common_attributes,
        &request.private_key_attributes,
        &request.public_key_attributes,
    ];
    let values = || {
        lists.into_iter().flatten().flat_map(|list| list.attributes.iter()).map(|one| &one.value)
    };
    let algorithm = attribute!(values(), CryptographicAlgorithm);
    let length = attribute!(values(), CryptographicLength);
    // A template may name them, or the client's defaults: an RSA key is the slowest.
    asymmetric(algorithm.or(Some(A::RSA)), length, Use::MakesPair)
}

fn split(request: &CreateSplitKeyRequest) -> Cost {
    let count = |count: i32| usize::try_from(count).unwrap_or(0).min(1 << 16);
    match request.split_key_method {
        SplitKeyMethod::XOR => FORMATS,
        _ => pieces(count(request.split_key_parts), count(request.split_key_threshold)),
    }
}

/// Parts of a key, each of a polynomial of so many members.
fn pieces(parts: usize, members: usize) -> Cost {
    let steps = u64::try_from(parts.saturating_mul(members.max(1))).unwrap_or(u64::MAX);
    Cost::Slow(Duration::from_micros(steps.saturating_mul(20).max(1_000)))
}

fn derivation(request: &DeriveKeyRequest) -> Cost {
    let rounds = request.derivation_parameters.iteration_count.unwrap_or(0);
    // Two keys of a curve may be agreed upon.
    let is_short = rounds <= 100 && request.unique_identifiers.len() < 2;
    match u64::try_from(rounds) {
        Ok(_) if is_short => FORMATS,
        Ok(rounds) => Cost::Slow(Duration::from_micros(rounds.max(1_000))),
        Err(_) => FORMATS,
    }
}

/// An object that a client brings. A symmetric key is looked at and no more, unless it is wrapped.
fn brought(object: &Object) -> Cost {
    match object {
        Object::SymmetricKey(key) if key.key_block.key_wrapping_data.is_none() => Cost::Quick,
        Object::SecretData(data) if data.key_block.key_wrapping_data.is_none() => Cost::Quick,
        Object::OpaqueObject(_) | Object::Template(_) => Cost::Quick,
        // Its numbers are checked, and those that it lacks are computed.
        Object::PrivateKey(key) => {
            let algorithm = key.key_block.cryptographic_algorithm.unwrap_or(A::RSA);
            asymmetric(Some(algorithm), key.key_block.cryptographic_length, Use::Once)
        }
        Object::Certificate(_)
        | Object::CertificateRequest(_)
        | Object::PGPKey(_)
        | Object::PublicKey(_)
        | Object::SecretData(_)
        | Object::SplitKey(_)
        | Object::SymmetricKey(_) => FORMATS,
    }
}

/// An object that a client is given, in this format, wrapped or not.
fn given(format: Option<KeyFormatType>, is_wrapped: bool) -> Cost {
    match format {
        _ if is_wrapped => CURVES,
        None | Some(KeyFormatType::Raw | KeyFormatType::Opaque) => Cost::Quick,
        Some(KeyFormatType::TransparentSymmetricKey) => Cost::Quick,
        Some(_) => FORMATS,
    }
}
