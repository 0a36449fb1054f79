//! The attributes of new objects that a client leaves out: its own defaults, which Set Defaults
//! keeps (2.1, 6.1.53 and 7.22), and behind them those of the server (2.1, 4, table 28).
//!
//! **A client's defaults are its own.** One that could set another's could weaken its keys.

use kmip::attributes::{Attribute, AttributeValue, Attributes};
use kmip::payload::{DefaultsInformation, ObjectDefaults};
use kmip::structures::ObjectGroups;
use kmip::vocabulary::{ObjectType, ResultReason, tags};
use kmip::{Decode, Encode, Version};
use ttlv::{Reader, Writer};

use crate::keystore::Context;
use crate::objects::attribute::attribute;
use crate::objects::attribute_rules;
use crate::objects::default_attributes::{BUILT_IN, Origin, built_in};
use crate::objects::error::{OperationError, Result};
use crate::objects::index::Setting;
use crate::objects::record::{KEPT_VERSION, is_in};
use crate::secret::SecretBuffer;
use crate::store::StoreError;

/// Gives a new object what the client left out.
pub(crate) async fn supply(
    cx: &mut Context<'_>,
    values: &mut Vec<AttributeValue>,
    kind: ObjectType,
    origin: Origin,
) -> Result<()> {
    for set in kept(cx).await?.object_defaults {
        if is_about(&set, kind) && is_of_group(set.object_groups.as_ref(), values) {
            let own: Vec<AttributeValue> = set.attributes.values().cloned().collect();
            fill(values, &own, origin);
        }
    }
    if cx.version >= Version::V2_0 && origin == Origin::Made {
        fill(values, built_in(kind), origin);
    }
    Ok(())
}

/// Is a set of defaults about this kind?
fn is_about(set: &ObjectDefaults, kind: ObjectType) -> bool {
    set.object_type == Some(kind)
        || set.object_types.as_ref().is_some_and(|types| types.object_types.contains(&kind))
}

/// Is a new object in one of the groups? No groups stand for all of them.
pub(crate) fn is_of_group(groups: Option<&ObjectGroups>, values: &[AttributeValue]) -> bool {
    groups.is_none_or(|groups| groups.object_groups.iter().any(|group| is_in(values.iter(), group)))
}

/// Fills what is left out. A length, or a curve, goes with the algorithm that it was meant for.
fn fill(values: &mut Vec<AttributeValue>, defaults: &[AttributeValue], origin: Origin) {
    let is_of_the_key = |value: &AttributeValue| {
        matches!(
            value,
            AttributeValue::CryptographicAlgorithm(_)
                | AttributeValue::CryptographicLength(_)
                | AttributeValue::CryptographicDomainParameters(_)
        )
    };
    let meant = attribute!(defaults, CryptographicAlgorithm);
    let fits = match (attribute!(values.iter(), CryptographicAlgorithm), meant) {
        (Some(asked), Some(meant)) => asked == meant,
        (Some(_) | None, Some(_) | None) => true,
    } && origin == Origin::Made;
    let is_left_out =
        |value: &AttributeValue| !values.iter().any(|own| own.is_same_attribute(value));
    let supplied = defaults
        .iter()
        .filter(|value| (fits || !is_of_the_key(value)) && is_left_out(value))
        .cloned();
    let supplied: Vec<AttributeValue> = supplied.collect();
    values.extend(supplied);
}

/// The client's own defaults. They must be the same when the batch is committed.
pub(crate) async fn kept(cx: &mut Context<'_>) -> Result<DefaultsInformation> {
    let key = cx.index().setting(Setting::Defaults);
    let Some(bytes) = cx.transaction.get_guarded(&key).await? else {
        return Ok(DefaultsInformation::default());
    };
    let kept = DefaultsInformation::decode(
        tags::DefaultsInformation,
        &mut Reader::new(&bytes),
        KEPT_VERSION,
    );
    let damaged = |error| StoreError::Damaged(format!("the defaults of a client: {error}"));
    Ok(kept.map_err(damaged)?)
}

/// Keeps the client's own defaults from now on; none of them when there are none.
pub(crate) async fn keep(
    cx: &mut Context<'_>,
    defaults: Option<DefaultsInformation>,
) -> Result<()> {
    let key = cx.index().setting(Setting::Defaults);
    cx.transaction.get(&key).await?;
    let Some(defaults) = defaults else {
        cx.transaction.remove(key);
        return Ok(());
    };
    for set in &defaults.object_defaults {
        check(set)?;
    }
    let mut w = Writer::default();
    defaults.encode(tags::DefaultsInformation, &mut w, KEPT_VERSION);
    cx.transaction.put(key, SecretBuffer::new(w.into_bytes()));
    Ok(())
}

/// A default must be something that a client may give to every object of its kinds.
fn check(set: &ObjectDefaults) -> Result<()> {
    let many = set.object_types.iter().flat_map(|types| &types.object_types);
    let kinds: Vec<ObjectType> = set.object_type.iter().chain(many).copied().collect();
    if kinds.is_empty() {
        return Err(OperationError::invalid_field("Object Defaults name no Object Type"));
    }
    let unknown = kinds.iter().find(|kind| !kind.exists_in(KEPT_VERSION));
    if let Some(unknown) = unknown {
        return Err(OperationError::new(
            ResultReason::InvalidObjectType,
            format!("{unknown:?} is no kind of object"),
        ));
    }
    for value in attribute_rules::given(set.attributes.attributes.clone())? {
        let reference = value.reference();
        if matches!(value, AttributeValue::Name(_)) {
            return Err(OperationError::invalid_field(
                "a Name is no default: the second object could not have it",
            ));
        }
        let stranger =
            kinds.iter().find(|kind| !attribute_rules::may_have(&reference, **kind, KEPT_VERSION));
        if let Some(kind) = stranger {
            return Err(OperationError::invalid_field(format!(
                "a {kind:?} has no {}",
                reference.name()
            )));
        }
    }
    Ok(())
}

/// What Query tells: the client's own defaults first, and the server's where those say nothing;
/// one set a kind, which is the form that every version has. Of sets that hold in some groups, only
/// those of the groups asked about are told, and only to versions that have groups.
pub(crate) async fn told(
    cx: &mut Context<'_>,
    asked: Option<&ObjectGroups>,
) -> Result<DefaultsInformation> {
    let mut told: Vec<ObjectDefaults> = Vec::new();
    for set in kept(cx).await?.object_defaults {
        let is_asked = match (&set.object_groups, asked) {
            (Some(groups), _) if cx.version < Version::V2_1 => groups.object_groups.is_empty(),
            (Some(groups), Some(asked)) => {
                groups.object_groups.iter().any(|group| asked.object_groups.contains(group))
            }
            (Some(_), None) | (None, _) => true,
        };
        let many = set.object_types.iter().flat_map(|types| types.object_types.clone());
        for kind in set.object_type.into_iter().chain(many).filter(|_| is_asked) {
            told.push(ObjectDefaults {
                object_type: Some(kind),
                object_types: None,
                attributes: set.attributes.clone(),
                object_groups: set.object_groups.clone(),
            });
        }
    }
    for (kind, values) in BUILT_IN {
        let mut all: Vec<AttributeValue> = Vec::new();
        let own = told
            .iter()
            .position(|set| set.object_type == Some(*kind) && set.object_groups.is_none());
        if let Some(own) = own {
            all.extend(told.remove(own).attributes.values().cloned());
        }
        fill(&mut all, values, Origin::Made);
        told.push(ObjectDefaults {
            object_type: Some(*kind),
            object_types: None,
            attributes: Attributes {
                names: Vec::new(),
                attributes: all.into_iter().map(Attribute::from).collect(),
            },
            object_groups: None,
        });
    }
    Ok(DefaultsInformation { object_defaults: told })
}
