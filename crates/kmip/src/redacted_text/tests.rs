//! What the text of a message shows, and what it hides.

use super::redacted_text;
use crate::vocabulary::{
    CryptographicAlgorithm, KeyFormatType, ObjectType, Operation, ResultReason, ResultStatus, tags,
};
use ttlv::{Tag, Writer};

/// What must never be seen, in every form in which it could be.
const KEY: &[u8] = b"never show these thirty-two byte";

fn message(body: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut w = Writer::default();
    body(&mut w);
    w.into_bytes()
}

fn shown(body: impl FnOnce(&mut Writer)) -> String {
    let text = redacted_text(&message(body)).to_string();
    let hex: String = KEY.iter().map(|byte| format!("{byte:02X}")).collect();
    for secret in ["never show", &hex[..8]] {
        assert!(!text.contains(secret), "{secret} in:\n{text}");
    }
    text
}

fn version(w: &mut Writer, major: i32, minor: i32) {
    w.structure(tags::ProtocolVersion, |w| {
        w.integer(tags::ProtocolVersionMajor, major);
        w.integer(tags::ProtocolVersionMinor, minor);
    });
}

fn authentication(w: &mut Writer) {
    w.structure(tags::Authentication, |w| {
        w.structure(tags::Credential, |w| {
            w.enumeration(tags::CredentialType, 1);
            w.structure(tags::CredentialValue, |w| {
                w.text_string(tags::Username, "array-7");
                w.text_string(tags::Password, "never show");
            });
        });
    });
}

#[test]
fn a_request_of_1_4() {
    let text = shown(|w| {
        w.structure(tags::RequestMessage, |w| {
            w.structure(tags::RequestHeader, |w| {
                version(w, 1, 4);
                authentication(w);
                w.integer(tags::BatchCount, 1);
            });
            w.structure(tags::BatchItem, |w| {
                w.enumeration(tags::Operation, Operation::Create.0);
                w.byte_string(tags::UniqueBatchItemID, b"QLKC\x01");
                w.structure(tags::RequestPayload, |w| {
                    w.enumeration(tags::ObjectType, ObjectType::SymmetricKey.0);
                    w.structure(tags::TemplateAttribute, |w| {
                        attribute(w, "Cryptographic Algorithm", |w| {
                            w.enumeration(tags::AttributeValue, CryptographicAlgorithm::AES.0);
                        });
                        attribute(w, "Cryptographic Usage Mask", |w| {
                            w.integer(tags::AttributeValue, 12);
                        });
                        attribute(w, "Activation Date", |w| {
                            w.date_time(tags::AttributeValue, 1_700_000_000);
                        });
                        attribute(w, "x-Product", |w| {
                            w.text_string(tags::AttributeValue, "\"vCenter\"\n");
                        });
                    });
                });
            });
        });
    });
    assert_eq!(
        text,
        r#"RequestMessage (Structure)
  RequestHeader (Structure)
    ProtocolVersion (Structure)
      ProtocolVersionMajor (Integer): 1
      ProtocolVersionMinor (Integer): 4
    Authentication (Structure)
      Credential (Structure)
        CredentialType (Enumeration): UsernameAndPassword
        CredentialValue (Structure)
          Username (TextString): "array-7"
          Password (TextString): <hidden, 10 bytes>
    BatchCount (Integer): 1
  BatchItem (Structure)
    Operation (Enumeration): Create
    UniqueBatchItemID (ByteString): 0x514C4B4301
    RequestPayload (Structure)
      ObjectType (Enumeration): SymmetricKey
      TemplateAttribute (Structure)
        Attribute (Structure)
          AttributeName (TextString): "Cryptographic Algorithm"
          AttributeValue (Enumeration): AES
        Attribute (Structure)
          AttributeName (TextString): "Cryptographic Usage Mask"
          AttributeValue (Integer): Encrypt Decrypt
        Attribute (Structure)
          AttributeName (TextString): "Activation Date"
          AttributeValue (DateTime): 2023-11-14T22:13:20Z
        Attribute (Structure)
          AttributeName (TextString): "x-Product"
          AttributeValue (TextString): "\"vCenter\"\n"
"#
    );
}

fn attribute(w: &mut Writer, name: &str, value: impl FnOnce(&mut Writer)) {
    w.structure(tags::Attribute, |w| {
        w.text_string(tags::AttributeName, name);
        value(w);
    });
}

#[test]
fn an_answer_of_2_1_with_a_key() {
    let text = shown(|w| {
        w.structure(tags::ResponseMessage, |w| {
            w.structure(tags::ResponseHeader, |w| {
                version(w, 2, 1);
                w.date_time_extended(tags::TimeStamp, 1_700_000_000_000_001);
                w.integer(tags::BatchCount, 2);
            });
            w.structure(tags::BatchItem, |w| {
                w.enumeration(tags::Operation, Operation::Get.0);
                w.enumeration(tags::ResultStatus, ResultStatus::Success.0);
                w.structure(tags::ResponsePayload, |w| {
                    w.structure(tags::SymmetricKey, |w| {
                        w.structure(tags::KeyBlock, |w| {
                            w.enumeration(tags::KeyFormatType, KeyFormatType::Raw.0);
                            w.structure(tags::KeyValue, |w| w.byte_string(tags::KeyMaterial, KEY));
                        });
                    });
                });
            });
            w.structure(tags::BatchItem, |w| {
                w.enumeration(tags::Operation, 0x8000_0001);
                w.enumeration(tags::ResultStatus, ResultStatus::OperationFailed.0);
                w.enumeration(tags::ResultReason, ResultReason::PermissionDenied.0);
                w.text_string(tags::ResultMessage, "no");
                w.structure(Tag(0x54_0001), |w| w.text_string(tags::Comment, "never show"));
            });
        });
    });
    assert_eq!(
        text,
        r#"ResponseMessage (Structure)
  ResponseHeader (Structure)
    ProtocolVersion (Structure)
      ProtocolVersionMajor (Integer): 2
      ProtocolVersionMinor (Integer): 1
    TimeStamp (DateTimeExtended): 2023-11-14T22:13:20.000001Z
    BatchCount (Integer): 2
  BatchItem (Structure)
    Operation (Enumeration): Get
    ResultStatus (Enumeration): Success
    ResponsePayload (Structure)
      SymmetricKey (Structure)
        KeyBlock (Structure)
          KeyFormatType (Enumeration): Raw
          KeyValue (Structure)
            KeyMaterial (ByteString): <hidden, 32 bytes>
  BatchItem (Structure)
    Operation (Enumeration): 0x80000001
    ResultStatus (Enumeration): OperationFailed
    ResultReason (Enumeration): PermissionDenied
    ResultMessage (TextString): "no"
    0x540001 (Structure): <hidden, 24 bytes>
"#
    );
}

#[test]
fn of_a_transparent_key_nothing_is_shown() {
    let text = shown(|w| {
        w.structure(tags::KeyMaterial, |w| {
            w.big_integer(tags::Modulus, &[0x0C, 0xA1]);
            w.big_integer(tags::PrivateExponent, KEY);
            w.text_string(tags::Comment, "never show");
        });
        w.byte_string(tags::KeyValue, KEY);
        w.big_integer(tags::Modulus, KEY);
        w.structure(tags::Data, |w| w.byte_string(tags::Comment, KEY));
        attribute(w, "x-Key", |w| w.byte_string(tags::AttributeValue, KEY));
    });
    assert_eq!(
        text,
        r#"KeyMaterial (Structure): <hidden, 80 bytes>
KeyValue (ByteString): <hidden, 32 bytes>
Modulus (BigInteger): <hidden, 32 bytes>
Data (Structure): <hidden, 40 bytes>
Attribute (Structure)
  AttributeName (TextString): "x-Key"
  AttributeValue (ByteString): <hidden, 32 bytes>
"#
    );
}

#[test]
fn a_vendors_attribute_of_a_known_name_is_not_the_standards() {
    let text = shown(|w| {
        w.structure(tags::Attribute, |w| {
            w.text_string(tags::VendorIdentification, "acme");
            w.text_string(tags::AttributeName, "State");
            w.enumeration(tags::AttributeValue, 2);
        });
        attribute(w, "State", |w| w.enumeration(tags::AttributeValue, 2));
    });
    let values: Vec<&str> = text.lines().filter(|line| line.contains("Value")).collect();
    let expected =
        ["  AttributeValue (Enumeration): 0x00000002", "  AttributeValue (Enumeration): Active"];
    assert_eq!(values, expected);
}

#[test]
fn every_type_has_its_form() {
    let text = shown(|w| {
        w.long_integer(tags::UsageLimitsTotal, -1);
        w.boolean(tags::Fresh, true);
        w.interval(tags::LeaseTime, 3600);
        w.date_time(tags::TimeStamp, i64::MAX);
        w.integer(tags::CryptographicUsageMask, 0x4000_0001);
        w.enumeration(tags::Operation, 4);
        w.byte_string(tags::CertificateValue, &[0xAB; 80]);
        w.text_string(tags::Comment, &"x".repeat(300));
        w.text_string(tags::Comment, "");
    });
    let bytes = "AB".repeat(64);
    let characters = "x".repeat(256);
    assert_eq!(
        text,
        format!(
            r#"UsageLimitsTotal (LongInteger): -1
Fresh (Boolean): true
LeaseTime (Interval): 3600 s
TimeStamp (DateTime): 292277026596-12-04T15:30:07Z
CryptographicUsageMask (Integer): Sign 0x40000000
Operation (Enumeration): ReKey
CertificateValue (ByteString): 0x{bytes}... (80 bytes)
Comment (TextString): "{characters}"... (300 bytes)
Comment (TextString): ""
"#
        )
    );
}

#[test]
fn a_name_is_spelt_as_the_message_s_version_spells_it() {
    for (minor, name) in [((1, 4), "SHA_3_256"), ((2, 0), "SHA3_256")] {
        let text = shown(|w| {
            version(w, minor.0, minor.1);
            w.enumeration(tags::HashingAlgorithm, 0x0F);
        });
        assert!(text.ends_with(&format!("HashingAlgorithm (Enumeration): {name}\n")), "{text}");
    }
}

/// Hex with bars, and the last line of the text.
const MALFORMED: &[(&str, &str)] = &[
    ("", ""),
    ("42 00 78", "! stopped at byte 0: these bytes are no item"),
    ("16 03 01 02 00 01 00 01 | FC", "! stopped at byte 0: these bytes are no item"),
    (
        "420078 01 00000018 | 42000D 02 00000004 00000001 00000000",
        "! stopped at byte 24: the bytes end before the structure does",
    ),
    (
        "420078 01 00000010 | 42000D 02 00000005 00000001 00000000",
        "  ! stopped at byte 8: 5 bytes are no length of Integer",
    ),
    (
        "420078 01 00000010 | 42000D 0F 00000004 00000001 00000000",
        "  ! stopped at byte 8: there is no type 0x0F",
    ),
    ("42000D 02 00000004 00000001 00000001", "! stopped at byte 0: a padding byte is not zero"),
    ("420053 07 00000001 FF 00000000000000", "Name (TextString): <no text: hidden, 1 bytes>"),
    (
        "420043 08 FFFFFFF0 | 6E65766572 2073686F77",
        "! stopped at byte 0: the bytes end before the item does",
    ),
];

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap()).collect()
}

#[test]
fn what_could_be_read_is_shown_and_why_no_more() {
    for (hex, last) in MALFORMED {
        let text = redacted_text(&bytes(hex)).to_string();
        assert_eq!(text.lines().last().unwrap_or_default(), *last, "{text}");
        assert!(!text.contains("6E65"), "{text}");
    }
}

#[test]
fn bytes_that_slipped_out_of_a_key_are_not_taken_for_a_tag() {
    let mut bytes = message(|w| {
        w.structure(tags::KeyValue, |w| w.byte_string(tags::KeyMaterial, KEY));
    });
    bytes[15] = 8;
    assert_eq!(
        redacted_text(&bytes).to_string(),
        "KeyValue (Structure)\n  KeyMaterial (ByteString): <hidden, 8 bytes>\n  \
         ! stopped at byte 24: these bytes are no item\n"
    );
}

#[test]
fn bytes_that_look_like_a_vendors_tag_are_not_spelt_out() {
    for key in ["54ABCDEF12345678", "42ABCDEF12345678", "54ABCD0112345678", "54ABCD0200000005"] {
        let hex = format!("420045 01 00000018 420043 08 00000000 {key}");
        let text = redacted_text(&bytes(&hex)).to_string();
        assert!(!text.contains("ABCD") && text.contains("! stopped at byte 16"), "{text}");
    }
}

/// A Key Block that came as a Text String was shown as the bytes of that, and so was its key.
#[test]
fn a_key_in_a_structure_that_says_it_is_text_is_not_shown() {
    for key in [KEY, &[0xFE; 32]] {
        let mut bytes = message(|w| {
            w.structure(tags::KeyBlock, |w| {
                w.structure(tags::KeyValue, |w| w.byte_string(tags::KeyMaterial, key));
            });
        });
        bytes[3] = 7;
        let text = redacted_text(&bytes).to_string();
        assert_eq!(text, "KeyBlock (TextString): <no text: hidden, 48 bytes>\n");
    }
}

#[test]
fn every_cut_of_a_message_has_a_text() {
    let whole = message(|w| {
        w.structure(tags::RequestMessage, |w| {
            version(w, 1, 2);
            w.structure(tags::KeyValue, |w| w.byte_string(tags::KeyMaterial, KEY));
            w.text_string(tags::NameValue, "a name");
        });
    });
    for end in 0..whole.len() {
        let text = redacted_text(&whole[..end]).to_string();
        assert!(end == 0 || text.contains("! stopped at byte"), "{end}:\n{text}");
        assert!(!text.contains("6E657665"), "{end}:\n{text}");
    }
}

#[test]
fn depth_and_length_have_a_limit() {
    let mut deep = Vec::new();
    for level in (0..100_u32).rev() {
        deep.extend([0x42, 0x00, 0x08, 0x01]);
        deep.extend((level * 8).to_be_bytes());
    }
    let text_of_deep = redacted_text(&deep).to_string();
    let last = text_of_deep.lines().last().unwrap();
    assert!(
        last.ends_with("! stopped at byte 264: structures are nested deeper than 32"),
        "{last}"
    );

    let long =
        redacted_text(&message(|w| (0..5000).for_each(|i| w.integer(tags::Offset, i)))).to_string();
    let last = long.lines().last().unwrap();
    assert_eq!(last, "! stopped at byte 65536: only so many items are shown");
}

/// One row a payload of 1.2 to 2.1 that carries a secret.
#[test]
fn what_cryptographic_and_login_operations_carry_is_not_shown() {
    use crate::payload::*;
    use crate::vocabulary::{DerivationMethod, PKCS_11Function, TicketType};
    use crate::{Encode, InputData, SecretBytes, Version};

    let secret = || SecretBytes::new(KEY);
    let ticket = || Ticket { ticket_type: TicketType::Login, ticket_value: secret() };
    let input = Some(InputData::from(KEY));
    let derivation = DerivationParameters {
        derivation_data: vec![secret(), secret()],
        salt: Some(secret()),
        ..DerivationParameters::default()
    };
    let requests: Vec<RequestPayload> = vec![
        EncryptRequest {
            data: input.clone(),
            authenticated_encryption_additional_data: Some(secret()),
            ..EncryptRequest::default()
        }
        .into(),
        SignRequest { digested_data: Some(secret()), data: input, ..SignRequest::default() }.into(),
        DeriveKeyRequest {
            object_type: ObjectType::SecretData,
            unique_identifiers: Vec::new(),
            derivation_method: DerivationMethod::PBKDF2,
            derivation_parameters: Box::new(derivation),
            attributes: crate::attributes::Attributes::default(),
        }
        .into(),
        RNGSeedRequest { data: InputData::from(KEY) }.into(),
        LogoutRequest { ticket: ticket() }.into(),
        PKCS11Request {
            interface: None,
            function: PKCS11Call::Standard(PKCS_11Function::C_Login),
            correlation_value: None,
            input_parameters: Some(secret()),
        }
        .into(),
    ];
    for request in requests {
        let debug = format!("{request:?}");
        assert!(!debug.contains("110, 101, 118, 101, 114"), "{debug}");
        let text = shown(|w| request.encode(tags::RequestPayload, w, Version::V2_1));
        assert!(text.contains("<hidden, 32 bytes>"), "{text}");
    }
    let ticket = LoginResponse { ticket: ticket() };
    shown(|w| ticket.encode(tags::ResponsePayload, w, Version::V2_1));
    let random = RNGRetrieveResponse { data: secret() };
    shown(|w| random.encode(tags::ResponsePayload, w, Version::V2_1));
}
