//! A request or response message: its header and its batch items (1.4, 7.1; 2.1, 8.1).

use kmip::{Version, tags};
use ttlv::{Error, ErrorKind, Reader, Tag};
use zeroize::Zeroizing;

use super::batch_item::BatchItem;
use super::item::Item;

/// Which message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Request,
    Response,
}

impl Kind {
    const fn tags(self) -> (Tag, Tag) {
        match self {
            Self::Request => (tags::RequestMessage, tags::RequestHeader),
            Self::Response => (tags::ResponseMessage, tags::ResponseHeader),
        }
    }
}

/// A message whose header has a version.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    root: Item,
    header_tag: Tag,
    version: Version,
}

impl Envelope {
    /// Reads a message so far that its batch items can be told apart.
    pub(crate) fn parse(bytes: &[u8], kind: Kind) -> Result<Self, Error> {
        let root = Item::parse(bytes)?;
        let (tag, header_tag) = kind.tags();
        let missing = |tag, found| Reader::new(bytes).error(tag, ErrorKind::Missing(found));
        if root.tag != tag {
            return Err(missing(tag, Some(root.tag)));
        }
        let header = root.child(header_tag).ok_or_else(|| missing(header_tag, None))?;
        let version = version_of(header).ok_or_else(|| missing(tags::ProtocolVersion, None))?;
        Ok(Self { root, header_tag, version })
    }

    /// A response in `version` with these items.
    pub(crate) fn response(version: Version, seconds: i64, items: Vec<BatchItem>) -> Self {
        let (tag, header_tag) = Kind::Response.tags();
        let header = Item::structure(
            header_tag,
            vec![
                Item::structure(
                    tags::ProtocolVersion,
                    vec![
                        Item::integer(tags::ProtocolVersionMajor, version.major),
                        Item::integer(tags::ProtocolVersionMinor, version.minor),
                    ],
                ),
                Item::date_time(tags::TimeStamp, seconds),
                Item::integer(tags::BatchCount, 0),
            ],
        );
        let root = Item::structure(tag, vec![header]);
        let mut envelope = Self { root, header_tag, version };
        envelope.set_batch_items(items);
        envelope
    }

    /// The version that the header names.
    pub(crate) const fn version(&self) -> Version {
        self.version
    }

    /// Changes the version in the header, and nothing else.
    pub(crate) fn set_version(&mut self, version: Version) {
        let header = self.root.child_mut(self.header_tag);
        let numbers = [
            (tags::ProtocolVersionMajor, version.major),
            (tags::ProtocolVersionMinor, version.minor),
        ];
        let Some(named) = header.and_then(|header| header.child_mut(tags::ProtocolVersion)) else {
            return;
        };
        for (tag, number) in numbers {
            if let Some(item) = named.child_mut(tag) {
                *item = Item::integer(tag, number);
            }
        }
        self.version = version;
    }

    /// The first item of the header with this tag.
    pub(crate) fn header_item(&self, tag: Tag) -> Option<&Item> {
        self.root.child(self.header_tag)?.child(tag)
    }

    /// The batch items.
    pub(crate) fn batch_items(&self) -> Vec<BatchItem> {
        let items = self.root.items().iter().filter(|item| item.tag == tags::BatchItem);
        items.cloned().map(BatchItem).collect()
    }

    /// Puts these in the place of the batch items, and their number into the header.
    pub(crate) fn set_batch_items(&mut self, items: Vec<BatchItem>) {
        let count = Item::integer(tags::BatchCount, i32::try_from(items.len()).unwrap_or(i32::MAX));
        let header = self.root.child_mut(self.header_tag);
        if let Some(item) = header.and_then(|header| header.child_mut(tags::BatchCount)) {
            *item = count;
        }
        if let Some(all) = self.root.items_mut() {
            all.retain(|item| item.tag != tags::BatchItem);
            all.extend(items.into_iter().map(|BatchItem(item)| item));
        }
    }

    /// The bytes of the message.
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        self.root.encode()
    }
}

fn version_of(header: &Item) -> Option<Version> {
    let version = header.child(tags::ProtocolVersion)?;
    Some(Version {
        major: version.child(tags::ProtocolVersionMajor)?.as_integer()?,
        minor: version.child(tags::ProtocolVersionMinor)?.as_integer()?,
    })
}

#[cfg(test)]
mod tests {
    use kmip::Version;
    use kmip::message::ResponseMessage;
    use kmip::vocabulary::{Operation, ResultReason};

    use super::{BatchItem, Envelope, Kind};

    #[test]
    fn response_of_ours_can_be_read_in_every_version() {
        for version in Version::SERVED {
            let item = BatchItem::failure(
                Some(Operation::Get),
                Some(b"1"),
                ResultReason::ItemNotFound.0,
                "no",
            );
            let mut envelope = Envelope::response(*version, 7, vec![item.clone(), item]);
            let read = ResponseMessage::decode(&envelope.encode()).unwrap();
            assert_eq!((read.header.protocol_version, read.items.len()), (*version, 2));
            envelope.set_version(Version::V1_1);
            let read = Envelope::parse(&envelope.encode(), Kind::Response).unwrap();
            assert_eq!(read.version(), Version::V1_1);
            assert!(Envelope::parse(&envelope.encode(), Kind::Request).is_err());
        }
    }
}
