//! Files as other systems write them: byte order marks, CR LF, members twice, wrong heads, nothing at all.

use super::*;

/// Line, attribute and reason of what is told as a fault.
fn faults(found: &[Result<Entry, Fault>]) -> Vec<(u64, &str, &str)> {
    let told = found.iter().filter_map(|entry| entry.as_ref().err());
    told.map(|fault| {
        (
            fault.line,
            fault.attribute.as_deref().unwrap_or_default(),
            fault.reason.as_str(),
        )
    })
    .collect()
}

/// The same of what is told as a warning.
fn warnings(found: &[Result<Entry, Fault>]) -> Vec<(u64, &str)> {
    let told = found.iter().filter_map(|entry| match entry {
        Ok(Entry::Warning(fault)) => Some(fault),
        _ => None,
    });
    told.map(|fault| (fault.line, fault.attribute.as_deref().unwrap_or_default()))
        .collect()
}

fn users(found: &[Result<Entry, Fault>]) -> Vec<&User> {
    let users = found.iter().filter_map(|entry| match entry {
        Ok(Entry::User(user)) => Some(&**user),
        _ => None,
    });
    users.collect()
}

#[test]
fn a_byte_order_mark_of_utf_8_is_passed_over_and_one_of_utf_16_told() {
    for (format, text) in [
        (Format::Passwd, "jane:x:1001:1001:J:/home/jane:/bin/sh\n"),
        (Format::Csv, "userName\njane\n"),
        (Format::Ldif, "dn: uid=jane\nuid: jane\nuidNumber: 1001\n"),
        (Format::Json, r#"{"userName":"jane"}"#),
    ] {
        let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        let found = entries(format, ResourceType::User, &marked);
        assert_eq!(faults(&found), [], "{format:?}");
        assert_eq!(users(&found).len(), 1, "{format:?}");
        let wide = [
            b"\xff\xfe".to_vec(),
            text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ]
        .concat();
        let found = entries(format, ResourceType::User, &wide);
        assert!(faults(&found)[0].2.contains("UTF-16"), "{format:?} {found:?}");
    }
}

#[test]
fn what_looks_like_the_mark_of_utf_16_further_on_is_a_line_that_is_not_utf_8() {
    let good = b"jane:x:1001:1001:J:/home/jane:/bin/sh\njack:x:1002:1002:J:/home/jack:/bin/sh\n";
    for mark in [b"\xfe\xff", b"\xff\xfe"] {
        let found = entries(Format::Passwd, ResourceType::User, &[&good[..], mark, b"\n"].concat());
        assert_eq!(faults(&found), [(3, "", "the line is not UTF-8 from byte 1 on")]);
    }
}

#[test]
fn cr_lf_is_taken_for_lf_with_one_warning() {
    let text = b"jane:x:1001:1001:J:/home/jane:/bin/sh\r\n\r\n# x\r\njack:x:1002:1002:J:/home/jack:/bin/sh\r\n";
    let found = entries(Format::Passwd, ResourceType::User, text);
    assert_eq!(faults(&found), []);
    assert_eq!(warnings(&found), [(1, "")]);
    let shells: Vec<_> = users(&found).iter().map(|user| user.draft.shell.clone()).collect();
    assert_eq!(shells, [Some("/bin/sh".to_owned()), Some("/bin/sh".to_owned())]);
    let inside = entries(
        Format::Passwd,
        ResourceType::User,
        b"jane:x:1:1:a\rb:/home/jane:/bin/sh\n",
    );
    assert_eq!(faults(&inside)[0].1, "gecos");
}

#[test]
fn a_file_without_any_record_is_a_fault_and_an_empty_list_is_none() {
    for (format, text) in [
        (Format::Passwd, ""),
        (Format::Passwd, "\n# nobody\n"),
        (Format::Group, ""),
        (Format::Csv, ""),
        (Format::Ldif, "version: 1\n"),
        (Format::Json, " \n"),
    ] {
        let found = entries(format, ResourceType::User, text.as_bytes());
        assert!(faults(&found)[0].2.contains("no record"), "{format:?} {text:?}");
        assert_eq!(found.len(), 1);
    }
    for (format, text) in [
        (Format::Csv, "userName\n"),
        (Format::Json, "[]"),
        (Format::Json, r#"{"Resources":[]}"#),
    ] {
        assert_eq!(
            entries(format, ResourceType::User, text.as_bytes()),
            [],
            "{format:?} {text:?}"
        );
    }
}

#[test]
fn a_member_that_an_object_has_twice_is_told_and_the_other_records_are_read() {
    let posix = POSIX;
    let file = format!(
        r#"[{{"userName":"jane","username":"jack"}},
        {{"userName":"good"}},
        7,
        {{"userName":"deep","{posix}":{{"posixUserId":1,"posixUserId":2}}}}]"#
    );
    let found = entries(Format::Json, ResourceType::User, file.as_bytes());
    let told: Vec<_> = faults(&found).iter().map(|(line, name, _)| (*line, *name)).collect();
    assert_eq!(told, [(1, "username"), (3, ""), (4, "posixUserId")]);
    assert!(users(&found).iter().any(|user| user.draft.user_name == "good"));
    let hostile: Vec<String> = (0..200_000).map(|number| format!(r#""a{number}":1"#)).collect();
    let hostile = format!("{{{0},{0}}}", hostile.join(","));
    assert!(faults(&entries(Format::Json, ResourceType::User, hostile.as_bytes())).len() <= 21);
}

const POSIX_GROUP: &str = "urn:rollcall:params:scim:schemas:extension:posix:1.0:Group";
const POSIX: &str = "urn:rstudio:params:scim:schemas:extension:workbench:1.0:User";

#[test]
fn wrong_heads_are_all_told_and_hide_no_fault_of_a_record() {
    let file = b"userName,uid,posixUserId,shoe,posixUserId\njane,7,many,8,9\njack,7,1002,8,9\n";
    let found = entries(Format::Csv, ResourceType::User, file);
    let told: Vec<_> = faults(&found).iter().map(|(line, name, _)| (*line, *name)).collect();
    assert_eq!(told, [(1, "column"), (1, "column"), (1, "column"), (2, "posixUserId")]);
    let nameless = entries(Format::Csv, ResourceType::User, b"user,uid\njane,7\njack,8\n");
    assert_eq!(
        faults(&nameless).len(),
        2,
        "without a name there is nothing to say of records"
    );
}

#[test]
fn names_may_begin_with_the_signs_of_nis_when_they_have_a_number() {
    let file = b"+plus:x:5000:\n-minus:x:5001:jane\n+:::\n+ops::\n-\n#old:x:5002:\n";
    let found = entries(Format::Group, ResourceType::Group, file);
    let lines: Vec<_> = faults(&found).iter().map(|(line, ..)| *line).collect();
    assert_eq!(lines, [3, 4, 5]);
    assert_eq!(
        found
            .iter()
            .filter(|entry| matches!(entry, Ok(Entry::Group(_))))
            .count(),
        2
    );
}

#[test]
fn an_attribute_that_is_none_is_told_where_it_first_stands() {
    let file = format!(
        r#"{{"userName":"a","homeDirectory":"/x","urn:other:User":{{"a":1}},"{POSIX}":{{"homeDir":"/x","posixUserId":1001}}}}
        {{"userName":"b","homeDirectory":"/x","shoe":1,"meta":{{}},"TITLE":"Dr","password":"x"}}"#
    );
    let found = entries(Format::Json, ResourceType::User, file.as_bytes());
    let told = [(1, "homeDirectory"), (1, "urn:other:User"), (1, "homeDir"), (2, "shoe")];
    assert_eq!(warnings(&found), told);
    assert_eq!((faults(&found), users(&found).len()), (vec![], 2));
    let hostile: Vec<String> = (0..5_000)
        .map(|number| format!(r#"{{"userName":"u{number}","a{number}":1}}"#))
        .collect();
    let found = entries(Format::Json, ResourceType::User, hostile.join("\n").as_bytes());
    assert_eq!(warnings(&found).len(), 1_000);
}

#[test]
fn what_is_odd_and_taken_as_it_is_is_a_warning() {
    let found = entries(Format::Passwd, ResourceType::User, b"jane:x:1001:1001:::\n");
    assert_eq!(warnings(&found), [(1, "homeDirectory"), (1, "loginShell")]);
    let found = entries(
        Format::Csv,
        ResourceType::User,
        b"userName,emails\njane,jane@example.org jane\njack,@ j@x\n",
    );
    assert_eq!(warnings(&found), [(2, "emails"), (3, "emails")]);
    let found = entries(
        Format::Group,
        ResourceType::Group,
        b"2024:x:5000:\nlab:x:5001:\n  :x:5002:\n",
    );
    assert_eq!(warnings(&found), [(1, "posixGroupName")]);
    assert_eq!(faults(&found)[0].0, 3, "a blank name is refused");
}

#[test]
fn blanks_around_a_group_name_belong_to_its_posix_name_alone() {
    let found = entries(Format::Group, ResourceType::Group, b" lab :x:5001:\n");
    let Some(Ok(Entry::Group(group))) = found.first() else {
        panic!("{found:?}")
    };
    assert_eq!(group.draft.posix_name.as_deref(), Some(" lab "));
    assert_eq!(group.draft.display_name, "lab");
}

#[test]
fn a_gecos_field_that_is_there_and_empty_stays_empty() {
    let found = entries(
        Format::Csv,
        ResourceType::User,
        b"userName,displayName,gecos\njane,Jane Doe,\n",
    );
    assert_eq!(users(&found)[0].draft.gecos.as_deref(), Some(""));
    let found = entries(
        Format::Csv,
        ResourceType::User,
        b"userName,displayName\njane,Jane Doe\n",
    );
    assert_eq!(users(&found)[0].draft.gecos.as_deref(), Some("Jane Doe"));
}

#[test]
fn pages_of_a_list_are_refused_unless_all_of_them_are_there() {
    let page = |total: &str, users: &[&str]| {
        let users: Vec<String> = users.iter().map(|name| format!(r#"{{"userName":"{name}"}}"#)).collect();
        format!(
            "{{\n\"totalResults\":{total},\n\"Resources\":[{}]}}\n",
            users.join(",\n")
        )
    };
    let first = page("4", &["a", "b"]);
    let backwards = r#"{"Resources":[{"userName":"a"},{"userName":"b"}],"totalresults":1000}"#;
    for (text, told) in [
        (first.clone(), Some((2, "holds 2 of 4"))),
        (page("4", &[]), Some((2, "holds 0 of 4"))),
        (backwards.to_owned(), Some((1, "holds 2 of 1000"))),
        (first.clone() + &page("4", &["c"]), Some((2, "holds 3 of 4"))),
        (first.clone() + &page("5", &["c", "d"]), Some((6, "holds 4 of 5"))),
        (first + &page("4", &["c", "d"]), None),
        (page("1", &["a", "b"]), None),
        (page("null", &["a"]), None),
        (page("0", &[]), None),
    ] {
        let found = entries(Format::Json, ResourceType::User, text.as_bytes());
        match (&faults(&found)[..], told) {
            ([], None) => {}
            ([(line, "totalResults", reason)], Some((expected, words))) => {
                assert_eq!(*line, expected, "{text}");
                assert!(reason.contains(words), "{reason}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn numbers_outside_the_range_are_passed_over_however_the_attribute_is_spelt() {
    let mut rules = rules(ResourceType::User);
    rules.ids = Some(2000..=2999);
    let passed_over = |rules: &Rules, text: &str| {
        let mut found = Vec::new();
        let mut sink = |entry| {
            found.push(entry);
            ControlFlow::Continue(())
        };
        assert!(read(Format::Json, rules, &mut text.as_bytes(), &mut sink).is_ok());
        matches!(&found[..], [Ok(Entry::PassedOver)])
    };
    let (upper, urn) = (POSIX.to_uppercase(), POSIX);
    for number in [2500, 3500] {
        for said in [
            format!(r#""{urn}":{{"posixUserId":{number}}}"#),
            format!(r#""{upper}":{{"posixUserId":{number}}}"#),
            format!(r#""{urn}":{{"POSIXUSERID":{number}}}"#),
            format!(r#""{urn}":{{"posixUid":{number}}}"#),
            format!(r#""{urn}:posixUserId":{number}"#),
        ] {
            let text = format!(r#"{{"userName":"jane",{said}}}"#);
            assert_eq!(passed_over(&rules, &text), number == 3500, "{text}");
        }
    }
    rules.resource = ResourceType::Group;
    let group = POSIX_GROUP.to_uppercase();
    for number in [2500, 3500] {
        let text = format!(r#"{{"displayName":"a","{group}":{{"PosixGroupID":{number}}}}}"#);
        assert_eq!(passed_over(&rules, &text), number == 3500, "{text}");
    }
}

#[test]
fn members_and_ids_are_taken_however_they_are_spelt() {
    let id = "0192d3a0-0000-7000-8000-000000000001";
    let text = format!(r#"{{"ID":"{id}","displayName":"a","Members":[{{"value":"x"}}]}}"#);
    let found = entries(Format::Json, ResourceType::Group, text.as_bytes());
    assert!(
        matches!(&found[..], [Ok(Entry::Group(group))] if group.members.len() == 1 && group.id.is_some()),
        "{found:?}"
    );
}
