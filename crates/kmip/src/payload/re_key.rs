//! Re-key (1.4, 4.4; 2.1, 6.1.46): a new symmetric key in the place of an old one.
//!
//! The new key takes over the old one's attributes but these (1.4, table 173): dates are moved by
//! Offset, the Name moves, the Digest and the Unique Identifier are new, links go both ways, and
//! State, Initial Date, Destroy Date, Compromise dates, Revocation Reason and Archive Date start
//! anew.

use crate::attributes::Attributes;
use crate::codec::Interval;
use crate::identifier::Identifier;
use crate::macros::structure;
use crate::objects::ProtectionStorageMasks;
use crate::version::Version;

const V1_4: Version = Version::V1_4;
const V2_0: Version = Version::V2_0;

structure! {
    /// Asks for a key to be replaced (1.4, 4.4; 2.1, 6.1.46).
    ReKeyRequest {
        /// The old key; the ID Placeholder when absent.
        UniqueIdentifier => unique_identifier: Option<Identifier>,
        /// From the Initial Date to the Activation Date of the new key.
        Offset => offset: Option<Interval>,
        /// Attributes of the new key that differ.
        TemplateAttribute / Attributes => attributes: Option<Attributes>,
        /// Where it may be kept.
        ProtectionStorageMasks [V2_0..]
            => protection_storage_masks: Option<ProtectionStorageMasks>,
    }
}

structure! {
    /// The key that replaces the old one (1.4, 4.4; 2.1, 6.1.46).
    ReKeyResponse {
        /// The new key.
        UniqueIdentifier => unique_identifier: String,
        /// Attributes that the server made up.
        TemplateAttribute [..=V1_4] => template_attribute: Option<Attributes>,
    }
}
