//! Attributes of every type of value: read, listed, added, changed, deleted and searched for.

use kmip::Version;
use kmip::attributes::{AttributeReference, AttributeValue as A};
use kmip::codec::{DateTime, Interval};
use kmip::payload::*;
use kmip::structures::*;
use kmip::vocabulary::*;
use ttlv::Raw;

use super::Objects;
use crate::requests::*;
use crate::script::Script;

pub(super) fn run(script: &mut Script<'_>, objects: &Objects) {
    read(script, objects);
    added(script, objects);
    custom_of_every_type(script, objects);
    changed(script, objects);
    adjusted(script, objects);
    located(script);
}

fn read(script: &mut Script<'_>, objects: &Objects) {
    script.done(get_attributes(Some(&objects.key), &[]));
    script.done(get_attributes(Some(&objects.made), &[]));
    script.done(get_attributes(Some(&objects.opaque), &[]));
    script.done(get_attributes(Some(&objects.key), &["State", "Digest", "Unique Identifier"]));
    let _ = script.ask(get_attributes(Some(&objects.key), &["Sensitive", "Fresh", "Comment"]));
    let _ = script.ask(get_attributes(Some(&objects.key), &["x-none", "Object Group"]));
    let _ = script.ask(get_attributes(Some(&objects.key), &["Name", "Name"]));
    let _ = script.ask(get_attributes(Some(&objects.key), &["no attribute", ""]));
    script.refused(get_attributes(None, &[]));
    let list = |object: &str| GetAttributeListRequest { unique_identifier: id(object) };
    script.done(list(&objects.key));
    script.done(list(&objects.private));
    script.refused(list("nobody's"));
}

/// Values that a client may give, as many as the version has; the rest is refused.
fn values() -> Vec<A> {
    let link = Link {
        link_type: LinkType::NextLink,
        linked_object_identifier: "00000000-0000-7000-8000-00000000abcd".into(),
    };
    vec![
        A::AlternativeName(AlternativeName {
            value: "urn:uuid:<1>".to_owned(),
            name_type: AlternativeNameType::URI,
        }),
        A::ApplicationSpecificInformation(ApplicationSpecificInformation {
            namespace: "ns & \"more\"".to_owned(),
            data: Some(" blanks ".to_owned()),
        }),
        A::ContactInformation(String::new()),
        A::ContactInformation("once".to_owned()),
        A::Comment("a\r\nb\u{7F}\u{85}\u{2028}\u{FEFF}c".to_owned()),
        A::Description("\u{1F600} \u{200D}".to_owned()),
        A::CryptographicParameters(cipher(BlockCipherMode::GCM).unwrap()),
        A::Link(link),
        A::ObjectGroup("group".to_owned()),
        A::ObjectGroup("group".to_owned()),
        A::Sensitive(true),
        A::Extractable(true),
        A::UsageLimits(UsageLimits { total: i64::MAX, count: None, unit: UsageLimitsUnit::Object }),
        A::OriginalCreationDate(DateTime(-62_135_596_800)),
        A::DeactivationDate(DateTime(253_402_300_799)),
        A::ProtectionPeriod(Interval(u32::MAX)),
        A::ProtectionLevel(ProtectionLevel::High),
        A::QuantumSafe(false),
        A::NISTKeyType(NISTKeyType(3)),
        A::RotateInterval(Interval(86_400 * 365)),
        A::RotateAutomatic(true),
        A::RotateName(RotateName {
            value: "rotated".to_owned(),
            name_type: RotateNameType::UninterpretedTextString,
        }),
        A::PKCS_12FriendlyName("friend".to_owned()),
        A::KeyValueLocation(KeyValueLocation {
            value: "https://example.com/?a=b&c".to_owned(),
            location_type: KeyValueLocationType::URI,
        }),
        A::OperationPolicyName("default".to_owned()),
        // None of these is the client's.
        A::State(State::Destroyed),
        A::LeaseTime(Interval(1)),
        A::UniqueIdentifier("mine".to_owned()),
        A::ObjectType(ObjectType::OpaqueObject),
        A::CryptographicLength(64),
    ]
}

fn added(script: &mut Script<'_>, objects: &Objects) {
    for value in values() {
        let _ = script.ask(add(Some(&objects.made), value));
    }
    script.done(get_attributes(Some(&objects.made), &[]));
    script.refused(add(Some("nobody's"), name("n")));
    script.refused(add(None, name("n")));
    script.refused(add(Some(&objects.opaque), script.name("made")));
    script.done(add(Some(&objects.opaque), script.name("second name")));
}

/// Custom attributes have no name in the vocabulary, and values of every type.
fn custom_of_every_type(script: &mut Script<'_>, objects: &Objects) {
    let tag = tags::AttributeValue;
    let all = [
        ("Integer", Raw::build(|w| w.integer(tag, i32::MIN))),
        ("LongInteger", Raw::build(|w| w.long_integer(tag, -1))),
        ("LongInteger52", Raw::build(|w| w.long_integer(tag, (1 << 53) + 1))),
        ("BigInteger", Raw::build(|w| w.big_integer(tag, &[0x80, 0, 0, 0, 0, 0, 0, 1]))),
        ("Enumeration", Raw::build(|w| w.enumeration(tag, 2))),
        ("EnumerationOfVendors", Raw::build(|w| w.enumeration(tag, 0x8765_4321))),
        ("Boolean", Raw::build(|w| w.boolean(tag, false))),
        ("Text", Raw::build(|w| w.text_string(tag, "0x0000000a Sign|Verify true null"))),
        ("Bytes", Raw::build(|w| w.byte_string(tag, &[0; 3]))),
        ("NoBytes", Raw::build(|w| w.byte_string(tag, &[]))),
        ("DateTime", Raw::build(|w| w.date_time(tag, 253_402_300_800))),
        ("EarlyDateTime", Raw::build(|w| w.date_time(tag, i64::MIN))),
        ("Interval", Raw::build(|w| w.interval(tag, u32::MAX))),
        ("DateTimeExtended", Raw::build(|w| w.date_time_extended(tag, -1))),
        (
            "Structure",
            Raw::build(|w| {
                w.structure(tag, |w| {
                    w.integer(tags::CryptographicUsageMask, 12);
                    w.enumeration(tags::ObjectType, 2);
                    w.structure(tags::Name, |_| {});
                    w.text_string(ttlv::Tag(0x54_0001), "of a vendor");
                });
            }),
        ),
    ];
    for (number, (name, value)) in all.into_iter().enumerate() {
        let custom = custom(name, value);
        let message = script.batch(vec![
            add(Some(&objects.opaque), custom.clone()).into(),
            get_attributes(Some(&objects.opaque), &[&format!("x-{name}")]).into(),
        ]);
        script.send(&message);
        // There is no index, so that each search goes over all objects.
        if number % 3 == 0 {
            let _ = script.ask(locate([custom]));
        }
    }
    script.done(get_attributes(Some(&objects.opaque), &[]));
}

fn changed(script: &mut Script<'_>, objects: &Objects) {
    let object = objects.opaque.as_str();
    let contact = |text: &str| A::ContactInformation(text.to_owned());
    let _ = script.ask(add(Some(object), contact("first")));
    let _ = script.ask(modify(object, contact("second \u{1F511}")));
    let _ = script.ask(modify(object, A::Comment("there was none".to_owned())));
    let _ = script.ask(modify(object, A::ObjectType(ObjectType::SecretData)));
    let _ = script.ask(modify(object, script.name("third name")));
    let current = ModifyAttributeRequest {
        current_attribute: Some(script.name("opaque").into()),
        ..modify(object, script.name("fourth name"))
    };
    let _ = script.ask(current);
    let _ = script.ask(set(object, contact("set")));
    let _ = script.ask(set(object, script.name("fifth name")));
    let _ = script.ask(set(object, A::State(State::Active)));
    let _ = script.ask(set("nobody's", contact("set")));
    script.done(get_attributes(Some(object), &["Contact Information", "Name", "x-Text"]));
    for name in ["x-Integer", "x-Integer", "Contact Information", "State", "Unheard Of", "Name"] {
        let _ = script.ask(delete(object, name));
    }
    let index = DeleteAttributeRequest { attribute_index: Some(7), ..delete(object, "Name") };
    let _ = script.ask(index);
    let current = DeleteAttributeRequest {
        current_attribute: Some(script.name("second name").into()),
        attribute: None,
        ..delete(object, "Name")
    };
    let _ = script.ask(current);
    let _ = script.ask(DeleteAttributeRequest { attribute: None, ..delete(object, "Name") });
    script.done(get_attributes(Some(object), &[]));
}

fn adjusted(script: &mut Script<'_>, objects: &Objects) {
    let object = objects.made.as_str();
    let integer = |value| Some(AdjustmentValue::Integer(value));
    let rows = [
        (
            "Protection Period",
            AdjustmentType::Increment,
            Some(AdjustmentValue::Interval(Interval(1))),
        ),
        ("Protection Period", AdjustmentType::Decrement, None),
        ("Rotate Automatic", AdjustmentType::Negate, None),
        ("x-Counter", AdjustmentType::Increment, integer(3)),
        ("x-Counter", AdjustmentType::Decrement, integer(i32::MAX)),
        ("x-Counter", AdjustmentType::Increment, Some(AdjustmentValue::LongInteger(1))),
        ("x-Counter", AdjustmentType(9), None),
        ("Name", AdjustmentType::Increment, None),
        ("State", AdjustmentType::Increment, integer(1)),
    ];
    for (name, adjustment_type, value) in rows {
        let _ = script.ask(adjust(object, name, adjustment_type, value));
    }
    let _ = script.ask(get_attributes(Some(object), &["x-Counter", "Protection Period"]));
}

fn located(script: &mut Script<'_>) {
    let group = || A::ObjectGroup("group".to_owned());
    script.done(locate([]));
    script.done(locate([script.name("made")]));
    script.done(locate([script.name("no such")]));
    script.done(locate([group()]));
    script.done(locate([A::ObjectType(ObjectType::PrivateKey)]));
    script.done(locate([A::CryptographicLength(128), A::State(State::Active)]));
    script.done(locate([A::CryptographicUsageMask(CryptographicUsageMask::Encrypt)]));
    script.done(locate([A::ActivationDate(DateTime(0)), A::ActivationDate(DateTime(1 << 31))]));
    script.done(locate([A::ContactInformation("]]> -- 'quoted' \"double\"".to_owned())]));
    let few = |maximum, offset| LocateRequest {
        maximum_items: Some(maximum),
        offset_items: offset,
        ..locate([])
    };
    for (maximum, offset) in [(3, None), (2, Some(1)), (0, None), (-1, None), (1, Some(-1))] {
        let _ = script.ask(few(maximum, offset));
    }
    let mask = StorageStatusMask(if script.version >= Version::V2_0 { 7 } else { 3 });
    script.done(LocateRequest { storage_status_mask: Some(mask), ..locate([]) });
    let fresh = LocateRequest {
        object_group_member: Some(ObjectGroupMember::GroupMemberFresh),
        ..locate([group()])
    };
    let _ = script.ask(fresh);
    let wrong = Condition {
        attribute: AttributeReference::Standard(tags::CryptographicLength),
        value: Raw::build(|w| w.text_string(tags::AttributeValue, "256")),
    };
    script.refused(LocateRequest { attributes: Filter(vec![wrong]), ..LocateRequest::default() });
}
