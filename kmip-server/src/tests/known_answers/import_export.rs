//! Import and Export.

use aws_lc_rs::digest::{self, SHA256};
use kmip::attributes::AllAttributes;
use kmip::payload::{ExportRequest, ExportResponse, ImportRequest};
use kmip::vocabulary::KeyWrapType;

use crate::tests::harness::*;

const V1_4: Version = Version::V1_4;

/// FIPS 197, appendix A.1: the key of the example.
const KEY: [u8; 16] = [
    0x2B, 0x7E, 0x15, 0x16, 0x28, 0xAE, 0xD2, 0xA6, 0xAB, 0xF7, 0x15, 0x88, 0x09, 0xCF, 0x4F, 0x3C,
];

/// When the other server made it.
const LONG_AGO: DateTime = DateTime(1_000_000_000);

fn key() -> Object {
    let mut key_block = KeyBlock::plain(KeyFormatType::Raw, &KEY);
    key_block.cryptographic_algorithm = Some(CryptographicAlgorithm::AES);
    key_block.cryptographic_length = Some(128);
    Object::SymmetricKey(Key { key_block })
}

fn import(id: &str, version: Version, values: Vec<AttributeValue>) -> ImportRequest {
    let mask = AttributeValue::CryptographicUsageMask(CryptographicUsageMask::Encrypt);
    ImportRequest {
        unique_identifier: id.to_owned(),
        object_type: (version >= Version::V2_0).then_some(ObjectType::SymmetricKey),
        replace_existing: None,
        key_wrap_type: None,
        attributes: AllAttributes(values.into_iter().chain([mask]).map(Attribute::from).collect()),
        object: key(),
    }
}

async fn export(harness: &Harness, version: Version, object: &str) -> ExportResponse {
    let request = ExportRequest { unique_identifier: id(object), ..ExportRequest::default() };
    harness.ask(version, request).await.unwrap()
}

fn all(answer: &ExportResponse) -> Vec<AttributeValue> {
    answer.attributes.0.iter().map(|attribute| attribute.value.clone()).collect()
}

/// KMIP 1.4, 4.41: "all attributes MUST be set to the supplied values rather than any server
/// generated values". One row an attribute that only a server sets otherwise.
#[tokio::test]
async fn all_attributes_are_as_they_were_supplied() {
    use AttributeValue as A;
    let supplied = [
        A::InitialDate(LONG_AGO),
        A::LastChangeDate(DateTime(LONG_AGO.0 + 1)),
        A::OriginalCreationDate(DateTime(LONG_AGO.0 - 1)),
        A::ActivationDate(LONG_AGO),
        A::AlwaysSensitive(false),
        A::NeverExtractable(false),
        A::Fresh(false),
        A::LeaseTime(kmip::Interval(60)),
        A::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        A::CryptographicLength(128),
        name("imported"),
        A::Vendor(VendorAttribute { vendor: "y".to_owned(), ..VendorAttribute::text("Rack", "7") }),
    ];
    for version in [V1_4, NEWEST] {
        let harness = Harness::new();
        let answer = harness
            .ask(version, import("other-server/7", version, supplied.to_vec()))
            .await
            .unwrap();
        assert_eq!(answer.unique_identifier, "other-server/7");
        let exported = export(&harness, version, "other-server/7").await;
        let found = all(&exported);
        for value in &supplied {
            assert!(found.contains(value), "{version}: {value:?}");
        }
        assert!(found.contains(&A::State(State::Active)));
        assert_eq!(key_bytes(&exported.object.unwrap()), KEY);
        // And what is in no version's rules: it is an object as any other.
        let located = harness.ask(version, locate(vec![name("imported")])).await.unwrap();
        assert_eq!(located.unique_identifiers, ["other-server/7"]);
    }
}

/// KMIP 1.4, 4.40 and 4.41: what one server exports another one imports, and exports as it was.
#[tokio::test]
async fn what_was_exported_can_be_imported() {
    for version in [V1_4, Version::V2_0, NEWEST] {
        let (one, two) = (Harness::new(), Harness::new());
        let made = one.create(version, vec![name("n")]).await;
        one.ask(version, ActivateRequest { unique_identifier: id(&made) }).await.unwrap();
        one.ask(version, get(&made)).await.unwrap();
        let before = export(&one, version, &made).await;
        let request = ImportRequest {
            unique_identifier: made.clone(),
            object_type: (version >= Version::V2_0).then_some(before.object_type),
            replace_existing: Some(false),
            key_wrap_type: None,
            attributes: before.attributes.clone(),
            object: before.object.clone().unwrap(),
        };
        two.ask(version, request).await.unwrap();
        let after = export(&two, version, &made).await;
        let (mut was, mut is) = (all(&before), all(&after));
        was.retain(|value| {
            let there = is.iter().position(|other| other == value);
            there.map(|at| is.remove(at)).is_none()
        });
        assert!(was.is_empty() && is.is_empty(), "{version}: {was:?} {is:?}");
        assert_eq!(before.object, after.object);
    }
}

/// KMIP 2.1, 4.56 and 4.58: an object's identifiers are what it is found by, and follow from one
/// another; what another server called it is kept as it was supplied.
#[tokio::test]
async fn identifiers_follow_unless_they_were_supplied() {
    use AttributeValue as A;
    let harness = Harness::new();
    let made = harness.create(NEWEST, vec![]).await;
    let (long, supplied) = (A::UniqueIdentifier("theirs".to_owned()), vec![7; 20]);
    let short = A::ShortUniqueIdentifier(supplied);
    let values = vec![long.clone(), short.clone()];
    harness.ask(NEWEST, import("theirs", NEWEST, values)).await.unwrap();
    harness.ask(NEWEST, import("plain", NEWEST, vec![])).await.unwrap();
    let digest = |id: &str| digest::digest(&SHA256, id.as_bytes()).as_ref().to_vec();
    let rows = [
        ("theirs", short),
        ("plain", A::ShortUniqueIdentifier(digest("plain"))),
        (&made, A::ShortUniqueIdentifier(digest(&made))),
    ];
    for (object, short) in rows {
        let found = all(&export(&harness, NEWEST, object).await);
        let long = A::UniqueIdentifier(object.to_owned());
        for value in [long, short] {
            let same = found.iter().filter(|other| other.name() == value.name());
            assert_eq!(same.collect::<Vec<_>>(), [&value], "{object}");
            let located = harness.ask(NEWEST, locate(vec![value])).await.unwrap();
            assert_eq!(located.unique_identifiers, [object]);
        }
    }
    let refused = harness.ask(NEWEST, import("other", NEWEST, vec![long])).await;
    assert_eq!(refused, Err(ResultReason::InvalidAttributeValue));
}

/// An identifier that no request can name is refused: what is kept under it could not be read.
#[tokio::test]
async fn an_identifier_that_cannot_be_asked_for_is_refused() {
    let harness = Harness::new();
    let longest = "i".repeat(128);
    for refused in ["", "\0", "a\0b", "trailing\0", &format!("{longest}i")] {
        let answer = harness.ask(NEWEST, import(refused, NEWEST, vec![])).await;
        assert_eq!(answer, Err(ResultReason::InvalidField), "{refused:?}");
    }
    harness.ask(NEWEST, import(&longest, NEWEST, vec![])).await.unwrap();
    assert_eq!(key_bytes(&harness.ask(NEWEST, get(&longest)).await.unwrap().object), KEY);
}

/// KMIP 1.4, table 365: one row a case of an identifier that is in use.
#[tokio::test]
async fn an_identifier_that_is_in_use() {
    let harness = Harness::new();
    let made = harness.create(NEWEST, vec![name("old")]).await;
    harness.ask(NEWEST, import("chosen", NEWEST, vec![])).await.unwrap();
    for object in [made.as_str(), "chosen"] {
        for replace_existing in [None, Some(false)] {
            let again = ImportRequest { replace_existing, ..import(object, NEWEST, vec![]) };
            let refused = harness.ask(NEWEST, again).await;
            assert_eq!(refused, Err(ResultReason::ObjectAlreadyExists));
        }
        let values = vec![AttributeValue::Description("new".to_owned())];
        let again =
            ImportRequest { replace_existing: Some(true), ..import(object, NEWEST, values) };
        harness.ask(NEWEST, again).await.unwrap();
        let answer = harness.ask(NEWEST, get(object)).await.unwrap();
        assert_eq!(key_bytes(&answer.object), KEY);
    }
    // What was replaced left nothing behind.
    let found = harness.ask(NEWEST, locate(vec![name("old")])).await.unwrap();
    assert!(found.unique_identifiers.is_empty());
    assert_eq!(harness.ask(NEWEST, locate(vec![])).await.unwrap().unique_identifiers.len(), 2);
}

/// KMIP 1.4, 4.41: "Only the object owner or an authorized security officer SHOULD be allowed". An
/// identifier that another client has is as free as any other, so nothing is learned of it, and
/// each keeps its own object.
#[tokio::test]
async fn an_identifier_of_another_client_is_neither_revealed_nor_overwritten() {
    let harness = Harness::new();
    let bob = harness.beside("bob");
    let alices = harness.create(NEWEST, vec![]).await;
    let before = key_bytes(&harness.ask(NEWEST, get(&alices)).await.unwrap().object);
    harness.ask(NEWEST, import("both", NEWEST, vec![])).await.unwrap();
    for object in [alices.as_str(), "both"] {
        assert_eq!(bob.ask(NEWEST, get(object)).await, Err(ResultReason::ObjectNotFound));
        let request = ImportRequest {
            replace_existing: Some(true),
            ..import(object, NEWEST, vec![name(object)])
        };
        let answer = bob.ask(NEWEST, request).await.unwrap();
        assert_eq!(answer.unique_identifier, object);
        assert_eq!(key_bytes(&bob.ask(NEWEST, get(object)).await.unwrap().object), KEY);
        bob.ask(NEWEST, DestroyRequest { unique_identifier: id(object) }).await.unwrap();
        assert_eq!(bob.ask(NEWEST, get(object)).await, Err(ResultReason::ObjectDestroyed));
    }
    let after = key_bytes(&harness.ask(NEWEST, get(&alices)).await.unwrap().object);
    assert_eq!(before, after);
    assert_eq!(key_bytes(&harness.ask(NEWEST, get("both")).await.unwrap().object), KEY);
}

/// One row a case of KMIP 2.1, 4.57: the State that is said, the dates, and the State that follows.
#[tokio::test]
async fn the_state_that_is_said_must_follow_from_the_dates() {
    use AttributeValue as A;
    let far = DateTime(99_000_000_000);
    type Row = (Option<State>, Vec<A>, Result<State, ResultReason>);
    let rows: [Row; 8] = [
        (None, vec![], Ok(State::PreActive)),
        (None, vec![A::DestroyDate(LONG_AGO)], Ok(State::Destroyed)),
        (Some(State::Active), vec![], Ok(State::Active)),
        (
            Some(State::Active),
            vec![A::ActivationDate(far)],
            Err(ResultReason::InvalidAttributeValue),
        ),
        (Some(State::PreActive), vec![A::ActivationDate(LONG_AGO)], Ok(State::Active)),
        (Some(State::Deactivated), vec![A::InitialDate(LONG_AGO)], Ok(State::Deactivated)),
        (Some(State::Compromised), vec![], Ok(State::Compromised)),
        (Some(State::DestroyedCompromised), vec![], Ok(State::DestroyedCompromised)),
    ];
    for (said, mut values, expected) in rows {
        let harness = Harness::new();
        values.extend(said.map(A::State));
        let found = match harness.ask(NEWEST, import("x", NEWEST, values)).await {
            Ok(_) => Ok(state(&harness, "x").await),
            Err(reason) => Err(reason),
        };
        assert_eq!(found, expected, "{said:?}");
    }
}

/// KMIP 1.4, 4.40: "If the Managed Object has been Destroyed then the key material for the
/// specified managed object SHALL not be returned in the response."
#[tokio::test]
async fn of_a_destroyed_object_its_attributes_are_exported() {
    let harness = Harness::new();
    let made = harness.create(NEWEST, vec![name("n")]).await;
    harness.ask(NEWEST, DestroyRequest { unique_identifier: id(&made) }).await.unwrap();
    let exported = export(&harness, NEWEST, &made).await;
    assert_eq!(exported.object, None);
    assert_eq!(exported.object_type, ObjectType::SymmetricKey);
    assert!(all(&exported).contains(&AttributeValue::State(State::Destroyed)));
    assert!(all(&exported).contains(&name("n")));
}

/// One row a refusal: what is wrong, and the reason (KMIP 2.1, tables 219 and 240).
#[tokio::test]
async fn refusals() {
    use AttributeValue as A;
    let harness = Harness::new();
    let good = || import("x", NEWEST, vec![]);
    let with = |values: Vec<A>| import("x", NEWEST, values);
    let digest = kmip::structures::Digest {
        hashing_algorithm: kmip::vocabulary::HashingAlgorithm::SHA_256,
        digest_value: Some(vec![0; 32]),
        key_format_type: Some(KeyFormatType::Raw),
    };
    let rows = [
        (
            "another kind",
            ImportRequest { object_type: Some(ObjectType::SecretData), ..good() },
            ResultReason::InvalidField,
        ),
        ("no identifier", import("", NEWEST, vec![]), ResultReason::InvalidField),
        ("too long", import(&"x".repeat(129), NEWEST, vec![]), ResultReason::InvalidField),
        (
            "a digest of something else",
            with(vec![A::Digest(digest)]),
            ResultReason::InvalidAttributeValue,
        ),
        (
            "another length than the key's",
            with(vec![A::CryptographicLength(256)]),
            ResultReason::InvalidAttributeValue,
        ),
        (
            "two of one",
            with(vec![A::InitialDate(DateTime(1)), A::InitialDate(DateTime(2))]),
            ResultReason::AttributeSingleValued,
        ),
        (
            "dates against the order of life",
            with(vec![A::ActivationDate(DateTime(2)), A::DeactivationDate(DateTime(1))]),
            ResultReason::InvalidField,
        ),
    ];
    for (what, request, reason) in rows {
        assert_eq!(harness.ask(NEWEST, request).await, Err(reason), "{what}");
    }
    let sensitive = with(vec![A::Sensitive(true)]);
    harness
        .ask(NEWEST, ImportRequest { key_wrap_type: Some(KeyWrapType::AsRegistered), ..sensitive })
        .await
        .unwrap();
    let request = ExportRequest { unique_identifier: id("x"), ..ExportRequest::default() };
    assert_eq!(harness.ask(NEWEST, request).await, Err(ResultReason::Sensitive));
    assert_eq!(
        harness.ask(Version::V1_2, ExportRequest::default()).await,
        Err(ResultReason::OperationNotSupported)
    );
}

/// What does not show to a client of 2.x stands all the same, and is not overwritten.
#[tokio::test]
async fn an_identifier_of_a_template_is_not_free() {
    let harness = Harness::new();
    let request = RegisterRequest {
        object_type: ObjectType::Template,
        attributes: Attributes::new([name("t")]),
        object: Object::Template(kmip::objects::Template { attributes: Default::default() }),
        protection_storage_masks: None,
    };
    let template = harness.ask(V1_4, request).await.unwrap().unique_identifier;
    let request =
        ImportRequest { replace_existing: Some(true), ..import(&template, NEWEST, vec![]) };
    assert_eq!(harness.ask(NEWEST, request).await, Err(ResultReason::ObjectAlreadyExists));
    harness.ask(V1_4, get(&template)).await.unwrap();
}

/// What contradicts the object, or itself, is refused: one row an attribute that an Import may
/// bring.
#[tokio::test]
async fn what_an_import_says_must_be_true() {
    use AttributeValue as A;
    use kmip::structures::Digest;
    use kmip::vocabulary::HashingAlgorithm as H;
    let digest = |hashing_algorithm, format, value: &[u8]| {
        A::Digest(Digest {
            hashing_algorithm,
            digest_value: Some(value.to_vec()),
            key_format_type: format,
        })
    };
    let raw = Some(KeyFormatType::Raw);
    let transparent = Some(KeyFormatType::TransparentSymmetricKey);
    let own = digest(H::SHA_256, raw, digest::digest(&SHA256, &KEY).as_ref());
    let refused: Vec<Vec<A>> = vec![
        vec![digest(H::SHA_256, raw, &[0; 32])],
        vec![digest(H::SHA_256, None, &[0; 32])],
        vec![digest(H::SHA_1, raw, &[0; 20])],
        vec![digest(H::SHA_512, raw, &[0; 64])],
        vec![digest(H::SHA_256, transparent, &[0; 32])],
        vec![own.clone(), digest(H::SHA_256, raw, &[1; 32])],
        vec![A::AlwaysSensitive(true), A::Sensitive(false)],
        vec![A::AlwaysSensitive(true)],
        vec![A::NeverExtractable(true), A::Extractable(true)],
        vec![A::NeverExtractable(true)],
        vec![A::InitialDate(LONG_AGO), A::OriginalCreationDate(DateTime(LONG_AGO.0 + 1))],
        vec![A::KeyValuePresent(false)],
        vec![A::CryptographicAlgorithm(CryptographicAlgorithm::RSA)],
        vec![A::CryptographicLength(256)],
        vec![A::ObjectType(ObjectType::SecretData)],
        vec![A::State(State::Active), A::ActivationDate(DateTime(99_000_000_000))],
        vec![A::UniqueIdentifier("another".to_owned())],
    ];
    let taken: Vec<Vec<A>> = vec![
        vec![own],
        vec![A::AlwaysSensitive(false), A::Sensitive(true)],
        vec![A::AlwaysSensitive(true), A::Sensitive(true)],
        vec![A::NeverExtractable(true), A::Extractable(false)],
        vec![A::InitialDate(LONG_AGO), A::OriginalCreationDate(LONG_AGO)],
        vec![A::KeyValuePresent(true)],
        // A digest that this server cannot compute is kept as it is said.
        vec![digest(H::SHA_256, Some(KeyFormatType::PKCS_8), &[0; 32])],
    ];
    let refusal = Err(ResultReason::InvalidAttributeValue);
    for version in [V1_4, Version::V2_0, NEWEST] {
        let older = Err(ResultReason::InvalidField);
        for (rows, expected) in
            [(&refused, if version == V1_4 { older } else { refusal }), (&taken, Ok(()))]
        {
            for (number, values) in rows.iter().enumerate() {
                let id = format!("{expected:?} {number}");
                let found = Harness::new().ask(version, import(&id, version, values.clone())).await;
                assert_eq!(found.map(drop), expected, "{version}: {values:?}");
            }
        }
    }
}

/// What a certificate says of itself is not said otherwise beside it.
#[tokio::test]
async fn attributes_of_an_imported_certificate_are_its_own() {
    use crate::tests::known_answers::certificates::{der, harness, of_request};
    use AttributeValue as A;
    use kmip::vocabulary::{CertificateRequestType, CertificateType};
    let (harness, _) = harness();
    let certify = of_request(CertificateRequestType::PKCS_10, der("p-256"));
    let made = harness.ask(NEWEST, certify).await.unwrap().unique_identifier;
    let exported = export(&harness, NEWEST, &made).await;
    let request = |more: Option<A>| {
        let mut attributes = exported.attributes.clone();
        attributes.0.retain(|a| more.iter().all(|more| !a.value.is_same_attribute(more)));
        attributes.0.extend(more.map(Attribute::from));
        ImportRequest {
            unique_identifier: made.clone(),
            object_type: Some(ObjectType::Certificate),
            replace_existing: Some(true),
            key_wrap_type: None,
            attributes,
            object: exported.object.clone().unwrap(),
        }
    };
    harness.ask(NEWEST, request(None)).await.unwrap();
    for lie in [
        A::CertificateType(CertificateType::PGP),
        A::CertificateLength(7),
        A::CertificateIssuerCN("another".to_owned()),
        A::CryptographicLength(384),
        A::X_509CertificateSubject(kmip::structures::X509CertificateSubject {
            distinguished_name: vec![0x30, 0],
            alternative_names: vec![],
        }),
    ] {
        let refused = harness.ask(NEWEST, request(Some(lie.clone()))).await.map(drop);
        assert_eq!(refused, Err(ResultReason::InvalidAttributeValue), "{lie:?}");
    }
}
