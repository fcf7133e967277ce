#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| aghook::fuzz_targets::capture(bytes));
