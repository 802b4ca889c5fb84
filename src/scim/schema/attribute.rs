//! One attribute definition with its characteristics (RFC 7643 §2.2, §7).

/// The data type of an attribute (RFC 7643 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Unicode text.
    String,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A point in time.
    DateTime,
    /// A URI or the id of a resource.
    Reference,
    /// Base64 text.
    Binary,
    /// An object of sub-attributes.
    Complex,
}

impl Kind {
    /// The name in `/Schemas`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::DateTime => "dateTime",
            Self::Reference => "reference",
            Self::Binary => "binary",
            Self::Complex => "complex",
        }
    }

    /// Whether values are JSON strings that compare as text.
    pub const fn is_text(self) -> bool {
        matches!(self, Self::String | Self::Reference | Self::Binary)
    }
}

/// Who may write an attribute, and when (RFC 7643 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutability {
    /// The service alone.
    ReadOnly,
    /// The client, at any time.
    ReadWrite,
    /// The client, once.
    Immutable,
    /// The client; never shown.
    WriteOnly,
}

impl Mutability {
    /// The name in `/Schemas`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "readOnly",
            Self::ReadWrite => "readWrite",
            Self::Immutable => "immutable",
            Self::WriteOnly => "writeOnly",
        }
    }
}

/// When an attribute is part of an answer (RFC 7643 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returned {
    /// In every answer, whatever the projection says.
    Always,
    /// In no answer.
    Never,
    /// Unless the projection leaves it out.
    Default,
    /// Only when the projection asks for it.
    Request,
}

impl Returned {
    /// The name in `/Schemas`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Never => "never",
            Self::Default => "default",
            Self::Request => "request",
        }
    }
}

/// Within which bounds a value is unique (RFC 7643 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uniqueness {
    /// Not unique.
    None,
    /// Unique within this service.
    Server,
    /// Unique everywhere.
    Global,
}

impl Uniqueness {
    /// The name in `/Schemas`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Server => "server",
            Self::Global => "global",
        }
    }
}

/// An attribute definition. The constructors give an optional, single-valued, readWrite attribute that is returned by
/// default and compared without case; the methods change one characteristic each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// Canonical spelling.
    pub name: &'static str,
    /// Data type.
    pub kind: Kind,
    /// What the attribute means.
    pub description: &'static str,
    /// Whether the value is an array.
    pub multi_valued: bool,
    /// Whether a resource must have it.
    pub required: bool,
    /// Whether text compares with case.
    pub case_exact: bool,
    /// Who may write it.
    pub mutability: Mutability,
    /// When it is part of an answer.
    pub returned: Returned,
    /// Within which bounds values are unique.
    pub uniqueness: Uniqueness,
    /// Suggested values; others are accepted.
    pub canonical_values: &'static [&'static str],
    /// What a reference may point at.
    pub reference_types: &'static [&'static str],
    /// Parts of a complex attribute.
    pub sub_attributes: &'static [Attribute],
}

impl Attribute {
    pub(super) const fn new(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self {
            name,
            kind,
            description,
            multi_valued: false,
            required: false,
            case_exact: false,
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            uniqueness: Uniqueness::None,
            canonical_values: &[],
            reference_types: &[],
            sub_attributes: &[],
        }
    }

    pub(super) const fn string(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::String, description)
    }

    pub(super) const fn boolean(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::Boolean, description)
    }

    pub(super) const fn integer(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::Integer, description)
    }

    pub(super) const fn date_time(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::DateTime, description)
    }

    /// References compare with case (RFC 7643 §2.3.7).
    pub(super) const fn reference(
        name: &'static str,
        description: &'static str,
        reference_types: &'static [&'static str],
    ) -> Self {
        let mut attribute = Self::new(name, Kind::Reference, description).case_exact();
        attribute.reference_types = reference_types;
        attribute
    }

    pub(super) const fn complex(
        name: &'static str,
        description: &'static str,
        sub_attributes: &'static [Attribute],
    ) -> Self {
        let mut attribute = Self::new(name, Kind::Complex, description);
        attribute.sub_attributes = sub_attributes;
        attribute
    }

    pub(super) const fn multi_valued(mut self) -> Self {
        self.multi_valued = true;
        self
    }

    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(super) const fn case_exact(mut self) -> Self {
        self.case_exact = true;
        self
    }

    pub(super) const fn mutability(mut self, mutability: Mutability) -> Self {
        self.mutability = mutability;
        self
    }

    pub(super) const fn read_only(self) -> Self {
        self.mutability(Mutability::ReadOnly)
    }

    pub(super) const fn immutable(self) -> Self {
        self.mutability(Mutability::Immutable)
    }

    pub(super) const fn returned(mut self, returned: Returned) -> Self {
        self.returned = returned;
        self
    }

    pub(super) const fn unique(mut self) -> Self {
        self.uniqueness = Uniqueness::Server;
        self
    }

    pub(super) const fn canonical(mut self, values: &'static [&'static str]) -> Self {
        self.canonical_values = values;
        self
    }

    /// The sub-attribute of that name, compared without case.
    pub fn sub_attribute(&self, name: &str) -> Option<&'static Attribute> {
        super::find(self.sub_attributes, name)
    }

    /// The sub-attribute that stands for the whole value in comparisons (RFC 7643 §2.4), `value`, if there is one.
    pub fn value_sub_attribute(&self) -> Option<&'static Attribute> {
        self.sub_attributes.iter().find(|attribute| attribute.name == "value")
    }

    /// Whether the service alone writes it.
    pub fn is_read_only(&self) -> bool {
        self.mutability == Mutability::ReadOnly
    }

    /// Whether its text is folded before it is compared.
    pub fn folds(&self) -> bool {
        self.kind == Kind::String && !self.case_exact
    }
}
