//! Sample objects of every type, and a response to Query.

use kmip::attributes::AttributeList;
use kmip::objects::*;
use kmip::payload::{
    CapabilityInformation, ExtensionInformation, ExtensionType, KeyWrappingSpecification,
    ProfileInformation, ProfileVersion, QueryResponse, RemainingItems, ServerInformation,
    ValidationInformation,
};
use kmip::vocabulary::*;
use kmip::{BigInteger, SecretBytes};
use ttlv::Raw;

use super::attributes::{cryptographic_parameters, rng_parameters};

pub(crate) fn masks() -> ProtectionStorageMasks {
    ProtectionStorageMasks { masks: vec![ProtectionStorageMask::Software] }
}

fn wrapping_key() -> WrappingKeyInformation {
    WrappingKeyInformation {
        unique_identifier: "w".to_owned(),
        cryptographic_parameters: Some(cryptographic_parameters()),
    }
}

pub(crate) fn wrapping_specification() -> KeyWrappingSpecification {
    KeyWrappingSpecification {
        wrapping_method: WrappingMethod::Encrypt,
        encryption_key_information: Some(wrapping_key()),
        mac_signature_key_information: Some(wrapping_key()),
        attribute_names: vec!["Name".to_owned()],
        encoding_option: Some(EncodingOption::NoEncoding),
    }
}

fn key_block() -> KeyBlock {
    KeyBlock {
        key_format_type: KeyFormatType::Raw,
        key_compression_type: Some(KeyCompressionType::ECPublicKeyTypeUncompressed),
        key_value: Some(KeyValue::Plain {
            material: KeyMaterial::Bytes(SecretBytes::new(&[7; 16])),
            attributes: AttributeList(super::all_attributes().attributes),
        }),
        cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
        cryptographic_length: Some(128),
        key_wrapping_data: Some(Box::new(KeyWrappingData {
            wrapping_method: WrappingMethod::Encrypt,
            encryption_key_information: Some(wrapping_key()),
            mac_signature_key_information: Some(wrapping_key()),
            mac_signature: Some(vec![1]),
            iv_counter_nonce: Some(vec![2]),
            encoding_option: Some(EncodingOption::NoEncoding),
        })),
    }
}

pub(crate) fn certificate() -> Certificate {
    Certificate { certificate_type: CertificateType::X_509, certificate_value: vec![1] }
}

/// A symmetric key in which nothing is left out.
pub(crate) fn object() -> Object {
    Object::SymmetricKey(Key { key_block: key_block() })
}

fn with(key_value: KeyValue) -> KeyBlock {
    KeyBlock { key_value: Some(key_value), ..key_block() }
}

/// Objects of the kinds that every version has, and the forms of a key.
pub(crate) fn objects() -> Vec<Object> {
    let numbers = Raw::build(|w| {
        w.structure(tags::KeyMaterial, |w| w.big_integer(tags::Modulus, &[1; 8]));
    });
    let transparent = KeyValue::Plain {
        material: KeyMaterial::Transparent(numbers),
        attributes: AttributeList::default(),
    };
    vec![
        Object::Certificate(certificate()),
        Object::OpaqueObject(OpaqueObject {
            opaque_data_type: OpaqueDataType(0x8000_0001),
            opaque_data_value: SecretBytes::new(&[1]),
        }),
        Object::PrivateKey(Key { key_block: with(transparent) }),
        Object::PublicKey(Key { key_block: with(KeyValue::Wrapped(SecretBytes::new(&[5; 24]))) }),
        Object::SecretData(SecretData {
            secret_data_type: SecretDataType::Password,
            key_block: key_block(),
        }),
        Object::SplitKey(SplitKey {
            parts: 3,
            part_identifier: 1,
            threshold: 2,
            method: SplitKeyMethod::XOR,
            polynomial: Some(SplitKeyPolynomial(1)),
            prime_field_size: Some(BigInteger(vec![1; 8])),
            key_block: key_block(),
        }),
    ]
}

pub(crate) fn query_response() -> QueryResponse {
    let some = |text: &str| Some(text.to_owned());
    QueryResponse {
        operations: vec![Operation::Create],
        object_types: vec![ObjectType::SymmetricKey],
        vendor_identification: some("v"),
        server_information: Some(Box::new(ServerInformation {
            server_name: some("n"),
            server_serial_number: some("s"),
            server_version: some("v"),
            server_load: some("l"),
            product_name: some("p"),
            build_level: some("b"),
            build_date: some("d"),
            cluster_info: some("c"),
            alternative_failover_endpoints: vec!["e".to_owned()],
            vendor_specific: RemainingItems::default(),
        })),
        application_namespaces: vec!["ns".to_owned()],
        extension_information: vec![ExtensionInformation {
            name: "e".to_owned(),
            tag: Some(0x54_0001),
            item_type: Some(ExtensionType(ItemType::ByteString)),
            enumeration: Some(1),
            is_attribute: Some(true),
            parent_structure_tag: Some(0x54_0002),
            description: some("d"),
        }],
        attestation_types: vec![AttestationType::TPMQuote],
        rng_parameters: vec![rng_parameters()],
        profile_information: vec![ProfileInformation {
            profile_name: ProfileName(1),
            profile_version: Some(ProfileVersion { major: 2, minor: 1 }),
            server_uri: some("u"),
            server_port: Some(5696),
        }],
        validation_information: vec![ValidationInformation {
            authority_type: ValidationAuthorityType::NISTCMVP,
            authority_country: some("US"),
            authority_uri: some("u"),
            version_major: 1,
            version_minor: Some(2),
            validation_type: ValidationType::Hardware,
            level: 3,
            certificate_identifier: some("i"),
            certificate_uri: some("u"),
            vendor_uri: some("v"),
            profiles: vec!["p".to_owned(), "q".to_owned()],
        }],
        capability_information: vec![CapabilityInformation {
            streaming_capability: Some(true),
            asynchronous_capability: Some(true),
            attestation_capability: Some(true),
            batch_undo_capability: Some(true),
            batch_continue_capability: Some(true),
            unwrap_mode: Some(UnwrapMode::Processed),
            destroy_action: Some(DestroyAction::Shredded),
            shredding_algorithm: Some(ShreddingAlgorithm::Cryptographic),
            rng_mode: Some(RNGMode::SharedInstantiation),
            quantum_safe_capability: Some(true),
        }],
        client_registration_methods: vec![ClientRegistrationMethod::Unspecified],
        defaults_information: Some(super::administration::defaults()),
        protection_storage_masks: Some(masks()),
    }
}
