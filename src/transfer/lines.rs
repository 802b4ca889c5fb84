//! Lines of a file with their numbers, none longer than the limit, all of them UTF-8.

use std::io::{BufRead, Read};

use super::Fault;

/// What some programs write before UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads lines one after the other.
pub(super) struct Lines<'a> {
    input: &'a mut dyn BufRead,
    buffer: Vec<u8>,
    limit: usize,
    number: u64,
}

impl<'a> Lines<'a> {
    /// Lines of at most `limit` bytes.
    pub(super) fn new(input: &'a mut dyn BufRead, limit: usize) -> Self {
        Self {
            input,
            buffer: Vec::new(),
            limit,
            number: 0,
        }
    }

    /// Most bytes of a line.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// The number of the line that was read last, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next line without its line feed (a carriage return before it stays), a fault, or `None` at the end.
    /// A byte order mark at the beginning of the file is passed over when it is that of UTF-8.
    pub(super) fn next(&mut self) -> std::io::Result<Option<Result<&str, Fault>>> {
        self.buffer.clear();
        let limit = self.limit as u64 + 1;
        let read = (&mut *self.input).take(limit).read_until(b'\n', &mut self.buffer)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if self.buffer.last() == Some(&b'\n') {
            self.buffer.pop();
        } else if read as u64 == limit {
            self.skip_rest()?;
            let reason = format!("the line is longer than {} bytes", self.limit);
            return Ok(Some(Err(Fault::of_line(self.number, reason))));
        }
        if self.number == 1 && self.buffer.starts_with(BYTE_ORDER_MARK) {
            self.buffer.drain(..BYTE_ORDER_MARK.len());
        }
        let is_wide = self.buffer.starts_with(b"\xff\xfe") || self.buffer.starts_with(b"\xfe\xff");
        if self.number == 1 && is_wide {
            return Ok(Some(Err(Fault::of_line(1, "the file is UTF-16; it must be UTF-8"))));
        }
        Ok(Some(match std::str::from_utf8(&self.buffer) {
            Ok(text) if text.contains('\0') => Err(Fault::of_line(self.number, "the line holds a NUL byte")),
            Ok(text) => Ok(text),
            Err(error) => {
                let reason = format!("the line is not UTF-8 from byte {} on", error.valid_up_to() + 1);
                Err(Fault::of_line(self.number, reason))
            }
        }))
    }

    fn skip_rest(&mut self) -> std::io::Result<()> {
        loop {
            let available = self.input.fill_buf()?;
            if available.is_empty() {
                return Ok(());
            }
            let end = available.iter().position(|&byte| byte == b'\n');
            let used = end.map_or(available.len(), |end| end + 1);
            self.input.consume(used);
            if end.is_some() {
                return Ok(());
            }
        }
    }
}
