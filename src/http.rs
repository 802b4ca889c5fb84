//! Every route on one screen. Handlers extract, make one call, and respond.

mod admin;
pub mod admission;
mod auth;
pub mod authenticate;
mod body;
mod bulk;
mod discovery;
mod form;
mod groups;
pub mod listener;
mod login;
mod logins;
mod members;
pub mod nss;
mod oauth;
mod observe;
mod openapi;
mod operations;
mod pages;
pub mod rate_limit;
pub mod request_log;
mod respond;
mod same_origin;
mod scim_request;
mod search;
pub mod state;
pub mod tls;
mod users;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::routing::{any, get, post};

use observe::Frame;
use state::State;

/// The routes of a listener: `api`, `read`, `ops` or `proxy`.
pub fn router(listener: &'static str, state: &State) -> Router {
    let routes = match listener {
        "api" => api(state),
        "read" => read(state),
        "proxy" => proxy(state),
        "ops" => ops(state),
        _ => Router::new(),
    };
    let frame = Frame {
        listener,
        limit: state.config.limits.request_timeout,
    };
    routes
        .fallback(scim_request::no_such_endpoint)
        .layer(from_fn(move |request: Request, next: Next| {
            observe::observe(frame, request, next)
        }))
        .layer(from_fn_with_state(state.clone(), listener::part_while_draining))
}

fn api(state: &State) -> Router {
    Router::new()
        .route("/oauth/token", post(oauth::token))
        .route("/openapi.json", get(openapi::document))
        .route("/api/v1/logins", post(logins::create))
        .route("/auth/verify", any(auth::verify))
        .route("/sign-in", get(login::sign_in::show))
        .route("/sign-in.css", get(login::pages::style))
        .route("/sign-out", get(login::sign_out::ask).post(login::sign_out::leave))
        .route("/openid/login", get(login::openid::login))
        .route("/openid/callback", get(login::openid::callback))
        .route("/openid/backchannel-logout", post(login::openid::backchannel_logout))
        .merge(saml())
        .merge(admin_pages())
        .with_state(state.clone())
        .merge(scim(state))
}

#[cfg(feature = "saml")]
fn saml() -> Router<State> {
    Router::new()
        .route("/saml/metadata", get(login::saml::metadata))
        .route("/saml/login", get(login::saml::login))
        .route("/saml/acs", post(login::saml::acs))
}

#[cfg(not(feature = "saml"))]
fn saml() -> Router<State> {
    Router::new()
}

/// For administrators with a session.
fn admin_pages() -> Router<State> {
    Router::new()
        .route("/admin.css", get(admin::style))
        .route("/admin", get(admin::overview))
        .route("/admin/", get(admin::overview))
        .route("/admin/users", get(admin::users))
        .route("/admin/users/{id}", get(admin::user))
        .route("/admin/users/{id}/history", get(admin::history))
        .route("/admin/users/{id}/lock", get(admin::ask_lock).post(admin::lock))
        .route("/admin/users/{id}/unlock", get(admin::ask_unlock).post(admin::unlock))
        .route("/admin/groups", get(admin::groups))
        .route("/admin/groups/{id}", get(admin::group))
        .route("/admin/tokens", get(admin::tokens).post(admin::create_token))
        .route("/admin/tokens/{id}/revoke", get(admin::ask_revoke).post(admin::revoke))
}

/// The only place where identity headers mean anything.
fn proxy(state: &State) -> Router {
    Router::new()
        .route("/auth/verify", any(auth::verify_headers))
        .route("/proxy/login", get(login::headers::login))
        .with_state(state.clone())
}

/// RFC 7644 §3.2, table 1. Two spellings of one path: with and without the slash at its end.
fn scim(state: &State) -> Router {
    let users = get(users::list).post(users::create);
    let user = get(users::get)
        .put(users::replace)
        .patch(users::patch)
        .delete(users::delete);
    let groups = get(groups::list).post(groups::create);
    let group = get(groups::get)
        .put(groups::replace)
        .patch(groups::patch)
        .delete(groups::delete);
    let me = get(discovery::me)
        .post(discovery::me)
        .put(discovery::me)
        .patch(discovery::me)
        .delete(discovery::me);
    Router::new()
        .route("/scim/v2/Users", users.clone())
        .route("/scim/v2/Users/", users)
        .route("/scim/v2/Users/.search", post(users::search))
        .route("/scim/v2/Users/{id}", user)
        .route("/scim/v2/Groups", groups.clone())
        .route("/scim/v2/Groups/", groups)
        .route("/scim/v2/Groups/.search", post(groups::search))
        .route("/scim/v2/Groups/{id}", group)
        .route("/scim/v2/.search", post(search::search))
        .route("/scim/v2/Bulk", post(bulk::bulk))
        .route("/scim/v2/Me", me)
        .route(
            "/scim/v2/ServiceProviderConfig",
            get(discovery::service_provider_config),
        )
        .route(
            "/scim/v2/ServiceProviderConfigs",
            get(discovery::service_provider_config),
        )
        .route("/scim/v2/Schemas", get(discovery::schemas))
        .route("/scim/v2/Schemas/{urn}", get(discovery::schema))
        .route("/scim/v2/ResourceTypes", get(discovery::resource_types))
        .route("/scim/v2/ResourceTypes/{name}", get(discovery::resource_type))
        .method_not_allowed_fallback(scim_request::method_not_allowed)
        .layer(from_fn_with_state(state.clone(), scim_request::admit))
        .with_state(state.clone())
}

/// nss/CONTRACT.md §1.
fn read(state: &State) -> Router {
    Router::new()
        .route("/nss/v1/passwd", get(nss::passwd))
        .route("/nss/v1/group", get(nss::group))
        .route("/nss/v1/shadow", get(nss::shadow))
        .route("/nss/v1/initgroups", get(nss::initgroups))
        .route("/nss/v1/user", get(nss::user))
        .route("/nss/v1/snapshot", get(nss::snapshot))
        .route("/nss/v1/changes", get(nss::changes))
        .layer(from_fn_with_state(state.clone(), nss::admit))
        .with_state(state.clone())
}

fn ops(state: &State) -> Router {
    Router::new()
        .route("/livez", get(operations::live))
        .route("/readyz", get(operations::ready))
        .route("/metrics", get(operations::metrics))
        .with_state(state.clone())
}
