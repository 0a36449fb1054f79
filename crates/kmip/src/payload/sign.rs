//! Sign (1.4, 4.31; 2.1, 6.1.55; since 1.2): the server signs with a key that it keeps.

use crate::codec::SecretBytes;
use crate::identifier::Identifier;
use crate::input_data::InputData;
use crate::macros::structure;
use crate::structures::CryptographicParameters;
use crate::version::Version;

const V1_3: Version = Version::V1_3;
const V1_4: Version = Version::V1_4;

structure! {
    /// Asks for data to be signed, whole or in parts (1.4, 4.31; 2.1, 6.1.55).
    #[derive(Default)]
    SignRequest {
        /// The key; the ID Placeholder when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
        /// How; as the key's attributes say when absent.
        CryptographicParameters => cryptographic_parameters: Option<Box<CryptographicParameters>>,
        /// What.
        Data => data: Option<InputData>,
        /// Its hash, in its place.
        DigestedData [V1_4..] => digested_data: Option<SecretBytes>,
        /// Which stream the part belongs to.
        CorrelationValue [V1_3..] => correlation_value: Option<Vec<u8>>,
        /// Is this the first part?
        InitIndicator [V1_3..] => init_indicator: Option<bool>,
        /// Is this the last part?
        FinalIndicator [V1_3..] => final_indicator: Option<bool>,
    }
}

structure! {
    /// What was signed (1.4, 4.31; 2.1, 6.1.55).
    SignResponse {
        /// The key.
        UniqueIdentifier => unique_identifier: String,
        /// The signature; with the last part.
        SignatureData => signature_data: Option<Vec<u8>>,
        /// What to send with the next part.
        CorrelationValue [V1_3..] => correlation_value: Option<Vec<u8>>,
    }
}
