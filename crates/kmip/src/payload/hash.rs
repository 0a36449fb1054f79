//! Hash (1.4, 4.37; 2.1, 6.1.24; since 1.2): the digest of data.

use crate::codec::SecretBytes;
use crate::input_data::InputData;
use crate::macros::structure;
use crate::structures::CryptographicParameters;
use crate::version::Version;

const V1_3: Version = Version::V1_3;

structure! {
    /// Asks for a digest of data, whole or in parts (1.4, 4.37; 2.1, 6.1.24).
    HashRequest {
        /// Which hash.
        CryptographicParameters => cryptographic_parameters: Box<CryptographicParameters>,
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
    /// The digest (1.4, 4.37; 2.1, 6.1.24).
    HashResponse {
        /// The digest; with the last part. Short data can be guessed from it.
        Data => data: Option<SecretBytes>,
        /// What to send with the next part.
        CorrelationValue [V1_3..] => correlation_value: Option<Vec<u8>>,
    }
}
