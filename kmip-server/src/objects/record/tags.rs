//! Tags and version of the form in which records are stored.

use kmip::Version;

/// Tags of what is kept. They stand in the range of the vendors' extensions (1.4, 9.1.3.1).
pub(crate) mod kept {
    use ttlv::Tag;

    pub(crate) const METADATA: Tag = Tag(0x54_4B01);
    pub(crate) const OWNER: Tag = Tag(0x54_4B02);
    pub(crate) const ATTRIBUTE: Tag = Tag(0x54_4B03);
    pub(crate) const MATERIAL: Tag = Tag(0x54_4B04);
    pub(crate) const NAMED: Tag = Tag(0x54_4B05);
}

/// The form in which attributes and settings are kept and hashed, of `RECORD_FORMAT` 1: that of
/// KMIP 2.1, a published one that has every field of the versions before it. It says nothing of the
/// versions that clients speak.
pub(crate) const KEPT_VERSION: Version = Version::V2_1;
