//! Turns tokens into a filter or the parts of a PATCH path, by recursive descent with an explicit depth counter.

use super::super::error::{ScimError, quoted, without_strings};
use super::super::limits::{FILTER_BYTES, FILTER_DEPTH, FILTER_TERMS};
use super::super::path::Path;
use super::super::schema::{Attribute, AttributePath, Kind, ResourceType, Target};
use super::super::time;
use super::lexer::{LexFault, Lexer, Token};
use super::{Filter, Literal, Operator};

/// Parses a filter on resources of one type (RFC 7644 §3.4.2.2, with the liberties that real clients take).
///
/// Raises 400 `invalidFilter` for a malformed filter, an unknown attribute, an operator or value that does not fit the
/// attribute, and a filter beyond [`FILTER_BYTES`], [`FILTER_DEPTH`] or [`FILTER_TERMS`].
pub fn parse(resource_type: ResourceType, text: &str) -> Result<Filter, ScimError> {
    parse_filter(
        Scope::Resource {
            resource_type,
            lenient: false,
        },
        text,
    )
}

/// Parses a filter of a query that spans resource types, for one of them: an attribute that only another type has
/// counts as not present (RFC 7644 §3.4.2.1). Raises what [`parse`] raises.
pub fn parse_across_types(resource_type: ResourceType, text: &str) -> Result<Filter, ScimError> {
    parse_filter(
        Scope::Resource {
            resource_type,
            lenient: true,
        },
        text,
    )
}

/// Parses a PATCH path (RFC 7644 §3.5.2). Raises 400 `invalidPath`, or `invalidFilter` for what stands in brackets.
pub(in super::super) fn parse_path(resource_type: ResourceType, text: &str) -> Result<Path, ScimError> {
    if text.len() > FILTER_BYTES {
        return Err(ScimError::invalid_path(format!(
            "The path is longer than {FILTER_BYTES} bytes."
        )));
    }
    let bad = |what: &str| ScimError::invalid_path(format!("The path \"{}\" {what}.", quoted(&without_strings(text))));
    let scope = Scope::Resource {
        resource_type,
        lenient: false,
    };
    let mut parser = Parser::new(scope, text);
    let Some(Token::Word(notation)) = parser.next().map_err(|_| bad("is malformed"))? else {
        return Err(bad("does not start with the name of an attribute"));
    };
    let target = resource_type.resolve(notation).ok_or_else(|| {
        bad(&format!(
            "names the attribute \"{}\", which a {resource_type} does not have",
            quoted(notation)
        ))
    })?;
    let path = match (target, parser.peek().map_err(|_| bad("is malformed"))?) {
        (Target::Resource, None) => return Ok(Path::Resource),
        (Target::Extension(schema), None) => return Ok(Path::Extension(schema)),
        (Target::Attribute(path), None) => return Ok(Path::Attribute(path)),
        (Target::Attribute(path), Some(Token::OpenBracket)) => path,
        _ => {
            return Err(bad(
                "has something after the attribute that is not a filter in brackets",
            ));
        }
    };
    if path.sub.is_some() || path.attribute.kind != Kind::Complex || !path.attribute.multi_valued {
        return Err(bad(
            "has a filter after an attribute that is not complex and multi-valued",
        ));
    }
    let filter = parser.bracketed(path.attribute, 0)?;
    let sub = match parser.next().map_err(|_| bad("is malformed"))? {
        None => None,
        Some(Token::Word(word)) => {
            let sub = word
                .strip_prefix('.')
                .and_then(|name| path.attribute.sub_attribute(name));
            Some(sub.ok_or_else(|| bad("ends with an unknown sub-attribute"))?)
        }
        Some(_) => return Err(bad("has something after the closing bracket")),
    };
    if parser.next().map_err(|_| bad("is malformed"))?.is_some() {
        return Err(bad("has something after the sub-attribute"));
    }
    Ok(Path::Element { path, filter, sub })
}

fn parse_filter(scope: Scope, text: &str) -> Result<Filter, ScimError> {
    if text.len() > FILTER_BYTES {
        return Err(ScimError::invalid_filter(format!(
            "The filter is longer than {FILTER_BYTES} bytes."
        )));
    }
    let mut parser = Parser::new(scope, text);
    let filter = parser.disjunction(scope, 0)?;
    match parser.next()? {
        None => Ok(filter),
        Some(_) => Err(parser.fault("has something after its end; join expressions with \"and\" or \"or\"")),
    }
}

/// Against what names are resolved.
#[derive(Debug, Clone, Copy)]
enum Scope {
    /// The attributes of a resource.
    Resource {
        resource_type: ResourceType,
        /// Whether another type's attributes count as not present.
        lenient: bool,
    },
    /// The sub-attributes of a complex attribute, inside brackets.
    Element(&'static Attribute),
}

/// A name and where it belongs.
enum Resolved {
    Here(AttributePath),
    /// Only another resource type has it.
    Elsewhere(AttributePath),
}

struct Parser<'a> {
    scope: Scope,
    text: &'a str,
    lexer: Lexer<'a>,
    terms: usize,
}

impl<'a> Parser<'a> {
    fn new(scope: Scope, text: &'a str) -> Self {
        Self {
            scope,
            text,
            lexer: Lexer::new(text),
            terms: 0,
        }
    }

    fn fault(&self, what: &str) -> ScimError {
        let at = self.text[..self.lexer.position()].chars().count();
        ScimError::invalid_filter(format!(
            "The filter \"{}\" {what} (near character {at}).",
            quoted(&without_strings(self.text))
        ))
    }

    fn next(&mut self) -> Result<Option<Token<'a>>, ScimError> {
        self.lexer.next().map_err(|fault| match fault {
            LexFault::Unterminated => self.fault("has a string without its closing quote"),
            LexFault::BadString => self.fault("has a string that is not valid JSON"),
        })
    }

    fn peek(&mut self) -> Result<Option<Token<'a>>, ScimError> {
        let before = self.lexer.clone();
        let token = self.next();
        self.lexer = before;
        token
    }

    /// Consumes the next token when it is the keyword.
    fn takes_keyword(&mut self, keyword: &str) -> bool {
        let before = self.lexer.clone();
        match self.lexer.next() {
            Ok(Some(Token::Word(word))) if word.eq_ignore_ascii_case(keyword) => true,
            _ => {
                self.lexer = before;
                false
            }
        }
    }

    fn disjunction(&mut self, scope: Scope, depth: usize) -> Result<Filter, ScimError> {
        let mut parts = vec![self.conjunction(scope, depth)?];
        while self.takes_keyword("or") {
            parts.push(self.conjunction(scope, depth)?);
        }
        Ok(Filter::or(parts))
    }

    fn conjunction(&mut self, scope: Scope, depth: usize) -> Result<Filter, ScimError> {
        let mut parts = vec![self.term(scope, depth)?];
        while self.takes_keyword("and") {
            parts.push(self.term(scope, depth)?);
        }
        Ok(Filter::and(parts))
    }

    fn term(&mut self, scope: Scope, depth: usize) -> Result<Filter, ScimError> {
        match self.next()? {
            Some(Token::Open) => self.parenthesised(scope, depth),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("not") => match self.next()? {
                Some(Token::Open) => Ok(Filter::Not(Box::new(self.parenthesised(scope, depth)?))),
                _ => Err(self.fault("has a \"not\" without parentheses after it")),
            },
            Some(Token::Word(word)) => self.expression(scope, word, depth),
            Some(_) => Err(self.fault("has something where the name of an attribute should be")),
            None => Err(self.fault("ends where the name of an attribute should be")),
        }
    }

    /// What follows an opening parenthesis, with the closing one.
    fn parenthesised(&mut self, scope: Scope, depth: usize) -> Result<Filter, ScimError> {
        let inner = deeper(depth).and_then(|depth| self.disjunction(scope, depth))?;
        match self.next()? {
            Some(Token::Close) => Ok(inner),
            _ => Err(self.fault("has a parenthesis that is not closed")),
        }
    }

    /// A filter in brackets on the elements of `attribute`; the next token is the opening bracket.
    fn bracketed(&mut self, attribute: &'static Attribute, depth: usize) -> Result<Filter, ScimError> {
        self.next()?;
        let inner = deeper(depth).and_then(|depth| self.disjunction(Scope::Element(attribute), depth))?;
        match self.next()? {
            Some(Token::CloseBracket) => Ok(inner),
            _ => Err(self.fault("has a bracket that is not closed")),
        }
    }

    /// What starts with the name of an attribute.
    fn expression(&mut self, scope: Scope, name: &str, depth: usize) -> Result<Filter, ScimError> {
        self.terms += 1;
        if self.terms > FILTER_TERMS {
            return Err(ScimError::invalid_filter(format!(
                "The filter has more than {FILTER_TERMS} expressions."
            )));
        }
        let resolved = self.resolve(scope, name)?;
        let (Resolved::Here(path) | Resolved::Elsewhere(path)) = resolved;
        let filter = if matches!(scope, Scope::Resource { .. }) && self.peek()? == Some(Token::OpenBracket) {
            self.value_path(path, depth)?
        } else {
            self.comparison(path)?
        };
        Ok(match resolved {
            Resolved::Here(_) => filter,
            Resolved::Elsewhere(_) => Filter::Constant(holds_without_a_value(&filter)),
        })
    }

    fn resolve(&self, scope: Scope, name: &str) -> Result<Resolved, ScimError> {
        let found = match scope {
            Scope::Element(attribute) => attribute
                .sub_attribute(name)
                .map(AttributePath::core)
                .map(Resolved::Here),
            Scope::Resource { resource_type, lenient } => {
                let mut others = ResourceType::ALL.into_iter().filter(|_| lenient);
                let here = resource_type.resolve_attribute(name).map(Resolved::Here);
                here.or_else(|| {
                    others
                        .find_map(|other| other.resolve_attribute(name))
                        .map(Resolved::Elsewhere)
                })
            }
        };
        found.ok_or_else(|| {
            let owner = match (scope, self.scope) {
                (Scope::Element(attribute), _) => format!("\"{}\"", attribute.name),
                (Scope::Resource { resource_type, .. }, _) => format!("a {resource_type}"),
            };
            ScimError::invalid_filter(format!(
                "The filter names the attribute \"{}\", which {owner} does not have.",
                quoted(name)
            ))
        })
    }

    /// `[filter]`, with the sub-attribute and comparison that Entra puts after it.
    fn value_path(&mut self, path: AttributePath, depth: usize) -> Result<Filter, ScimError> {
        if path.sub.is_some() || path.attribute.kind != Kind::Complex {
            return Err(self.fault(&format!(
                "has brackets after \"{path}\", which is not a complex attribute"
            )));
        }
        let mut filter = self.bracketed(path.attribute, depth)?;
        if let Some(Token::Word(word)) = self.peek()?
            && let Some(name) = word.strip_prefix('.')
        {
            self.next()?;
            let Some(sub) = path.attribute.sub_attribute(name) else {
                return Err(self.fault(&format!("names an unknown sub-attribute of \"{path}\"")));
            };
            let comparison = self.comparison(AttributePath::core(sub))?;
            filter = Filter::and(vec![filter, comparison]);
        }
        Ok(Filter::Element {
            path,
            filter: Box::new(filter),
        })
    }

    /// `pr`, or an operator and a value.
    fn comparison(&mut self, mut path: AttributePath) -> Result<Filter, ScimError> {
        let Some(Token::Word(word)) = self.next()? else {
            return Err(self.fault(&format!("has no operator after \"{path}\"")));
        };
        if word.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(path));
        }
        let Some(operator) = Operator::ALL
            .into_iter()
            .find(|operator| operator.as_str().eq_ignore_ascii_case(word))
        else {
            return Err(self.fault(&format!("has the unknown operator \"{}\"", quoted(word))));
        };
        if path.leaf().kind == Kind::Complex {
            let Some(value) = path.attribute.value_sub_attribute() else {
                return Err(self.fault(&format!(
                    "compares \"{path}\" as a whole; name one of its sub-attributes"
                )));
            };
            path.sub = Some(value);
        }
        let token = self.next()?;
        let Some(value) = token.and_then(|token| literal(path.leaf().kind, &token)) else {
            let kind = path.leaf().kind.as_str();
            return Err(self.fault(&format!("compares \"{path}\" with something that is not a {kind}")));
        };
        if !fits(operator, path.leaf().kind, &value) {
            let operator = operator.as_str();
            return Err(self.fault(&format!("uses \"{operator}\" on \"{path}\", which does not allow it")));
        }
        Ok(Filter::Compare { path, operator, value })
    }
}

fn deeper(depth: usize) -> Result<usize, ScimError> {
    if depth < FILTER_DEPTH {
        Ok(depth + 1)
    } else {
        Err(ScimError::invalid_filter(format!(
            "The filter nests deeper than {FILTER_DEPTH} levels."
        )))
    }
}

/// Whether the operator is allowed for the type (RFC 7644 §3.4.2.2 table 3).
fn fits(operator: Operator, kind: Kind, value: &Literal) -> bool {
    let equality = matches!(operator, Operator::Eq | Operator::Ne);
    let partial = matches!(operator, Operator::Co | Operator::Sw | Operator::Ew);
    match kind {
        _ if *value == Literal::Null => equality,
        Kind::String | Kind::Reference => true,
        Kind::Binary => equality || partial,
        Kind::Boolean => equality,
        Kind::Integer | Kind::DateTime => !partial,
        Kind::Complex => false,
    }
}

/// The value of a token as an attribute of that type takes it; `None` when it does not fit.
fn literal(kind: Kind, token: &Token<'_>) -> Option<Literal> {
    match token {
        Token::Word(word) if word.eq_ignore_ascii_case("null") => Some(Literal::Null),
        Token::Word(word) if kind == Kind::Boolean => boolean(word),
        // Entra writes booleans as strings.
        Token::Text(text) if kind == Kind::Boolean => boolean(text),
        Token::Word(word) if kind == Kind::Integer => number(word),
        Token::Text(text) if kind.is_text() => Some(Literal::String(text.clone())),
        Token::Text(text) if kind == Kind::DateTime => time::parse(text).map(Literal::Time),
        _ => None,
    }
}

fn boolean(word: &str) -> Option<Literal> {
    let truth = word.eq_ignore_ascii_case("true");
    (truth || word.eq_ignore_ascii_case("false")).then_some(Literal::Boolean(truth))
}

fn number(word: &str) -> Option<Literal> {
    let number: serde_json::Number = serde_json::from_str(word).ok()?;
    number
        .as_i64()
        .map(Literal::Integer)
        .or_else(|| number.as_f64().map(Literal::Decimal))
}

/// What a filter with one condition says of a resource that lacks the attribute.
fn holds_without_a_value(filter: &Filter) -> bool {
    match filter {
        Filter::Compare { operator, value, .. } => {
            (*operator == Operator::Eq) == (*value == Literal::Null) && matches!(operator, Operator::Eq | Operator::Ne)
        }
        _ => false,
    }
}
