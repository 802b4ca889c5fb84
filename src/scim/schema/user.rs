//! The core User schema (RFC 7643 §4.1, §8.7.1, with the errata that change it).

use super::{Attribute, Kind, Mutability, Returned, Schema};

const NAME: &[Attribute] = &[
    Attribute::string("formatted", "The full name, formatted for display."),
    Attribute::string("familyName", "The family name."),
    Attribute::string("givenName", "The given name."),
    Attribute::string("middleName", "The middle names."),
    Attribute::string("honorificPrefix", "The title before the name."),
    Attribute::string("honorificSuffix", "The title after the name."),
];

const DISPLAY: Attribute = Attribute::string("display", "A name for the value, for people.");
const PRIMARY: Attribute = Attribute::boolean("primary", "Whether this is the preferred value.");

const EMAILS: &[Attribute] = &[
    Attribute::string("value", "The email address."),
    DISPLAY,
    Attribute::string("type", "What the address is used for.").canonical(&["work", "home", "other"]),
    PRIMARY,
];

const PHONE_NUMBERS: &[Attribute] = &[
    Attribute::string("value", "The phone number, stored as sent."),
    DISPLAY,
    Attribute::string("type", "What the number is used for.")
        .canonical(&["work", "home", "mobile", "fax", "pager", "other"]),
    PRIMARY,
];

const IMS: &[Attribute] = &[
    Attribute::string("value", "The instant messaging address."),
    DISPLAY,
    Attribute::string("type", "The messaging service.")
        .canonical(&["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"]),
    PRIMARY,
];

const PHOTOS: &[Attribute] = &[
    Attribute::reference("value", "The URI of the photo.", &["external"]),
    DISPLAY,
    Attribute::string("type", "What the photo is used for.").canonical(&["photo", "thumbnail"]),
    PRIMARY,
];

// RFC 7643 gives addresses no `primary`; JumpCloud and Entra's validator send it all the same.
const ADDRESSES: &[Attribute] = &[
    Attribute::string("formatted", "The full address, formatted for display."),
    Attribute::string("streetAddress", "Street, house number and the like."),
    Attribute::string("locality", "City or locality."),
    Attribute::string("region", "State or region."),
    Attribute::string("postalCode", "Postal code."),
    Attribute::string("country", "Country."),
    Attribute::string("type", "What the address is used for.").canonical(&["work", "home", "other"]),
    PRIMARY,
];

const GROUPS: &[Attribute] = &[
    Attribute::string("value", "The id of the group.")
        .read_only()
        .case_exact(),
    Attribute::reference("$ref", "The URI of the group.", &["Group"]).read_only(),
    Attribute::string("display", "The display name of the group.").read_only(),
    Attribute::string("type", "How the user belongs to the group.")
        .canonical(&["direct", "indirect"])
        .read_only(),
];

const VALUES: &[Attribute] = &[
    Attribute::string("value", "The value."),
    DISPLAY,
    Attribute::string("type", "A label for the value."),
    PRIMARY,
];

const CERTIFICATES: &[Attribute] = &[
    Attribute::new("value", Kind::Binary, "The certificate, DER in base64.").case_exact(),
    DISPLAY,
    Attribute::string("type", "A label for the certificate."),
    PRIMARY,
];

/// The core User.
pub static USER: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:User",
    name: "User",
    description: "User Account",
    attributes: &[
        Attribute::string("userName", "The unique name with which the user signs in.")
            .required()
            .unique(),
        Attribute::complex("name", "The parts of the user's name.", NAME),
        Attribute::string("displayName", "The name to show."),
        Attribute::string("nickName", "The casual name."),
        Attribute::reference("profileUrl", "The URL of the user's profile.", &["external"]),
        Attribute::string("title", "The title, such as \"Vice President\"."),
        Attribute::string("userType", "The relation to the organisation."),
        Attribute::string("preferredLanguage", "The preferred language, as in Accept-Language."),
        Attribute::string("locale", "The location, for formats of numbers and dates."),
        Attribute::string("timezone", "The time zone, as in the tz database."),
        Attribute::boolean("active", "Whether the user may sign in; the opposite of locked."),
        Attribute::string("password", "Accepted and dropped: passwords are not kept here.")
            .case_exact()
            .mutability(Mutability::WriteOnly)
            .returned(Returned::Never),
        Attribute::complex("emails", "Email addresses.", EMAILS).multi_valued(),
        Attribute::complex("phoneNumbers", "Phone numbers.", PHONE_NUMBERS).multi_valued(),
        Attribute::complex("ims", "Instant messaging addresses.", IMS).multi_valued(),
        Attribute::complex("photos", "Photos.", PHOTOS).multi_valued(),
        Attribute::complex("addresses", "Postal addresses.", ADDRESSES).multi_valued(),
        Attribute::complex("groups", "The groups the user belongs to.", GROUPS)
            .multi_valued()
            .read_only(),
        Attribute::complex("entitlements", "Entitlements.", VALUES).multi_valued(),
        Attribute::complex("roles", "Roles.", VALUES).multi_valued(),
        Attribute::complex("x509Certificates", "Certificates.", CERTIFICATES).multi_valued(),
    ],
    aliases: &[],
};
