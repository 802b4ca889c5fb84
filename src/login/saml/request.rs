//! What we send: authentication requests by redirect or POST (SAML bindings §3.4, §3.5), and our metadata.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use jiff::Timestamp;
use openidconnect::url::Url;

use crate::login::refusal::{Reason, Refusal};

/// A request on its way.
#[derive(Debug)]
pub enum Outgoing {
    /// The browser is redirected here.
    Redirect(String),
    /// The browser sends a form there.
    Post {
        /// Where to.
        location: String,
        /// The field `SAMLRequest`.
        request: String,
        /// The field `RelayState`.
        relay_state: String,
    },
}

/// An authentication request (SAML core §3.4.1).
pub(super) struct AuthnRequest<'a> {
    pub id: &'a str,
    pub at: Timestamp,
    pub destination: &'a str,
    pub entity_id: &'a str,
    pub acs_url: &'a str,
    pub name_id_format: Option<&'a str>,
}

pub(super) fn authn_request(request: &AuthnRequest<'_>) -> String {
    let policy = request.name_id_format.map_or_else(String::new, |format| {
        format!(
            r#"<samlp:NameIDPolicy Format="{}" AllowCreate="true"/>"#,
            escape(format)
        )
    });
    format!(
        concat!(
            r#"<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" "#,
            r#"xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{id}" Version="2.0" IssueInstant="{at}" "#,
            r#"Destination="{destination}" AssertionConsumerServiceURL="{acs}" "#,
            r#"ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST">"#,
            r"<saml:Issuer>{issuer}</saml:Issuer>{policy}</samlp:AuthnRequest>",
        ),
        id = escape(request.id),
        at = request.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        destination = escape(request.destination),
        acs = escape(request.acs_url),
        issuer = escape(request.entity_id),
        policy = policy,
    )
}

/// Our metadata.
pub(super) fn metadata(entity_id: &str, acs_url: &str, name_id_format: Option<&str>) -> String {
    let format = name_id_format.map_or_else(String::new, |format| {
        format!("    <md:NameIDFormat>{}</md:NameIDFormat>\n", escape(format))
    });
    format!(
        concat!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
            "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{entity_id}\">\n",
            "  <md:SPSSODescriptor AuthnRequestsSigned=\"false\" WantAssertionsSigned=\"true\" ",
            "protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">\n",
            "{format}",
            "    <md:AssertionConsumerService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" ",
            "Location=\"{acs}\" index=\"0\" isDefault=\"true\"/>\n",
            "  </md:SPSSODescriptor>\n",
            "</md:EntityDescriptor>\n",
        ),
        entity_id = escape(entity_id),
        format = format,
        acs = escape(acs_url),
    )
}

/// Packs a request for its binding. Raises a location that is no URL.
pub(super) fn outgoing(location: &str, xml: &str, relay_state: &str, by_post: bool) -> Result<Outgoing, Refusal> {
    if by_post {
        return Ok(Outgoing::Post {
            location: location.to_owned(),
            request: STANDARD.encode(xml),
            relay_state: relay_state.to_owned(),
        });
    }
    let broken = |_| Refusal::new(Reason::Internal, "a request cannot be compressed");
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(xml.as_bytes()).map_err(broken)?;
    let deflated = encoder.finish().map_err(broken)?;
    let mut url = Url::parse(location).map_err(|_| {
        Refusal::new(
            Reason::ProviderUnavailable,
            "the metadata names an address that is no URL",
        )
    })?;
    url.query_pairs_mut()
        .append_pair("SAMLRequest", &STANDARD.encode(deflated))
        .append_pair("RelayState", relay_state);
    Ok(Outgoing::Redirect(url.into()))
}

/// Text for XML, attributes included.
fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}
