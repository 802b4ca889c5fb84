//! An identity provider of SAML that signs whatever a test wishes, with a real key and xmlsec.

use jiff::{SignedDuration, Timestamp};
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::{X509, X509NameBuilder};
use samael::crypto::{Crypto, CryptoProvider as _};

/// What is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    Both,
    Assertion,
    Response,
    Nothing,
}

/// A response as a test wants it.
#[derive(Clone, Debug)]
pub struct Spec {
    pub request_id: String,
    pub audience: Option<String>,
    pub issuer: String,
    pub assertion_id: String,
    /// Seconds from now.
    pub issued: i64,
    pub not_before: i64,
    pub not_on_or_after: i64,
    pub name_id: String,
    pub attributes: String,
    pub status: String,
    pub destination: String,
    pub recipient: String,
    pub subject_in_response_to: String,
    pub authn_statement: String,
    pub signed: Signed,
    /// The suffix of the algorithm: `rsa-sha256`.
    pub algorithm: &'static str,
    /// Put into the response before the assertion.
    pub before: String,
}

/// The provider.
pub struct IdentityProvider {
    pub entity_id: String,
    key: PKey<Private>,
    certificate: X509,
}

/// An attribute with these values.
pub fn attribute(name: &str, values: &[&str]) -> String {
    let value = |value: &&str| format!("<saml:AttributeValue>{value}</saml:AttributeValue>");
    let values = values.iter().map(value).collect::<Vec<_>>().concat();
    format!("<saml:Attribute Name=\"{name}\">{values}</saml:Attribute>")
}

fn at(seconds: i64) -> String {
    let at = Timestamp::now() + SignedDuration::from_secs(seconds);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl IdentityProvider {
    pub fn new() -> Self {
        Self::lasting(30)
    }

    /// One whose certificate expires in so many days.
    pub fn lasting(days: u32) -> Self {
        let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_text("CN", "idp").unwrap();
        let name = name.build();
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        builder.set_subject_name(&name).unwrap();
        builder.set_issuer_name(&name).unwrap();
        builder.set_pubkey(&key).unwrap();
        builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::days_from_now(days).unwrap()).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Self {
            entity_id: "https://idp.example.org/meta".to_owned(),
            key,
            certificate: builder.build(),
        }
    }

    /// Metadata with the key under this `use`, without any key for `none`.
    pub fn metadata(&self, key_use: &str) -> String {
        use base64::Engine as _;
        let certificate = base64::engine::general_purpose::STANDARD.encode(self.certificate.to_der().unwrap());
        let key = match key_use {
            "none" => String::new(),
            key_use => format!(
                "<md:KeyDescriptor use=\"{key_use}\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\
                 <ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>\
                 </md:KeyDescriptor>"
            ),
        };
        format!(
            "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{}\">\
             <md:IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">{key}\
             <md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" \
             Location=\"https://idp.example.org/sso\"/>\
             <md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" \
             Location=\"https://idp.example.org/sso\"/></md:IDPSSODescriptor></md:EntityDescriptor>",
            self.entity_id
        )
    }

    /// A response that is right in every way, for a test to spoil.
    pub fn spec(&self, base: &str, request_id: &str) -> Spec {
        let acs = format!("{base}/saml/acs");
        Spec {
            request_id: request_id.to_owned(),
            audience: Some(format!("{base}/saml/metadata")),
            issuer: self.entity_id.clone(),
            assertion_id: format!("_a{}", uuid::Uuid::new_v4().simple()),
            issued: 0,
            not_before: -5,
            not_on_or_after: 60,
            name_id: "<saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">s-1</saml:NameID>"
                .into(),
            attributes: attribute("Username", &["jane"]) + &attribute("groups", &["eng", "ops"]),
            status: "urn:oasis:names:tc:SAML:2.0:status:Success".into(),
            destination: acs.clone(),
            recipient: acs,
            subject_in_response_to: request_id.to_owned(),
            authn_statement: format!("<saml:AuthnStatement AuthnInstant=\"{}\" SessionIndex=\"i-1\"/>", at(0)),
            signed: Signed::Both,
            algorithm: "rsa-sha256",
            before: String::new(),
        }
    }

    /// The XML of a response.
    pub fn response(&self, spec: &Spec) -> String {
        let audience = spec.audience.as_ref().map_or_else(String::new, |audience| {
            format!("<saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction>")
        });
        let signature = |id: &str| {
            let (namespace, digest) = match spec.algorithm {
                "rsa-sha1" => (
                    "http://www.w3.org/2000/09/xmldsig#",
                    "http://www.w3.org/2000/09/xmldsig#sha1",
                ),
                _ => (
                    "http://www.w3.org/2001/04/xmldsig-more#",
                    "http://www.w3.org/2001/04/xmlenc#sha256",
                ),
            };
            format!(
                "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:SignedInfo>\
                 <ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>\
                 <ds:SignatureMethod Algorithm=\"{namespace}{}\"/><ds:Reference URI=\"#{id}\"><ds:Transforms>\
                 <ds:Transform Algorithm=\"http://www.w3.org/2000/09/xmldsig#enveloped-signature\"/>\
                 <ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/></ds:Transforms>\
                 <ds:DigestMethod Algorithm=\"{digest}\"/><ds:DigestValue/></ds:Reference></ds:SignedInfo>\
                 <ds:SignatureValue/></ds:Signature>",
                spec.algorithm
            )
        };
        let signs = |what: Signed| spec.signed == Signed::Both || spec.signed == what;
        let inner = if signs(Signed::Assertion) {
            signature(&spec.assertion_id)
        } else {
            String::new()
        };
        let assertion = format!(
            "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"{id}\" Version=\"2.0\" \
             IssueInstant=\"{issued}\"><saml:Issuer>{issuer}</saml:Issuer>{inner}<saml:Subject>{name_id}\
             <saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"><saml:SubjectConfirmationData \
             NotOnOrAfter=\"{end}\" Recipient=\"{recipient}\" InResponseTo=\"{answers}\"/></saml:SubjectConfirmation>\
             </saml:Subject><saml:Conditions NotBefore=\"{begin}\" NotOnOrAfter=\"{end}\">{audience}</saml:Conditions>\
             {authn}<saml:AttributeStatement>{attributes}</saml:AttributeStatement></saml:Assertion>",
            id = spec.assertion_id,
            issued = at(spec.issued),
            issuer = spec.issuer,
            name_id = spec.name_id,
            begin = at(spec.not_before),
            end = at(spec.not_on_or_after),
            recipient = spec.recipient,
            answers = spec.subject_in_response_to,
            authn = spec.authn_statement,
            attributes = spec.attributes,
        );
        let assertion = if inner.is_empty() {
            assertion
        } else {
            self.sign(&assertion)
        };
        let outer = if signs(Signed::Response) {
            signature("_r1")
        } else {
            String::new()
        };
        let response = format!(
            "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
             xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_r1\" Version=\"2.0\" IssueInstant=\"{issued}\" \
             Destination=\"{destination}\" InResponseTo=\"{answers}\"><saml:Issuer>{issuer}</saml:Issuer>{outer}\
             <samlp:Status><samlp:StatusCode Value=\"{status}\"/></samlp:Status>{before}{assertion}</samlp:Response>",
            issued = at(spec.issued),
            destination = spec.destination,
            answers = spec.request_id,
            issuer = spec.issuer,
            status = spec.status,
            before = spec.before,
        );
        if outer.is_empty() {
            response
        } else {
            self.sign(&response)
        }
    }

    /// Signs the first signature template of a document.
    pub fn sign(&self, xml: &str) -> String {
        let key = self.key.private_key_to_der().unwrap();
        let signed = Crypto::sign_xml(xml, &key).unwrap();
        let body = signed.split_once("?>").map_or(signed.as_str(), |(_, body)| body);
        body.trim().to_owned()
    }
}
