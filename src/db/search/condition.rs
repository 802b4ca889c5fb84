//! Filters as SQL conditions.

use crate::scim::filter::{Filter, Literal, Operator};
use crate::scim::schema::{AttributePath, ENTERPRISE_USER, Kind, ResourceType};

use super::attributes::{Scope, json, operand};
use super::bound::Parameters;
use super::operand::{Operand, constant};

/// The condition under which a row `r` of the view of `resource_type` satisfies the filter.
///
/// The condition is true exactly when the filter holds; it may be null where the filter does not. `ne` is the opposite
/// of `eq` everywhere: it holds when the attribute is not present, and for a multi-valued attribute when no value
/// equals, which is what [`crate::scim::filter::matches`] does too.
pub fn condition(filter: &Filter, resource_type: ResourceType, parameters: &mut Parameters) -> String {
    compile(filter, Scope::Resource(resource_type), parameters)
}

fn compile(filter: &Filter, scope: Scope<'_>, parameters: &mut Parameters) -> String {
    match filter {
        Filter::And(parts) => {
            let parts: Vec<String> = parts.iter().map(|part| compile(part, scope, parameters)).collect();
            join(&parts, " and ")
        }
        Filter::Or(parts) => disjunction(parts, scope, parameters),
        Filter::Not(inner) => negated(&compile(inner, scope, parameters)),
        Filter::Constant(truth) => constant(*truth),
        Filter::Present(path) => present(*path, scope),
        Filter::Compare {
            path,
            operator,
            value: Literal::Null,
        } => {
            let present = present(*path, scope);
            if *operator == Operator::Eq {
                negated(&present)
            } else {
                present
            }
        }
        Filter::Compare {
            path,
            operator: Operator::Ne,
            value,
        } => negated(&compare(*path, Operator::Eq, value, scope, parameters)),
        Filter::Compare { path, operator, value } => compare(*path, *operator, value, scope, parameters),
        Filter::Element { path, filter } => element(*path, filter, scope, parameters),
    }
}

fn join(parts: &[String], separator: &str) -> String {
    if let [only] = parts {
        return only.clone();
    }
    format!("({})", parts.join(separator))
}

/// Two-valued `not`: what is null counts as false.
fn negated(condition: &str) -> String {
    format!("(({condition}) is not true)")
}

/// `or`, with comparisons of one attribute with many texts in one condition: identity providers look up hundreds of
/// users in one filter, and an index serves `= any(…)`.
fn disjunction(parts: &[Filter], scope: Scope<'_>, parameters: &mut Parameters) -> String {
    let mut compiled = Vec::with_capacity(parts.len());
    let mut looked_up: Vec<(AttributePath, Vec<&str>)> = Vec::new();
    for part in parts {
        match part {
            Filter::Compare {
                path,
                operator: Operator::Eq,
                value: Literal::String(text),
            } => match looked_up.iter_mut().find(|(other, _)| other == path) {
                Some((_, texts)) => texts.push(text),
                None => looked_up.push((*path, vec![text])),
            },
            other => compiled.push(compile(other, scope, parameters)),
        }
    }
    for (path, texts) in looked_up {
        match lookup(path, &texts, scope, parameters) {
            Some(condition) => compiled.push(condition),
            None => compiled.extend(
                texts
                    .into_iter()
                    .map(|text| compare(path, Operator::Eq, &Literal::String(text.to_owned()), scope, parameters)),
            ),
        }
    }
    join(&compiled, " or ")
}

fn lookup(path: AttributePath, texts: &[&str], scope: Scope<'_>, parameters: &mut Parameters) -> Option<String> {
    if texts.len() < 2 {
        return None;
    }
    let Some(multi_valued) = MultiValued::of(path, scope) else {
        return operand(scope, path).one_of(path.leaf(), texts, parameters);
    };
    let sub = path.sub?;
    match multi_valued {
        MultiValued::Emails if sub.name == "value" => {
            let probe = Operand::text("e.key").one_of(sub, texts, parameters)?;
            Some(email_probe(&probe))
        }
        MultiValued::Members | MultiValued::Groups if sub.name == "value" => {
            let inner = operand(multi_valued.scope(), AttributePath::core(sub)).one_of(sub, texts, parameters)?;
            Some(multi_valued.exists(path, &inner, false))
        }
        _ => None,
    }
}

/// A multi-valued attribute of the resource, by where its values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MultiValued {
    /// In the document, with the addresses in a table of their own too.
    Emails,
    /// `Group.members`.
    Members,
    /// `User.groups`.
    Groups,
    /// The URNs in use.
    Schemas,
    /// In the document.
    Document,
}

impl MultiValued {
    fn of(path: AttributePath, scope: Scope<'_>) -> Option<Self> {
        let Scope::Resource(_) = scope else { return None };
        if !path.attribute.multi_valued {
            return None;
        }
        Some(match (path.extension, path.attribute.name) {
            (None, "emails") => Self::Emails,
            (None, "members") => Self::Members,
            (None, "groups") => Self::Groups,
            (None, "schemas") => Self::Schemas,
            _ => Self::Document,
        })
    }

    /// What the paths of a filter on one element are relative to.
    fn scope(self) -> Scope<'static> {
        match self {
            Self::Members => Scope::Member,
            Self::Groups => Scope::Group,
            Self::Emails | Self::Schemas | Self::Document => Scope::Object("e.value"),
        }
    }

    /// Whether an element satisfies `inner`, a condition in [`Self::scope`]. `names` says that it looks at the names of
    /// groups.
    fn exists(self, path: AttributePath, inner: &str, names: bool) -> String {
        match self {
            Self::Members => {
                format!("exists (select from api.memberships m where m.group_id = r.id and {inner})")
            }
            Self::Groups => {
                let join = if names {
                    " join api.groups g on g.id = m.group_id"
                } else {
                    ""
                };
                let relation = format!("api.memberships m{join}");
                format!("exists (select from {relation} where m.member_id = r.id and not m.is_group and {inner})")
            }
            Self::Emails | Self::Schemas | Self::Document => {
                format!("exists (select from {} as e(value) where {inner})", elements(path))
            }
        }
    }
}

/// The elements of a multi-valued attribute of the document as a set of rows.
pub(super) fn elements(path: AttributePath) -> String {
    let json = json(path);
    format!("jsonb_array_elements(case when jsonb_typeof({json}) = 'array' then {json} else '[]'::jsonb end)")
}

fn email_probe(condition: &str) -> String {
    format!("exists (select from api.user_emails e where e.user_id = r.id and {condition})")
}

fn present(path: AttributePath, scope: Scope<'_>) -> String {
    if let (Scope::Resource(_), None, "meta") = (scope, path.sub, path.attribute.name) {
        return constant(true);
    }
    let Some(multi_valued) = MultiValued::of(path, scope) else {
        return operand(scope, path).present();
    };
    match (multi_valued, path.sub) {
        (MultiValued::Schemas, _) => constant(true),
        (MultiValued::Emails | MultiValued::Document, None) => format!("({}) is not null", json(path)),
        (_, None) => multi_valued.exists(path, "true", false),
        (_, Some(sub)) => {
            let inner = operand(multi_valued.scope(), AttributePath::core(sub)).present();
            multi_valued.exists(path, &inner, sub.name == "display")
        }
    }
}

/// A comparison with any operator but `ne`: true when any value satisfies it.
fn compare(
    path: AttributePath,
    operator: Operator,
    value: &Literal,
    scope: Scope<'_>,
    parameters: &mut Parameters,
) -> String {
    let Some(multi_valued) = MultiValued::of(path, scope) else {
        return operand(scope, path).compare(path.leaf(), operator, value, parameters);
    };
    if let (MultiValued::Schemas, Scope::Resource(resource_type)) = (multi_valued, scope) {
        return compare_schemas(resource_type, path, operator, value, parameters);
    }
    let sub = path.leaf();
    if multi_valued == MultiValued::Emails && sub.name == "value" && operator == Operator::Eq {
        return email_probe(&Operand::text("e.key").compare(sub, operator, value, parameters));
    }
    let inner = operand(multi_valued.scope(), AttributePath::core(sub)).compare(sub, operator, value, parameters);
    multi_valued.exists(path, &inner, sub.name == "display")
}

/// `schemas` is computed: every URN is there for every resource, but that of the enterprise extension, which is there
/// when the document has it.
fn compare_schemas(
    resource_type: ResourceType,
    path: AttributePath,
    operator: Operator,
    value: &Literal,
    parameters: &mut Parameters,
) -> String {
    let extensions = resource_type.extensions().iter().map(|schema| schema.id);
    let mut conditions = Vec::new();
    for urn in std::iter::once(resource_type.core().id).chain(extensions) {
        // Constants all: nothing is bound here.
        let truth = Operand::Constant(urn).compare(path.attribute, operator, value, parameters);
        if truth == constant(true) {
            if urn != ENTERPRISE_USER.id {
                return truth;
            }
            conditions.push(format!("r.doc_key ? '{urn}'"));
        }
    }
    conditions.pop().unwrap_or_else(|| constant(false))
}

/// One element of a complex attribute satisfies a filter.
fn element(path: AttributePath, filter: &Filter, scope: Scope<'_>, parameters: &mut Parameters) -> String {
    let Some(multi_valued) = MultiValued::of(path, scope) else {
        return of_single(path, filter, scope, parameters);
    };
    let inner = compile(filter, multi_valued.scope(), parameters);
    let exists = multi_valued.exists(path, &inner, multi_valued == MultiValued::Groups);
    match address(filter).filter(|_| multi_valued == MultiValued::Emails) {
        // The element must have this address: the index finds the few users who do.
        Some((sub, value)) => {
            let probe = Operand::text("e.key").compare(sub.leaf(), Operator::Eq, value, parameters);
            format!("({} and {exists})", email_probe(&probe))
        }
        None => exists,
    }
}

/// The `value eq` that every match of the filter satisfies.
fn address(filter: &Filter) -> Option<(AttributePath, &Literal)> {
    match filter {
        Filter::And(parts) => parts.iter().find_map(address),
        Filter::Compare {
            path,
            operator: Operator::Eq,
            value: value @ Literal::String(_),
        } if path.is_core("value") => Some((*path, value)),
        _ => None,
    }
}

/// A valuePath on a single-valued complex attribute: its only value is the element.
fn of_single(path: AttributePath, filter: &Filter, scope: Scope<'_>, parameters: &mut Parameters) -> String {
    match scope {
        Scope::Resource(resource_type) if path.is_core("meta") => {
            compile(&qualified(path, filter), Scope::Resource(resource_type), parameters)
        }
        Scope::Resource(_) if path.attribute.kind == Kind::Complex => {
            let base = format!("({})", json(path));
            let inner = compile(filter, Scope::Object(&base), parameters);
            format!("({base} is not null and {inner})")
        }
        _ => constant(false),
    }
}

/// The filter with the attribute before every sub-attribute. Depth is bounded by the parser.
fn qualified(owner: AttributePath, filter: &Filter) -> Filter {
    let full = |path: &AttributePath| AttributePath {
        sub: Some(path.attribute),
        ..owner
    };
    match filter {
        Filter::And(parts) => Filter::And(parts.iter().map(|part| qualified(owner, part)).collect()),
        Filter::Or(parts) => Filter::Or(parts.iter().map(|part| qualified(owner, part)).collect()),
        Filter::Not(inner) => Filter::Not(Box::new(qualified(owner, inner))),
        Filter::Present(path) => Filter::Present(full(path)),
        Filter::Compare { path, operator, value } => Filter::Compare {
            path: full(path),
            operator: *operator,
            value: value.clone(),
        },
        Filter::Element { .. } | Filter::Constant(_) => filter.clone(),
    }
}
