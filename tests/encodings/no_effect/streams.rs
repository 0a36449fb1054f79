//! Parts of a message: the last one, taken twice, is refused or gives another answer.

use kmip::Version;
use kmip::attributes::AttributeValue as A;
use kmip::message::ResponseMessage;
use kmip::payload::*;
use kmip::structures::CryptographicParameters;
use kmip::vocabulary::*;

use super::{Case, Seen};
use crate::channel::Channel;
use crate::comparison::message;
use crate::requests::*;
use crate::session::Session;

const FIRST: &[u8] = b"the first part, ";
const MIDDLE: &[u8] = b"the middle part ";
const LAST: &[u8] = b"and the last one";

pub(super) fn encrypt(key: &str, bytes: &[u8]) -> EncryptRequest {
    EncryptRequest {
        unique_identifier: id(key),
        cryptographic_parameters: cipher(BlockCipherMode::CTR),
        data: data(bytes),
        iv_counter_nonce: Some(vec![7; 16]),
        ..EncryptRequest::default()
    }
}

fn decrypt(key: &str, bytes: &[u8]) -> DecryptRequest {
    DecryptRequest {
        unique_identifier: id(key),
        cryptographic_parameters: cipher(BlockCipherMode::CTR),
        data: data(bytes),
        iv_counter_nonce: Some(vec![7; 16]),
        ..DecryptRequest::default()
    }
}

pub(super) fn mac(key: &str, bytes: &[u8]) -> MACRequest {
    MACRequest { unique_identifier: id(key), data: data(bytes), ..MACRequest::default() }
}

fn mac_verify(key: &str, bytes: &[u8]) -> MACVerifyRequest {
    MACVerifyRequest {
        unique_identifier: id(key),
        data: data(bytes),
        ..MACVerifyRequest::default()
    }
}

fn parameters() -> Option<Box<CryptographicParameters>> {
    Some(Box::new(CryptographicParameters {
        digital_signature_algorithm: Some(DigitalSignatureAlgorithm::ECDSAWithSHA256),
        ..CryptographicParameters::default()
    }))
}

pub(super) fn sign(key: &str, bytes: &[u8]) -> SignRequest {
    SignRequest {
        unique_identifier: id(key),
        cryptographic_parameters: parameters(),
        data: data(bytes),
        ..SignRequest::default()
    }
}

fn signature_verify(key: &str, bytes: &[u8]) -> SignatureVerifyRequest {
    SignatureVerifyRequest {
        unique_identifier: id(key),
        cryptographic_parameters: parameters(),
        data: data(bytes),
        ..SignatureVerifyRequest::default()
    }
}

/// The keys of the client's streams.
struct Keys {
    aes: String,
    hmac: String,
    private: String,
    public: String,
}

impl Keys {
    fn new(session: &mut Session<'_>) -> Self {
        let (private, public) = ec_pair();
        let mut kept = |object| {
            let values = [A::CryptographicUsageMask(ALL_USES), active()];
            session.done(register(object, values)).unique_identifier
        };
        Self {
            aes: kept(symmetric_key(CryptographicAlgorithm::AES, AES_KEY)),
            hmac: kept(symmetric_key(CryptographicAlgorithm::HMAC_SHA256, &[0x0B; 32])),
            private: kept(private),
            public: kept(public),
        }
    }
}

/// The parts of a stream of one operation: the first, the middle and the last one.
macro_rules! parts {
    ($request:expr, $session:expr, $last:expr) => {{
        let mut first = $request(FIRST);
        first.init_indicator = Some(true);
        let correlation_value = $session.done(first).correlation_value;
        assert!(correlation_value.is_some());
        let mut middle = $request(MIDDLE);
        middle.correlation_value = correlation_value.clone();
        let mut last = $last;
        last.correlation_value = correlation_value;
        last.final_indicator = Some(true);
        vec![middle.into(), last.into()]
    }};
}

/// A case whose last item must answer this.
fn answers(
    items: Vec<RequestPayload>,
    expected: impl Fn(&mut Session<'_>) -> ResponsePayload + 'static,
) -> Vec<Case> {
    let is_right = move |session: &mut Session<'_>, answer: &ResponseMessage| {
        let last = answer.items.last().and_then(|item| item.payload.clone());
        let middle = answer.items[0].payload.as_ref().and_then(ResponsePayload::data);
        let expected = expected(session);
        // A cipher gives each part of its text with the part that came.
        match (expected.data(), last.as_ref().and_then(ResponsePayload::data)) {
            (Some(expected), Some(last)) => {
                let parts = [middle.unwrap_or_default(), last].concat();
                assert!(expected.ends_with(&parts), "the parts are not those of the whole");
                assert!(!parts.is_empty());
            }
            _ => assert_eq!(last, Some(expected)),
        }
    };
    vec![Case::new(items, Seen::Answer(Box::new(is_right)))]
}

/// The answer to one item.
fn whole(session: &mut Session<'_>, request: RequestPayload) -> ResponsePayload {
    let answer = session.send(Channel::Port, &message(Version::V2_1, vec![request]));
    answer.items[0].payload.clone().expect("an answer")
}

pub(super) fn of(session: &mut Session<'_>, operation: Operation) -> Vec<Case> {
    let text = [FIRST, MIDDLE, LAST].concat();
    let keys = Keys::new(session);
    match operation {
        Operation::Hash => {
            let items = parts!(hash, session, hash(LAST));
            answers(items, move |session| whole(session, hash(&text).into()))
        }
        Operation::Encrypt => {
            let part = |bytes| EncryptRequest {
                iv_counter_nonce: (bytes == FIRST).then(|| vec![7; 16]),
                ..encrypt(&keys.aes, bytes)
            };
            let items = parts!(part, session, part(LAST));
            let key = keys.aes.clone();
            answers(items, move |session| whole(session, encrypt(&key, &text).into()))
        }
        Operation::Decrypt => {
            let part = |bytes| DecryptRequest {
                iv_counter_nonce: (bytes == FIRST).then(|| vec![7; 16]),
                ..decrypt(&keys.aes, bytes)
            };
            let items = parts!(part, session, part(LAST));
            let key = keys.aes.clone();
            answers(items, move |session| whole(session, decrypt(&key, &text).into()))
        }
        Operation::MAC => {
            let part = |bytes| mac(&keys.hmac, bytes);
            let items = parts!(part, session, part(LAST));
            let key = keys.hmac.clone();
            answers(items, move |session| whole(session, mac(&key, &text).into()))
        }
        _ => verified(session, operation, &keys, text),
    }
}

/// Streams whose answer is that something is valid.
fn verified(
    session: &mut Session<'_>,
    operation: Operation,
    keys: &Keys,
    text: Vec<u8>,
) -> Vec<Case> {
    match operation {
        Operation::MACVerify => {
            let code = session.done(mac(&keys.hmac, &text)).mac_data;
            let part = |bytes| mac_verify(&keys.hmac, bytes);
            let last = MACVerifyRequest { mac_data: code, ..part(LAST) };
            let items = parts!(part, session, last);
            let is_valid = |_: &mut Session<'_>, answer: &ResponseMessage| {
                let Some(ResponsePayload::MACVerify(last)) = &answer.items[1].payload else {
                    panic!("{answer:?}")
                };
                assert_eq!(last.validity_indicator, Some(ValidityIndicator::Valid));
            };
            vec![Case::new(items, Seen::Answer(Box::new(is_valid)))]
        }
        Operation::SignatureVerify => {
            let signature = session.done(sign(&keys.private, &text)).signature_data;
            let part = |bytes| signature_verify(&keys.public, bytes);
            let last = SignatureVerifyRequest { signature_data: signature, ..part(LAST) };
            let items = parts!(part, session, last);
            let is_valid = |_: &mut Session<'_>, answer: &ResponseMessage| {
                let Some(ResponsePayload::SignatureVerify(last)) = &answer.items[1].payload else {
                    panic!("{answer:?}")
                };
                assert_eq!(last.validity_indicator, Some(ValidityIndicator::Valid));
            };
            vec![Case::new(items, Seen::Answer(Box::new(is_valid)))]
        }
        _ => {
            let part = |bytes| sign(&keys.private, bytes);
            let items = parts!(part, session, part(LAST));
            let key = keys.public.clone();
            let is_valid = move |session: &mut Session<'_>, answer: &ResponseMessage| {
                let Some(ResponsePayload::Sign(last)) = &answer.items[1].payload else {
                    panic!("{answer:?}")
                };
                let verify = SignatureVerifyRequest {
                    signature_data: last.signature_data.clone(),
                    ..signature_verify(&key, &text)
                };
                let verdict = session.done(verify).validity_indicator;
                assert_eq!(verdict, Some(ValidityIndicator::Valid));
            };
            vec![Case::new(items, Seen::Answer(Box::new(is_valid)))]
        }
    }
}
