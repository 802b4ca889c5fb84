//! Cuts a filter or a path into tokens, in linear time.

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    /// `(`
    Open,
    /// `)`
    Close,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    /// A JSON string, unescaped.
    Text(String),
    /// Anything else: names, operators, numbers, `true`, `false`, `null`.
    Word(&'a str),
}

/// Why a text cannot be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LexFault {
    /// A string without its closing quote.
    Unterminated,
    /// A string that JSON does not allow, or that holds NUL, which the database cannot store.
    BadString,
}

/// The tokens of a text, one at a time.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, position: 0 }
    }

    /// Bytes consumed so far.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// The next token, `None` at the end.
    ///
    /// Blanks between tokens are optional where a token ends by itself (RFC 7644 prints `value eq"…"`), and `+` counts
    /// as a blank outside strings and numbers, because some clients encode the query as a form.
    pub(super) fn next(&mut self) -> Result<Option<Token<'a>>, LexFault> {
        let rest = self.text[self.position..].trim_start_matches([' ', '\t', '\r', '\n', '+']);
        self.position = self.text.len() - rest.len();
        let Some(first) = rest.chars().next() else {
            return Ok(None);
        };
        let single = match first {
            '(' => Some(Token::Open),
            ')' => Some(Token::Close),
            '[' => Some(Token::OpenBracket),
            ']' => Some(Token::CloseBracket),
            _ => None,
        };
        if let Some(token) = single {
            self.position += 1;
            return Ok(Some(token));
        }
        if first == '"' {
            return self.string(rest).map(Some);
        }
        let length = word_length(rest);
        self.position += length;
        Ok(Some(Token::Word(&rest[..length])))
    }

    fn string(&mut self, rest: &str) -> Result<Token<'a>, LexFault> {
        let mut escaped = false;
        for (index, byte) in rest.bytes().enumerate().skip(1) {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    self.position += index + 1;
                    let text: String = serde_json::from_str(&rest[..=index]).map_err(|_| LexFault::BadString)?;
                    return if text.contains('\0') {
                        Err(LexFault::BadString)
                    } else {
                        Ok(Token::Text(text))
                    };
                }
                _ => {}
            }
        }
        Err(LexFault::Unterminated)
    }
}

fn word_length(rest: &str) -> usize {
    let number = rest.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    let mut previous = ' ';
    for (index, character) in rest.char_indices() {
        let ends = match character {
            ' ' | '\t' | '\r' | '\n' | '(' | ')' | '[' | ']' | '"' => true,
            '+' => !(number && matches!(previous, 'e' | 'E')),
            _ => false,
        };
        if ends {
            return index;
        }
        previous = character;
    }
    rest.len()
}
