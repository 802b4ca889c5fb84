//! The contract between the small module and the object with the direct mode, which is loaded at the first look-up that needs it.
//!
//! Both are built from one source and installed by one package; a different [`API_VERSION`] is refused. Records travel in the form of
//! [`crate::record`], through a callback, while the object holds on to them.

use std::ffi::c_void;

/// Version of this contract; to be raised with every change to it or to the form of records.
pub const API_VERSION: u64 = 1;
/// Name of the function that hands out [`Api`].
pub const API_SYMBOL: &core::ffi::CStr = c"rollcall_direct_api";
/// File name of the object, beside the full module.
pub const OBJECT: &str = "libnss_pwb_direct.so";

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Question {
    /// A user by name; the record has his gids.
    UserName = 1,
    /// A user by uid.
    Uid = 2,
    /// A group by name.
    GroupName = 3,
    /// A group by gid.
    Gid = 4,
    /// A shadow entry by user name.
    Shadow = 5,
    /// A page of users; the text is the cursor, empty at first.
    Users = 6,
    /// A page of groups.
    Groups = 7,
}

/// How a question ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The callback was called (for pages: once a record, then the cursor if there is a next page).
    Found,
    /// Positively none.
    None,
    /// Cannot know now.
    Unknown,
    /// No usable token or configuration.
    Unconfigured,
    /// This process lacks descriptors or memory: cannot know, but the service is not to blame.
    Local,
}

impl Answer {
    /// As it crosses the boundary.
    pub fn code(self) -> i32 {
        match self {
            Self::Found => 1,
            Self::None => 0,
            Self::Unknown => -1,
            Self::Unconfigured => -2,
            Self::Local => -3,
        }
    }

    /// From a code; an unknown one is "cannot know".
    pub fn from_code(code: i32) -> Self {
        match code {
            1 => Self::Found,
            0 => Self::None,
            -2 => Self::Unconfigured,
            -3 => Self::Local,
            _ => Self::Unknown,
        }
    }
}

impl Question {
    /// From its number.
    pub fn from_number(number: u32) -> Option<Self> {
        let all = [
            Self::UserName,
            Self::Uid,
            Self::GroupName,
            Self::Gid,
            Self::Shadow,
            Self::Users,
            Self::Groups,
        ];
        all.into_iter().find(|question| *question as u32 == number)
    }
}

/// Called with each record (`is_cursor` 0) or with the next page's cursor (1); the bytes are only valid during the call.
pub type Sink = extern "C" fn(context: *mut c_void, is_cursor: i32, bytes: *const u8, length: usize);

/// The functions of the object.
#[repr(C)]
#[derive(Debug)]
pub struct Api {
    /// [`API_VERSION`].
    pub version: u64,
    /// Makes a handle from the text of the configuration file; null = no memory. It is never freed: it lives as long as the process' state.
    pub open: extern "C" fn(config: *const u8, length: usize) -> *mut c_void,
    /// Asks: [`Question`] number, text, id, mode (1 with the admin token, 2 from the cache only). Returns [`Answer::code`].
    pub ask: extern "C" fn(*mut c_void, u32, *const u8, usize, u32, i32, Sink, *mut c_void) -> i32,
}
