//! Managed objects: record, life cycle, attribute rules and index keys.

pub(crate) mod attribute;
pub mod attribute_arithmetic;
pub mod attribute_consistency;
pub mod attribute_rules;
pub mod certificate_attributes;
pub mod default_attributes;
pub mod error;
pub mod index;
pub mod key_lengths;
pub mod lifecycle;
pub mod record;
pub mod rotation;
pub mod server_attributes;
pub mod usage_limits;
