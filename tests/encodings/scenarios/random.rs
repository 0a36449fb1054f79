//! Messages by chance: batches of any operations on objects of the run, with any header, and
//! messages with a fault at any item.

use harness::Random;
use kmip::Version;
use kmip::attributes::{AttributeReference, AttributeValue as A};
use kmip::codec::{DateTime, Interval};
use kmip::message::{RequestMessage, ResponseMessage};
use kmip::payload::*;
use kmip::structures::*;
use kmip::vocabulary::*;
use ttlv::Raw;

use super::malformed::{FAULTS, count, with_fault};
use crate::comparison::{Comparison, KEYS, message};
use crate::requests::*;

/// The most objects that the messages of a run are about.
const OBJECTS_MAX: usize = 24;

const VERSIONS: [Version; 5] =
    [Version::V1_0, Version::V1_2, Version::V1_4, Version::V2_0, Version::V2_1];

const TEXTS: [&str; 10] = [
    "",
    "plain",
    " blanks  inside ",
    "<a href=\"b\">&amp;</a>",
    "line\nline\r\nline\ttab",
    "\\u0041\\n\"quoted\"",
    "\u{e9}\u{1F511}\u{10FFFD}",
    "0x00000001",
    "Sign|Verify true null 1.5e3",
    "\u{7f}\u{85}\u{a0}\u{2028}\u{feff}",
];

/// Source of messages.
struct Source {
    random: Random,
    objects: Vec<String>,
}

/// Sends so many messages by chance, and after each third one with a fault.
pub(crate) fn run(comparison: &mut Comparison, seed: u64, messages: usize) {
    let mut source = Source { random: Random::new(seed, 1), objects: vec!["nobody's".to_owned()] };
    for number in 0..messages {
        let message = source.message();
        let frame = message.encode();
        if number % 3 == 2 {
            let items = count(&frame);
            let place = 1 + source.random.below(items - 1);
            let (fault, other) = (source.random.below(FAULTS), source.random.below(100));
            comparison.exchange(&with_fault(&frame, place, fault, other), KEYS);
            continue;
        }
        let answer = comparison.message(&message, KEYS);
        source.learn(&answer);
    }
}

impl Source {
    /// Takes in the new objects of an answer, in the place of others when there are many. All that
    /// is told of them has one length on every server, so that all answers are as long.
    fn learn(&mut self, answer: &ResponseMessage) {
        for item in &answer.items {
            let id = match &item.payload {
                Some(ResponsePayload::Create(made)) => &made.unique_identifier,
                Some(ResponsePayload::Register(kept)) => &kept.unique_identifier,
                _ => continue,
            };
            match self.objects.len() < OBJECTS_MAX {
                true => self.objects.push(id.clone()),
                false => {
                    let at = 1 + self.random.below(OBJECTS_MAX - 1);
                    self.objects[at] = id.clone();
                }
            }
        }
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.random.below(all.len())].clone()
    }

    fn is_one_in(&mut self, count: usize) -> bool {
        self.random.below(count) == 0
    }

    fn object(&mut self) -> String {
        let at = self.random.below(self.objects.len());
        self.objects[at].clone()
    }

    fn message(&mut self) -> RequestMessage {
        let version = self.one_of(&VERSIONS);
        let items = 1 + self.random.below(4);
        let payloads = (0..items).map(|_| self.payload()).collect();
        let mut message = message(version, payloads);
        let header = &mut message.header;
        header.batch_error_continuation_option = self.one_of(&[
            None,
            Some(BatchErrorContinuationOption::Stop),
            Some(BatchErrorContinuationOption::Continue),
            Some(BatchErrorContinuationOption::Undo),
        ]);
        header.batch_order_option = self.one_of(&[None, None, Some(true), Some(false)]);
        if self.is_one_in(5) {
            header.maximum_response_size = Some(self.one_of(&[0, 200, 400, 800, 1600]));
        }
        if self.is_one_in(4) {
            header.client_correlation_value = Some(self.text());
        }
        for item in &mut message.items {
            if self.is_one_in(2) {
                let len = self.random.below(5);
                let byte = |_| u8::try_from(self.random.below(256)).unwrap();
                item.unique_batch_item_id = Some((0..len).map(byte).collect());
            }
        }
        message
    }

    fn text(&mut self) -> String {
        self.one_of(&TEXTS).to_owned()
    }

    /// A date that is not of today.
    fn date(&mut self) -> DateTime {
        DateTime(self.one_of(&[i64::MIN, -1, 0, 1, 951_782_400, 4_102_444_800, i64::MAX]))
    }

    fn number(&mut self) -> i32 {
        self.one_of(&[i32::MIN, -1, 0, 1, 8, 64, 128, 192, 256, i32::MAX])
    }

    fn long(&mut self) -> i64 {
        self.one_of(&[i64::MIN, -1, 0, 1, 100, (1 << 52) - 1, 1 << 52, i64::MAX])
    }

    fn payload(&mut self) -> RequestPayload {
        let object = match self.is_one_in(6) {
            true => None,
            false => Some(self.object()),
        };
        let object = object.as_deref();
        match self.random.below(14) {
            0 => create([self.attribute(), self.attribute()]).into(),
            1 => {
                let key = symmetric_key(CryptographicAlgorithm::AES, &[self.byte(); 32]);
                let bytes = [self.byte(), 0xFF, self.byte()];
                let text = self.text();
                let object = self.one_of(&[key, opaque(&bytes), secret(text.as_bytes())]);
                register(object, [A::CryptographicUsageMask(ALL_USES), self.attribute()]).into()
            }
            2 => get(object).into(),
            3 => get_attributes(object, &[]).into(),
            4 => activate(object).into(),
            5 => destroy(object).into(),
            6 | 7 => add(object, self.attribute()).into(),
            8 => modify(object.unwrap_or("none"), self.attribute()).into(),
            9 => set(object.unwrap_or("none"), self.attribute()).into(),
            10 => {
                let name = self.attribute().reference().name();
                delete(object.unwrap_or("none"), &name).into()
            }
            11 => locate([self.attribute()]).into(),
            12 => {
                let reason = self.one_of(&[1, 2, 3, 5, 77]);
                revoke(object.unwrap_or("none"), RevocationReasonCode(reason)).into()
            }
            _ => self.further_payload(object),
        }
    }

    fn further_payload(&mut self, object: Option<&str>) -> RequestPayload {
        let unique_identifier = object.map(kmip::Identifier::from);
        match self.random.below(7) {
            0 => ArchiveRequest { unique_identifier }.into(),
            1 => RecoverRequest { unique_identifier }.into(),
            2 => GetAttributeListRequest { unique_identifier }.into(),
            3 => ObtainLeaseRequest { unique_identifier }.into(),
            4 => hash(self.text().as_bytes()).into(),
            5 => AdjustAttributeRequest {
                unique_identifier,
                attribute: AttributeReference::from_name("x-Integer"),
                adjustment_type: AdjustmentType(1 + u32::try_from(self.random.below(4)).unwrap()),
                adjustment_value: Some(AdjustmentValue::Integer(self.number())),
            }
            .into(),
            _ => CheckRequest {
                unique_identifier,
                usage_limits_count: Some(self.long()),
                cryptographic_usage_mask: Some(CryptographicUsageMask(self.number())),
                lease_time: Some(Interval(self.number().cast_unsigned())),
            }
            .into(),
        }
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.random.below(256)).unwrap()
    }

    fn attribute(&mut self) -> A {
        match self.random.below(16) {
            0 => name(&self.text()),
            1 => A::ObjectGroup(self.text()),
            2 => A::ContactInformation(self.text()),
            3 => A::Comment(self.text()),
            4 => A::ActivationDate(self.date()),
            5 => A::DeactivationDate(self.date()),
            6 => A::CryptographicLength(self.number()),
            7 => A::CryptographicUsageMask(CryptographicUsageMask(self.number())),
            8 => A::Sensitive(self.is_one_in(2)),
            9 => A::State(State(1 + u32::try_from(self.random.below(7)).unwrap())),
            10 => A::ProtectionPeriod(Interval(self.number().cast_unsigned())),
            11 => A::UsageLimits(UsageLimits {
                total: self.long(),
                count: None,
                unit: UsageLimitsUnit(1 + u32::try_from(self.random.below(3)).unwrap()),
            }),
            12 => A::ApplicationSpecificInformation(ApplicationSpecificInformation {
                namespace: self.text(),
                data: Some(self.text()),
            }),
            _ => self.custom(),
        }
    }

    fn custom(&mut self) -> A {
        let tag = tags::AttributeValue;
        let number = self.number();
        match self.random.below(8) {
            0 => custom("Integer", Raw::build(|w| w.integer(tag, number))),
            1 => {
                let long = self.long();
                custom("Long", Raw::build(|w| w.long_integer(tag, long)))
            }
            2 => custom("Enumeration", Raw::build(|w| w.enumeration(tag, number.cast_unsigned()))),
            3 => {
                let date = self.date();
                custom("Date", Raw::build(|w| w.date_time(tag, date.0)))
            }
            4 => {
                let bytes = self.long().to_be_bytes();
                custom("Big", Raw::build(|w| w.big_integer(tag, &bytes)))
            }
            5 => {
                let text = self.text();
                custom("Text", Raw::build(|w| w.text_string(tag, &text)))
            }
            6 => custom("Boolean", Raw::build(|w| w.boolean(tag, number > 0))),
            _ => {
                let micros = self.long();
                custom("Micros", Raw::build(|w| w.date_time_extended(tag, micros)))
            }
        }
    }
}
