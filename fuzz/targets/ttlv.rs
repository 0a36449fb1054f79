//! A message in TTLV: what is read is written, and read again as the same.

#![no_main]

use fuzz::form::{Form, all_trees};

fuzz::target!(Form::Ttlv, all_trees(), fuzz::round_trip::ttlv);
