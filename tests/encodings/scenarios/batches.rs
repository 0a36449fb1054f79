//! Batches: what becomes of them when an item fails, how items name what others have made, and
//! what the header says of the answer.

use kmip::attributes::AttributeValue as A;
use kmip::codec::DateTime;
use kmip::message::{Authentication, Credential, RequestMessage};
use kmip::payload::*;
use kmip::structures::MessageExtension;
use kmip::vocabulary::UniqueIdentifier as Word;
use kmip::vocabulary::*;
use kmip::{Identifier, InputData, Version};
use ttlv::Raw;

use super::Objects;
use crate::requests::*;
use crate::script::Script;

pub(super) fn run(script: &mut Script<'_>, objects: &Objects) {
    placeholder(script);
    continuation(script, objects);
    references(script);
    sizes(script, objects);
    extensions(script, objects);
    credentials(script, objects);
    counts(script, objects);
}

/// The ID Placeholder, in the order of the items.
fn placeholder(script: &mut Script<'_>) {
    let message = script.batch(vec![
        create([script.name("placeholder")]).into(),
        activate(None).into(),
        get(None).into(),
        add(None, A::ContactInformation("by placeholder".to_owned())).into(),
        get_attributes(None, &["State", "Contact Information"]).into(),
        GetAttributeListRequest { unique_identifier: None }.into(),
    ]);
    script.send(&message);
    let message = script.batch(vec![
        locate([script.name("placeholder")]).into(),
        get(None).into(),
        ArchiveRequest { unique_identifier: None }.into(),
        RecoverRequest { unique_identifier: None }.into(),
        destroy(None).into(),
    ]);
    script.send(&message);
    // Several objects are found, or none: there is nothing to mean.
    for values in [vec![], vec![script.name("no such")]] {
        let message = script.batch(vec![locate(values).into(), get(None).into()]);
        script.send(&message);
    }
    let message = script.batch(vec![create_key_pair([active()]).into(), get(None).into()]);
    script.send(&message);
}

/// Every Batch Error Continuation Option, with a failure at each place.
fn continuation(script: &mut Script<'_>, objects: &Objects) {
    use BatchErrorContinuationOption as Option_;
    let options = [None, Some(Option_::Continue), Some(Option_::Stop), Some(Option_::Undo)];
    for (number, option) in options.into_iter().enumerate() {
        for failing in 0..4 {
            let own = |text: &str| script.name(&format!("{text} {number} {failing}"));
            let mut items: Vec<RequestPayload> = vec![
                create([own("batch one")]).into(),
                add(Some(&objects.opaque), own("batch added")).into(),
                create([own("batch two")]).into(),
                get(Some(&objects.key)).into(),
            ];
            items.insert(failing, destroy(Some("nobody's")).into());
            let mut message = script.batch(items);
            message.header.batch_error_continuation_option = option;
            message.header.batch_order_option = (failing == 1).then_some(true);
            for (place, item) in message.items.iter_mut().enumerate() {
                let place = u8::try_from(place).unwrap();
                item.unique_batch_item_id = Some(vec![0xFF, place, 0]);
            }
            script.send(&message);
        }
    }
    let mut message = script.batch(vec![get(Some(&objects.key)).into(); 2]);
    message.header.batch_error_continuation_option = Some(Option_(9));
    script.send(&message);
}

/// Words and indexes for objects and data of earlier items (2.x).
fn references(script: &mut Script<'_>) {
    let by = |identifier| GetAttributesRequest {
        unique_identifier: Some(identifier),
        ..get_attributes(None, &["Object Type", "State"])
    };
    let word = |word| Identifier::Enumeration(word);
    let message = script.batch(vec![
        create([active(), script.name("by word")]).into(),
        create_key_pair([active()]).into(),
        by(word(Word::Create)).into(),
        by(word(Word::CreateKeyPairPrivateKey)).into(),
        by(word(Word::CreateKeyPairPublicKey)).into(),
        by(word(Word::IDPlaceholder)).into(),
        by(Identifier::Index(0)).into(),
        by(Identifier::Index(2)).into(),
        by(Identifier::Index(-1)).into(),
        by(Identifier::Index(9)).into(),
    ]);
    script.send(&message);
    let mut message = script.batch(vec![
        hash(b"abc").into(),
        HashRequest { data: Some(InputData::Enumeration(Data::Hash)), ..hash(b"") }.into(),
        HashRequest { data: Some(InputData::Index(0)), ..hash(b"") }.into(),
        HashRequest { data: Some(InputData::Index(-1)), ..hash(b"") }.into(),
        HashRequest { data: Some(InputData::Enumeration(Data::Encrypt)), ..hash(b"") }.into(),
        hash(b"after").into(),
    ]);
    let option = BatchErrorContinuationOption::Continue;
    message.header.batch_error_continuation_option = Some(option);
    script.send(&message);
}

/// Maximum Response Size counts TTLV on every channel: as long as the answer, and a byte less.
fn sizes(script: &mut Script<'_>, objects: &Objects) {
    let rows: [Vec<RequestPayload>; 3] = [
        vec![get(Some(&objects.key)).into()],
        vec![get_attributes(Some(&objects.public), &[]).into(); 3],
        vec![locate([A::ObjectGroup("group".to_owned())]).into(), get(Some("nobody's")).into()],
    ];
    for items in rows {
        let mut message = script.batch(items);
        let whole = script.send(&message).encode().len();
        let whole = i32::try_from(whole).unwrap();
        for size in [whole, whole - 1, 1, 0, -1] {
            message.header.maximum_response_size = Some(size);
            let answer = script.send(&message);
            let reason = answer.items[0].result_reason;
            let is_refused = reason == Some(ResultReason::ResponseTooLarge);
            // A negative size is no limit that any answer keeps, nor a size.
            assert!(size < 0 || is_refused == (size < whole), "{size} of {whole}: {reason:?}");
        }
    }
    // What is refused so has no effect: the name is still free.
    let mut message = script.batch(vec![create([script.name("too large")]).into()]);
    message.header.maximum_response_size = Some(64);
    script.send(&message);
    script.made(create([script.name("too large")]));
}

/// Message extensions, correlation values, clocks and unknown operations.
fn extensions(script: &mut Script<'_>, objects: &Objects) {
    for criticality_indicator in [false, true] {
        let mut message = script.batch(vec![get(Some(&objects.key)).into(); 2]);
        message.items[1].message_extension = Some(Box::new(MessageExtension {
            vendor_identification: "ACME <&>".to_owned(),
            criticality_indicator,
            vendor_extension: Raw::build(|w| {
                w.structure(tags::VendorExtension, |w| {
                    w.integer(ttlv::Tag(0x54_0001), 7);
                });
            }),
        }));
        message.header.client_correlation_value = Some("client's \u{1F511}".to_owned());
        message.header.time_stamp = Some(DateTime(i64::MAX / 1000));
        script.send(&message);
    }
    let unknown = |operation| {
        RequestPayload::Unknown(UnknownPayload {
            operation: Operation(operation),
            payload: Raw::build(|w| w.structure(tags::RequestPayload, |_| {})),
        })
    };
    for operation in [0x8000_0001, 0x77, 0] {
        let message = script.batch(vec![unknown(operation), get(Some(&objects.key)).into()]);
        script.send(&message);
    }
}

/// A password that no user of this server has.
fn credentials(script: &mut Script<'_>, objects: &Objects) {
    let mut message = script.batch(vec![get(Some(&objects.key)).into()]);
    let credential_value = Raw::build(|w| {
        w.structure(tags::CredentialValue, |w| {
            w.text_string(tags::Username, "nobody");
            w.text_string(tags::Password, "\u{7f}pass<word>&\"'");
        });
    });
    let credential_type = CredentialType::UsernameAndPassword;
    let credentials = vec![Credential { credential_type, credential_value }];
    message.header.authentication = Some(Authentication { credentials });
    script.send(&message);
}

/// Batch Count, the most items of a message, and versions that are not served.
fn counts(script: &mut Script<'_>, objects: &Objects) {
    let one = || RequestPayload::from(activate(Some("nobody's")));
    let send = |script: &mut Script<'_>, message: &RequestMessage| {
        script.comparison.exchange(&message.encode(), &[]);
    };
    for count in [0, 2, -1, i32::MAX] {
        let mut message = script.batch(vec![get(Some(&objects.key)).into()]);
        message.header.batch_count = count;
        send(script, &message);
    }
    for count in [0, 100, 101] {
        let mut message = script.batch(vec![one(); count]);
        message.header.batch_error_continuation_option =
            Some(BatchErrorContinuationOption::Continue);
        send(script, &message);
    }
    for (major, minor) in [(3, 0), (1, 9), (0, 0), (-1, 4), (2, 7)] {
        let mut message = script.batch(vec![get(Some(&objects.key)).into()]);
        message.header.protocol_version = Version { major, minor };
        send(script, &message);
    }
}
