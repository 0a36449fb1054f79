//! Modules of a source file: what each imports, and which paths its code names.
//!
//! The tokens are read and not a syntax tree, so that a path in a macro is read like any other.

use std::collections::{BTreeMap, BTreeSet};

use crate::lexer::{Kind, Token, tokens, words as words_of};

/// Path in the code, as `crate::a::B`. The segment `*` is a glob, or the variable of a macro; an
/// empty first one, as in `::a::B`, is before the name of another crate.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
}

/// One leaf of a `use`. `crate::a::B as C` binds the name `C`, and a glob the name `*`.
#[derive(Debug)]
pub(crate) struct Use {
    pub(crate) path: Path,
    pub(crate) name: String,
    /// Whether it is an item of its module, not of a block in it.
    pub(crate) is_item: bool,
}

/// Module: a file, or a `mod name { }` in it.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// Path from the root of the crate.
    pub(crate) path: Vec<String>,
    pub(crate) uses: Vec<Use>,
    /// Paths of two segments and more, outside `use`.
    pub(crate) paths: Vec<Path>,
    /// Types of its `impl` blocks without a trait.
    pub(crate) inherent_impls: Vec<Path>,
    /// Single words, with the line of the first.
    pub(crate) words: BTreeMap<String, usize>,
    /// Macros called by their name alone, with the line of the first call.
    pub(crate) macro_calls: BTreeMap<String, usize>,
    /// Names of its items.
    pub(crate) items: BTreeSet<String>,
    /// Words of its macro calls, which may be names of items.
    pub(crate) macro_words: BTreeSet<String>,
    /// All words in its macro calls, those in groups too, with the line of the first. One may be
    /// the name of a module that the macro imports.
    pub(crate) macro_arguments: BTreeMap<String, usize>,
    /// Macros that it defines.
    pub(crate) macros: BTreeSet<String>,
}

/// Modules of one file, the file's own first.
#[derive(Debug, Default)]
pub(crate) struct Source {
    pub(crate) modules: Vec<Module>,
    /// Modules declared under `#[cfg(test)]`.
    pub(crate) test_modules: Vec<Vec<String>>,
    /// Modules declared under `#[macro_use]`.
    pub(crate) macro_modules: Vec<Vec<String>>,
    /// Modules declared under `#[path = "..."]`.
    pub(crate) moved_modules: Vec<Vec<String>>,
    with_tests: bool,
}

/// Keywords before the name of an item.
const ITEMS: [&str; 9] =
    ["const", "enum", "fn", "mod", "static", "struct", "trait", "type", "union"];

impl Source {
    /// Reads the file of a module, without what is under `#[cfg(test)]`.
    pub(crate) fn without_tests(path: Vec<String>, text: &str) -> Self {
        let mut source = Self::default();
        source.module(path, &tokens(text));
        source
    }

    /// Reads all of a file.
    pub(crate) fn with_tests(text: &str) -> Self {
        let mut source = Self { with_tests: true, ..Self::default() };
        source.module(Vec::new(), &tokens(text));
        source
    }

    fn module(&mut self, path: Vec<String>, tokens: &[Token]) {
        let index = self.modules.len();
        self.modules.push(Module { path, ..Module::default() });
        self.tokens(index, tokens, true);
    }

    /// Reads the tokens of a module, or of a group in it.
    fn tokens(&mut self, index: usize, mut rest: &[Token], is_module: bool) {
        while let Some(token) = rest.first() {
            rest = match &token.kind {
                Kind::Group(_, inner) => {
                    self.tokens(index, inner, false);
                    after(rest, 1)
                }
                Kind::Mark('#') => {
                    let Some(rest) = self.attribute(index, after(rest, 1)) else { return };
                    rest
                }
                Kind::PathSeparator => self.external_path(index, rest),
                // The variable of a macro, and the path that it begins.
                Kind::Mark('$') if !is_crate(after(rest, 1)) => read_path(after(rest, 1)).1,
                Kind::Word(word) => self.word(index, word, rest, is_module),
                Kind::Mark(_) | Kind::Literal => after(rest, 1),
            };
        }
    }

    /// Reads what follows `#`; none if all the rest of the group is for tests.
    fn attribute<'a>(&mut self, index: usize, rest: &'a [Token]) -> Option<&'a [Token]> {
        let is_inner = rest.first().is_some_and(|token| token.is_mark('!'));
        let rest = after(rest, usize::from(is_inner));
        // In a macro, `#` may be before a variable.
        let Some(attribute) = rest.first().and_then(Token::group) else { return Some(rest) };
        let rest = after(rest, 1);
        if is_for_tests(attribute) && !self.with_tests {
            let declared = self.declared(index, rest);
            self.test_modules.extend(declared);
            return if is_inner { None } else { Some(skip_item(rest)) };
        }
        let declared = self.declared(index, rest);
        match attribute.first().and_then(Token::word) {
            Some("macro_use") => self.macro_modules.extend(declared),
            Some("path") => self.moved_modules.extend(declared),
            _ => {}
        }
        self.tokens(index, attribute, false);
        Some(rest)
    }

    /// Path of the module that `pub mod name;` or `mod name { }` declares.
    fn declared(&self, index: usize, item: &[Token]) -> Option<Vec<String>> {
        let item = skip_visibility(skip_attributes(item));
        let [keyword, name, ..] = item else { return None };
        let name = name.word().filter(|_| keyword.is_word("mod"))?;
        Some(child(&self.modules.get(index)?.path, name))
    }

    /// Reads `::library::X`, a path of another crate, or `::f` behind a type in angle brackets.
    fn external_path<'a>(&mut self, index: usize, tokens: &'a [Token]) -> &'a [Token] {
        let (segments, rest) = read_path(after(tokens, 1));
        if let Some(module) = self.modules.get_mut(index)
            && segments.len() > 1
        {
            module.paths.push(external(&segments, line_of(tokens)));
        }
        rest
    }

    /// Reads from a word on: an item, a `use`, a call of a macro, or a path.
    fn word<'a>(
        &mut self,
        index: usize,
        word: &str,
        rest: &'a [Token],
        is_module: bool,
    ) -> &'a [Token] {
        let Some(module) = self.modules.get_mut(index) else { return &[] };
        let second = rest.get(1).and_then(Token::word);
        let third = rest.get(2);
        let is_call = rest.get(1).is_some_and(|token| token.is_mark('!'));
        if is_module && word == "impl" {
            module.inherent_impls.extend(inherent_impl(rest));
        }
        match (word, second, third.and_then(Token::group)) {
            ("pub", ..) => skip_visibility(rest),
            // Not the `use<'a>` of a type.
            ("use", ..) if !rest.get(1).is_some_and(|token| token.is_mark('<')) => {
                let end = rest.iter().position(|token| token.is_mark(';')).unwrap_or(rest.len());
                let tree = rest.get(1..end).unwrap_or_default();
                use_tree(&mut module.uses, &[], tree, is_module);
                after(rest, end)
            }
            ("extern", Some("crate"), _) => extern_crate(module, rest),
            ("mod", Some(name), Some(inner)) => {
                let path = child(&module.path, name);
                module.items.insert(name.to_owned());
                self.module(path, inner);
                after(rest, 3)
            }
            ("macro_rules", ..) if is_call => {
                let name = third.and_then(Token::word).unwrap_or_default();
                module.items.insert(name.to_owned());
                module.macros.insert(name.to_owned());
                after(rest, 3)
            }
            // `const fn name` goes on at `fn`.
            (_, Some(name), _) if is_module && ITEMS.contains(&word) && !ITEMS.contains(&name) => {
                module.items.insert(name.to_owned());
                after(rest, 2)
            }
            (_, _, Some(inner)) if is_call => {
                module.macro_calls.entry(word.to_owned()).or_insert(line_of(rest));
                if is_module {
                    let words = inner.iter().filter_map(Token::word).map(str::to_owned);
                    module.macro_words.extend(words);
                    for (line, word) in words_of(inner) {
                        module.macro_arguments.entry(word.to_owned()).or_insert(line);
                    }
                }
                after(rest, 2)
            }
            _ => path(module, rest),
        }
    }
}

/// Reads a path, or a single word, in the code.
fn path<'a>(module: &mut Module, tokens: &'a [Token]) -> &'a [Token] {
    let (mut segments, rest) = read_path(tokens);
    let line = line_of(tokens);
    if let [word] = segments.as_slice() {
        module.words.entry(word.clone()).or_insert(line);
    }
    if let [separator, dollar, ..] = rest
        && separator.is_separator()
        && dollar.is_mark('$')
    {
        segments.push("*".to_owned());
    }
    if segments.len() > 1 {
        module.paths.push(Path { segments, line });
    }
    rest
}

/// Path of another crate.
fn external(segments: &[String], line: usize) -> Path {
    Path { segments: [&[String::new()], segments].concat(), line }
}

/// Reads `extern crate a;`, or `extern crate self as a;`, which binds `a` to this crate.
fn extern_crate<'a>(module: &mut Module, tokens: &'a [Token]) -> &'a [Token] {
    let Some(name) = tokens.get(2).and_then(Token::word).map(str::to_owned) else {
        return after(tokens, 2);
    };
    let path = match name.as_str() {
        "self" => Path { segments: vec!["crate".to_owned()], line: line_of(tokens) },
        _ => external(std::slice::from_ref(&name), line_of(tokens)),
    };
    let renamed = tokens.get(3).filter(|token| token.is_word("as")).and(tokens.get(4));
    let name = renamed.and_then(Token::word).map_or(name, str::to_owned);
    module.uses.push(Use { path, name, is_item: true });
    after(tokens, 3)
}

/// Type of `impl<T> Type<T> where ... { }`; none if a trait is implemented.
fn inherent_impl(tokens: &[Token]) -> Option<Path> {
    let line = line_of(tokens);
    let mut rest = after(tokens, 1);
    let mut depth = 0_usize;
    let mut before_is_minus = false;
    while let Some(token) = rest.first() {
        if token.is_mark('<') {
            depth = depth.saturating_add(1);
        } else if token.is_mark('>') && !before_is_minus {
            depth = depth.saturating_sub(1);
        } else if depth == 0 {
            break;
        }
        before_is_minus = token.is_mark('-');
        rest = after(rest, 1);
    }
    let (segments, rest) = read_path(rest);
    let head = rest.iter().take_while(|token| !matches!(token.kind, Kind::Group('{', _)));
    let head: Vec<&Token> = head.collect();
    // Not the `for<'a>` of a bound.
    let is_trait = head
        .iter()
        .zip(head.iter().skip(1))
        .any(|(word, next)| word.is_word("for") && !next.is_mark('<'));
    (!is_trait && !segments.is_empty()).then_some(Path { segments, line })
}

/// Reads the tree of a `use`, without the keyword and the semicolon.
fn use_tree(uses: &mut Vec<Use>, prefix: &[String], tree: &[Token], is_item: bool) {
    let branches = tree.split(|token| token.is_mark(','));
    for branch in branches.filter(|branch| !branch.is_empty()) {
        let line = line_of(branch);
        let is_variable = branch.first().is_some_and(|token| token.is_mark('$'));
        let (own, rest) = read_path(after(branch, usize::from(is_variable)));
        let mut segments = [prefix, own.as_slice()].concat();
        // What the caller of a macro gives.
        if is_variable && !is_crate(after(branch, 1)) {
            continue;
        }
        // Of another crate, `use ::library::X`.
        if segments.is_empty() && rest.first().is_some_and(Token::is_separator) {
            use_tree(uses, &[String::new()], after(rest, 1), is_item);
            continue;
        }
        let rest = after(rest, usize::from(rest.first().is_some_and(Token::is_separator)));
        let mut name = segments.last().cloned();
        match rest {
            [Token { kind: Kind::Group(_, inner), .. }, ..] => {
                use_tree(uses, &segments, inner, is_item);
                continue;
            }
            [Token { kind: Kind::Mark(mark @ ('*' | '$')), .. }, ..] => {
                segments.push("*".to_owned());
                name = Some(mark.to_string());
            }
            _ if segments.len() > 1 && name.as_deref() == Some("self") => {
                segments.pop();
                name = segments.last().cloned();
            }
            _ => {}
        }
        if let [keyword, renamed, ..] = rest
            && keyword.is_word("as")
        {
            name = renamed.word().map(str::to_owned);
        }
        if let Some(name) = name {
            uses.push(Use { path: Path { segments, line }, name, is_item });
        }
    }
}

/// Segments of the path at the beginning, and what follows it.
fn read_path(tokens: &[Token]) -> (Vec<String>, &[Token]) {
    let (mut segments, mut rest) = (Vec::new(), tokens);
    while let Some(word) = rest.first().and_then(Token::word) {
        segments.push(word.to_owned());
        rest = after(rest, 1);
        match rest {
            [separator, next, ..] if separator.is_separator() && next.word().is_some() => {
                rest = after(rest, 1);
            }
            _ => break,
        }
    }
    (segments, rest)
}

fn is_crate(tokens: &[Token]) -> bool {
    tokens.first().is_some_and(|token| token.is_word("crate"))
}

fn skip_attributes(mut rest: &[Token]) -> &[Token] {
    while let [mark, attribute, after @ ..] = rest
        && mark.is_mark('#')
        && attribute.group().is_some()
    {
        rest = after;
    }
    rest
}

/// Skips `pub` and `pub(in crate::a)`, but no type in parentheses after `pub`.
fn skip_visibility(rest: &[Token]) -> &[Token] {
    match rest {
        [keyword, group, after @ ..] if keyword.is_word("pub") => match group.group() {
            Some([first, ..]) if first.is_word("in") => after,
            Some([word]) if word.word().is_some() => after,
            _ => self::after(rest, 1),
        },
        _ => rest,
    }
}

/// Skips an item, a statement, a field, a variant or an arm.
fn skip_item(item: &[Token]) -> &[Token] {
    let mut rest = skip_visibility(skip_attributes(item));
    let word = |at: usize| rest.get(at).and_then(Token::word).unwrap_or_default();
    let is_function = word(0) == "const" && ["async", "extern", "fn", "unsafe"].contains(&word(1));
    // These end with a semicolon, and may have braces before it.
    let is_value = ["const", "let", "static", "type", "use"].contains(&word(0)) && !is_function;
    let is_item = ["async", "extern", "impl", "unsafe"].contains(&word(0));
    let is_item = is_item || ITEMS.contains(&word(0));
    while let Some(token) = rest.first() {
        rest = after(rest, 1);
        let is_comma = token.is_mark(',') && !is_value && !is_item;
        let is_pattern = rest.first().is_some_and(|token| token.is_mark('='));
        let is_body = matches!(token.kind, Kind::Group('{', _)) && !is_value && !is_pattern;
        if token.is_mark(';') || is_comma || is_body {
            break;
        }
    }
    rest
}

/// Whether an attribute is `cfg(test)` or `cfg(all(test, ...))`.
fn is_for_tests(attribute: &[Token]) -> bool {
    let [cfg, condition] = attribute else { return false };
    let is_test = match condition.group() {
        Some([only]) => only.is_word("test"),
        Some([all, parts]) if all.is_word("all") => {
            parts.group().is_some_and(|parts| parts.iter().any(|part| part.is_word("test")))
        }
        _ => false,
    };
    cfg.is_word("cfg") && is_test
}

fn line_of(tokens: &[Token]) -> usize {
    tokens.first().map_or(0, |token| token.line)
}

fn after(tokens: &[Token], count: usize) -> &[Token] {
    tokens.get(count..).unwrap_or_default()
}

/// Path of a module in a module.
pub(crate) fn child(module: &[String], name: &str) -> Vec<String> {
    [module, &[name.to_owned()]].concat()
}
