#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| scribemed_fuzz_harness::token(data));
