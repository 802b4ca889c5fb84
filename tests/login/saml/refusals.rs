//! Responses that must be refused: changed, misdirected, out of time, wrapped, or made to confuse parsers.

use super::*;

async fn assert_no_user(stage: &Stage) {
    let users = stage.rollcall.scim().get("/Users").await.expect(200);
    assert_eq!(users.body["totalResults"], 0);
}

#[tokio::test]
async fn responses_that_are_not_signed_as_they_stand_are_refused() {
    let stage = Stage::set().await;
    let same = |xml: String| xml;
    stage
        .refused("nothing signed", |spec| spec.signed = Signed::Nothing, same)
        .await;
    stage.refused("SHA-1", |spec| spec.algorithm = "rsa-sha1", same).await;
    stage
        .refused("NameID changed", |_| {}, |xml| xml.replace(">s-1<", ">s-2<"))
        .await;
    stage
        .refused("attribute changed", |_| {}, |xml| xml.replace(">jane<", ">root<"))
        .await;
    stage
        .refused("group added", |_| {}, |xml| xml.replace(">ops<", ">admins<"))
        .await;
    let strip = |xml: String| {
        let mut text = xml;
        while let Some(start) = text.find("<ds:Signature ") {
            let end = text.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
            text.replace_range(start..end, "");
        }
        text
    };
    stage.refused("signatures stripped", |_| {}, strip).await;
    stage
        .refused(
            "response signature over a broken assertion",
            |spec| spec.signed = Signed::Response,
            |xml| xml.replace(">jane<", ">root<"),
        )
        .await;
    assert_no_user(&stage).await;
    stage.rollcall.finish().await;
}

#[tokio::test]
async fn responses_that_are_for_somebody_else_or_another_time_are_refused() {
    let stage = Stage::set().await;
    let same = |xml: String| xml;
    stage
        .refused(
            "wrong recipient",
            |spec| spec.recipient = "https://evil.org/acs".into(),
            same,
        )
        .await;
    stage
        .refused(
            "wrong destination",
            |spec| spec.destination = "https://evil.org/acs".into(),
            same,
        )
        .await;
    stage
        .refused(
            "wrong destination, assertion signed",
            |spec| {
                (spec.destination, spec.signed) = ("https://evil.org/acs".into(), Signed::Assertion);
            },
            same,
        )
        .await;
    stage
        .refused(
            "wrong audience",
            |spec| spec.audience = Some("https://evil.org".into()),
            same,
        )
        .await;
    stage.refused("no audience", |spec| spec.audience = None, same).await;
    stage
        .refused(
            "wrong issuer",
            |spec| spec.issuer = "https://evil.org/meta".into(),
            same,
        )
        .await;
    stage
        .refused(
            "expired",
            |spec| (spec.issued, spec.not_on_or_after) = (-80, -300),
            same,
        )
        .await;
    stage.refused("issued long ago", |spec| spec.issued = -600, same).await;
    stage
        .refused(
            "not yet valid",
            |spec| (spec.not_before, spec.not_on_or_after) = (400, 900),
            same,
        )
        .await;
    stage
        .refused("issued in the future", |spec| spec.issued = 400, same)
        .await;
    stage
        .refused("unknown InResponseTo", |spec| spec.request_id = "_other".into(), same)
        .await;
    stage
        .refused(
            "unknown InResponseTo of the subject",
            |spec| spec.subject_in_response_to = "_other".into(),
            same,
        )
        .await;
    assert_no_user(&stage).await;
    stage.rollcall.finish().await;
}

#[tokio::test]
async fn responses_that_do_not_say_who_has_signed_in_are_refused() {
    let stage = Stage::set().await;
    let same = |xml: String| xml;
    stage
        .refused(
            "status not success",
            |spec| {
                spec.status = "urn:oasis:names:tc:SAML:2.0:status:Responder".into();
                spec.signed = Signed::Assertion;
            },
            same,
        )
        .await;
    stage
        .refused(
            "no authentication statement",
            |spec| spec.authn_statement = String::new(),
            same,
        )
        .await;
    stage
        .refused(
            "two values of the user name",
            |spec| spec.attributes = attribute("Username", &["jane", "root"]),
            same,
        )
        .await;
    stage
        .refused(
            "no user name",
            |spec| spec.attributes = attribute("username", &["jane"]),
            same,
        )
        .await;
    stage
        .refused("not base64's XML", |_| {}, |_| "garbage".to_owned())
        .await;
    stage
        .refused(
            "300 KiB",
            |_| {},
            |xml| {
                xml.replace(
                    "<samlp:Status>",
                    &format!("<!--{}--><samlp:Status>", "x".repeat(300_000)),
                )
            },
        )
        .await;
    assert_no_user(&stage).await;
    stage.rollcall.finish().await;
}

#[tokio::test]
async fn parsers_are_given_nothing_to_disagree_about() {
    let stage = Stage::set().await;
    for (what, from, to) in [
        ("comment in NameID", ">s-1<", ">s-<!-- -->1<"),
        ("comment in an attribute", ">jane<", ">ja<!-- -->ne<"),
        ("CDATA in NameID", ">s-1<", "><![CDATA[s-1]]><"),
        ("processing instruction", "<samlp:Status>", "<?x y?><samlp:Status>"),
        (
            "entity",
            "<samlp:Response ",
            "<!DOCTYPE r [<!ENTITY e \"jane\">]><samlp:Response ",
        ),
        (
            "external entity",
            "<samlp:Response ",
            "<!DOCTYPE r SYSTEM \"file:///etc/passwd\"><samlp:Response ",
        ),
        (
            "billion laughs",
            "<samlp:Response ",
            "<!DOCTYPE r [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]><samlp:Response ",
        ),
        (
            "another encoding",
            "<samlp:Response ",
            "<?xml version=\"1.0\" encoding=\"UTF-7\"?><samlp:Response ",
        ),
        ("an undeclared entity", ">jane<", ">&jane;<"),
        ("text in front", "<samlp:Response ", " x<samlp:Response "),
    ] {
        stage.refused(what, |_| {}, |xml| xml.replacen(from, to, 1)).await;
    }
    stage
        .refused(
            "deep nesting",
            |_| {},
            |xml| {
                let (open, close) = ("<x>".repeat(200), "</x>".repeat(200));
                xml.replacen("<samlp:Status>", &format!("{open}{close}<samlp:Status>"), 1)
            },
        )
        .await;
    stage
        .refused(
            "an encrypted assertion",
            |spec| {
                spec.before = "<saml:EncryptedAssertion/>".into();
            },
            |xml| xml,
        )
        .await;
    stage
        .refused(
            "one ID twice",
            |spec| spec.before = format!("<x ID=\"{}\"/>", spec.assertion_id),
            |xml| xml,
        )
        .await;
    let log = stage.rollcall.service.log();
    let foreign: Vec<_> = log.iter().filter(|line| !line.starts_with('{')).collect();
    assert!(foreign.is_empty(), "libraries write log lines: {foreign:?}");
    stage.rollcall.finish().await;
}

/// Splits a response with a signed assertion: before it, it, its signature, after it.
fn parts(xml: &str) -> (String, String, String, String) {
    let start = xml.find("<saml:Assertion ").unwrap();
    let end = xml.find("</saml:Assertion>").unwrap() + "</saml:Assertion>".len();
    let assertion = xml[start..end].to_owned();
    let from = assertion.find("<ds:Signature ").unwrap();
    let to = assertion.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
    (
        xml[..start].to_owned(),
        assertion.clone(),
        assertion[from..to].to_owned(),
        xml[end..].to_owned(),
    )
}

fn evil(assertion: &str, signature: &str, id: &str) -> String {
    let evil = assertion
        .replace(signature, "")
        .replace(">jane<", ">root<")
        .replace(">s-1<", ">s-0<");
    evil.replace(&format!(" ID=\"{id}\""), " ID=\"_evil\"")
}

#[tokio::test]
async fn signature_wrapping_never_smuggles_an_assertion_in() {
    let stage = Stage::set().await;
    let wrap = |number: usize, xml: &str| -> String {
        let (head, assertion, signature, tail) = parts(xml);
        let id = assertion
            .split(" ID=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned();
        let evil = evil(&assertion, &signature, &id);
        let bare = assertion.replace(&signature, "");
        let object = |inner: &str| {
            signature.replace(
                "</ds:Signature>",
                &format!("<ds:Object>{inner}</ds:Object></ds:Signature>"),
            )
        };
        let inside =
            |outer: &str, inner: &str| outer.replace("</saml:Assertion>", &format!("{inner}</saml:Assertion>"));
        let body = match number {
            3 => evil + &assertion,
            4 => inside(&evil, &assertion),
            5 => evil.replace("<saml:Subject>", &format!("{signature}<saml:Subject>")) + &bare,
            6 => evil.replace(
                "<saml:Subject>",
                &format!(
                    "{}<saml:Subject>",
                    signature.replace("</ds:Signature>", &format!("{bare}</ds:Signature>"))
                ),
            ),
            7 => format!("<samlp:Extensions>{evil}</samlp:Extensions>{assertion}"),
            8 => evil.replace("<saml:Subject>", &format!("{}<saml:Subject>", object(&bare))),
            _ => unreachable!(),
        };
        format!("{head}{body}{tail}")
    };
    for number in 3..=8 {
        stage
            .refused(
                &format!("XSW {number}"),
                |spec| spec.signed = Signed::Assertion,
                |xml| wrap(number, &xml),
            )
            .await;
    }
    for number in [1, 2] {
        stage
            .refused(
                &format!("XSW {number}"),
                |spec| spec.signed = Signed::Response,
                |xml| {
                    let from = xml.find("<ds:Signature ").unwrap();
                    let to = xml.find("</ds:Signature>").unwrap() + "</ds:Signature>".len();
                    let signature = xml[from..to].to_owned();
                    let bare = xml.replace(&signature, "");
                    let evil = bare.replace("ID=\"_r1\"", "ID=\"_evil\"").replace(">jane<", ">root<");
                    let put = if number == 1 {
                        signature.replace(
                            "</ds:Signature>",
                            &format!("<ds:Object>{bare}</ds:Object></ds:Signature>"),
                        )
                    } else {
                        format!("{bare}{signature}")
                    };
                    evil.replacen("<samlp:Status>", &format!("{put}<samlp:Status>"), 1)
                },
            )
            .await;
    }
    assert_no_user(&stage).await;
    stage.rollcall.finish().await;
}
