//! One OpenSSH public key as a line of `authorized_keys` (sshd(8), RFC 4253 §6.6).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest, Sha256};

/// Most keys of one user.
pub const KEYS: usize = 32;

/// Most bytes of one user's keys together: thousands of users travel to nodes in one answer.
pub const ALL_BYTES: usize = 16 * 1024;

/// Longest line, in bytes: an RSA key of 16,384 bits with options and a comment.
pub const LINE_BYTES: usize = 8 * 1024;

/// Shortest RSA key, in bits.
pub const RSA_BITS: usize = 2_048;

/// Why a line is no key that may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Too long.
    #[error("it is longer than {LINE_BYTES} bytes")]
    Long,
    /// Not one line of text.
    #[error("it holds a control character")]
    Control,
    /// No key type that is known and safe.
    #[error("it does not begin with ssh-ed25519, ssh-rsa, ecdsa-sha2-nistp256, -384, -521 or the sk- types")]
    Type,
    /// Not the Base64 form of a key of that type.
    #[error("what stands behind the type is no key of that type")]
    Body,
    /// An RSA key of too few bits.
    #[error("an RSA key needs {RSA_BITS} bits at least")]
    Weak,
}

/// A line that has been checked; borrows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey<'a> {
    /// What stands before the type, as `from="10.0.0.0/8",no-pty`.
    pub options: Option<&'a str>,
    /// The type, as `ssh-ed25519`.
    pub kind: &'a str,
    /// The key in Base64.
    pub body: &'a str,
    /// What stands behind it.
    pub comment: &'a str,
}

impl<'a> PublicKey<'a> {
    /// Reads a line. Raises why it is no key.
    pub fn parse(line: &'a str) -> Result<Self, KeyFault> {
        if line.len() > LINE_BYTES {
            return Err(KeyFault::Long);
        }
        if line.chars().any(|c| c.is_control() && c != '\t') {
            return Err(KeyFault::Control);
        }
        let line = line.trim();
        let (first, _) = word(line);
        let (options, rest) = if shape(first).is_some() {
            (None, line)
        } else {
            let end = options_end(line).ok_or(KeyFault::Type)?;
            let (options, rest) = line.split_at(end);
            (Some(options), rest.trim_start())
        };
        let (kind, rest) = word(rest);
        let shape = shape(kind).ok_or(KeyFault::Type)?;
        let (body, comment) = word(rest);
        let blob = STANDARD
            .decode(body)
            .or_else(|_| STANDARD_NO_PAD.decode(body))
            .map_err(|_| KeyFault::Body)?;
        shape.check(kind, &blob)?;
        Ok(Self {
            options,
            kind,
            body,
            comment,
        })
    }

    /// The fingerprint that `ssh-keygen -l` prints, `SHA256:…`.
    pub fn fingerprint(&self) -> String {
        let blob = STANDARD
            .decode(self.body)
            .or_else(|_| STANDARD_NO_PAD.decode(self.body))
            .unwrap_or_default();
        format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob)))
    }
}

/// The first word of a line, and what stands behind it.
fn word(line: &str) -> (&str, &str) {
    let end = line.find([' ', '\t']).unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    (word, rest.trim_start())
}

/// Where the options of a line end: at the first blank outside quotes.
fn options_end(line: &str) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (place, byte) in line.bytes().enumerate() {
        match byte {
            b'"' if !escaped => quoted = !quoted,
            b' ' | b'\t' if !quoted => return Some(place),
            _ => {}
        }
        escaped = byte == b'\\' && !escaped;
    }
    None
}

/// What the fields behind the type of a key look like.
#[derive(Clone, Copy)]
enum Shape {
    Ed25519,
    Rsa,
    Ecdsa { curve: &'static str, point: usize },
}

/// The shape of a key of this type, and whether an application follows (security keys). DSA is broken, and certificates are no keys.
fn shape(kind: &str) -> Option<ShapeOf> {
    let (shape, has_application) = match kind {
        "ssh-ed25519" => (Shape::Ed25519, false),
        "ssh-rsa" => (Shape::Rsa, false),
        "ecdsa-sha2-nistp256" => (ecdsa("nistp256", 65), false),
        "ecdsa-sha2-nistp384" => (ecdsa("nistp384", 97), false),
        "ecdsa-sha2-nistp521" => (ecdsa("nistp521", 133), false),
        "sk-ssh-ed25519@openssh.com" => (Shape::Ed25519, true),
        "sk-ecdsa-sha2-nistp256@openssh.com" => (ecdsa("nistp256", 65), true),
        _ => return None,
    };
    Some(ShapeOf { shape, has_application })
}

const fn ecdsa(curve: &'static str, point: usize) -> Shape {
    Shape::Ecdsa { curve, point }
}

struct ShapeOf {
    shape: Shape,
    has_application: bool,
}

impl ShapeOf {
    fn check(&self, kind: &str, blob: &[u8]) -> Result<(), KeyFault> {
        let mut fields = Fields(blob);
        let named = fields.next().ok_or(KeyFault::Body)?;
        if named != kind.as_bytes() {
            return Err(KeyFault::Body);
        }
        let is_right = match self.shape {
            Shape::Ed25519 => fields.next().is_some_and(|key| key.len() == 32),
            Shape::Rsa => {
                let exponent = fields
                    .next()
                    .is_some_and(|number| !number.is_empty() && number.len() <= 8);
                let modulus = fields.next().map_or(0, bits);
                if exponent && (1..RSA_BITS).contains(&modulus) {
                    return Err(KeyFault::Weak);
                }
                exponent && modulus >= RSA_BITS
            }
            Shape::Ecdsa { curve, point } => {
                let named = fields.next() == Some(curve.as_bytes());
                named
                    && fields
                        .next()
                        .is_some_and(|key| key.len() == point && key.first() == Some(&4))
            }
        };
        let application = !self.has_application || fields.next().is_some_and(|name| !name.is_empty());
        if is_right && application && fields.0.is_empty() {
            Ok(())
        } else {
            Err(KeyFault::Body)
        }
    }
}

/// The bits of a number as RFC 4251 §5 writes it (`mpint`).
fn bits(number: &[u8]) -> usize {
    let significant = number
        .iter()
        .position(|byte| *byte != 0)
        .map_or(&[][..], |at| &number[at..]);
    let leading = significant.first().map_or(0, |byte| byte.leading_zeros() as usize);
    significant.len() * 8 - leading
}

/// Length-prefixed strings (RFC 4251 §5).
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let field = rest.get(..length)?;
        self.0 = &rest[length..];
        Some(field)
    }
}

#[cfg(test)]
mod tests;
