//! Managed objects: record, life cycle, attribute rules and index keys.

pub(crate) mod attribute;
pub(crate) mod attribute_arithmetic;
pub(crate) mod attribute_consistency;
pub(crate) mod attribute_rules;
pub(crate) mod certificate_attributes;
pub(crate) mod default_attributes;
pub(crate) mod error;
pub(crate) mod index;
pub(crate) mod key_block;
pub(crate) mod key_lengths;
pub(crate) mod key_value;
pub(crate) mod lifecycle;
pub(crate) mod object_form;
pub(crate) mod record;
pub(crate) mod rotation;
pub(crate) mod server_attributes;
pub(crate) mod server_information;
pub(crate) mod usage_limits;
