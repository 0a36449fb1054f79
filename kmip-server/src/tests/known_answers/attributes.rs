//! The tables of attributes: who may give, change and delete each, in which State, and which
//! objects have it.

use kmip::attributes::ATTRIBUTES;
use kmip::payload::{DeleteAttributeRequest, SetAttributeRequest};

use crate::tests::harness::*;

#[path = "../../../../crates/kmip/tests/sample_messages/attributes.rs"]
pub(crate) mod sample_attributes;

const V1_4: Version = Version::V1_4;

/// One row an attribute, in the order of KMIP 2.1, 4, and at the end those that 1.4, 3 has beside
/// them; the columns are those of the second table of each:
///
/// ```text
/// set      C  by a client at any time     c  when the object is made     -  by the server alone
/// change   *  always    P  while Pre-Active    A  until it is deactivated     -  never
/// delete   D  by a client     -  never
/// many     n  several instances     1  one
/// ```
const RULES: &str = "
    Activation Date                    C P - 1
    Alternative Name                   C * D n
    Always Sensitive                   - - - 1
    Application Specific Information   C * D n
    Archive Date                       - - - 1
    Certificate Subject C              - - - n
    Certificate Subject CN             - - - n
    Certificate Subject DC             - - - n
    Certificate Subject DN Qualifier   - - - n
    Certificate Subject Email          - - - n
    Certificate Subject L              - - - n
    Certificate Subject O              - - - n
    Certificate Subject OU             - - - n
    Certificate Subject ST             - - - n
    Certificate Subject Serial Number  - - - n
    Certificate Subject Title          - - - n
    Certificate Subject UID            - - - n
    Certificate Issuer C               - - - n
    Certificate Issuer CN              - - - n
    Certificate Issuer DC              - - - n
    Certificate Issuer DN Qualifier    - - - n
    Certificate Issuer Email           - - - n
    Certificate Issuer L               - - - n
    Certificate Issuer O               - - - n
    Certificate Issuer OU              - - - n
    Certificate Issuer ST              - - - n
    Certificate Issuer Serial Number   - - - n
    Certificate Issuer Title           - - - n
    Certificate Issuer UID             - - - n
    Certificate Type                   c - - 1
    Certificate Length                 c - - 1
    Comment                            C * D 1
    Compromise Date                    - - - 1
    Compromise Occurrence Date         - - - 1
    Contact Information                C * D 1
    Cryptographic Algorithm            c - - 1
    Cryptographic Domain Parameters    C - - 1
    Cryptographic Length               c - - 1
    Cryptographic Parameters           C * D n
    Cryptographic Usage Mask           C - - 1
    Deactivation Date                  C A - 1
    Description                        C * D 1
    Destroy Date                       - - - 1
    Digest                             - - - n
    Digital Signature Algorithm        c - - n
    Extractable                        C * - 1
    Fresh                              c - - 1
    Initial Date                       - - - 1
    Key Format Type                    c - - 1
    Key Value Location                 C * D n
    Key Value Present                  - - - 1
    Last Change Date                   - - - 1
    Lease Time                         - - - 1
    Link                               C * D n
    Name                               C * D n
    Never Extractable                  - - - 1
    NIST Key Type                      C - - n
    Object Group                       C * D n
    Object Type                        - - - 1
    Opaque Data Type                   - - - 1
    Original Creation Date             C - - 1
    PKCS#12 Friendly Name              C * D 1
    Process Start Date                 C A - 1
    Protect Stop Date                  C A - 1
    Protection Level                   C * D 1
    Protection Period                  C * D 1
    Protection Storage Mask            - - - 1
    Quantum Safe                       C * D 1
    Random Number Generator            C - - 1
    Revocation Reason                  - - - 1
    Rotate Automatic                   C - - 1
    Rotate Date                        - - - 1
    Rotate Generation                  - - - 1
    Rotate Interval                    C - - 1
    Rotate Latest                      - - - 1
    Rotate Name                        C * D 1
    Rotate Offset                      C - - 1
    Sensitive                          C * - 1
    Short Unique Identifier            - - - 1
    State                              - - - 1
    Unique Identifier                  - - - 1
    Usage Limits                       C * D 1
    X.509 Certificate Identifier       - - - 1
    X.509 Certificate Issuer           - - - 1
    X.509 Certificate Subject          - - - 1
    Certificate Identifier             - - - 1
    Certificate Subject                - - - 1
    Certificate Issuer                 - - - 1
    Operation Policy Name              C - - 1
";

/// A rule, read from its row.
struct Rule {
    name: &'static str,
    set: &'static str,
    change: &'static str,
    delete: &'static str,
    many: &'static str,
}

fn rules() -> impl Iterator<Item = Rule> {
    RULES.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| {
        let mut words = line.rsplitn(5, ' ');
        let mut word = || words.next().unwrap().trim();
        let (many, delete, change, set) = (word(), word(), word(), word());
        Rule { name: word(), set, change, delete, many }
    })
}

/// A value of the attribute. Dates lie far ahead, so that they change no State; a flag that asks
/// for quantum safety is down, so that the key need not have it.
fn value(name: &str) -> AttributeValue {
    use AttributeValue as A;
    let far = DateTime(4_000_000_000);
    let found =
        sample_attributes::attributes().into_iter().find(|value| value.name() == name).unwrap();
    match found {
        A::ActivationDate(_) => A::ActivationDate(far),
        A::DeactivationDate(_) => A::DeactivationDate(far),
        A::ProcessStartDate(_) => A::ProcessStartDate(far),
        A::ProtectStopDate(_) => A::ProtectStopDate(far),
        A::QuantumSafe(_) => A::QuantumSafe(false),
        other => other,
    }
}

/// A key that a client brought, in this State.
pub(crate) async fn key(harness: &Harness, state: State) -> String {
    let mut block = KeyBlock::plain(KeyFormatType::Raw, &[7; 32]);
    block.cryptographic_algorithm = Some(CryptographicAlgorithm::AES);
    block.cryptographic_length = Some(256);
    let mask = AttributeValue::CryptographicUsageMask(CryptographicUsageMask::Encrypt);
    let dates: &[AttributeValue] = match state {
        State::Active => &[AttributeValue::ActivationDate(DateTime(1))],
        State::Deactivated => &[
            AttributeValue::ActivationDate(DateTime(1)),
            AttributeValue::DeactivationDate(DateTime(2)),
        ],
        _ => &[],
    };
    let request = RegisterRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: Attributes::new(dates.iter().cloned().chain([mask])),
        object: Object::SymmetricKey(Key { key_block: block }),
        protection_storage_masks: None,
    };
    harness.ask(NEWEST, request).await.unwrap().unique_identifier
}

pub(crate) async fn add(
    harness: &Harness,
    version: Version,
    object: &str,
    value: &AttributeValue,
) -> Outcome {
    let attribute = value.clone().into();
    let request = AddAttributeRequest { unique_identifier: id(object), attribute };
    harness.ask(version, request).await.map(|_| ())
}

pub(crate) async fn modify(
    harness: &Harness,
    version: Version,
    object: &str,
    value: &AttributeValue,
) -> Outcome {
    let request = ModifyAttributeRequest {
        unique_identifier: id(object),
        current_attribute: None,
        attribute: value.clone().into(),
    };
    harness.ask(version, request).await.map(|_| ())
}

pub(crate) async fn delete(
    harness: &Harness,
    version: Version,
    object: &str,
    value: &AttributeValue,
) -> Outcome {
    let request = DeleteAttributeRequest {
        unique_identifier: id(object),
        current_attribute: None,
        attribute: Some(value.reference()),
        attribute_index: None,
    };
    harness.ask(version, request).await.map(|_| ())
}

pub(crate) type Outcome = Result<(), ResultReason>;

/// The version to ask in, and how it calls "a client cannot do this".
fn asked_in(value: &AttributeValue) -> (Version, ResultReason) {
    match value.exists_in(NEWEST) {
        true => (NEWEST, ResultReason::AttributeReadOnly),
        false => (V1_4, ResultReason::PermissionDenied),
    }
}

#[test]
fn every_attribute_has_a_rule() {
    let mut named: Vec<&str> = rules().map(|rule| rule.name).collect();
    let mut known: Vec<&str> = ATTRIBUTES.iter().map(|row| row.name).collect();
    named.sort_unstable();
    known.sort_unstable();
    assert_eq!(named, known);
}

#[tokio::test]
async fn who_may_set_change_and_delete_each_attribute() {
    for rule in rules() {
        let harness = Harness::new();
        let value = value(rule.name);
        let (version, read_only) = asked_in(&value);
        let object = key(&harness, State::PreActive).await;
        let stood = attribute(&harness, &object, rule.name).await.is_some()
            || matches!(rule.name, "Key Format Type" | "Protection Storage Mask");
        let single = ResultReason::AttributeSingleValued;
        // The one that a symmetric key cannot have in any version.
        if rule.name == "Cryptographic Domain Parameters" {
            let refused = add(&harness, version, &object, &value).await;
            assert_eq!(refused, Err(ResultReason::InvalidAttribute));
            continue;
        }
        let expected = match (rule.set, stood && rule.many == "1") {
            ("C", true) => Err(single),
            ("C", false) => Ok(()),
            _ => Err(read_only),
        };
        assert_eq!(add(&harness, version, &object, &value).await, expected, "add {}", rule.name);
        if rule.set == "C" && rule.many == "1" && version == NEWEST {
            let again = add(&harness, version, &object, &value).await;
            assert_eq!(again, Err(single), "add {} again", rule.name);
        }
        let expected = if rule.change == "-" { Err(read_only) } else { Ok(()) };
        let changed = modify(&harness, version, &object, &value).await;
        assert_eq!(changed, expected, "change {}", rule.name);
        let expected = if rule.delete == "D" { Ok(()) } else { Err(read_only) };
        let deleted = delete(&harness, version, &object, &value).await;
        assert_eq!(deleted, expected, "delete {}", rule.name);
    }
}

/// One row a State: what is asked of an object in it that stands and may be changed in some States
/// alone, and what comes of it.
#[tokio::test]
async fn what_may_be_changed_in_which_state() {
    let wrong = Err(ResultReason::WrongKeyLifecycleState);
    for (state, pre_active, until_deactivated) in [
        (State::PreActive, Ok(()), Ok(())),
        (State::Active, wrong, Ok(())),
        (State::Deactivated, wrong, wrong),
    ] {
        for rule in rules() {
            let expected = match rule.change {
                "P" => pre_active,
                "A" => until_deactivated,
                _ => continue,
            };
            let harness = Harness::new();
            let object = key(&harness, state).await;
            let request = SetAttributeRequest {
                unique_identifier: id(&object),
                attribute: value(rule.name).into(),
            };
            let found = harness.ask(NEWEST, request).await.map(|_| ());
            assert_eq!(found, expected, "{state:?} {}", rule.name);
        }
    }
    // And what has come stays (KMIP 2.1, 4.40 and 4.41).
    for past in [
        AttributeValue::ProcessStartDate(DateTime(5)),
        AttributeValue::ProtectStopDate(DateTime(5)),
    ] {
        let harness = Harness::new();
        let object = key(&harness, State::Active).await;
        add(&harness, NEWEST, &object, &past).await.unwrap();
        let later = value(&past.name());
        assert_eq!(modify(&harness, NEWEST, &object, &later).await, wrong);
    }
}

/// One row a cell of KMIP 1.4, appendix B, and of 3: an attribute, a kind of object, and whether
/// one can be given the other in 1.4 and in 2.1.
#[tokio::test]
async fn which_objects_have_which_attributes() {
    let harness = Harness::new();
    let opaque = Object::OpaqueObject(kmip::objects::OpaqueObject {
        opaque_data_type: kmip::vocabulary::OpaqueDataType(0x8000_0001),
        opaque_data_value: SecretBytes::new(b"x"),
    });
    let secret = Object::SecretData(kmip::objects::SecretData {
        secret_data_type: kmip::vocabulary::SecretDataType::Password,
        key_block: KeyBlock::plain(KeyFormatType::Raw, b"secret"),
    });
    let rows = [
        ("Process Start Date", &secret, false, true),
        ("Usage Limits", &secret, false, true),
        ("Cryptographic Parameters", &secret, false, true),
        ("Activation Date", &secret, true, true),
        ("Deactivation Date", &secret, true, true),
        ("Key Value Location", &secret, true, true),
        ("Link", &secret, true, true),
        ("Link", &opaque, false, true),
        ("Activation Date", &opaque, false, true),
        ("Cryptographic Usage Mask", &opaque, false, true),
        ("Contact Information", &opaque, true, true),
        ("Object Group", &opaque, true, true),
        ("Cryptographic Domain Parameters", &secret, false, false),
    ];
    for (name, object, in_1_4, in_2_1) in rows {
        for (version, may, refusal) in [
            (V1_4, in_1_4, ResultReason::PermissionDenied),
            (NEWEST, in_2_1, ResultReason::InvalidAttribute),
        ] {
            let kind = object.object_type();
            let mask = AttributeValue::CryptographicUsageMask(CryptographicUsageMask(0));
            let masks = (kind == ObjectType::SecretData).then_some(mask);
            let request = |more: Option<AttributeValue>| RegisterRequest {
                object_type: kind,
                attributes: Attributes::new(masks.clone().into_iter().chain(more)),
                object: object.clone(),
                protection_storage_masks: None,
            };
            let made = harness.ask(version, request(None)).await.unwrap().unique_identifier;
            let added = add(&harness, version, &made, &value(name)).await;
            let expected = if may { Ok(()) } else { Err(refusal) };
            assert_eq!(added, expected, "{version}: {name} to {kind:?}");
            let made = harness.ask(version, request(Some(value(name)))).await.map(|_| ());
            let expected = if may { Ok(()) } else { Err(ResultReason::InvalidField) };
            assert_eq!(made, expected, "{version}: {kind:?} with {name}");
        }
    }
}

/// KMIP 2.1, 6.1.51: Set Attribute gives an object its first instance of an attribute, changes its
/// only one, and is refused where there are more; whether an object may have several or not.
#[tokio::test]
async fn set_attribute_goes_by_the_instances_that_there_are() {
    let set = async |harness: &Harness, object: &str, value: &AttributeValue| {
        let attribute = value.clone().into();
        let request = SetAttributeRequest { unique_identifier: id(object), attribute };
        harness.ask(NEWEST, request).await.map(|_| ())
    };
    for rule in rules().filter(|rule| rule.set == "C" && rule.many == "n") {
        let harness = Harness::new();
        let object = key(&harness, State::PreActive).await;
        let value = value(rule.name);
        assert_eq!(set(&harness, &object, &value).await, Ok(()), "the first {}", rule.name);
        let read_only = Err(ResultReason::AttributeReadOnly);
        let expected = if rule.change == "-" { read_only } else { Ok(()) };
        assert_eq!(set(&harness, &object, &value).await, expected, "the only {}", rule.name);
        let further = match value.clone() {
            AttributeValue::Name(_) => name("further"),
            AttributeValue::ObjectGroup(_) => AttributeValue::ObjectGroup("further".to_owned()),
            _ => continue,
        };
        add(&harness, NEWEST, &object, &further).await.unwrap();
        let refused = set(&harness, &object, &value).await;
        assert_eq!(refused, Err(ResultReason::MultiValuedAttribute), "one of two {}", rule.name);
    }
}
