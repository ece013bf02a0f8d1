//! A Rust source as a flat row of tokens, so that rules see code and not comments.

use std::ops::RangeInclusive;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// One Rust file.
pub(crate) struct Source {
    path: String,
    tokens: Vec<Token>,
    test_modules: Vec<String>,
}

/// A piece of code; comments, documentation and white space are gone.
pub(crate) struct Token {
    pub(crate) kind: Kind,
    /// Line in the file, from 1.
    pub(crate) line: usize,
    /// Whether it is compiled for tests or benchmarks only.
    pub(crate) in_test: bool,
}

/// What a token is.
pub(crate) enum Kind {
    Identifier(String),
    /// Punctuation, one character at a time, brackets included.
    Mark(char),
    /// A literal as it is written, with its quotes.
    Literal(String),
}

impl Source {
    /// Takes a file apart.
    ///
    /// # Errors
    /// Says where the text stops being Rust.
    pub(crate) fn lex(path: &str, text: &str) -> Result<Self, String> {
        let stream: TokenStream = text
            .parse()
            .map_err(|error: proc_macro2::LexError| format!("line {}: {error}", error.span().start().line))?;
        let mut source = Self { path: path.to_owned(), tokens: Vec::new(), test_modules: Vec::new() };
        source.flatten(stream, is_test_path(path), String::new());
        Ok(source)
    }

    /// Path from the project's root.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// All tokens in order.
    pub(crate) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Whether the file belongs to the crate in this directory.
    pub(crate) fn lies_in(&self, directory: &str) -> bool {
        self.path.strip_prefix(directory).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    }

    /// Paths, without `.rs`, of the modules that this file declares for tests only.
    pub(crate) fn test_modules(&self) -> impl Iterator<Item = String> {
        let (parent, name) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        let base = match name.strip_suffix(".rs").unwrap_or(name) {
            "lib" | "main" | "mod" => parent.to_owned(),
            stem => format!("{parent}/{stem}"),
        };
        self.test_modules.iter().map(move |module| format!("{base}/{module}"))
    }

    /// Counts the whole file as test code.
    pub(crate) fn mark_all_test(&mut self) {
        for token in &mut self.tokens {
            token.in_test = true;
        }
    }

    /// Lines of test code, as ranges.
    pub(crate) fn test_lines(&self) -> Vec<RangeInclusive<usize>> {
        self.tokens
            .chunk_by(|a, b| a.in_test == b.in_test)
            .filter(|run| run[0].in_test)
            .map(|run| run[0].line..=run[run.len() - 1].line)
            .collect()
    }

    fn flatten(&mut self, stream: TokenStream, in_test: bool, module: String) {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        let in_test = in_test || has_inner_test_gate(&trees);
        let mut item_is_test = false;
        let mut at = 0;
        while at < trees.len() {
            if let Some((length, attribute)) = attribute_at(&trees[at..]) {
                item_is_test |= is_test_gate(&attribute);
                if !is_documentation(&attribute) {
                    self.flatten(attribute, in_test || item_is_test, module.clone());
                }
                at += length;
                continue;
            }
            let test_here = in_test || item_is_test;
            let tree = &trees[at];
            if item_is_test && let Some(name) = module_declared_at(&trees[at..]) {
                self.test_modules.push(format!("{module}{name}"));
            }
            let line = tree.span().start().line;
            match tree {
                TokenTree::Ident(word) => {
                    self.push(Kind::Identifier(word.to_string()), line, test_here);
                }
                TokenTree::Punct(mark) => {
                    self.push(Kind::Mark(mark.as_char()), line, test_here);
                    item_is_test &= mark.as_char() != ';';
                }
                TokenTree::Literal(value) => {
                    self.push(Kind::Literal(value.to_string()), line, test_here);
                }
                TokenTree::Group(group) => {
                    let (open, close) = brackets(group.delimiter());
                    let inner = at
                        .checked_sub(2)
                        .and_then(|start| inline_module_at(&trees[start..]))
                        .map_or_else(|| module.clone(), |name| format!("{module}{name}/"));
                    self.push(Kind::Mark(open), line, test_here);
                    self.flatten(group.stream(), test_here, inner);
                    let end = group.span_close().end().line;
                    self.push(Kind::Mark(close), end, test_here);
                    item_is_test &= group.delimiter() != Delimiter::Brace;
                }
            }
            at += 1;
        }
    }

    fn push(&mut self, kind: Kind, line: usize, in_test: bool) {
        self.tokens.push(Token { kind, line, in_test });
    }
}

impl Token {
    /// Whether the token is this identifier.
    pub(crate) fn is(&self, word: &str) -> bool {
        matches!(&self.kind, Kind::Identifier(own) if own == word)
    }

    /// Whether the token is this mark.
    pub(crate) fn is_mark(&self, mark: char) -> bool {
        matches!(self.kind, Kind::Mark(own) if own == mark)
    }
}

/// Whether everything in a file of this path is compiled for tests or benchmarks only.
fn is_test_path(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "tests" | "benches" | "fuzz" | "tests.rs"))
}

/// `#[…]` or `#![…]` at the start: how many trees it takes and what is inside.
fn attribute_at(trees: &[TokenTree]) -> Option<(usize, TokenStream)> {
    let is = |tree: &TokenTree, mark: char| matches!(tree, TokenTree::Punct(own) if own.as_char() == mark);
    let group = |tree: &TokenTree| match tree {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => Some(group.stream()),
        _ => None,
    };
    match trees {
        [hash, bang, body, ..] if is(hash, '#') && is(bang, '!') => group(body).map(|stream| (3, stream)),
        [hash, body, ..] if is(hash, '#') => group(body).map(|stream| (2, stream)),
        _ => None,
    }
}

/// `#![cfg(test)]` among the first attributes of a file or module.
fn has_inner_test_gate(trees: &[TokenTree]) -> bool {
    let mut rest = trees;
    while let Some((length, attribute)) = attribute_at(rest) {
        if length == 3 && is_test_gate(&attribute) {
            return true;
        }
        rest = &rest[length..];
    }
    false
}

/// `cfg(test)` or `cfg(all(test, …))`, but neither `cfg(not(test))` nor `cfg(any(test, …))`.
fn is_test_gate(attribute: &TokenStream) -> bool {
    let text: String = attribute.to_string().chars().filter(|character| !character.is_whitespace()).collect();
    text == "cfg(test)" || text.starts_with("cfg(all(test,")
}

fn is_documentation(attribute: &TokenStream) -> bool {
    matches!(attribute.clone().into_iter().next(), Some(TokenTree::Ident(word)) if word == "doc")
}

/// The name in `mod name;`.
fn module_declared_at(trees: &[TokenTree]) -> Option<String> {
    match trees {
        [TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Punct(end), ..]
            if word == "mod" && end.as_char() == ';' =>
        {
            Some(name.to_string())
        }
        _ => None,
    }
}

/// The name in `mod name {…}`.
fn inline_module_at(trees: &[TokenTree]) -> Option<String> {
    match trees {
        [TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Group(body), ..]
            if word == "mod" && body.delimiter() == Delimiter::Brace =>
        {
            Some(name.to_string())
        }
        _ => None,
    }
}

fn brackets(delimiter: Delimiter) -> (char, char) {
    match delimiter {
        Delimiter::Parenthesis => ('(', ')'),
        Delimiter::Bracket => ('[', ']'),
        Delimiter::Brace | Delimiter::None => ('{', '}'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &Source, in_test: bool) -> Vec<String> {
        source
            .tokens()
            .iter()
            .filter(|token| token.in_test == in_test)
            .filter_map(|token| match &token.kind {
                Kind::Identifier(word) => Some(word.clone()),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn comments_and_documentation_are_no_code() {
        let source = Source::lex("a.rs", "//! tokio\n/// tokio\n// tokio\nfn real() {}").unwrap();
        assert_eq!(words(&source, false), ["fn", "real"]);
    }

    #[test]
    fn a_gated_item_ends_where_it_ends() {
        let text = "#[cfg(test)] mod t { fn a() {} }\nfn b() {}\n#[cfg(test)] use c;\nfn d() {}";
        let source = Source::lex("a.rs", text).unwrap();
        assert!(words(&source, true).contains(&"a".to_owned()));
        assert_eq!(words(&source, false), ["fn", "b", "fn", "d"]);
        assert_eq!(source.test_lines(), [1..=1, 3..=3]);
    }

    #[test]
    fn only_tests_are_tests() {
        for gate in ["cfg(not(test))", "cfg(any(test, unix))", "inline"] {
            let source = Source::lex("a.rs", &format!("#[{gate}] fn a() {{}}")).unwrap();
            assert!(words(&source, false).contains(&"a".to_owned()), "{gate}");
        }
        let source = Source::lex("a.rs", "#![cfg(test)] fn a() {}").unwrap();
        assert!(words(&source, false).is_empty());
        let source = Source::lex("crates/a/tests/b.rs", "fn a() {}").unwrap();
        assert!(words(&source, false).is_empty());
    }

    #[test]
    fn test_modules_are_found_beside_and_below_their_file() {
        let text = "#[cfg(test)] mod b; mod c; mod d { #[cfg(test)] mod e; }";
        let modules = |path| {
            let source = Source::lex(path, text).unwrap();
            source.test_modules().collect::<Vec<_>>()
        };
        assert_eq!(modules("x/src/lib.rs"), ["x/src/b", "x/src/d/e"]);
        assert_eq!(modules("x/src/a.rs"), ["x/src/a/b", "x/src/a/d/e"]);
    }

    #[test]
    fn what_is_no_rust_is_refused_with_its_line() {
        let error = Source::lex("a.rs", "fn a() {}\nfn b( {").err().unwrap();
        assert!(error.starts_with("line 2"), "{error}");
    }
}
