//! Kinds of servers: what they refuse, and the answers that agree with it.

use kmip::vocabulary::Operation;
use kmip::{Version, tags};

use super::edit::leave_out;
use crate::message::{BatchItem, Item};
use crate::rules::Personality;

/// The only version of a server of this kind, if it has one.
pub(crate) const fn version(personality: Personality) -> Option<Version> {
    match personality {
        Personality::Only10 => Some(Version::V1_0),
        Personality::Only14 => Some(Version::V1_4),
        Personality::Only21 => Some(Version::V2_1),
        Personality::NoReKey | Personality::NoModifyAttribute | Personality::LocateReturnsOne => {
            None
        }
    }
}

/// Returns whether a server of this kind does not have the operation.
pub(crate) fn refuses(personality: Personality, operation: Operation) -> bool {
    match personality {
        // An operation without a row may be a vendor's own: the server itself answers.
        Personality::Only10 | Personality::Only14 | Personality::Only21 => {
            let served = version(personality).unwrap_or(Version::V1_0);
            operation.row().is_some_and(|row| !row.exists_in(served))
        }
        Personality::NoReKey => {
            matches!(operation, Operation::ReKey | Operation::ReKeyKeyPair)
        }
        Personality::NoModifyAttribute => operation == Operation::ModifyAttribute,
        Personality::LocateReturnsOne => false,
    }
}

/// Makes an answer agree with what a server of this kind refuses; returns whether it changed.
pub(crate) fn filter(personality: Personality, item: &mut BatchItem) -> bool {
    let operation = item.operation();
    if operation == Some(Operation::Locate) {
        let mut first = true;
        let is_further = |_: &str| !std::mem::take(&mut first);
        return personality == Personality::LocateReturnsOne && leave_out(item, is_further) > 0;
    }
    let Some(items) = item.response_payload_mut().and_then(Item::items_mut) else { return false };
    let before = items.len();
    items.retain(|item| match (operation, item.tag) {
        (Some(Operation::Query), tags::Operation) => {
            !item.as_enumeration().is_some_and(|number| refuses(personality, Operation(number)))
        }
        (Some(Operation::DiscoverVersions), tags::ProtocolVersion) => {
            let number = |tag| item.child(tag).and_then(Item::as_integer);
            let numbers = [tags::ProtocolVersionMajor, tags::ProtocolVersionMinor].map(number);
            version(personality)
                .is_none_or(|served| numbers == [Some(served.major), Some(served.minor)])
        }
        _ => true,
    });
    items.len() != before
}

#[cfg(test)]
mod tests {
    use kmip::encoding::xml;
    use kmip::vocabulary::Operation;

    use super::{Personality, filter, refuses, version};
    use crate::message::{BatchItem, Item};

    const ALL: [Personality; 6] = [
        Personality::Only10,
        Personality::Only14,
        Personality::Only21,
        Personality::NoReKey,
        Personality::NoModifyAttribute,
        Personality::LocateReturnsOne,
    ];

    fn filtered(personality: Personality, operation: Operation, payload: &str) -> (bool, String) {
        let payload = format!("<ResponsePayload>{payload}</ResponsePayload>");
        let payload = Item::parse(&xml::decode(&payload).unwrap()).unwrap();
        let mut item = BatchItem::success(operation, None, payload);
        let changed = filter(personality, &mut item);
        (changed, xml::encode(&item.0.encode()).unwrap().to_string())
    }

    #[test]
    fn query_names_no_operation_that_is_refused() {
        let operations = [Operation::Get, Operation::ReKey, Operation::ModifyAttribute];
        let later = [Operation::DiscoverVersions, Operation::Import, Operation::Ping];
        let named: Vec<Operation> = operations.into_iter().chain(later).collect();
        let payload: String = named
            .iter()
            .map(|operation| {
                let name = operation.name().unwrap();
                format!("<Operation type=\"Enumeration\" value=\"{name}\"/>")
            })
            .collect();
        for personality in ALL {
            let (changed, text) = filtered(personality, Operation::Query, &payload);
            for operation in &named {
                let is_named = text.contains(&format!("\"{}\"", operation.name().unwrap()));
                assert_eq!(is_named, !refuses(personality, *operation), "{personality:?}");
            }
            assert_eq!(changed, named.iter().any(|named| refuses(personality, *named)));
        }
    }

    #[test]
    fn discover_versions_names_the_only_version() {
        let payload: String = [(1, 0), (1, 4), (2, 1)]
            .map(|(major, minor)| {
                format!(
                    "<ProtocolVersion><ProtocolVersionMajor type=\"Integer\" value=\"{major}\"/>\
                     <ProtocolVersionMinor type=\"Integer\" value=\"{minor}\"/></ProtocolVersion>"
                )
            })
            .concat();
        for personality in ALL {
            let (changed, text) = filtered(personality, Operation::DiscoverVersions, &payload);
            let named = text.matches("<ProtocolVersion>").count();
            let expected = version(personality).map_or((false, 3), |_| (true, 1));
            assert_eq!((changed, named), expected, "{personality:?}");
        }
    }

    #[test]
    fn locate_returns_one_or_all() {
        let payload = r#"<UniqueIdentifier type="TextString" value="a"/>
            <UniqueIdentifier type="TextString" value="b"/>"#;
        for personality in ALL {
            let (changed, text) = filtered(personality, Operation::Locate, payload);
            assert_eq!(changed, personality == Personality::LocateReturnsOne);
            assert!(text.contains("\"a\"") && text.contains("\"b\"") != changed);
        }
    }
}
