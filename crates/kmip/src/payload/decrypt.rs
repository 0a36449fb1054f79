//! Decrypt (1.4, 4.30; 2.1, 6.1.11; since 1.2): the server decrypts with a key that it keeps.

use crate::codec::SecretBytes;
use crate::identifier::Identifier;
use crate::input_data::InputData;
use crate::macros::structure;
use crate::structures::CryptographicParameters;
use crate::version::Version;

const V1_3: Version = Version::V1_3;
const V1_4: Version = Version::V1_4;

structure! {
    /// Asks for data to be decrypted, whole or in parts (1.4, 4.30; 2.1, 6.1.11).
    #[derive(Default)]
    DecryptRequest {
        /// The key; the ID Placeholder when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
        /// How; as the key's attributes say when absent.
        CryptographicParameters => cryptographic_parameters: Option<Box<CryptographicParameters>>,
        /// What; it may be absent in the first and the last of several parts.
        Data => data: Option<InputData>,
        /// The initialization vector, counter or nonce.
        IVCounterNonce => iv_counter_nonce: Option<Vec<u8>>,
        /// Which stream the part belongs to.
        CorrelationValue [V1_3..] => correlation_value: Option<Vec<u8>>,
        /// Is this the first part?
        InitIndicator [V1_3..] => init_indicator: Option<bool>,
        /// Is this the last part?
        FinalIndicator [V1_3..] => final_indicator: Option<bool>,
        /// What is authenticated and not encrypted; with the first part.
        AuthenticatedEncryptionAdditionalData [V1_4..]
            => authenticated_encryption_additional_data: Option<SecretBytes>,
        /// What proves the cipher text genuine; with the first part.
        AuthenticatedEncryptionTag [V1_4..] => authenticated_encryption_tag: Option<Vec<u8>>,
    }
}

structure! {
    /// What was decrypted (1.4, 4.30; 2.1, 6.1.11).
    DecryptResponse {
        /// The key.
        UniqueIdentifier => unique_identifier: String,
        /// The plain text.
        Data => data: Option<SecretBytes>,
        /// What to send with the next part.
        CorrelationValue [V1_3..] => correlation_value: Option<Vec<u8>>,
    }
}
