//! Readers: what they make of good files, and that they end with bad ones.

mod odd;

use proptest::prelude::*;

use super::*;
use crate::scim::schema::ResourceType;

fn rules(resource: ResourceType) -> Rules {
    Rules {
        ssh_key_options: false,
        resource,
        user_name_rule: Regex::new("^(?:[a-z_][a-z0-9._-]{0,31})$").unwrap_or_else(|error| panic!("{error}")),
        domain: None,
        ids: None,
    }
}

fn entries(format: Format, resource: ResourceType, text: &[u8]) -> Vec<Result<Entry, Fault>> {
    let mut found = Vec::new();
    let mut sink = |entry| {
        found.push(entry);
        ControlFlow::Continue(())
    };
    let outcome = read(format, &rules(resource), &mut &*text, &mut sink);
    assert!(outcome.is_ok(), "memory does not fail");
    found
}

#[test]
fn a_chain_of_groups_is_no_circle_however_long_it_is() {
    let nesting = |group: i64, member: i64| Nesting {
        group,
        line: group.unsigned_abs(),
        name: format!("g{group}"),
        member,
    };
    let mut chain: Vec<_> = (0..200_000).map(|number| nesting(number, number + 1)).collect();
    assert!(circles(&chain).is_empty());
    chain.push(nesting(200_000, 199_998));
    let lines: Vec<u64> = circles(&chain).iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [199_998, 199_999, 200_000]);
    assert!(circles(&[nesting(7, 7)]).is_empty());
    assert_eq!(held_by_themselves(&[nesting(7, 7), nesting(7, 8)]).len(), 1);
}

#[test]
fn every_fault_of_a_record_is_told_and_what_is_good_in_it_stays() {
    let body = |text: &str| serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}"));
    let many: serde_json::Value = body(
        r#"{"userName":"jane","active":5,"emails":"x","urn:rstudio:params:scim:schemas:extension:workbench:1.0:User":
            {"posixUserId":1001,"homeDirectory":"relative","admin":"perhaps"},
            "urn:rollcall:params:scim:schemas:extension:posix:1.0:User":{"loginShell":"sh","gecos":7,"privateGroup":"yes"}}"#,
    );
    let found = entries(Format::Json, ResourceType::User, many.to_string().as_bytes());
    let told: Vec<_> = found.iter().filter_map(|entry| entry.as_ref().err()).collect();
    for words in ["homeDirectory", "loginShell", "gecos", "privateGroup"] {
        let names = |fault: &&Fault| fault.attribute.as_deref() == Some(words) || fault.reason.contains(words);
        assert!(told.iter().copied().any(|fault| names(&fault)), "{words}: {told:?}");
    }
    assert!(
        matches!(found.last(), Some(Ok(Entry::User(user))) if user.draft.uid == Some(1001)),
        "{found:?}"
    );
    let hostile: Vec<String> = (0..10_000).map(|number| format!(r#""loginShell{number}":1"#)).collect();
    let hostile = format!(r#"{{"userName":"","active":"x",{}}}"#, hostile.join(","));
    // At most twenty faults and twenty warnings, and a record.
    assert!(entries(Format::Json, ResourceType::User, hostile.as_bytes()).len() <= 41);
}

#[test]
fn a_line_holds_as_many_members_as_a_group_may_have_and_ends_at_the_limit() {
    let members: Vec<String> = (0..250_000).map(|number| format!("{number:x>255}")).collect();
    let line = format!("big:x:5000:{}\n", members.join(","));
    let found = entries(Format::Group, ResourceType::Group, line.as_bytes());
    assert!(
        matches!(&found[..], [Ok(Entry::Group(group))] if group.members.len() == 250_000),
        "{:?}",
        found[0].as_ref().err()
    );
    let long = [b"x".repeat(GROUP_LINE_BYTES + 1), b"\nsmall:x:5001:\n".to_vec()].concat();
    let found = entries(Format::Group, ResourceType::Group, &long);
    assert!(matches!(&found[..], [Err(fault), Ok(_)] if fault.reason.contains("longer than 67108864 bytes")));
}

#[test]
fn a_quotation_that_is_never_closed_ends_at_the_limit() {
    let mut text = b"userName,gecos\nok,x\n\"open,y\n".to_vec();
    text.extend(b"other,z,\n".repeat(LINE_BYTES / 2));
    let found = entries(Format::Csv, ResourceType::User, &text);
    assert_eq!(found.len(), 2, "what follows is not told line by line");
    let fault = found.iter().find_map(|entry| entry.as_ref().err());
    assert!(
        fault.is_some_and(|fault| fault.line == 3 && fault.reason.contains("never closed")),
        "{fault:?}"
    );
}

#[test]
fn json_may_be_a_list_response_an_array_or_one_after_the_other() {
    let one = r#"{"userName":"jane"}"#;
    let two = r#"{"userName":"jack"}"#;
    for text in [
        format!(r#"{{"totalResults":2,"Resources":[{one},{two}],"schemas":["x"]}}"#),
        format!("[{one},\n{two}]"),
        format!("{one}\n{two}\n"),
    ] {
        let found = entries(Format::Json, ResourceType::User, text.as_bytes());
        assert_eq!(
            found.iter().filter(|entry| matches!(entry, Ok(Entry::User(_)))).count(),
            2,
            "{text}"
        );
        assert_eq!(found.len(), 2, "{text}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(entries(Format::Json, ResourceType::User, deep.as_bytes()).len(), 1);
}

proptest! {
    #[test]
    fn what_is_quoted_is_read_again(name in "[a-z]{1,8}", display in r#"[ -~é"\n,]{1,40}"#) {
        let display = display.trim().to_owned();
        prop_assume!(!display.is_empty());
        let text = format!("userName,displayName,posixUserId\n{name},{},1001\n", quote(&display));
        let found = entries(Format::Csv, ResourceType::User, text.as_bytes());
        if let [Ok(Entry::User(user))] = &found[..] {
            prop_assert_eq!(user.draft.display_name.as_deref(), Some(display.as_str()));
        } else {
            prop_assert!(found[0].is_err());
        }
    }

    #[test]
    fn no_bytes_make_a_reader_fail(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        for format in [Format::Passwd, Format::Group, Format::Csv, Format::Ldif, Format::Json] {
            for resource in [ResourceType::User, ResourceType::Group] {
                entries(format, resource, &bytes);
            }
        }
    }
}
