//! Derive Key (1.4, 4.6; 2.1, 6.1.14): a new key or secret out of those that stand.

use crate::attributes::Attributes;
use crate::codec::SecretBytes;
use crate::identifier::Identifier;
use crate::macros::structure;
use crate::structures::CryptographicParameters;
use crate::version::Version;
use crate::vocabulary::{DerivationMethod, ObjectType};

const V1_4: Version = Version::V1_4;

structure! {
    /// Asks for an object to be derived (1.4, 4.6; 2.1, 6.1.14).
    DeriveKeyRequest {
        /// Its kind: a symmetric key or secret data.
        ObjectType => object_type: ObjectType,
        /// What it is derived from. The ID Placeholder never stands for one of these.
        UniqueIdentifier => unique_identifiers: Vec<Identifier>,
        /// How.
        DerivationMethod => derivation_method: DerivationMethod,
        /// With what.
        DerivationParameters => derivation_parameters: Box<DerivationParameters>,
        /// Its attributes; Cryptographic Length always.
        TemplateAttribute / Attributes => attributes: Attributes,
    }
}

structure! {
    /// What a derivation takes beside its base (1.4, 4.6, tables 182 and 183; 2.1, 7.12).
    #[derive(Default)]
    DerivationParameters {
        /// The pseudorandom function, or its mode.
        CryptographicParameters => cryptographic_parameters: Option<CryptographicParameters>,
        /// The initialization vector; empty when absent.
        InitializationVector => initialization_vector: Option<Vec<u8>>,
        /// What is encrypted, hashed or mixed in; several from 2.1 on.
        DerivationData => derivation_data: Vec<SecretBytes>,
        /// The salt of PBKDF2 and HKDF.
        Salt => salt: Option<SecretBytes>,
        /// How often PBKDF2 goes round.
        IterationCount => iteration_count: Option<i32>,
    }
}

structure! {
    /// The derived object (1.4, 4.6; 2.1, 6.1.14).
    DeriveKeyResponse {
        /// The object.
        UniqueIdentifier => unique_identifier: String,
        /// Attributes that the server made up.
        TemplateAttribute [..=V1_4] => template_attribute: Option<Attributes>,
    }
}
