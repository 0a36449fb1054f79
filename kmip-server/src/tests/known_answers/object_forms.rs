//! Certificates, certificate requests and parts of keys that cannot be what they say are refused
//! where they come in (KMIP 1.4, 2.2.1 and 2.2.5; 2.1, 2.1, 2.2, 2.8 and 13.1).

use kmip::BigInteger;
use kmip::objects::{Certificate, CertificateRequest, SplitKey};
use kmip::payload::CreateSplitKeyRequest;
use kmip::vocabulary::{CertificateRequestType, CertificateType, SplitKeyMethod};

use crate::tests::harness::*;
use crate::tests::known_answers::certificates::{certificate, der, harness, of_request};
use crate::tests::known_answers::key_forms::{bring, rows};
use crate::tests::sessions::guarded_reads::requests;

/// One row a type: the values that can be such a certificate, and such a request.
const CERTIFICATES: &str = "
    X_509    certificate
    PGP      pgp armored
";
const REQUESTS: &str = "
    CRMF     certificate request sequence
    PKCS_10  request
    PEM      pem armored
    PGP      pgp armored
";

#[tokio::test]
async fn certificate_and_request_have_the_form_of_their_type() {
    let (harness, _) = harness();
    let certify = of_request(CertificateRequestType::PKCS_10, der("p-256"));
    let made = harness.ask(NEWEST, certify).await.unwrap().unique_identifier;
    let values: [(&str, Vec<u8>); 7] = [
        ("certificate", certificate(&harness, &made).await),
        ("request", der("p-256")),
        ("sequence", vec![0x30, 0]),
        ("pem", b"text\n-----BEGIN NEW CERTIFICATE REQUEST-----\nAAAA\n".to_vec()),
        ("pgp", vec![0x99, 0, 1, 4]),
        ("armored", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n".to_vec()),
        ("garbage", b"garbage".to_vec()),
    ];
    for (table, known) in
        [(CERTIFICATES, CertificateType::ROWS), (REQUESTS, CertificateRequestType::ROWS)]
    {
        let names: Vec<&str> = rows(table).map(|(name, _)| name).collect();
        let types: Vec<&str> = known.iter().map(|row| row.name).collect();
        assert_eq!(names, types, "a type is not classified");
        for (row, (name, can)) in known.iter().zip(rows(table)) {
            for (what, value) in values.clone() {
                let object = match table == CERTIFICATES {
                    true => Object::Certificate(Certificate {
                        certificate_type: CertificateType(row.value),
                        certificate_value: value,
                    }),
                    false => Object::CertificateRequest(CertificateRequest {
                        certificate_request_type: CertificateRequestType(row.value),
                        certificate_request_value: value,
                    }),
                };
                let kept = bring(&harness, object, vec![]).await;
                let expected = match can.contains(&what) {
                    true => Ok(()),
                    false => Err(ResultReason::InvalidField),
                };
                assert_eq!(kept, [expected, expected], "{what} as {name}");
            }
        }
    }
}

/// One row a prime field: its size, and whether it is one (KMIP 2.1, 13.1).
fn fields() -> Vec<(&'static str, Vec<u8>, bool)> {
    let mersenne = [vec![1], vec![0xFF; 65]].concat();
    let mut even = mersenne.clone();
    even[65] = 0xFE;
    // 3^180, which is as long as a key of 256 bits and more.
    let mut power = vec![1_u8];
    for _ in 0..180 {
        let mut carry = 0_u16;
        for byte in power.iter_mut().rev() {
            let product = u16::from(*byte) * 3 + carry;
            (*byte, carry) = (product.to_le_bytes()[0], product >> 8);
        }
        if carry > 0 {
            power.insert(0, carry.to_le_bytes()[0]);
        }
    }
    vec![
        ("2^521 - 1", mersenne, true),
        ("2^521 - 2", even, false),
        ("3^180", [vec![0], power].concat(), false),
        ("0", vec![0], false),
        ("none", vec![], false),
    ]
}

/// A Prime Field Size that is not a prime is refused by every operation that takes one.
#[tokio::test]
async fn prime_field_has_a_prime() {
    let harness = Harness::new();
    for method in SplitKeyMethod::ROWS.iter().map(|row| SplitKeyMethod(row.value)) {
        let is_over_a_prime = match method {
            SplitKeyMethod::PolynomialSharingPrimeField => true,
            SplitKeyMethod::XOR
            | SplitKeyMethod::PolynomialSharingGF2_8
            | SplitKeyMethod::PolynomialSharingGF2_16 => false,
            other => panic!("{other:?}: has it a prime?"),
        };
        for (what, prime, is_prime) in fields() {
            let expected = match is_prime || !is_over_a_prime {
                true => Ok(()),
                false => Err(ResultReason::InvalidField),
            };
            let prime_field_size = Some(BigInteger(prime));
            let is_whole = method == SplitKeyMethod::XOR;
            let split = CreateSplitKeyRequest {
                split_key_method: method,
                split_key_threshold: if is_whole { 3 } else { 2 },
                prime_field_size: prime_field_size.clone(),
                ..requests::split(None)
            };
            let split = harness.ask(NEWEST, split).await.map(drop);
            assert_eq!(split, expected, "{method:?} {what}");
            let part = SplitKey { method, prime_field_size, ..part() };
            let kept = bring(&harness, Object::SplitKey(part), vec![]).await;
            assert_eq!(kept, [expected, expected], "{method:?} {what}");
        }
        let part = SplitKey { method, prime_field_size: None, ..part() };
        let kept = bring(&harness, Object::SplitKey(part), vec![]).await;
        assert_eq!(kept[0].is_ok(), !is_over_a_prime, "{method:?} without a prime");
        assert_eq!(kept[0], kept[1]);
    }
}

fn part() -> SplitKey {
    SplitKey {
        parts: 3,
        part_identifier: 1,
        threshold: 2,
        method: SplitKeyMethod::XOR,
        polynomial: None,
        prime_field_size: None,
        key_block: KeyBlock::plain(KeyFormatType::Raw, &[7; 32]),
    }
}

/// One row the counts of a part: parts, identifier, threshold, and whether there can be such a one.
#[tokio::test]
async fn part_is_one_of_as_many_as_there_are() {
    let harness = Harness::new();
    for (parts, part_identifier, threshold, can_be) in [
        (3, 1, 2, true),
        (3, 3, 3, true),
        (3, 0, 2, false),
        (3, 4, 2, false),
        (3, -1, 2, false),
        (3, 1, 0, false),
        (3, 1, 4, false),
        (0, 0, 0, false),
    ] {
        let part = SplitKey { parts, part_identifier, threshold, ..part() };
        let kept = bring(&harness, Object::SplitKey(part), vec![]).await;
        let expected = match can_be {
            true => Ok(()),
            false => Err(ResultReason::InvalidField),
        };
        assert_eq!(kept, [expected, expected], "{part_identifier} of {parts}, {threshold}");
    }
}

/// Parts of two keys make none: whichever of the server's, of others' and of both are mixed.
#[tokio::test]
async fn parts_of_two_keys_are_not_joined() {
    let harness = Harness::new();
    let mut splits = Vec::new();
    let key = harness.create(NEWEST, vec![]).await;
    for of in [None, None, Some(key.as_str()), Some(key.as_str())] {
        let split = harness.ask(NEWEST, requests::split(of)).await.unwrap();
        splits.push(split.unique_identifiers);
    }
    let mut own = Vec::new();
    for part_identifier in [1, 2] {
        let mut part =
            SplitKey { part_identifier, method: SplitKeyMethod::PolynomialSharingGF2_8, ..part() };
        part.key_block.cryptographic_algorithm = Some(CryptographicAlgorithm::AES);
        part.key_block.cryptographic_length = Some(256);
        let register = super::key_forms::register(Object::SplitKey(part), vec![]);
        own.push(harness.ask(NEWEST, register).await.unwrap().unique_identifier);
    }
    splits.push(own);
    for (one, first) in splits.iter().enumerate() {
        for (other, second) in splits.iter().enumerate() {
            let parts = [first[0].clone(), second[1].clone()];
            let joined = harness.ask(NEWEST, requests::join(&parts)).await.map(drop);
            let expected = match one == other {
                true => Ok(()),
                false => Err(ResultReason::CryptographicFailure),
            };
            assert_eq!(joined, expected, "{one} with {other}");
        }
    }
}

/// What joins the parts goes with them to another server, and no client can set it.
#[tokio::test]
async fn parts_are_known_as_parts_of_one_key_elsewhere_too() {
    use kmip::payload::{ExportRequest, ImportRequest};
    let (one, two) = (Harness::new(), Harness::new());
    let mut moved = Vec::new();
    for part in [0, 1, 0, 1] {
        if part == 0 {
            let split = one.ask(NEWEST, requests::split(None)).await.unwrap();
            moved.push(split.unique_identifiers);
        }
        let object = &moved.last().unwrap()[part];
        let export = ExportRequest { unique_identifier: id(object), ..ExportRequest::default() };
        let exported = one.ask(NEWEST, export).await.unwrap();
        let import = ImportRequest {
            unique_identifier: object.clone(),
            object_type: Some(exported.object_type),
            replace_existing: None,
            key_wrap_type: None,
            attributes: exported.attributes,
            object: exported.object.unwrap(),
        };
        two.ask(NEWEST, import).await.unwrap();
    }
    let join = |a: &str, b: &str| requests::join(&[a.to_owned(), b.to_owned()]);
    two.ask(NEWEST, join(&moved[0][0], &moved[0][1])).await.unwrap();
    let mixed = two.ask(NEWEST, join(&moved[0][0], &moved[1][1])).await.map(drop);
    assert_eq!(mixed, Err(ResultReason::CryptographicFailure));
    let custom = VendorAttribute {
        vendor: "y".to_owned(),
        ..VendorAttribute::text("Split Identifier", "mine")
    };
    let set = AddAttributeRequest {
        unique_identifier: id(&moved[0][0]),
        attribute: AttributeValue::Vendor(custom).into(),
    };
    let refused = two.ask(NEWEST, set).await.map(drop);
    assert_eq!(refused, Err(ResultReason::AttributeReadOnly));
}
