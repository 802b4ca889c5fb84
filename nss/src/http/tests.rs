//! Tests of the HTTP client against answers of every kind.

use super::*;
use proptest::prelude::*;

/// A server that has already written its whole answer.
struct Canned<'a>(&'a [u8]);

impl Read for Canned<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Small pieces, as a network may deliver them.
        let length = self.0.len().min(buffer.len()).min(7);
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

fn ask(answer: &[u8]) -> io::Result<Response> {
    let request = Request {
        target: "/",
        host: "h",
        token: "t",
        node: "",
        etag: None,
        body_max: 100,
    };
    exchange(&mut Canned(answer), &request)
}

#[test]
fn bodies_by_length_chunked_and_until_the_end_are_read() {
    let response = ask(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nCache-Control: private, max-age=9, stale-if-error=8\r\nETag: W/\"1\"\r\n\r\nhello").unwrap();
    assert_eq!(
        (response.status, response.body.as_slice(), response.keep),
        (200, &b"hello"[..], true)
    );
    assert_eq!(
        (response.max_age, response.stale_if_error, response.etag.as_deref()),
        (Some(9), Some(8), Some("W/\"1\""))
    );
    let response =
        ask(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n").unwrap();
    assert_eq!((response.body.as_slice(), response.keep), (&b"hello"[..], true));
    let response = ask(b"HTTP/1.0 200 OK\r\n\r\nhello").unwrap();
    assert_eq!((response.body.as_slice(), response.keep), (&b"hello"[..], false));
    let response = ask(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
    assert!(!response.keep);
}

#[test]
fn what_comes_after_an_answer_ends_the_connection() {
    let response = ask(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n").unwrap();
    assert_eq!((response.body.as_slice(), response.keep), (&b"ok"[..], false));
}

#[test]
fn broken_answers_are_errors() {
    let long_head = [b"HTTP/1.1 200 OK\r\nX: ".as_slice(), &vec![b'a'; 20_000], b"\r\n\r\n"].concat();
    let long_chunk = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".as_slice(),
        &[b'0'; 100],
    ]
    .concat();
    let broken: &[&[u8]] = &[
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
        b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokXX0\r\n\r\n",
        b"HTTP/1.1 99 X\r\nContent-Length: 0\r\n\r\n",
        b"\0\x01\x02 garbage\r\n\r\n",
        &long_head,
        &long_chunk,
    ];
    for answer in broken {
        assert!(
            ask(answer).is_err(),
            "{:?}",
            String::from_utf8_lossy(&answer[..answer.len().min(80)])
        );
    }
}

#[test]
fn an_endless_body_is_given_up() {
    let endless = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &[b'x'; 1000]].concat();
    assert_eq!(ask(&endless).unwrap_err().kind(), io::ErrorKind::InvalidData);
}

#[test]
fn names_are_encoded_byte_by_byte() {
    assert_eq!(encode("a b/ä&=%\n".as_bytes()), "a%20b%2F%C3%A4%26%3D%25%0A");
}

proptest! {
    #[test]
    fn no_answer_makes_the_client_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = ask(&bytes);
        let _ = ask(&[b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".as_slice(), &bytes].concat());
    }
}
