//! The bearer token of a request: the administrator's for effective uid 0, the user's for everyone else, decided at each request.

use crate::config::{Address, Config, SafeFileError, read_safe};

/// Longest token file, bytes.
const TOKEN_MAX: usize = 4096;

/// The token for a request to `address`; an error when there is none that may be used. `admin`: the caller's effective uid is 0.
pub fn token(config: &Config, address: &Address, admin: bool) -> Result<String, SafeFileError> {
    // Not in the clear to another host. A node without the administrator's token resolves users with the other one.
    if admin && address.is_confidential() {
        match read(&config.admin_token_path) {
            Ok(token) => return Ok(token),
            Err(SafeFileError::Transient) => return Err(SafeFileError::Transient),
            Err(_) => {}
        }
    }
    read(&config.user_token_path)
}

/// Whether an administrator's token is installed, which is what makes shadow entries available.
pub fn has_admin_token(config: &Config) -> bool {
    rustix::fs::stat(config.admin_token_path.as_str()).is_ok_and(|meta| meta.st_uid == 0 && meta.st_size > 0)
}

fn read(path: &str) -> Result<String, SafeFileError> {
    let bytes = read_safe(path, TOKEN_MAX)?;
    let text = bytes.trim_ascii();
    // Anything else could end the header line.
    if text.is_empty() || !text.iter().all(u8::is_ascii_graphic) {
        return Err(SafeFileError::Unsafe);
    }
    Ok(String::from_utf8_lossy(text).into_owned())
}
