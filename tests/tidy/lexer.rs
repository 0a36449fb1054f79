//! Lexer of Rust: words, marks and groups in brackets, each with its line.
//!
//! Comments and literals are dropped, so that a path in them is none. Written here, because
//! `proc-macro2` as a library of the tests, with a debug level of its own, would have every macro
//! crate, and what depends on it, compiled twice.

/// Token with the line that it begins in, from 1.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) line: usize,
    pub(crate) kind: Kind,
}

/// What a token is.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Identifier or keyword, without the `r#` of a raw one.
    Word(String),
    /// `::`
    PathSeparator,
    /// Any other mark.
    Mark(char),
    /// Opening bracket, and the tokens up to the closing one.
    Group(char, Vec<Token>),
    /// String, character or number.
    Literal,
}

impl Token {
    pub(crate) fn word(&self) -> Option<&str> {
        if let Kind::Word(word) = &self.kind { Some(word) } else { None }
    }

    pub(crate) fn group(&self) -> Option<&[Token]> {
        if let Kind::Group(_, tokens) = &self.kind { Some(tokens) } else { None }
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.word() == Some(word)
    }

    pub(crate) fn is_mark(&self, mark: char) -> bool {
        matches!(self.kind, Kind::Mark(found) if found == mark)
    }

    pub(crate) fn is_separator(&self) -> bool {
        matches!(self.kind, Kind::PathSeparator)
    }
}

/// Tokens of a source file that compiles.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    Lexer { rest: text, line: 1 }.group()
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
}

impl Lexer<'_> {
    /// Reads up to the closing bracket, or to the end.
    fn group(&mut self) -> Vec<Token> {
        let mut found = Vec::new();
        loop {
            self.skip_blank();
            let line = self.line;
            let Some(first) = self.rest.chars().next() else { return found };
            let kind = match first {
                ')' | ']' | '}' => {
                    self.skip(1);
                    return found;
                }
                '(' | '[' | '{' => {
                    self.skip(1);
                    Kind::Group(first, self.group())
                }
                '"' => self.quoted('"'),
                '\'' if self.is_character() => self.quoted('\''),
                // A lifetime or a label: no path begins with it.
                '\'' => {
                    self.skip(1);
                    self.take_word();
                    continue;
                }
                ':' if self.rest.starts_with("::") => {
                    self.skip(2);
                    Kind::PathSeparator
                }
                _ if first.is_ascii_digit() => self.number(),
                _ if is_of_word(first) => self.word(),
                _ => {
                    self.skip(first.len_utf8());
                    Kind::Mark(first)
                }
            };
            found.push(Token { line, kind });
        }
    }

    /// Takes so many bytes, and counts the lines in them.
    fn skip(&mut self, bytes: usize) {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.line = self.line.saturating_add(taken.matches('\n').count());
        self.rest = rest;
    }

    /// Takes all up to the end of the next `end`.
    fn skip_past(&mut self, end: &str) {
        let at = self.rest.find(end).unwrap_or(self.rest.len());
        self.skip(at.saturating_add(end.len()));
    }

    /// Takes white space and comments.
    fn skip_blank(&mut self) {
        loop {
            self.skip(self.rest.len().saturating_sub(self.rest.trim_start().len()));
            if self.rest.starts_with("//") {
                self.skip_past("\n");
            } else if self.rest.starts_with("/*") {
                self.skip(2);
                let mut depth = 1_usize;
                while depth > 0 && !self.rest.is_empty() {
                    let (bytes, now) = match self.rest {
                        rest if rest.starts_with("/*") => (2, depth.saturating_add(1)),
                        rest if rest.starts_with("*/") => (2, depth.saturating_sub(1)),
                        rest => (rest.chars().next().map_or(1, char::len_utf8), depth),
                    };
                    depth = now;
                    self.skip(bytes);
                }
            } else {
                return;
            }
        }
    }

    /// Whether the quotation mark here begins a character, not a lifetime.
    fn is_character(&self) -> bool {
        let mut chars = self.rest.chars().skip(1);
        matches!((chars.next(), chars.next()), (Some('\\'), _) | (_, Some('\'')))
    }

    /// Takes a string or a character, from its first quotation mark on.
    fn quoted(&mut self, mark: char) -> Kind {
        self.skip(1);
        while let Some(c) = self.rest.chars().next() {
            self.skip(c.len_utf8());
            if c == '\\' {
                self.skip(self.rest.chars().next().map_or(0, char::len_utf8));
            } else if c == mark {
                break;
            }
        }
        Kind::Literal
    }

    fn number(&mut self) -> Kind {
        self.take_word();
        // `1.5` is one number, `0..9` and `1.max(2)` begin with one.
        let fraction = self.rest.strip_prefix('.').unwrap_or_default();
        if fraction.starts_with(|c: char| c.is_ascii_digit()) {
            self.skip(1);
            self.take_word();
        }
        Kind::Literal
    }

    /// Takes a word, or the literal that it is the prefix of.
    fn word(&mut self) -> Kind {
        let word = self.take_word();
        let hashes = self.rest.len().saturating_sub(self.rest.trim_start_matches('#').len());
        let after = self.rest.get(hashes..).unwrap_or_default();
        match word.as_str() {
            "r" | "br" | "cr" if after.starts_with('"') => {
                self.skip(hashes.saturating_add(1));
                self.skip_past(&format!("\"{}", "#".repeat(hashes)));
                Kind::Literal
            }
            "r" if hashes == 1 && after.starts_with(is_of_word) => {
                self.skip(1);
                Kind::Word(self.take_word())
            }
            "b" | "c" if self.rest.starts_with('"') => self.quoted('"'),
            "b" if self.rest.starts_with('\'') => self.quoted('\''),
            _ => Kind::Word(word),
        }
    }

    fn take_word(&mut self) -> String {
        let end = self.rest.find(|c| !is_of_word(c)).unwrap_or(self.rest.len());
        let word = self.rest.get(..end).unwrap_or_default().to_owned();
        self.skip(end);
        word
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Words of a text with their lines, those in groups too.
pub(crate) fn words(tokens: &[Token]) -> Vec<(usize, &str)> {
    let each = tokens.iter().flat_map(|token| match &token.kind {
        Kind::Word(word) => vec![(token.line, word.as_str())],
        Kind::Group(_, tokens) => words(tokens),
        Kind::PathSeparator | Kind::Mark(_) | Kind::Literal => Vec::new(),
    });
    each.collect()
}

#[test]
fn comments_and_literals_have_no_words() {
    let text = r##"
        a // no
        /* no /* no */ no */ b
        "no \" no" c r#"no " no"# d b"no" br"no" e
        'n' '\'' f 'static g<'no> b'n' 0xff 1.5e3 0..h 1.i
        r#type "no
        no" j
    "##;
    let found = tokens(text);
    let expected = [
        (2, "a"),
        (3, "b"),
        (4, "c"),
        (4, "d"),
        (4, "e"),
        (5, "f"),
        (5, "g"),
        (5, "h"),
        (5, "i"),
        (6, "type"),
        (7, "j"),
    ];
    assert_eq!(words(&found), expected);
}

#[test]
fn group_contains_the_tokens_between_its_brackets() {
    let found = tokens("a::b(c[d]) :: e");
    let [a, separator, b, group, again, e] = found.as_slice() else { panic!("{found:?}") };
    assert!(a.is_word("a") && b.is_word("b") && e.is_word("e"));
    assert!(separator.is_separator() && again.is_separator());
    let Some([c, inner]) = group.group() else { panic!("{group:?}") };
    assert!(c.is_word("c") && matches!(&inner.kind, Kind::Group('[', d) if d.len() == 1));
}
