//! The HTTP and DNS readers: bounded answers from whoever answers.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rollcall_nss::http::{Request, exchange};
use rollcall_nss::resolve::parse_dns_answer;
use std::io::{self, Read, Write};

struct Canned<'a>(&'a [u8]);

impl Read for Canned<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.0.len().min(buffer.len()).min(33);
        buffer[..length].copy_from_slice(&self.0[..length]);
        self.0 = &self.0[length..];
        Ok(length)
    }
}

impl Write for Canned<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fuzz_target!(|bytes: &[u8]| {
    let request = Request { target: "/", host: "h", token: "t", node: "n; feed", etag: None, body_max: 4096 };
    if let Ok(response) = exchange(&mut Canned(bytes), &request) {
        assert!(response.body.len() <= 4096 && (200..600).contains(&response.status));
    }
    let question = [&[9, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], b"\x01a\0", &[0, 1, 0, 1]].concat();
    let _ = parse_dns_answer(bytes, &question, 1);
});
