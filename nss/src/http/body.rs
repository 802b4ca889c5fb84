//! Reading a body: by length, chunked, or until the end; never more than the caller allows.

use super::{Framing, invalid, read_more};
use std::io::{self, Read};

/// Most bytes of chunk framing that are not data, beyond one per data byte.
const OVERHEAD_MAX: usize = 64 << 10;

/// The body whose first bytes are `begun`, and whether nothing came after it.
pub(super) fn read(
    stream: &mut impl Read,
    begun: Vec<u8>,
    framing: Framing,
    max: usize,
) -> io::Result<(Vec<u8>, bool)> {
    match framing {
        Framing::Length(length) if length > max => Err(invalid()),
        Framing::Length(length) => by_length(stream, begun, length),
        Framing::Chunked => chunked(stream, begun, max),
        Framing::Close => until_end(stream, begun, max),
    }
}

fn by_length(stream: &mut impl Read, mut body: Vec<u8>, length: usize) -> io::Result<(Vec<u8>, bool)> {
    // Grows with what arrives, not with what was announced.
    while body.len() < length {
        read_more(stream, &mut body)?;
    }
    let clean = body.len() == length;
    body.truncate(length);
    Ok((body, clean))
}

fn until_end(stream: &mut impl Read, mut body: Vec<u8>, max: usize) -> io::Result<(Vec<u8>, bool)> {
    loop {
        if body.len() > max {
            return Err(invalid());
        }
        match read_more(stream, &mut body) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok((body, false)),
            Err(error) => return Err(error),
        }
    }
}

fn chunked(stream: &mut impl Read, mut input: Vec<u8>, max: usize) -> io::Result<(Vec<u8>, bool)> {
    let mut body = Vec::new();
    let mut at = 0;
    let mut overhead = 0;
    loop {
        let size = loop {
            match httparse::parse_chunk_size(input.get(at..).unwrap_or(&[])) {
                Ok(httparse::Status::Complete((used, size))) => {
                    at += used;
                    overhead += used;
                    break usize::try_from(size).map_err(|_| invalid())?;
                }
                Ok(httparse::Status::Partial) if input.len() - at < 64 => read_more(stream, &mut input)?,
                Ok(httparse::Status::Partial) | Err(_) => return Err(invalid()),
            }
        };
        if body.len().checked_add(size).is_none_or(|total| total > max) || overhead > OVERHEAD_MAX + body.len() {
            return Err(invalid());
        }
        let end = at + size;
        while input.len() < end + 2 {
            read_more(stream, &mut input)?;
        }
        // The last chunk is followed by the empty line that ends the (absent) trailers: the same two bytes.
        if input.get(end..end + 2) != Some(b"\r\n") {
            return Err(invalid());
        }
        if size == 0 {
            return Ok((body, input.len() == end + 2));
        }
        body.extend_from_slice(input.get(at..end).unwrap_or(&[]));
        input.drain(..end + 2);
        at = 0;
    }
}
