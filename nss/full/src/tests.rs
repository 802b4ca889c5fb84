//! Tests of the boundary to C: buffers of every size and address, panics, the caller's errno.

use super::*;
use rollcall_nss::contract::{Group, User};
use rollcall_nss::record::{Record, group, user};

/// The user's groups.
const GIDS: u32 = if cfg!(miri) { 12 } else { 100 };

fn ada() -> Vec<u8> {
    let ada = User {
        name: "ada".to_owned(),
        uid: 10_001,
        gid: 10_001,
        gecos: "Ada".to_owned(),
        home: "/home/ada".to_owned(),
        shell: "/bin/sh".to_owned(),
        gids: Some((0..GIDS).map(|n| 10_001 + n).collect()),
        ..User::default()
    };
    user(&ada, true).unwrap()
}

/// Members of the group; few under Miri, where each size of the buffer takes long.
const MEMBERS: usize = if cfg!(miri) { 2 } else { 50 };

fn science() -> Vec<u8> {
    let members = Some((0..MEMBERS).map(|n| format!("user{n:05}")).collect());
    group(&Group {
        id: String::new(),
        name: "science".to_owned(),
        gid: 10_100,
        members,
    })
    .unwrap()
}

/// Offsets of the buffer's address from an aligned one; under Miri the two that differ most.
const SHIFTS: &[usize] = if cfg!(miri) {
    &[0, 3]
} else {
    &[0, 1, 2, 3, 4, 5, 6, 7, 8]
};

const GUARD: u8 = 0x5a;

/// Calls `fill` with buffers of every size up to `max`, at even and odd addresses; returns the smallest that fits.
fn every_size(max: usize, mut fill: impl FnMut(*mut c_char, usize) -> (Outcome, Vec<usize>)) -> usize {
    let mut smallest = 0;
    for &shift in SHIFTS {
        for size in 0..max {
            let mut memory = vec![GUARD; max + 64];
            let start = memory[shift..].as_mut_ptr();
            let (outcome, pointers) = fill(start.cast(), size);
            assert!(
                memory[shift + size..].iter().all(|&byte| byte == GUARD),
                "wrote past {size} bytes at +{shift}"
            );
            assert!(
                memory[..shift].iter().all(|&byte| byte == GUARD),
                "wrote before the buffer"
            );
            if outcome == Outcome::TooSmall {
                assert!(smallest == 0 || size < smallest + 8, "{size} fitted before");
                continue;
            }
            assert_eq!(outcome, Outcome::Found);
            let range = start as usize..start as usize + size;
            assert!(
                pointers.iter().all(|pointer| range.contains(pointer)),
                "a pointer outside the buffer"
            );
            if smallest == 0 {
                smallest = size;
            }
        }
    }
    smallest
}

#[test]
fn a_user_fits_exactly_or_not_at_all() {
    let bytes = ada();
    let record = Record::parse(&bytes).unwrap();
    let smallest = every_size(120, |buffer, length| {
        let mut result: passwd = unsafe { std::mem::zeroed() };
        let outcome = unsafe { fill_passwd(&record, &raw mut result, Buffer::new(buffer, length)) };
        if outcome == Outcome::Found {
            assert_eq!(unsafe { CStr::from_ptr(result.pw_dir) }, c"/home/ada");
            assert_eq!(unsafe { CStr::from_ptr(result.pw_shell) }, c"/bin/sh");
        }
        (outcome, vec![result.pw_name as usize, result.pw_shell as usize])
    });
    assert_eq!(smallest, b"ada\0x\0Ada\0/home/ada\0/bin/sh\0".len());
}

#[test]
fn a_groups_members_are_aligned_whatever_the_buffers_address() {
    let bytes = science();
    let record = Record::parse(&bytes).unwrap();
    every_size(22 * MEMBERS, |buffer, length| {
        let mut result: libc::group = unsafe { std::mem::zeroed() };
        let outcome = unsafe { fill_group(&record, &raw mut result, Buffer::new(buffer, length)) };
        if outcome != Outcome::Found {
            return (outcome, Vec::new());
        }
        assert!(result.gr_mem.is_aligned());
        let members: Vec<*mut c_char> = (0..=MEMBERS)
            .map(|index| unsafe { *result.gr_mem.add(index) })
            .take_while(|member| !member.is_null())
            .collect();
        assert_eq!(members.len(), MEMBERS);
        assert_eq!(
            unsafe { CStr::from_ptr(members[MEMBERS - 1]) }.to_bytes(),
            format!("user{:05}", MEMBERS - 1).as_bytes()
        );
        (outcome, members.iter().map(|&member| member as usize).collect())
    });
}

#[test]
fn a_record_of_the_wrong_kind_is_not_handed_out() {
    let bytes = science();
    let record = Record::parse(&bytes).unwrap();
    let mut buffer = [0_i8; 1000];
    let mut result: passwd = unsafe { std::mem::zeroed() };
    let buffer = unsafe { Buffer::new(buffer.as_mut_ptr().cast(), 1000) };
    assert_eq!(
        unsafe { fill_passwd(&record, &raw mut result, buffer) },
        Outcome::Broken
    );
}

fn gids(limit: c_long, size: c_long, start: c_long) -> (Vec<gid_t>, c_long) {
    let bytes = ada();
    let record = Record::parse(&bytes).unwrap();
    let (mut start, mut size) = (start, size);
    let mut groups: *mut gid_t = unsafe { libc::calloc(usize::try_from(size).unwrap(), 4) }.cast();
    let outcome = unsafe { append_gids(&record, 10_001, &raw mut start, &raw mut size, &raw mut groups, limit) };
    assert_eq!(outcome, Outcome::Found);
    assert!(start <= size);
    let found = (0..usize::try_from(start).unwrap())
        .map(|index| unsafe { *groups.add(index) })
        .collect();
    unsafe { libc::free(groups.cast()) };
    (found, size)
}

#[test]
fn gids_are_appended_without_the_primary_one_and_never_past_the_limit() {
    let (all, _) = gids(0, 1, 0);
    assert_eq!(all, (10_002..10_001 + GIDS).collect::<Vec<_>>());
    let (some, size) = gids(10, 4, 0);
    assert_eq!((some.len(), size), (10, 10));
    let (none, _) = gids(4, 4, 4);
    assert_eq!(none.len(), 4);
}

#[test]
#[cfg_attr(miri, ignore = "Miri knows no cancellation of threads")]
fn a_panic_becomes_a_status_and_success_leaves_errno_alone() {
    std::panic::set_hook(Box::new(|_| {}));
    let mut errno = 77;
    assert_eq!(enter(&raw mut errno, |_| panic!("injected")), status::UNAVAIL);
    assert_eq!(errno, libc::EAGAIN);
    errno = 77;
    assert_eq!(enter(&raw mut errno, |_| Outcome::Found), status::SUCCESS);
    assert_eq!(errno, 77);
    for (outcome, status, expected) in [
        (Outcome::NotFound, status::NOTFOUND, libc::ENOENT),
        (Outcome::TooSmall, status::TRYAGAIN, libc::ERANGE),
        (Outcome::CannotKnow, status::TRYAGAIN, libc::EAGAIN),
        (Outcome::Unconfigured, status::UNAVAIL, libc::ENOENT),
        (Outcome::Denied, status::UNAVAIL, libc::EACCES),
        (Outcome::NoMemory, status::TRYAGAIN, libc::ENOMEM),
    ] {
        assert_eq!((enter(&raw mut errno, |_| outcome), errno), (status, expected));
    }
    drop(std::panic::take_hook());
}
