//! HTTP/1.1 as a client of the read API needs it (RFC 9112): one GET, one bounded answer.

mod body;

use std::fmt::Write as _;
use std::io::{self, Read, Write};

/// Longest response head, bytes.
const HEAD_MAX: usize = 16 << 10;
/// Most header fields.
const FIELDS_MAX: usize = 64;
/// Longest `ETag` that is kept, bytes.
const ETAG_MAX: usize = 256;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Path with query, percent-encoded.
    pub target: &'a str,
    /// Value of `Host`.
    pub host: &'a str,
    /// Bearer token.
    pub token: &'a str,
    /// Value of `Rollcall-Node`; empty: not sent.
    pub node: &'a str,
    /// Value of `If-None-Match`.
    pub etag: Option<&'a str>,
    /// Longest body that is read, bytes.
    pub body_max: usize,
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Whole body.
    pub body: Vec<u8>,
    /// `Cache-Control: max-age`, seconds.
    pub max_age: Option<u64>,
    /// `Cache-Control: stale-if-error`, seconds.
    pub stale_if_error: Option<u64>,
    /// `ETag`.
    pub etag: Option<String>,
    /// The connection can be used again.
    pub keep: bool,
}

/// Sends `request` over `stream` and reads the answer. Any deviation from the protocol is an error of kind `InvalidData`.
pub fn exchange(stream: &mut (impl Read + Write), request: &Request<'_>) -> io::Result<Response> {
    let mut head = String::with_capacity(512);
    let _ = write!(
        head,
        "GET {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nAccept: application/json\r\nUser-Agent: rollcall-nss\r\n",
        request.target, request.host, request.token
    );
    if !request.node.is_empty() {
        let _ = write!(head, "Rollcall-Node: {}\r\n", request.node);
    }
    if let Some(etag) = request.etag {
        let _ = write!(head, "If-None-Match: {etag}\r\n");
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    stream.flush()?;
    let mut input = Vec::with_capacity(4096);
    loop {
        if let Some((mut response, framing, used)) = parse_head(&input)? {
            let begun = input.split_off(used);
            let (body, clean) = body::read(stream, begun, framing, request.body_max)?;
            response.body = body;
            response.keep &= clean;
            return Ok(response);
        }
        if input.len() > HEAD_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        read_more(stream, &mut input)?;
    }
}

/// How long a body is (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// So many bytes.
    Length(usize),
    /// Chunked coding.
    Chunked,
    /// Until the server closes.
    Close,
}

fn invalid() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

fn read_more(stream: &mut impl Read, input: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; 16 << 10];
    let length = stream.read(&mut buffer)?;
    if length == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    input.extend_from_slice(buffer.get(..length).unwrap_or(&[]));
    Ok(())
}

fn parse_head(input: &[u8]) -> io::Result<Option<(Response, Framing, usize)>> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut parsed = httparse::Response::new(&mut fields);
    let used = match parsed.parse(input) {
        Ok(httparse::Status::Complete(used)) => used,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(invalid()),
    };
    let status = parsed
        .code
        .filter(|code| (200..600).contains(code))
        .ok_or_else(invalid)?;
    let mut response = Response {
        status,
        keep: parsed.version == Some(1),
        ..Response::default()
    };
    let (mut length, mut chunked) = (None, None);
    for field in parsed.headers.iter() {
        let value = std::str::from_utf8(field.value).map_err(|_| invalid())?.trim();
        match field.name {
            name if name.eq_ignore_ascii_case("content-length") => {
                let this = value.parse::<usize>().map_err(|_| invalid())?;
                if length.replace(this).is_some_and(|other| other != this) {
                    return Err(invalid());
                }
            }
            name if name.eq_ignore_ascii_case("transfer-encoding") => {
                let once = value.eq_ignore_ascii_case("chunked") && chunked.replace(()).is_none();
                once.then_some(()).ok_or_else(invalid)?;
            }
            name if name.eq_ignore_ascii_case("content-encoding") && !value.eq_ignore_ascii_case("identity") => {
                return Err(invalid());
            }
            name if name.eq_ignore_ascii_case("connection") => {
                response.keep &= !value.split(',').any(|word| word.trim().eq_ignore_ascii_case("close"));
            }
            name if name.eq_ignore_ascii_case("cache-control") => cache_control(value, &mut response),
            name if name.eq_ignore_ascii_case("etag") && value.len() <= ETAG_MAX && value.is_ascii() => {
                response.etag = Some(value.to_owned());
            }
            _ => {}
        }
    }
    let framing = match (status, chunked, length) {
        (204 | 304, _, _) => Framing::Length(0),
        // Both is how requests are smuggled.
        (_, Some(()), Some(_)) => return Err(invalid()),
        (_, Some(()), None) => Framing::Chunked,
        (_, None, Some(length)) => Framing::Length(length),
        (_, None, None) => Framing::Close,
    };
    response.keep &= framing != Framing::Close;
    Ok(Some((response, framing, used)))
}

/// `max-age` and `stale-if-error` (RFC 9111 §5.2, RFC 5861 §4); `no-store` and `no-cache` are a `max-age` of 0.
fn cache_control(value: &str, response: &mut Response) {
    for directive in value.split(',').map(str::trim) {
        if let Some(seconds) = directive.strip_prefix("max-age=") {
            response.max_age = seconds.parse().ok();
        } else if let Some(seconds) = directive.strip_prefix("stale-if-error=") {
            response.stale_if_error = seconds.parse().ok();
        } else if directive == "no-store" || directive == "no-cache" {
            response.max_age = Some(0);
        }
    }
}

/// Percent-encodes everything but unreserved characters (RFC 3986 §2.3).
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests;
