//! A message in JSON: what is read is written, and read again as the same.

#![no_main]

use fuzz::form::{Form, all_trees};
use fuzz::round_trip::{JSON, text};

fuzz::target!(Form::Json, all_trees(), |data: &[u8]| text(&JSON, data));
