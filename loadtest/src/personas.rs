//! Identity providers as clients: what each of them sends for one purpose.

mod actions;
mod authentik;
mod cycle;
mod entra;
mod okta;

pub use actions::{Action, Performer, Stage};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::client::{Request, escape};
use crate::population::User;

/// RFC 7644 §3.5.2.
const PATCH_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Persona {
    /// Okta's SCIM client: catalogue applications.
    Okta,
    /// Microsoft Entra ID, without the flag for its newer behaviour.
    Entra,
    /// authentik.
    Authentik,
    /// A node with the NSS module.
    #[value(skip)]
    Node,
}

/// The requests in which identity providers differ.
trait Shapes: Sync {
    /// The connection test of its administration page.
    fn test_connection(&self) -> Request;
    /// Whether a user exists.
    fn look_up(&self, user_name: &str) -> Request;
    /// The body that creates a user.
    fn create(&self, user: &User) -> Value;
    /// A changed title.
    fn update(&self, id: &str, user: &User, title: &str) -> Request;
    /// Taking access away or giving it back.
    fn set_active(&self, id: &str, user: &User, active: bool) -> Request;
    /// One page of users of an import.
    fn page(&self, start_index: u64) -> Request;
    /// A group, as read before it is changed.
    fn read_group(&self, id: &str) -> Request;
    /// Members who join.
    fn add_members(&self, group: &str, members: &[String]) -> Request;
    /// A member who leaves.
    fn remove_member(&self, group: &str, member: &str) -> Request;
}

impl Persona {
    /// How he speaks SCIM. Raises a node, which does not.
    fn shapes(self) -> anyhow::Result<&'static dyn Shapes> {
        match self {
            Self::Okta => Ok(&okta::Okta),
            Self::Entra => Ok(&entra::Entra),
            Self::Authentik => Ok(&authentik::Authentik),
            Self::Node => anyhow::bail!("a node does not speak SCIM"),
        }
    }
}

fn patch(path: String, operations: &[Value]) -> Request {
    let body = json!({"schemas": [PATCH_SCHEMA], "Operations": operations});
    Request::with_body(hyper::Method::PATCH, path, &body)
}

fn user_name_filter(user_name: &str) -> String {
    escape(&format!("userName eq \"{user_name}\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::population::Population;

    fn body(request: &Request) -> String {
        String::from_utf8(request.body.clone().unwrap_or_default().to_vec()).unwrap()
    }

    #[test]
    fn each_persona_deactivates_in_its_own_way() {
        let user = Population::new(1, "").user(1);
        let told = |persona: Persona| {
            let request = persona.shapes().unwrap().set_active("7", &user, false);
            (request.method.as_str().to_owned(), body(&request))
        };
        let (method, okta) = told(Persona::Okta);
        assert!(
            method == "PATCH" && okta.contains(r#""value":{"active":false}"#) && !okta.contains("path"),
            "{okta}"
        );
        let (method, entra) = told(Persona::Entra);
        assert!(method == "PATCH" && entra.contains(r#""value":"False""#), "{entra}");
        let (method, authentik) = told(Persona::Authentik);
        assert!(
            method == "PUT" && authentik.contains(r#""active":false"#),
            "{authentik}"
        );
    }

    #[test]
    fn each_persona_removes_a_member_in_its_own_way() {
        let told = |persona: Persona| body(&persona.shapes().unwrap().remove_member("g", "m"));
        assert!(told(Persona::Okta).contains(r#"members[value eq \"m\"]"#));
        assert!(told(Persona::Entra).contains(r#""op":"Remove","path":"members","value":[{"value":"m"}]"#));
        assert!(told(Persona::Authentik).contains(r#""op":"remove","path":"members","value":[{"value":"m"}]"#));
    }

    #[test]
    fn entra_never_asks_for_members() {
        assert!(
            Persona::Entra
                .shapes()
                .unwrap()
                .read_group("g")
                .path
                .contains("excludedAttributes=members")
        );
        assert!(
            !Persona::Okta
                .shapes()
                .unwrap()
                .read_group("g")
                .path
                .contains("excluded")
        );
    }
}
