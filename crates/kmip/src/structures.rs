//! The structures that attributes, objects and operations share (1.4, 2.1 and 3; 2.1, 4, 5 and 7).

use crate::identifier::Identifier;
use crate::macros::structure;
use crate::version::Version;
use crate::vocabulary::{
    AlternativeNameType, BlockCipherMode, CryptographicAlgorithm, DRBGAlgorithm,
    DigitalSignatureAlgorithm, FIPS186Variation, HashingAlgorithm, KeyFormatType, KeyRoleType,
    KeyValueLocationType, LinkType, MaskGenerator, NameType, ObjectType, Operation, PaddingMethod,
    RNGAlgorithm, RecommendedCurve, RevocationReasonCode, RotateNameType, UsageLimitsUnit,
};

const V1_1: Version = Version::V1_1;
const V1_2: Version = Version::V1_2;
const V1_4: Version = Version::V1_4;

structure! {
    /// A name that the client gave (1.4, 3.2; 2.1, 4.32).
    #[derive(Eq, Hash)]
    Name {
        /// The name.
        NameValue => value: String,
        /// How it is to be read.
        NameType => name_type: NameType,
    }
}

impl Name {
    /// A name that is text and nothing more.
    pub fn text(value: &str) -> Self {
        Self { value: value.to_owned(), name_type: NameType::UninterpretedTextString }
    }
}

structure! {
    /// A further name, which need not be unique (1.4, 3.40; 2.1, 4.2).
    AlternativeName {
        /// The name.
        AlternativeNameValue => value: String,
        /// How it is to be read.
        AlternativeNameType => name_type: AlternativeNameType,
    }
}

structure! {
    /// What an application keeps with the object (1.4, 3.36; 2.1, 4.4).
    ApplicationSpecificInformation {
        /// Whose data it is.
        ApplicationNamespace => namespace: String,
        /// The data; the server makes it up when absent and it knows the namespace.
        ApplicationData => data: Option<String>,
    }
}

structure! {
    /// How a key is to be used in a cryptographic operation (1.4, 3.6; 2.1, 4.16).
    #[derive(Default, Eq)]
    CryptographicParameters {
        /// The mode of a block cipher.
        BlockCipherMode => block_cipher_mode: Option<BlockCipherMode>,
        /// How the last block is filled, or how an RSA block is made.
        PaddingMethod => padding_method: Option<PaddingMethod>,
        /// The hash.
        HashingAlgorithm => hashing_algorithm: Option<HashingAlgorithm>,
        /// What the key is for, in payment systems.
        KeyRoleType => key_role_type: Option<KeyRoleType>,
        /// A signature's algorithm and hash in one.
        DigitalSignatureAlgorithm [V1_2..]
            => digital_signature_algorithm: Option<DigitalSignatureAlgorithm>,
        /// The algorithm.
        CryptographicAlgorithm [V1_2..] => cryptographic_algorithm: Option<CryptographicAlgorithm>,
        /// Is the initialization vector made up by the server?
        RandomIV [V1_2..] => random_iv: Option<bool>,
        /// Length of the initialization vector in bits.
        IVLength [V1_2..] => iv_length: Option<i32>,
        /// Length of the authentication tag in bytes.
        TagLength [V1_2..] => tag_length: Option<i32>,
        /// Length of the fixed part of the vector in bits.
        FixedFieldLength [V1_2..] => fixed_field_length: Option<i32>,
        /// Length of the invocation part of the vector in bits.
        InvocationFieldLength [V1_2..] => invocation_field_length: Option<i32>,
        /// Length of the counter in bits.
        CounterLength [V1_2..] => counter_length: Option<i32>,
        /// Where the counter starts.
        InitialCounterValue [V1_2..] => initial_counter_value: Option<i32>,
        /// Length of the salt in bytes.
        SaltLength [V1_4..] => salt_length: Option<i32>,
        /// The mask generator of OAEP and PSS.
        MaskGenerator [V1_4..] => mask_generator: Option<MaskGenerator>,
        /// The hash of the mask generator.
        MaskGeneratorHashingAlgorithm [V1_4..]
            => mask_generator_hashing_algorithm: Option<HashingAlgorithm>,
        /// The label of OAEP.
        PSource [V1_4..] => p_source: Option<Vec<u8>>,
        /// Length of the trailer of PSS.
        TrailerField [V1_4..] => trailer_field: Option<i32>,
    }
}

structure! {
    /// The numbers that a pair of keys is made from (1.4, 3.7; 2.1, 4.14).
    CryptographicDomainParameters {
        /// Length of Q in bits.
        Qlength => q_length: Option<i32>,
        /// The curve.
        RecommendedCurve => recommended_curve: Option<RecommendedCurve>,
    }
}

structure! {
    /// Who issued a certificate, and under which number (1.4, 3.13; gone in 2.0).
    CertificateIdentifier {
        /// The issuer.
        Issuer => issuer: String,
        /// The number.
        SerialNumber => serial_number: Option<String>,
    }
}

structure! {
    /// Whom a certificate is for (1.4, 3.14; gone in 2.0).
    CertificateSubject {
        /// The distinguished name.
        CertificateSubjectDistinguishedName => distinguished_name: String,
        /// Other names.
        CertificateSubjectAlternativeName => alternative_names: Vec<String>,
    }
}

structure! {
    /// Who issued a certificate (1.4, 3.15; gone in 2.0).
    CertificateIssuer {
        /// The distinguished name.
        CertificateIssuerDistinguishedName => distinguished_name: String,
        /// Other names.
        CertificateIssuerAlternativeName => alternative_names: Vec<String>,
    }
}

structure! {
    /// Who issued an X.509 certificate, and under which number, as DER (1.4, 3.10; 2.1, 4.61).
    X509CertificateIdentifier {
        /// The issuer.
        IssuerDistinguishedName => issuer: Vec<u8>,
        /// The number.
        CertificateSerialNumber => serial_number: Vec<u8>,
    }
}

structure! {
    /// Who issued an X.509 certificate, as DER (1.4, 3.12; 2.1, 4.62).
    X509CertificateIssuer {
        /// The distinguished name.
        IssuerDistinguishedName => distinguished_name: Vec<u8>,
        /// Other names.
        IssuerAlternativeName => alternative_names: Vec<Vec<u8>>,
    }
}

structure! {
    /// Whom an X.509 certificate is for, as DER (1.4, 3.11; 2.1, 4.63).
    X509CertificateSubject {
        /// The distinguished name.
        SubjectDistinguishedName => distinguished_name: Vec<u8>,
        /// Other names.
        SubjectAlternativeName => alternative_names: Vec<Vec<u8>>,
    }
}

structure! {
    /// A hash of the key (1.4, 3.17; 2.1, 4.21).
    #[derive(Eq)]
    Digest {
        /// The hash's name.
        HashingAlgorithm => hashing_algorithm: HashingAlgorithm,
        /// The hash.
        DigestValue => digest_value: Option<Vec<u8>>,
        /// The form of the key that was hashed.
        KeyFormatType [V1_1..] => key_format_type: Option<KeyFormatType>,
    }
}

structure! {
    /// Where a key that is not here can be found (1.4, 3.42; 2.1, 4.27).
    KeyValueLocation {
        /// The place.
        KeyValueLocationValue => value: String,
        /// How it is to be read.
        KeyValueLocationType => location_type: KeyValueLocationType,
    }
}

structure! {
    /// From one object to another (1.4, 3.35; 2.1, 4.31).
    #[derive(Eq)]
    Link {
        /// What the other is to this one.
        LinkType => link_type: LinkType,
        /// The other.
        LinkedObjectIdentifier => linked_object_identifier: Identifier,
    }
}

structure! {
    /// How random numbers are made (1.4, 2.1.18; 2.1, 7.25).
    RNGParameters {
        /// The kind of generator.
        RNGAlgorithm => rng_algorithm: RNGAlgorithm,
        /// Its cipher.
        CryptographicAlgorithm => cryptographic_algorithm: Option<CryptographicAlgorithm>,
        /// The length of its key in bits.
        CryptographicLength => cryptographic_length: Option<i32>,
        /// Its hash.
        HashingAlgorithm => hashing_algorithm: Option<HashingAlgorithm>,
        /// Which DRBG.
        DRBGAlgorithm => drbg_algorithm: Option<DRBGAlgorithm>,
        /// Its curve.
        RecommendedCurve => recommended_curve: Option<RecommendedCurve>,
        /// Which variation of FIPS 186.
        FIPS186Variation => fips186_variation: Option<FIPS186Variation>,
        /// Is it seeded anew for each number?
        PredictionResistance => prediction_resistance: Option<bool>,
    }
}

structure! {
    /// Why an object was given up (1.4, 3.31; 2.1, 4.47).
    RevocationReason {
        /// The reason.
        RevocationReasonCode => code: RevocationReasonCode,
        /// In words.
        RevocationMessage => message: Option<String>,
    }
}

structure! {
    /// The name that a key keeps over its rotations (2.1, 4.53).
    RotateName {
        /// The name.
        RotateNameValue => value: String,
        /// How it is to be read.
        RotateNameType => name_type: RotateNameType,
    }
}

structure! {
    /// How much may be protected with a key (1.4, 3.21; 2.1, 4.59).
    UsageLimits {
        /// All that may ever be.
        UsageLimitsTotal => total: i64,
        /// What is left.
        UsageLimitsCount => count: Option<i64>,
        /// Of what.
        UsageLimitsUnit => unit: UsageLimitsUnit,
    }
}

structure! {
    /// A vendor's own extension of a batch item (1.4, 6.16; 2.1, 9.11).
    MessageExtension {
        /// The vendor.
        VendorIdentification => vendor_identification: String,
        /// Must the peer understand it, or refuse?
        CriticalityIndicator => criticality_indicator: bool,
        /// What it says.
        VendorExtension => vendor_extension: ttlv::Raw,
    }
}

structure! {
    /// A list of groups (2.1, 7.23).
    #[derive(Default)]
    ObjectGroups {
        /// The groups.
        ObjectGroup => object_groups: Vec<String>,
    }
}

structure! {
    /// A list of kinds of objects (2.1, 7.24).
    #[derive(Default)]
    ObjectTypes {
        /// The kinds.
        ObjectType => object_types: Vec<ObjectType>,
    }
}

structure! {
    /// A list of operations (2.1, 7.25).
    #[derive(Default)]
    Operations {
        /// The operations.
        Operation => operations: Vec<Operation>,
    }
}
