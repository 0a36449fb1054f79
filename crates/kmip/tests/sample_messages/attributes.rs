//! Sample of every attribute of the table.

use kmip::Identifier;
use kmip::attributes::{ATTRIBUTES, AttributeRow, AttributeValue};
use kmip::structures::*;
use kmip::vocabulary::*;
use ttlv::{Reader, Type, Writer};

pub(crate) fn cryptographic_parameters() -> CryptographicParameters {
    CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::CBC),
        padding_method: Some(PaddingMethod::PKCS5),
        hashing_algorithm: Some(HashingAlgorithm::SHA_256),
        key_role_type: Some(KeyRoleType(1)),
        digital_signature_algorithm: Some(DigitalSignatureAlgorithm(3)),
        cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
        random_iv: Some(true),
        iv_length: Some(1),
        tag_length: Some(2),
        fixed_field_length: Some(3),
        invocation_field_length: Some(4),
        counter_length: Some(5),
        initial_counter_value: Some(6),
        salt_length: Some(7),
        mask_generator: Some(MaskGenerator::MGF1),
        mask_generator_hashing_algorithm: Some(HashingAlgorithm::SHA_256),
        p_source: Some(vec![1]),
        trailer_field: Some(8),
    }
}

pub(crate) fn rng_parameters() -> RNGParameters {
    RNGParameters {
        rng_algorithm: RNGAlgorithm::DRBG,
        cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
        cryptographic_length: Some(256),
        hashing_algorithm: Some(HashingAlgorithm::SHA_256),
        drbg_algorithm: Some(DRBGAlgorithm::CTR),
        recommended_curve: Some(RecommendedCurve(1)),
        fips186_variation: Some(FIPS186Variation(1)),
        prediction_resistance: Some(true),
    }
}

fn text() -> String {
    "t".to_owned()
}

/// Those that are structures.
fn structures() -> Vec<AttributeValue> {
    use AttributeValue as A;
    vec![
        A::AlternativeName(AlternativeName { value: text(), name_type: AlternativeNameType(1) }),
        A::ApplicationSpecificInformation(ApplicationSpecificInformation {
            namespace: text(),
            data: Some(text()),
        }),
        A::CertificateIdentifier(CertificateIdentifier {
            issuer: text(),
            serial_number: Some(text()),
        }),
        A::CertificateIssuer(CertificateIssuer {
            distinguished_name: text(),
            alternative_names: vec![text()],
        }),
        A::CertificateSubject(CertificateSubject {
            distinguished_name: text(),
            alternative_names: vec![text()],
        }),
        A::CryptographicDomainParameters(CryptographicDomainParameters {
            q_length: Some(1),
            recommended_curve: Some(RecommendedCurve(1)),
        }),
        A::CryptographicParameters(Box::new(cryptographic_parameters())),
        A::Digest(Digest {
            hashing_algorithm: HashingAlgorithm::SHA_256,
            digest_value: Some(vec![1]),
            key_format_type: Some(KeyFormatType::Raw),
        }),
        A::KeyValueLocation(KeyValueLocation {
            value: text(),
            location_type: KeyValueLocationType(1),
        }),
        A::Link(Link {
            link_type: LinkType::ReplacedObjectLink,
            linked_object_identifier: Identifier::from("o"),
        }),
        A::Name(Name::text("n")),
        // The standard leaves all of its values to vendors.
        A::OpaqueDataType(OpaqueDataType(0x8000_0001)),
        A::RandomNumberGenerator(rng_parameters()),
        A::RevocationReason(RevocationReason {
            code: RevocationReasonCode::KeyCompromise,
            message: Some(text()),
        }),
        A::RotateName(RotateName { value: text(), name_type: RotateNameType(1) }),
        A::UsageLimits(UsageLimits { total: 2, count: Some(1), unit: UsageLimitsUnit(1) }),
        A::X_509CertificateIdentifier(X509CertificateIdentifier {
            issuer: vec![1],
            serial_number: vec![2],
        }),
        A::X_509CertificateIssuer(X509CertificateIssuer {
            distinguished_name: vec![1],
            alternative_names: vec![vec![2]],
        }),
        A::X_509CertificateSubject(X509CertificateSubject {
            distinguished_name: vec![1],
            alternative_names: vec![vec![2]],
        }),
    ]
}

/// The attribute of the row, of whatever plain type it is.
fn plain(row: &AttributeRow) -> Option<AttributeValue> {
    Type::ALL.iter().find_map(|ty| {
        let mut w = Writer::default();
        let value: &[u8] = &[0, 0, 0, 0, 0, 0, 0, 1];
        w.item(row.tag, *ty, &value[8 - ty.fixed_len().unwrap_or(8)..]);
        let mut r = Reader::new(w.as_bytes());
        AttributeValue::decode_value(row.tag, row.tag, &mut r, kmip::Version::V3_0).ok().flatten()
    })
}

/// One of each, in the order of the table.
pub(crate) fn attributes() -> Vec<AttributeValue> {
    let structures = structures();
    let of = |row: &AttributeRow| {
        let known = structures.iter().find(|value| value.tag() == Some(row.tag)).cloned();
        known.or_else(|| plain(row)).unwrap()
    };
    ATTRIBUTES.iter().map(of).collect()
}
