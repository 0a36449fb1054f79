//! MAC (1.4, 4.33; 2.1, 6.1.32; since 1.2): the server authenticates with a key that it keeps.

use crate::identifier::Identifier;
use crate::input_data::InputData;
use crate::macros::structure;
use crate::structures::CryptographicParameters;
use crate::version::Version;

const V1_3: Version = Version::V1_3;

structure! {
    /// Asks for a code over data, whole or in parts (1.4, 4.33; 2.1, 6.1.32).
    #[derive(Default)]
    MACRequest {
        /// The key; the ID Placeholder when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
        /// How; as the key's attributes say when absent.
        CryptographicParameters => cryptographic_parameters: Option<Box<CryptographicParameters>>,
        /// What.
        Data => data: Option<InputData>,
        /// Which stream the part belongs to.
        CorrelationValue [V1_3..] => correlation_value: Option<Vec<u8>>,
        /// Is this the first part?
        InitIndicator [V1_3..] => init_indicator: Option<bool>,
        /// Is this the last part?
        FinalIndicator [V1_3..] => final_indicator: Option<bool>,
    }
}

structure! {
    /// The code (1.4, 4.33; 2.1, 6.1.32).
    MACResponse {
        /// The key.
        UniqueIdentifier => unique_identifier: String,
        /// The code; with the last part.
        MACData => mac_data: Option<Vec<u8>>,
        /// What to send with the next part.
        CorrelationValue [V1_3..] => correlation_value: Option<Vec<u8>>,
    }
}
