//! Items whose form depends on the version, or that have several forms.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use kmip::payload::{ExtensionInformation, ExtensionType, RemainingItems, ServerInformation};
use kmip::vocabulary::{Data, ItemType, tags};
use kmip::{Decode, Encode, InputData, SecretBytes, Version};
use ttlv::{Raw, Reader, Tag, Type, Writer};

#[test]
fn the_type_of_an_extension_is_a_number_in_1_x_and_a_word_in_2_x() {
    for (version, ty) in [(Version::V1_4, Type::Integer), (Version::V2_0, Type::Enumeration)] {
        let extension = ExtensionInformation {
            name: "e".to_owned(),
            tag: None,
            item_type: Some(ExtensionType(ItemType::Boolean)),
            enumeration: None,
            is_attribute: None,
            parent_structure_tag: None,
            description: None,
        };
        let mut w = Writer::default();
        extension.encode(tags::ExtensionInformation, &mut w, version);
        let mut r = Reader::new(w.as_bytes());
        let found = r.structure(tags::ExtensionInformation, |r| {
            r.text_string(tags::ExtensionName)?;
            r.item().map(|item| (item.ty, item.value.to_vec()))
        });
        assert_eq!(found, Ok((ty, vec![0, 0, 0, 6])));
        let mut r = Reader::new(w.as_bytes());
        let read = ExtensionInformation::decode(tags::ExtensionInformation, &mut r, version);
        assert_eq!(read, Ok(extension));
    }
}

#[test]
fn what_a_vendor_says_of_its_server_is_kept_under_its_own_tags() {
    let vendor_specific = RemainingItems(vec![
        Raw::build(|w| w.text_string(Tag(0x54_0001), "of the vendor's own")),
        Raw::build(|w| w.integer(Tag(0x54_0002), 7)),
    ]);
    for version in Version::SERVED {
        let information = ServerInformation {
            vendor_specific: vendor_specific.clone(),
            ..ServerInformation::default()
        };
        let mut w = Writer::default();
        information.encode(tags::ServerInformation, &mut w, *version);
        let mut r = Reader::new(w.as_bytes());
        let read = ServerInformation::decode(tags::ServerInformation, &mut r, *version);
        assert_eq!(read, Ok(information), "{version}");
    }
}

#[test]
fn data_is_bytes_or_in_2_x_a_word_or_a_number_for_what_the_batch_has_made() {
    for data in [
        InputData::Bytes(SecretBytes::new(&[1])),
        InputData::Enumeration(Data::Decrypt),
        InputData::Index(-1),
    ] {
        let mut w = Writer::default();
        data.encode(tags::Data, &mut w, Version::V2_0);
        let read = |version| InputData::decode(tags::Data, &mut Reader::new(w.as_bytes()), version);
        assert_eq!(read(Version::V2_0), Ok(data.clone()));
        assert_eq!(read(Version::V1_4).is_ok(), matches!(data, InputData::Bytes(_)));
    }
}
