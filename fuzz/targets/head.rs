//! The files `header` and `head` of a store: only what its own keys have authenticated is taken.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::store_files::check(data));
