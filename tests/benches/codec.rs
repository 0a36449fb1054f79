//! The codec beside two others: a cursor written by hand that checks type, length and padding and
//! makes nothing, and the published crate `kmip-protocol`.
//!
//! `cargo bench -p tests --bench codec` prints a table. The rounds of all are interleaved, so that
//! a busy machine slows each alike; the figures are medians.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a benchmark of known messages on one machine"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use kmip::attributes::{AttributeValue, Attributes};
use kmip::message::{RequestHeader, RequestMessage, ResponseMessage};
use kmip::payload::{CreateRequest, RegisterResponse};
use kmip::structures::Name;
use kmip::vocabulary::{CryptographicAlgorithm, CryptographicUsageMask, ObjectType};
use kmip::{Version, tags};
use kmip_protocol::types::{common, request, response};
use ttlv::{Tag, Type};

/// Register, Success, an identifier: 184 bytes, as the standard's use cases have it.
const REGISTER_RESPONSE: &str = "
    42007B 01 000000B0
      42007A 01 00000048
        420069 01 00000020
          42006A 02 00000004 00000001 00000000
          42006B 02 00000004 00000000 00000000
        420092 09 00000008 000000004AFBED2B
        42000D 02 00000004 00000001 00000000
      42000F 01 00000058
        42005C 05 00000004 00000003 00000000
        42007F 05 00000004 00000000 00000000
        42007C 01 00000030
          420094 07 00000024
            36316465 62333532 2D373834 362D3436 65322D39 6139662D 33353339 66396437 61653434
            00000000";

/// The operations and the objects that the answer to a Query lists.
const OPERATIONS: [u32; 18] = [1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 24];
const OBJECTS: [u32; 7] = [1, 2, 3, 4, 6, 7, 8];

/// The programs' own: what is read and written must be measured as they do it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 501;

/// How long a round takes: so short that few are cut in two by other work on the machine.
const ROUND: Duration = Duration::from_micros(200);

fn main() {
    let register = bytes_of(REGISTER_RESPONSE);
    let query = query_response();
    let (ours, theirs) = (create_request(), their_create_request());
    let written = ours.encode();
    assert_eq!(written, kmip_ttlv::ser::to_vec(&theirs).unwrap());
    assert_eq!(written, create_by_hand());
    let items = ResponseMessage::decode(&register).unwrap().items;
    let payload = items.into_iter().next().unwrap().payload.unwrap();
    let answer: RegisterResponse = payload.try_into().unwrap();
    assert_eq!(answer.unique_identifier, "61deb352-7846-46e2-9a9f-3539f9d7ae44");
    assert_eq!(ResponseMessage::decode(&query).unwrap().encode(), query);

    println!("{:34} {:>10} {:>10} {:>15}", "ns, median", "cursor", "ours", "kmip-protocol");
    decoding("decode the Register response", &register);
    decoding("decode the Query response", &query);
    compare(
        &format!("encode the Create request, {} B", written.len()),
        [
            &mut || drop(black_box(create_by_hand())),
            &mut || drop(black_box(black_box(&ours).encode())),
            &mut || drop(black_box(kmip_ttlv::ser::to_vec(black_box(&theirs)).unwrap())),
        ],
    );
}

fn decoding(what: &str, message: &[u8]) {
    compare(
        &format!("{what}, {} B", message.len()),
        [
            &mut || _ = black_box(Cursor { rest: black_box(message) }.check().unwrap()),
            &mut || drop(black_box(ResponseMessage::decode(black_box(message)).unwrap())),
            &mut || {
                let their: response::ResponseMessage =
                    kmip_protocol::response::from_slice(black_box(message)).unwrap();
                drop(black_box(their));
            },
        ],
    );
}

/// Prints a row: what each of the three takes, and how ours compares.
fn compare(what: &str, mut three: [&mut dyn FnMut(); 3]) {
    let mut times: [Vec<f64>; 3] = Default::default();
    let turns = three.each_mut().map(|work| turns_a_round(*work));
    for _ in 0..ROUNDS {
        for ((work, times), turns) in three.iter_mut().zip(&mut times).zip(turns) {
            let start = Instant::now();
            (0..turns).for_each(|_| work());
            times.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(turns));
        }
    }
    let [cursor, ours, theirs] = times.map(median);
    println!("{what:34} {cursor:10.0} {ours:10.0} {theirs:15.0}");
    println!(
        "{:34} ours is {:.1} cursors; kmip-protocol is {:.1} of ours",
        "",
        ours / cursor,
        theirs / ours
    );
}

/// How often the work is done in a round.
fn turns_a_round(work: &mut dyn FnMut()) -> u32 {
    let start = Instant::now();
    let mut turns = 0;
    while start.elapsed() < ROUND {
        work();
        turns += 1;
    }
    turns
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Walks a message in place: type, length and padding are checked, and nothing is kept.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl Cursor<'_> {
    /// How many items there are, if all are well formed.
    fn check(mut self) -> Option<u32> {
        let mut items = 0;
        while let Some((&[_, _, _, ty, a, b, c, d], body)) = self.rest.split_first_chunk() {
            let len = u32::from_be_bytes([a, b, c, d]) as usize;
            let is_length = match ty {
                0x01 => len.is_multiple_of(8),
                0x02 | 0x05 | 0x0A => len == 4,
                0x03 | 0x06 | 0x09 | 0x0B => len == 8,
                0x04 => len.is_multiple_of(8) && len != 0,
                0x07 | 0x08 => true,
                _ => return None,
            };
            let (value, tail) = body.split_at_checked(len).filter(|_| is_length)?;
            let (padding, tail) = tail.split_at_checked(len.wrapping_neg() & 7)?;
            if padding.iter().any(|&byte| byte != 0) {
                return None;
            }
            items += 1;
            if ty == 0x01 {
                items += Cursor { rest: value }.check()?;
            }
            self.rest = tail;
        }
        self.rest.is_empty().then_some(items)
    }
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap()).collect()
}

fn query_response() -> Vec<u8> {
    let mut w = ttlv::Writer::default();
    w.structure(tags::ResponseMessage, |w| {
        w.structure(tags::ResponseHeader, |w| {
            w.structure(tags::ProtocolVersion, |w| {
                w.integer(tags::ProtocolVersionMajor, 1);
                w.integer(tags::ProtocolVersionMinor, 0);
            });
            w.date_time(tags::TimeStamp, 0x4AFB_ED2B);
            w.integer(tags::BatchCount, 1);
        });
        w.structure(tags::BatchItem, |w| {
            w.enumeration(tags::Operation, 24);
            w.enumeration(tags::ResultStatus, 0);
            w.structure(tags::ResponsePayload, |w| {
                OPERATIONS.iter().for_each(|n| w.enumeration(tags::Operation, *n));
                OBJECTS.iter().for_each(|n| w.enumeration(tags::ObjectType, *n));
                w.text_string(tags::VendorIdentification, "example");
            });
        });
    });
    w.into_bytes()
}

/// A symmetric key from the template "Template1", AES of 128 bits, to encrypt and decrypt.
fn create_request() -> RequestMessage {
    let attributes = Attributes {
        names: vec![Name::text("Template1")],
        ..Attributes::new([
            AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
            AttributeValue::CryptographicLength(128),
            AttributeValue::CryptographicUsageMask(CryptographicUsageMask(12)),
        ])
    };
    let payload = CreateRequest {
        object_type: ObjectType::SymmetricKey,
        attributes,
        protection_storage_masks: None,
    };
    RequestMessage { header: RequestHeader::new(Version::V1_0, 1), items: vec![payload.into()] }
}

fn their_create_request() -> request::RequestMessage {
    let attributes = vec![
        request::Attribute::CryptographicAlgorithm(common::CryptographicAlgorithm::AES),
        request::Attribute::CryptographicLength(128),
        request::Attribute::CryptographicUsageMask(
            common::CryptographicUsageMask::Encrypt | common::CryptographicUsageMask::Decrypt,
        ),
    ];
    request::RequestMessage(
        request::RequestHeader(
            request::ProtocolVersion(
                request::ProtocolVersionMajor(1),
                request::ProtocolVersionMinor(0),
            ),
            None,
            None,
            request::BatchCount(1),
        ),
        vec![request::BatchItem(
            common::Operation::Create,
            None,
            request::RequestPayload::Create(
                common::ObjectType::SymmetricKey,
                request::TemplateAttribute::named("Template1".into(), attributes),
            ),
        )],
    )
}

/// The request as a program would write it that knows nothing else.
fn create_by_hand() -> Vec<u8> {
    let mut w = Vec::with_capacity(512);
    nest(&mut w, tags::RequestMessage, |w| {
        nest(w, tags::RequestHeader, |w| {
            nest(w, tags::ProtocolVersion, |w| {
                word(w, tags::ProtocolVersionMajor, Type::Integer, 1);
                word(w, tags::ProtocolVersionMinor, Type::Integer, 0);
            });
            word(w, tags::BatchCount, Type::Integer, 1);
        });
        nest(w, tags::BatchItem, |w| {
            word(w, tags::Operation, Type::Enumeration, 1);
            nest(w, tags::RequestPayload, |w| {
                word(w, tags::ObjectType, Type::Enumeration, 2);
                nest(w, tags::TemplateAttribute, |w| {
                    nest(w, tags::Name, |w| {
                        text(w, tags::NameValue, black_box("Template1"));
                        word(w, tags::NameType, Type::Enumeration, 1);
                    });
                    for (name, ty, value) in black_box([
                        ("Cryptographic Algorithm", Type::Enumeration, 3),
                        ("Cryptographic Length", Type::Integer, 128),
                        ("Cryptographic Usage Mask", Type::Integer, 12),
                    ]) {
                        nest(w, tags::Attribute, |w| {
                            text(w, tags::AttributeName, name);
                            word(w, tags::AttributeValue, ty, value);
                        });
                    }
                });
            });
        });
    });
    w
}

fn head(w: &mut Vec<u8>, tag: Tag, ty: Type, len: usize) {
    let [_, a, b, c] = tag.0.to_be_bytes();
    let [d, e, f, g] = (len as u32).to_be_bytes();
    w.extend_from_slice(&[a, b, c, ty.number(), d, e, f, g]);
}

fn nest(w: &mut Vec<u8>, tag: Tag, body: impl FnOnce(&mut Vec<u8>)) {
    head(w, tag, Type::Structure, 0);
    let start = w.len();
    body(w);
    let len = (w.len() - start) as u32;
    w[start - 4..start].copy_from_slice(&len.to_be_bytes());
}

fn word(w: &mut Vec<u8>, tag: Tag, ty: Type, value: u32) {
    head(w, tag, ty, 4);
    let [a, b, c, d] = value.to_be_bytes();
    w.extend_from_slice(&[a, b, c, d, 0, 0, 0, 0]);
}

fn text(w: &mut Vec<u8>, tag: Tag, value: &str) {
    head(w, tag, Type::TextString, value.len());
    w.extend_from_slice(value.as_bytes());
    w.resize(w.len().next_multiple_of(8), 0);
}
