//! Export files of a store: one is refused, or it has all rows of one store as they were.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::export_files::check(data));
