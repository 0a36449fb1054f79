//! MAC Verify (1.4, 4.34; 2.1, 6.1.33; since 1.2): is a message authentication code genuine?

use crate::identifier::Identifier;
use crate::input_data::InputData;
use crate::macros::structure;
use crate::structures::CryptographicParameters;
use crate::version::Version;
use crate::vocabulary::ValidityIndicator;

const V1_3: Version = Version::V1_3;

structure! {
    /// Asks about a code over data, whole or in parts (1.4, 4.34; 2.1, 6.1.33).
    #[derive(Default)]
    MACVerifyRequest {
        /// The key; the ID Placeholder when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
        /// How; as the key's attributes say when absent.
        CryptographicParameters => cryptographic_parameters: Option<Box<CryptographicParameters>>,
        /// What the code is over.
        Data => data: Option<InputData>,
        /// The code.
        MACData => mac_data: Option<Vec<u8>>,
        /// Which stream the part belongs to.
        CorrelationValue [V1_3..] => correlation_value: Option<Vec<u8>>,
        /// Is this the first part?
        InitIndicator [V1_3..] => init_indicator: Option<bool>,
        /// Is this the last part?
        FinalIndicator [V1_3..] => final_indicator: Option<bool>,
    }
}

structure! {
    /// The verdict (1.4, 4.34; 2.1, 6.1.33).
    MACVerifyResponse {
        /// The key.
        UniqueIdentifier => unique_identifier: String,
        /// Valid, invalid or unknown; with the last part.
        ValidityIndicator => validity_indicator: Option<ValidityIndicator>,
        /// What to send with the next part.
        CorrelationValue [V1_3..] => correlation_value: Option<Vec<u8>>,
    }
}
