//! The keyed hash of the shared map: SipHash-1-3, so that no one can choose names that fall into one bucket.

/// A 128-bit key, random per map file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashKey(pub u64, pub u64);

fn round(v: &mut [u64; 4]) {
    // The names of the algorithm's definition.
    let [v0, v1, v2, v3] = v;
    *v0 = v0.wrapping_add(*v1);
    *v2 = v2.wrapping_add(*v3);
    *v1 = v1.rotate_left(13) ^ *v0;
    *v3 = v3.rotate_left(16) ^ *v2;
    *v0 = v0.rotate_left(32);
    *v2 = v2.wrapping_add(*v1);
    *v0 = v0.wrapping_add(*v3);
    *v1 = v1.rotate_left(17) ^ *v2;
    *v3 = v3.rotate_left(21) ^ *v0;
    *v2 = v2.rotate_left(32);
}

impl HashKey {
    /// SipHash-1-3 of `tag` followed by `bytes`.
    pub fn hash(self, tag: u8, bytes: &[u8]) -> u64 {
        let mut v = [
            self.0 ^ 0x736f_6d65_7073_6575,
            self.1 ^ 0x646f_7261_6e64_6f6d,
            self.0 ^ 0x6c79_6765_6e65_7261,
            self.1 ^ 0x7465_6462_7974_6573,
        ];
        let mut take = |word: u64| {
            v[3] ^= word;
            round(&mut v);
            v[0] ^= word;
        };
        // The message is the tag and the bytes: one byte out of step with the words, which are taken as such all the same.
        let length = (bytes.len() as u64 + 1) << 56;
        match (bytes.first_chunk(), bytes.last_chunk(), bytes.get(7..)) {
            (Some(first), Some(last), Some(rest)) => {
                take(u64::from_le_bytes(*first) << 8 | u64::from(tag));
                let (words, odd) = rest.as_chunks();
                for word in words {
                    take(u64::from_le_bytes(*word));
                }
                // The odd bytes are the last of the last eight; two shifts, because none may be by 64.
                let shift = 8 * (7 - odd.len() as u64);
                take(u64::from_le_bytes(*last) >> 8 >> shift | length);
            }
            _ => {
                let short = bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
                let word = short << 8 | u64::from(tag);
                if bytes.len() == 7 {
                    take(word);
                    take(length);
                } else {
                    take(word | length);
                }
            }
        }
        v[2] ^= 0xff;
        for _ in 0..3 {
            round(&mut v);
        }
        v[0] ^ v[1] ^ v[2] ^ v[3]
    }
}

/// Fills `bytes` from the kernel's generator; what it cannot give stays as it was.
pub fn random(bytes: &mut [u8]) {
    let _ = rustix::rand::getrandom(bytes, rustix::rand::GetRandomFlags::NONBLOCK);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::hash_map::DefaultHasher;
    use std::hash::Hasher;

    #[test]
    fn agrees_with_the_standard_library_under_the_zero_key() {
        for length in 0..40_u8 {
            let bytes: Vec<u8> = (0..length).collect();
            let mut theirs = DefaultHasher::new();
            theirs.write(&[7]);
            theirs.write(&bytes);
            assert_eq!(HashKey(0, 0).hash(7, &bytes), theirs.finish(), "{length}");
        }
    }

    #[test]
    fn another_key_gives_another_hash() {
        assert_ne!(HashKey(1, 2).hash(1, b"ada"), HashKey(1, 3).hash(1, b"ada"));
    }
}
