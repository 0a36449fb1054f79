//! Values from the answers so far, which later steps and the verification need.

use serde_json::Value;
use std::collections::BTreeMap;

/// Values from the answers so far, by their names in the API.
pub(crate) type Facts = BTreeMap<&'static str, Value>;
