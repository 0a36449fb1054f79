//! Attributes in a Key Value (1.4, 2.1.4; 2.1, 3.2): they differ from those of the object only by
//! where they stand. So **they are the object's own**: what comes in with a key is taken or refused
//! as if it stood beside it, and is kept once, as attributes.

use kmip::attributes::Attribute;
use kmip::objects::{KeyValue, Object};

use crate::objects::attribute_rules;
use crate::objects::error::{OperationError, Result};

/// The attributes in the Key Value of an object, where it can be read.
pub(crate) fn attributes(object: &Object) -> Vec<Attribute> {
    match object.key_block().and_then(|block| block.key_value.as_ref()) {
        Some(KeyValue::Plain { attributes, .. }) => attributes.0.clone(),
        Some(KeyValue::Wrapped(_)) | None => Vec::new(),
    }
}

/// Adds them to those that stand beside the object, and refuses what contradicts these.
pub(crate) fn join(beside: &mut Vec<Attribute>, inside: Vec<Attribute>) -> Result<()> {
    for attribute in inside {
        let reference = attribute.value.reference();
        let is_said = beside.iter().any(|other| other.value == attribute.value);
        let is_other = || beside.iter().any(|other| other.value.is_instance_of(&reference));
        match is_said {
            true => {}
            false if !attribute_rules::is_multiple(&reference) && is_other() => {
                return Err(OperationError::invalid_field(format!(
                    "the Key Value says another {} than the object's attributes",
                    reference.name()
                )));
            }
            // An index counts the instances that stand beside.
            false => beside.push(Attribute { index: None, ..attribute }),
        }
    }
    Ok(())
}

/// Takes the attributes out of the Key Value of an object whose own they have become. What is
/// wrapped or signed stays as it is.
pub(crate) fn clear(object: &mut Object) {
    let block = object.key_block_mut().filter(|block| block.key_wrapping_data.is_none());
    if let Some(Some(KeyValue::Plain { attributes, .. })) = block.map(|block| &mut block.key_value)
    {
        attributes.0.clear();
    }
}
