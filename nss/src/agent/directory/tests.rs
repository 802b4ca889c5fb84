//! Tests of the directory: memberships agree from both sides, and every key that answers nobody any more is told.

use super::*;

fn user(id: &str, name: &str, uid: u32, gids: &[u32]) -> User {
    let gids = Some(gids.to_vec());
    User {
        id: id.to_owned(),
        name: name.to_owned(),
        uid,
        gid: 10_000,
        gids,
        ..User::default()
    }
}

fn group(id: &str, name: &str, gid: u32) -> Group {
    Group {
        id: id.to_owned(),
        name: name.to_owned(),
        gid,
        members: None,
    }
}

fn with_two_users() -> Directory {
    let mut directory = Directory::default();
    let mut dirty = Dirty::default();
    directory.put_group(group("g", "science", 10_100), &mut dirty);
    directory.put_user(user("1", "ada", 10_001, &[10_000, 10_100]), &mut dirty);
    directory.put_user(user("2", "bob", 10_002, &[10_000]), &mut dirty);
    directory
}

fn members(directory: &Directory, gid: u32) -> Vec<String> {
    directory.group_with_members(gid).unwrap().1.members.unwrap()
}

#[test]
fn a_membership_told_by_the_user_shows_in_the_group() {
    let mut directory = with_two_users();
    assert_eq!(members(&directory, 10_100), ["ada"]);
    let mut dirty = Dirty::default();
    directory.put_user(user("2", "bob", 10_002, &[10_000, 10_100]), &mut dirty);
    assert_eq!(members(&directory, 10_100), ["ada", "bob"]);
    assert!(dirty.groups.contains(&10_100));
}

#[test]
fn a_membership_told_by_the_group_shows_in_the_users() {
    let mut directory = with_two_users();
    let mut dirty = Dirty::default();
    let told = Group {
        members: Some(vec!["bob".to_owned(), "stranger".to_owned()]),
        ..group("g", "science", 10_100)
    };
    directory.put_group(told, &mut dirty);
    assert_eq!(members(&directory, 10_100), ["bob"]);
    assert_eq!(directory.user("1").unwrap().gids.as_deref(), Some(&[10_000][..]));
    assert_eq!(
        directory.user("2").unwrap().gids.as_deref(),
        Some(&[10_000, 10_100][..])
    );
    assert_eq!(dirty.users.len(), 2);
}

#[test]
fn a_renamed_user_frees_the_old_name_and_keeps_his_groups() {
    let mut directory = with_two_users();
    let mut dirty = Dirty::default();
    directory.put_user(
        User {
            gids: None,
            ..user("1", "adele", 10_001, &[])
        },
        &mut dirty,
    );
    assert_eq!(members(&directory, 10_100), ["adele"]);
    assert!(dirty.free_names.contains("ada") && dirty.free_uids.is_empty());
    assert!(directory.user_named("ada").is_none());
}

#[test]
fn a_name_that_somebody_else_takes_over_in_the_same_round_is_not_freed() {
    let mut directory = with_two_users();
    let mut dirty = Dirty::default();
    directory.put_user(
        User {
            by_uid_only: true,
            ..user("1", "ada.10001", 10_001, &[10_000])
        },
        &mut dirty,
    );
    directory.put_user(user("3", "ada", 10_003, &[10_000]), &mut dirty);
    assert!(dirty.free_names.is_empty());
    assert_eq!(directory.user_named("ada").unwrap().uid, 10_003);
    assert!(directory.user_named("ada.10001").is_none());
}

#[test]
fn two_users_may_swap_their_names() {
    let mut directory = with_two_users();
    let mut dirty = Dirty::default();
    directory.put_user(user("1", "bob", 10_001, &[10_000, 10_100]), &mut dirty);
    directory.put_user(user("2", "ada", 10_002, &[10_000]), &mut dirty);
    assert_eq!(directory.user_named("bob").unwrap().uid, 10_001);
    assert_eq!(directory.user_named("ada").unwrap().uid, 10_002);
    assert_eq!(members(&directory, 10_100), ["bob"]);
    assert!(dirty.free_names.is_empty());
}

#[test]
fn a_removed_user_leaves_nothing_behind() {
    let mut directory = with_two_users();
    let mut dirty = Dirty::default();
    directory.apply(Change::User("1".to_owned(), None), &mut dirty);
    assert!(members(&directory, 10_100).is_empty());
    assert!(dirty.gone.contains("1") && dirty.free_names.contains("ada") && dirty.free_uids.contains(&10_001));
}

#[test]
fn a_change_that_changes_nothing_touches_nothing() {
    let mut directory = with_two_users();
    let mut dirty = Dirty::default();
    directory.put_user(user("1", "ada", 10_001, &[10_000, 10_100]), &mut dirty);
    directory.put_group(group("g", "science", 10_100), &mut dirty);
    assert_eq!(dirty, Dirty::default());
}
