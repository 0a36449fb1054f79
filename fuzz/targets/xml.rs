//! A message in XML: what is read is written, and read again as the same.

#![no_main]

use fuzz::form::{Form, all_trees};
use fuzz::round_trip::{XML, text};

fuzz::target!(Form::Xml, all_trees(), |data: &[u8]| text(&XML, data));
