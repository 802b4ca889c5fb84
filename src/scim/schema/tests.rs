//! Tests of the schema definitions and of the resolution of attribute notation.

use super::*;

fn resolved(resource_type: ResourceType, notation: &str) -> Option<String> {
    resource_type.resolve_attribute(notation).map(|path| path.to_string())
}

#[test]
fn names_and_urns_resolve_without_case() {
    let user = ResourceType::User;
    assert_eq!(resolved(user, "USERNAME").as_deref(), Some("userName"));
    assert_eq!(resolved(user, "Name.GivenName").as_deref(), Some("name.givenName"));
    assert_eq!(
        resolved(user, "URN:ietf:params:scim:schemas:core:2.0:user:externalId").as_deref(),
        Some("externalId")
    );
    assert_eq!(
        resolved(user, "meta.lastmodified").as_deref(),
        Some("meta.lastModified")
    );
    assert_eq!(
        resolved(
            user,
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value"
        )
        .as_deref(),
        Some("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value")
    );
}

#[test]
fn workbench_spellings_resolve_to_the_emitted_ones() {
    let urn = WORKBENCH_USER.id;
    for (alias, name) in [
        ("posixName", "posixUserName"),
        ("posixUid", "posixUserId"),
        ("POSIXUID", "posixUserId"),
    ] {
        let expected = format!("{urn}:{name}");
        assert_eq!(resolved(ResourceType::User, &format!("{urn}:{alias}")), Some(expected));
    }
}

#[test]
fn an_unqualified_extension_attribute_resolves() {
    assert_eq!(
        resolved(ResourceType::User, "manager").as_deref(),
        Some("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager")
    );
}

#[test]
fn unknown_notation_does_not_resolve() {
    for notation in [
        "",
        "nope",
        "name.nope",
        "userName.value",
        "name.givenName.x",
        "urn:nope:User:userName",
        "é",
    ] {
        assert_eq!(ResourceType::User.resolve(notation), None, "{notation}");
    }
    assert_eq!(ResourceType::Group.resolve("userName"), None);
}

#[test]
fn a_bare_urn_names_the_resource_or_the_extension() {
    assert_eq!(ResourceType::User.resolve(USER.id), Some(Target::Resource));
    assert_eq!(
        ResourceType::User.resolve(WORKBENCH_USER.id),
        Some(Target::Extension(&WORKBENCH_USER))
    );
    assert_eq!(ResourceType::User.resolve(&format!("{}x", USER.id)), None);
}

#[test]
fn the_errata_are_applied() {
    assert!(GROUP.attribute("displayName").unwrap().required);
    let manager = ENTERPRISE_USER.attribute("manager").unwrap();
    assert!(manager.sub_attribute("value").unwrap().case_exact);
    let groups = USER.attribute("groups").unwrap();
    assert_eq!(groups.sub_attribute("$ref").unwrap().reference_types, ["Group"]);
    for schema in ALL {
        for attribute in schema.attributes {
            assert!(attribute.kind != Kind::Complex || attribute.uniqueness == Uniqueness::None);
            assert!(attribute.sub_attributes.iter().all(|sub| sub.kind != Kind::Complex));
        }
    }
}
