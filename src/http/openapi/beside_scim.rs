//! The endpoints of `/openapi.json` that are no SCIM: sign-in, tokens, the read API, operations.

use serde_json::{Map, Value, json};

use super::{parameter, path_parameters};

/// Where an endpoint is offered, and what its callers show.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Door {
    /// `listen`, by a browser or a proxy in front of one: a cookie at most.
    Browser,
    /// `listen`, with a token.
    Api,
    /// `listen`, with the client's own credentials in the form.
    Client,
    /// `proxy-listen`, by a proxy that signs people in.
    Proxy,
    /// `read-listen`, with a token of a node.
    Read,
    /// `ops-listen`.
    Operations,
}

/// One endpoint.
struct Endpoint {
    door: Door,
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    query: &'static [&'static str],
    /// Fields of its form.
    form: &'static [&'static str],
    /// Status and what it means.
    answers: &'static [(u16, &'static str)],
}

const FORM: &str = "application/x-www-form-urlencoded";

macro_rules! endpoints {
    ($($door:ident $method:ident $path:literal, $summary:literal, $query:expr, $form:expr, [$($status:literal $text:literal),+];)+) => {
        &[$(Endpoint {
            door: Door::$door, method: stringify!($method), path: $path, summary: $summary, query: &$query, form: &$form,
            answers: &[$(($status, $text)),+],
        }),+]
    };
}

const ENDPOINTS: &[Endpoint] = endpoints![
    Client post "/oauth/token", "Lends an access token (RFC 6749 §4.4)", [],
        ["grant_type", "client_id", "client_secret", "scope"], [200 "The token", 400 "An OAuth error", 401 "Unknown client"];
    Browser get "/openapi.json", "This document", [], [], [200 "It"];
    Api post "/api/v1/logins", "Signs a person in whom a front end has verified (scope `login`)", [], [],
        [200 "The user, and what changed", 400 "Malformed", 401 "No such token", 403 "Refused; `error` says why",
         409 "Another account or a later assertion stands in the way", 429 "Too many requests", 503 "Try again"];
    Browser get "/auth/verify", "Forward-auth: who has this session? On `proxy-listen`: whom do these headers name?", ["redirect"], [],
        [200 "`X-RStudio-Username`, `X-Rollcall-Uid`, `X-Rollcall-User-Id`", 302 "With `redirect`: to the sign-in page",
         400 "Doubled or disguised headers", 401 "Nobody", 403 "May not sign in", 503 "Cannot know"];
    Browser post "/auth/verify", "The same, for proxies that ask with the browser's method", ["redirect"], [],
        [200 "As with GET", 302 "As with GET", 400 "As with GET", 401 "As with GET", 403 "As with GET", 503 "As with GET"];
    Browser put "/auth/verify", "The same, for proxies that ask with the browser's method", ["redirect"], [],
        [200 "As with GET", 302 "As with GET", 400 "As with GET", 401 "As with GET", 403 "As with GET", 503 "As with GET"];
    Browser patch "/auth/verify", "The same, for proxies that ask with the browser's method", ["redirect"], [],
        [200 "As with GET", 302 "As with GET", 400 "As with GET", 401 "As with GET", 403 "As with GET", 503 "As with GET"];
    Browser delete "/auth/verify", "The same, for proxies that ask with the browser's method", ["redirect"], [],
        [200 "As with GET", 302 "As with GET", 400 "As with GET", 401 "As with GET", 403 "As with GET", 503 "As with GET"];
    Browser get "/sign-in", "To the provider, or a choice of several", ["return", "stay"], [],
        [200 "The choice", 303 "To the provider, or back with a session", 404 "No way to sign in is set up"];
    Browser get "/sign-in.css", "The style of the pages", [], [], [200 "It"];
    Browser get "/sign-out", "Asks whether to sign out", [], [], [200 "The question"];
    Browser post "/sign-out", "Ends the session", [], [], [303 "Signed out", 400 "Asked for by another site"];
    Browser get "/openid/login", "To the OpenID provider", ["return"], [], [303 "To the provider", 404 "Not set up", 503 "It does not answer"];
    Browser get "/openid/callback", "Back from the OpenID provider (OpenID Connect Core §3.1.2.5)", ["code", "state", "iss", "error"], [],
        [303 "Signed in", 400 "No such sign-in is under way", 403 "Refused", 404 "Not set up", 503 "Try again"];
    Browser get "/admin.css", "The style of the administrators' pages", [], [], [200 "It"];
    Browser get "/admin", "Page for administrators: numbers left, providers, database, brake, pushes that failed", [], [],
        [200 "The page", 303 "To the sign-in page", 403 "Not an administrator", 404 "Not offered", 503 "Try again"];
    Browser get "/admin/users", "Page for administrators: finding a user", ["q", "after"], [],
        [200 "The page", 303 "To the sign-in page", 403 "Not an administrator", 404 "Not offered", 503 "Try again"];
    Browser get "/admin/users/{id}", "Page for administrators: a user with his memberships", ["after"], [],
        [200 "The page", 303 "To the sign-in page", 403 "Not an administrator", 404 "No such user", 503 "Try again"];
    Browser get "/admin/users/{id}/history", "Page for administrators: the time line of a user", ["days"], [],
        [200 "The page", 303 "To the sign-in page", 403 "Not an administrator", 404 "No such user", 503 "Try again"];
    Browser get "/admin/users/{id}/lock", "Asks whether to lock a user", [], [],
        [200 "The question", 303 "To the sign-in page", 400 "It would be oneself", 403 "Not an administrator", 404 "No such user", 503 "Try again"];
    Browser post "/admin/users/{id}/lock", "Locks a user", [], ["form_token"],
        [303 "Done; to the user", 400 "It would be oneself", 401 "The session is over", 403 "Not an administrator, or sent by another site",
         404 "No such user", 429 "The brake has gripped", 503 "Try again"];
    Browser get "/admin/users/{id}/unlock", "Asks whether to unlock a user", [], [],
        [200 "The question", 303 "To the sign-in page", 403 "Not an administrator", 404 "No such user", 503 "Try again"];
    Browser post "/admin/users/{id}/unlock", "Unlocks a user", [], ["form_token"],
        [303 "Done; to the user", 401 "The session is over", 403 "Not an administrator, or sent by another site", 404 "No such user", 503 "Try again"];
    Browser get "/admin/groups", "Page for administrators: finding a group", ["q", "after"], [],
        [200 "The page", 303 "To the sign-in page", 403 "Not an administrator", 404 "Not offered", 503 "Try again"];
    Browser get "/admin/groups/{id}", "Page for administrators: a group with its members", ["after"], [],
        [200 "The page", 303 "To the sign-in page", 403 "Not an administrator", 404 "No such group", 503 "Try again"];
    Browser get "/admin/tokens", "Page for administrators: the tokens", ["after"], [],
        [200 "The page", 303 "To the sign-in page", 403 "Not an administrator", 404 "Not offered", 503 "Try again"];
    Browser post "/admin/tokens", "Makes a token and shows its secret, once", [], ["form_token", "public_id", "name", "scope", "dialect", "days"],
        [200 "The token", 400 "Not what a token may be", 401 "The session is over", 403 "Not an administrator, or sent by another site",
         409 "This form has made its token already", 503 "Try again"];
    Browser get "/admin/tokens/{id}/revoke", "Asks whether to revoke a token", [], [],
        [200 "The question", 303 "To the sign-in page", 403 "Not an administrator", 404 "No such token", 503 "Try again"];
    Browser post "/admin/tokens/{id}/revoke", "Revokes a token", [], ["form_token"],
        [303 "Done; to the tokens", 401 "The session is over", 403 "Not an administrator, or sent by another site", 404 "No such token", 503 "Try again"];
    Browser post "/openid/backchannel-logout", "The OpenID provider ends sessions (OpenID Connect Back-Channel Logout §2.5)", [],
        ["logout_token"], [200 "Ended", 400 "Not a valid notice", 404 "Not set up", 503 "Try again"];
    Proxy get "/proxy/login", "A session for whom the proxy's headers name", ["return"], [],
        [303 "Signed in", 400 "Doubled or disguised headers", 401 "Nobody, or an untrusted proxy", 403 "May not sign in", 503 "Try again"];
    Read get "/nss/v1/passwd", "One passwd entry, or a page of them", ["name", "uid", "after", "limit"], [],
        [200 "It", 404 "Positively none", 503 "Cannot know"];
    Read get "/nss/v1/group", "One group entry, or a page of them", ["name", "gid", "after", "limit"], [],
        [200 "It", 404 "Positively none", 503 "Cannot know"];
    Read get "/nss/v1/shadow", "One shadow entry (scope `nss-admin`)", ["name"], [],
        [200 "It", 403 "The token may not", 404 "Positively none", 503 "Cannot know"];
    Read get "/nss/v1/initgroups", "The groups of a user", ["name"], [], [200 "Them", 404 "Positively none", 503 "Cannot know"];
    Read get "/nss/v1/user", "All that a login asks for", ["name", "uid"], [], [200 "It", 404 "Positively none", 503 "Cannot know"];
    Read get "/nss/v1/snapshot", "Everything, in pages", ["after", "limit"], [], [200 "A page", 410 "Start afresh", 503 "Cannot know"];
    Read get "/nss/v1/changes", "What has changed since a cursor", ["since", "limit"], [], [200 "Changes", 410 "Start afresh", 503 "Cannot know"];
    Operations get "/livez", "Whether the process lives", [], [], [200 "It does"];
    Operations get "/readyz", "Whether it takes requests", [], [], [200 "It does", 503 "Not yet, or no more"];
    Operations get "/metrics", "Metrics for Prometheus", [], [], [200 "Text format"];
];

/// Only in builds with SAML.
#[cfg(feature = "saml")]
const SAML: &[Endpoint] = endpoints![
    Browser get "/saml/metadata", "What the identity provider needs to know of us (SAML 2.0 Metadata)", [], [], [200 "It", 404 "Not set up"];
    Browser get "/saml/login", "To the SAML provider", ["return"], [],
        [200 "A form to it, with the POST binding", 303 "To it", 404 "Not set up", 503 "Try again"];
    Browser post "/saml/acs", "Back from the SAML provider (SAML 2.0 Bindings §3.5)", [], ["SAMLResponse", "RelayState"],
        [303 "Signed in", 400 "No such sign-in is under way", 403 "Refused", 404 "Not set up", 503 "Try again"];
];

#[cfg(not(feature = "saml"))]
const SAML: &[Endpoint] = &[];

/// Adds the paths; `base_url` is the address of the API listener.
pub(super) fn describe(base_url: &str, paths: &mut Map<String, Value>) {
    for endpoint in ENDPOINTS.iter().chain(SAML) {
        let item = paths
            .entry(endpoint.path)
            .or_insert_with(|| json!({"servers": servers(endpoint.door, base_url)}));
        item[endpoint.method] = operation(endpoint);
    }
}

/// The listeners that are not `listen` have no public address, so the reader puts in where they are.
fn servers(door: Door, base_url: &str) -> Value {
    let (setting, default) = match door {
        Door::Browser | Door::Api | Door::Client => return json!([{"url": base_url}]),
        Door::Proxy => ("proxy-listen", "127.0.0.1:8082"),
        Door::Read => ("read-listen", "127.0.0.1:8081"),
        Door::Operations => ("ops-listen", "127.0.0.1:9090"),
    };
    json!([{"url": "http://{address}", "variables": {"address": {"default": default, "description": setting}}}])
}

fn operation(endpoint: &Endpoint) -> Value {
    let mut parameters: Vec<Value> = path_parameters(endpoint.path).collect();
    parameters.extend(endpoint.query.iter().map(|name| parameter(name, "query", "string")));
    let mut responses = Map::new();
    for (status, text) in endpoint.answers {
        responses.insert(status.to_string(), json!({"description": text}));
    }
    let mut operation = json!({"summary": endpoint.summary, "parameters": parameters, "responses": responses});
    if !matches!(endpoint.door, Door::Api | Door::Read) {
        operation["security"] = json!([]);
    }
    if !endpoint.form.is_empty() {
        let fields: Map<String, Value> = endpoint
            .form
            .iter()
            .map(|name| ((*name).to_owned(), json!({"type": "string"})))
            .collect();
        let schema = json!({"type": "object", "required": [endpoint.form[0]], "properties": fields});
        operation["requestBody"] = json!({"required": true, "content": {FORM: {"schema": schema}}});
    }
    if endpoint.door == Door::Api {
        let content =
            |name: &str| json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{name}")}}});
        operation["requestBody"] = json!({"required": true, "content": content("Assertion")});
        operation["responses"]["200"]["content"] = content("SignedIn");
    }
    operation
}
