//! Keys in keys: Get and Export of a wrapped key, Register and Import of one, and opening it.

use kmip::objects::{KeyWrappingData, SecretData, WrappingKeyInformation};
use kmip::payload::{ImportRequest, KeyWrappingSpecification};
use kmip::structures::CryptographicParameters;
use kmip::vocabulary::{
    BlockCipherMode, EncodingOption, KeyWrapType, SecretDataType, WrappingMethod,
};

use crate::tests::harness::*;
use crate::tests::known_answers::served::register;
use crate::tests::known_answers::table::{bytes, rows};

const V1_4: Version = Version::V1_4;

/// Registers a secret of any length.
async fn secret(harness: &Harness, data: &[u8], more: Vec<AttributeValue>) -> String {
    let mask = AttributeValue::CryptographicUsageMask(CryptographicUsageMask(0));
    let request = RegisterRequest {
        object_type: ObjectType::SecretData,
        attributes: Attributes::new([mask].into_iter().chain(more)),
        object: Object::SecretData(SecretData {
            secret_data_type: SecretDataType::Password,
            key_block: KeyBlock::plain(KeyFormatType::Raw, data),
        }),
        protection_storage_masks: None,
    };
    harness.ask(V1_4, request).await.unwrap().unique_identifier
}

fn information(key: &str, mode: Option<BlockCipherMode>) -> Option<WrappingKeyInformation> {
    Some(WrappingKeyInformation {
        unique_identifier: key.to_owned(),
        cryptographic_parameters: mode.map(|mode| CryptographicParameters {
            block_cipher_mode: Some(mode),
            ..CryptographicParameters::default()
        }),
    })
}

fn wrapped_by(
    object: &str,
    wrapping_method: WrappingMethod,
    encrypts: Option<WrappingKeyInformation>,
    signs: Option<WrappingKeyInformation>,
    encoding_option: Option<EncodingOption>,
) -> GetRequest {
    GetRequest {
        key_wrapping_specification: Some(Box::new(KeyWrappingSpecification {
            wrapping_method,
            encryption_key_information: encrypts,
            mac_signature_key_information: signs,
            attribute_names: Vec::new(),
            encoding_option,
        })),
        ..get(object)
    }
}

/// The wrapped bytes, and what the key block says of them.
fn wrapped(object: &Object) -> (Vec<u8>, KeyWrappingData) {
    let block = object.key_block().unwrap();
    let bytes = match block.key_value.as_ref().unwrap() {
        KeyValue::Wrapped(bytes) => bytes,
        KeyValue::Plain { material: KeyMaterial::Bytes(bytes), .. } => bytes,
        KeyValue::Plain { .. } => panic!("a transparent key"),
    };
    (bytes.as_bytes().to_vec(), *block.key_wrapping_data.clone().unwrap())
}

/// Every key wrap of `ciphers.txt`, as a message: with no encoding the answer is the standard's.
#[tokio::test]
async fn what_others_have_wrapped() {
    let harness = Harness::new();
    let mut count = 0;
    for row in rows(include_str!("ciphers.txt")) {
        let mode = row.named(1, BlockCipherMode::from_name);
        if !matches!(mode, Some(BlockCipherMode::NISTKeyWrap | BlockCipherMode::AESKeyWrapPadding))
        {
            continue;
        }
        count += 1;
        let aes = CryptographicAlgorithm::AES;
        let wrapping = register(&harness, aes, &row.bytes(2), vec![]).await;
        let key = secret(&harness, &row.bytes(5), vec![]).await;
        let no_encoding = Some(EncodingOption::NoEncoding);
        let with = information(&wrapping, mode);
        let request = wrapped_by(&key, WrappingMethod::Encrypt, with, None, no_encoding);
        let object = harness.ask(V1_4, request).await.unwrap().object;
        let (bytes, data) = wrapped(&object);
        assert_eq!(bytes, row.bytes(6), "{}", row.source);
        assert_eq!(data.encoding_option, no_encoding);
        // Kept as it is registered, and opened when that is asked for.
        let request = RegisterRequest {
            object_type: ObjectType::SecretData,
            attributes: Attributes::new([]),
            object,
            protection_storage_masks: None,
        };
        let kept = harness.ask(Version::V2_1, request).await.unwrap().unique_identifier;
        let as_registered = harness.ask(V1_4, get(&kept)).await.unwrap().object;
        assert_eq!(wrapped(&as_registered).0, row.bytes(6), "{}", row.source);
        let request = GetRequest { key_wrap_type: Some(KeyWrapType::NotWrapped), ..get(&kept) };
        let opened = harness.ask(V1_4, request).await.unwrap().object;
        assert_eq!(key_bytes(&opened), row.bytes(5), "{}", row.source);
    }
    assert!(count > 15);
}

/// VAST asks for a wrapped key and names no mode: it is RFC 3394's, and the answer says so. With no
/// Encoding Option the whole Key Value is wrapped as it is encoded (1.4, 2.1.6).
#[tokio::test]
async fn no_mode_is_rfc_3394_and_no_encoding_option_is_ttlv() {
    let harness = Harness::new();
    let source = "RFC 3394, 4.1";
    let wrapping_key = bytes("000102030405060708090a0b0c0d0e0f", source);
    let key = bytes("00112233445566778899aabbccddeeff", source);
    let aes = CryptographicAlgorithm::AES;
    let wrapping = register(&harness, aes, &wrapping_key, vec![]).await;
    let id = register(&harness, aes, &key, vec![]).await;
    let bare = Some(EncodingOption::NoEncoding);
    let request =
        wrapped_by(&id, WrappingMethod::Encrypt, information(&wrapping, None), None, bare);
    let (found, data) = wrapped(&harness.ask(V1_4, request).await.unwrap().object);
    assert_eq!(found, bytes("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5", source));
    let used = data.encryption_key_information.unwrap().cryptographic_parameters.unwrap();
    assert_eq!(used.block_cipher_mode, Some(BlockCipherMode::NISTKeyWrap));

    let request =
        wrapped_by(&id, WrappingMethod::Encrypt, information(&wrapping, None), None, None);
    let object = harness.ask(V1_4, request).await.unwrap().object;
    assert!(matches!(object.key_block().unwrap().key_value, Some(KeyValue::Wrapped(_))));
    // Key Value, Key Material: two heads of 8 bytes and the key, and 8 bytes more that prove it.
    assert_eq!(wrapped(&object).0.len(), 8 + 8 + 16 + 8);
    let request = ImportRequest {
        unique_identifier: "imported-and-opened".to_owned(),
        object_type: None,
        replace_existing: None,
        key_wrap_type: Some(KeyWrapType::NotWrapped),
        attributes: Default::default(),
        object,
    };
    let imported = harness.ask(V1_4, request).await.unwrap().unique_identifier;
    let opened = harness.ask(V1_4, get(&imported)).await.unwrap().object;
    assert_eq!(key_bytes(&opened), key);
}

/// One row a way: method, and the mode that encrypts. Each is opened again, and refused when a bit
/// of it is changed.
#[tokio::test]
async fn every_method_opens_again() {
    use BlockCipherMode as M;
    use WrappingMethod as W;
    let harness = Harness::new();
    let aes = CryptographicAlgorithm::AES;
    let wrapping = register(&harness, aes, &[1; 32], vec![]).await;
    let signing = register(&harness, CryptographicAlgorithm::HMAC_SHA256, &[2; 32], vec![]).await;
    let key = register(&harness, aes, &[3; 32], vec![]).await;
    let modes = [None, Some(M::CBC), Some(M::CTR), Some(M::ECB), Some(M::AESKeyWrapPadding)];
    for method in [W::Encrypt, W::MACSign, W::EncryptThenMACSign, W::MACSignThenEncrypt] {
        for mode in modes {
            for encoding in [None, Some(EncodingOption::NoEncoding)] {
                let signs = information(&signing, None);
                let with = information(&wrapping, mode);
                let request = wrapped_by(&key, method, with, signs, encoding);
                let object = harness.ask(V1_4, request).await.unwrap().object;
                let opened = open(&harness, object.clone()).await.unwrap();
                assert_eq!(opened, [3; 32], "{method:?} {mode:?} {encoding:?}");
                let is_proved = method != W::Encrypt || mode.is_none();
                if is_proved {
                    let changed = open(&harness, changed(object)).await;
                    let failed = Err(ResultReason::CryptographicFailure);
                    assert_eq!(changed, failed, "{method:?} {mode:?} {encoding:?}");
                }
            }
        }
    }
}

/// Registers a wrapped key and asks for it opened.
async fn open(harness: &Harness, object: Object) -> Result<Vec<u8>, ResultReason> {
    let request = RegisterRequest {
        object_type: ObjectType::SymmetricKey,
        attributes: Attributes::new([]),
        object,
        protection_storage_masks: None,
    };
    let kept = harness.ask(Version::V2_1, request).await?.unique_identifier;
    let request = GetRequest { key_wrap_type: Some(KeyWrapType::NotWrapped), ..get(&kept) };
    harness.ask(V1_4, request).await.map(|answer| key_bytes(&answer.object))
}

/// The same with its last bit changed: of the code, or else of what is wrapped.
fn changed(mut object: Object) -> Object {
    let block = object.key_block_mut().unwrap();
    let data = block.key_wrapping_data.as_mut().unwrap();
    if let Some(code) = &mut data.mac_signature {
        *code.last_mut().unwrap() ^= 1;
        return object;
    }
    let flip = |bytes: &SecretBytes| {
        let mut bytes = bytes.as_bytes().to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        SecretBytes::new(&bytes)
    };
    match block.key_value.as_mut().unwrap() {
        KeyValue::Wrapped(bytes) => *bytes = flip(bytes),
        KeyValue::Plain { material: KeyMaterial::Bytes(bytes), .. } => *bytes = flip(bytes),
        KeyValue::Plain { .. } => panic!("a transparent key"),
    }
    object
}

/// One row a wrap that is refused: what is asked, and the reason in 2.1 and in 1.4.
#[tokio::test]
async fn what_is_not_wrapped() {
    use ResultReason as R;
    use WrappingMethod as W;
    let harness = Harness::new();
    let aes = CryptographicAlgorithm::AES;
    let good = register(&harness, aes, &[1; 16], vec![]).await;
    let key = register(&harness, aes, &[2; 16], vec![]).await;
    let closed = register(&harness, aes, &[2; 16], vec![AttributeValue::Extractable(false)]).await;
    let sensitive = register(&harness, aes, &[2; 16], vec![AttributeValue::Sensitive(true)]).await;
    let weak = harness.create(V1_4, vec![AttributeValue::ActivationDate(DateTime(0))]).await;
    let early = harness
        .ask(
            V1_4,
            create_with([
                AttributeValue::CryptographicAlgorithm(aes),
                AttributeValue::CryptographicUsageMask(CryptographicUsageMask::WrapKey),
            ]),
        )
        .await
        .unwrap()
        .unique_identifier;
    let encrypt =
        |object: &str, by: &str| wrapped_by(object, W::Encrypt, information(by, None), None, None);
    let gcm =
        wrapped_by(&key, W::Encrypt, information(&good, Some(BlockCipherMode::GCM)), None, None);
    let mut named = encrypt(&key, &good);
    let specification = named.key_wrapping_specification.as_mut().unwrap();
    specification.encoding_option = Some(EncodingOption::NoEncoding);
    specification.attribute_names = vec!["State".to_owned()];
    let tr_31 = wrapped_by(&key, W::TR_31, information(&good, None), None, None);
    let bare = wrapped_by(&sensitive, W::MACSign, None, information(&good, None), None);
    let rows = [
        ("no such key", encrypt(&key, "absent"), R::WrappingObjectNotFound, R::ItemNotFound),
        (
            "no mask",
            encrypt(&key, &weak),
            R::IncompatibleCryptographicUsageMask,
            R::PermissionDenied,
        ),
        ("not active", encrypt(&key, &early), R::WrongKeyLifecycleState, R::PermissionDenied),
        ("not extractable", encrypt(&closed, &good), R::NotExtractable, R::NotExtractable),
        ("no field for a tag", gcm, R::UnsupportedCryptographicParameters, R::InvalidField),
        ("attributes without encoding", named, R::EncodingOptionError, R::EncodingOptionError),
        ("TR-31", tr_31, R::FeatureNotSupported, R::FeatureNotSupported),
        ("a code hides nothing", bare, R::Sensitive, R::Sensitive),
    ];
    for (what, request, newest, older) in rows {
        assert_eq!(harness.ask(NEWEST, request.clone()).await.err(), Some(newest), "{what}");
        assert_eq!(harness.ask(V1_4, request).await.err(), Some(older), "{what}");
    }
    harness.ask(V1_4, encrypt(&sensitive, &good)).await.unwrap();
}
