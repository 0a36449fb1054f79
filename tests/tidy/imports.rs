//! Imports between the files of one crate.
//!
//! A path leads through the module tree to the file that defines what it names. A re-export is
//! followed to the file that it re-exports from, so that it cannot hide an import. What the tokens
//! do not show is not seen: methods, and paths that a macro assembles or a string contains.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::source::{Module, Path, Source, child};

/// Import: in this line, `from` names by this path an item of `to`. Files are relative to `src`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Import {
    pub(crate) from: String,
    pub(crate) line: usize,
    pub(crate) path: String,
    pub(crate) to: String,
}

/// Files of a crate, without those of tests, and the imports between them.
pub(crate) struct Crate {
    pub(crate) files: BTreeSet<String>,
    pub(crate) imports: Vec<Import>,
    /// `impl` blocks without a trait for a type of another file.
    pub(crate) foreign_impls: Vec<Import>,
}

impl Crate {
    /// Reads a crate from the paths and texts of its files.
    pub(crate) fn read(files: &[(&str, &str)]) -> Self {
        let tree = ModuleTree::read(files);
        let files = tree.nodes.values().map(|node| node.file.clone()).collect();
        Self { files, imports: imports(&tree), foreign_impls: foreign_impls(&tree) }
    }
}

fn foreign_impls(tree: &ModuleTree) -> Vec<Import> {
    let of_node = |Node { file, module }: &Node| {
        let impls = module.inherent_impls.iter().filter_map(|path| {
            let to = tree.resolve(module, &path.segments).filter(|to| to.file != *file)?;
            let (from, to) = (file.clone(), to.file.clone());
            Some(Import { from, line: path.line, path: path.segments.join("::"), to })
        });
        impls.collect::<Vec<_>>()
    };
    tree.nodes.values().flat_map(of_node).collect()
}

fn imports(tree: &ModuleTree) -> Vec<Import> {
    let mut found = BTreeSet::new();
    for Node { file, module } in tree.nodes.values() {
        let mut add = |path: &Path, to: Option<&Node>| {
            if let Some(Node { file: to, .. }) = to.filter(|to| to.file != *file) {
                let (from, to) = (file.clone(), to.clone());
                found.insert(Import { from, line: path.line, path: path.segments.join("::"), to });
            }
        };
        let mut used = BTreeSet::new();
        for import in &module.uses {
            let to = tree.resolve(module, &import.path.segments);
            used.extend(to.map(|to| (&import.name, &to.file)));
            add(&import.path, to);
        }
        for path in &module.paths {
            let to = tree.resolve(module, &path.segments);
            // `B::new` after `use crate::a::B` is no import of its own.
            let first = path.segments.first();
            if !first.zip(to).is_some_and(|(first, to)| used.contains(&(first, &to.file))) {
                add(path, to);
            }
        }
        for (word, line) in &module.macro_arguments {
            let to = tree.nodes.get(&child(&module.path, word));
            add(&Path { segments: vec![word.clone()], line: *line }, to);
        }
        let words = module.words.iter();
        let by_glob = words.filter_map(|(word, line)| tree.by_glob(module, word, *line));
        let calls = module.macro_calls.iter();
        let by_name = calls.filter_map(|(name, line)| tree.by_macro_name(module, name, *line));
        for (path, to) in by_glob.chain(by_name) {
            add(&path, Some(to));
        }
    }
    found.into_iter().collect()
}

/// Module with the file that it is in.
struct Node {
    file: String,
    module: Module,
}

/// Modules of a crate by their paths, without those of tests.
struct ModuleTree {
    nodes: BTreeMap<Vec<String>, Node>,
    /// Modules whose macros are known to all that follows them.
    macro_modules: BTreeSet<Vec<String>>,
}

/// Module and path that were looked up on the way to a file: a loop of re-exports ends there.
type Seen = BTreeSet<(Vec<String>, Vec<String>)>;

/// Longest path that is followed. A re-export such as `use a::a` could lengthen it without end.
const SEGMENTS_MAX: usize = 16;

impl ModuleTree {
    fn read(files: &[(&str, &str)]) -> Self {
        let has_library = files.iter().any(|(path, _)| *path == "lib.rs");
        let (mut nodes, mut macro_modules) = (BTreeMap::new(), BTreeSet::new());
        let (mut tests, mut moved) = (Vec::new(), Vec::new());
        for (path, text) in files {
            // A program beside the library is a crate of its own.
            if path.starts_with("bin/") || *path == "main.rs" && has_library {
                continue;
            }
            let source = Source::without_tests(module_path(path), text);
            macro_modules.extend(source.macro_modules);
            tests.extend(source.test_modules);
            moved.extend(source.moved_modules);
            for module in source.modules {
                nodes.insert(module.path.clone(), Node { file: (*path).to_owned(), module });
            }
        }
        assert!(nodes.contains_key([].as_slice()), "a crate has a root");
        let is_code = |path: &[String]| !tests.iter().any(|test| path.starts_with(test));
        nodes.retain(|path, _| is_code(path));
        moved.retain(|path| is_code(path));
        assert!(moved.is_empty(), "a module is in the file of its name: {moved:?}");
        Self { nodes, macro_modules }
    }

    /// Returns the module that defines what a path in `from` names; none if that is another crate.
    fn resolve(&self, from: &Module, path: &[String]) -> Option<&Node> {
        self.follow(from, path, &mut Seen::new())
    }

    fn follow(&self, from: &Module, path: &[String], seen: &mut Seen) -> Option<&Node> {
        let mut module = from.path.as_slice();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => (module, rest) = (&[], rest.get(1..)?),
            // Of another crate.
            "" => return None,
            "self" | "super" => {
                while let [word @ ("self" | "super"), ..] = as_strs(rest).as_slice() {
                    let up = usize::from(*word == "super");
                    module = module.get(..module.len().checked_sub(up)?)?;
                    rest = rest.get(1..)?;
                }
            }
            _ => return self.find(module, rest, seen),
        }
        self.find_or_module(module, rest, seen)
    }

    /// Returns where a path in `module` leads. A name that its tokens do not show, of an item of a
    /// macro or of another crate, is taken for its own.
    fn find_or_module(&self, module: &[String], path: &[String], seen: &mut Seen) -> Option<&Node> {
        if seen.contains(&(module.to_vec(), path.to_vec())) {
            return None;
        }
        self.find(module, path, seen).or_else(|| self.nodes.get(module))
    }

    /// Returns where a path in `module` leads, if the tokens show it.
    fn find(&self, module: &[String], path: &[String], seen: &mut Seen) -> Option<&Node> {
        let node = self.nodes.get(module)?;
        let [name, rest @ ..] = path else { return Some(node) };
        let is_named = name != "*" && path.len() <= SEGMENTS_MAX;
        if !is_named || !seen.insert((module.to_vec(), path.to_vec())) {
            return None;
        }
        let uses = || node.module.uses.iter();
        let item = uses().find(|import| import.is_item && import.name == *name);
        let below = child(module, name);
        // `use a::open` may mean a module and a function: the function is the item.
        if self.nodes.contains_key(&below) && (item.is_none() || !rest.is_empty()) {
            return self.find_or_module(&below, rest, seen);
        }
        let mut renamed = |path: &Path| {
            self.follow(&node.module, &[path.segments.as_slice(), rest].concat(), seen)
        };
        if let Some(item) = item {
            return renamed(&item.path);
        }
        if node.module.items.contains(name) {
            return Some(node);
        }
        if let Some(local) = uses().find(|import| !import.is_item && import.name == *name) {
            return renamed(&local.path);
        }
        let by_glob = uses().filter(|import| import.name == "*").find_map(|glob| {
            let (_, from) = glob.path.segments.split_last()?;
            let from = self.follow(&node.module, from, seen)?;
            self.find(&from.module.path, path, seen)
        });
        by_glob.or_else(|| node.module.macro_words.contains(name).then_some(node))
    }

    /// Returns the import of a word that only a glob of `module` can bring.
    fn by_glob(&self, module: &Module, word: &str, line: usize) -> Option<(Path, &Node)> {
        if module.items.contains(word) || module.uses.iter().any(|import| import.name == word) {
            return None;
        }
        module.uses.iter().filter(|import| import.name == "*").find_map(|glob| {
            let (_, prefix) = glob.path.segments.split_last()?;
            let from = &self.resolve(module, prefix)?.module;
            // A module alone is no value: the word is a variable of the same name.
            let is_module = self.nodes.contains_key(&child(&from.path, word));
            let to = self.find(&from.path, &[word.to_owned()], &mut Seen::new())?;
            let path = Path { segments: child(prefix, word), line };
            (!is_module).then_some((path, to))
        })
    }

    /// Returns the import of a macro that is called without a path, from a module above or from one
    /// under `#[macro_use]`.
    fn by_macro_name(&self, module: &Module, name: &str, line: usize) -> Option<(Path, &Node)> {
        if module.items.contains(name) || module.uses.iter().any(|import| import.name == name) {
            return None;
        }
        let is_known =
            |path: &Vec<String>| module.path.starts_with(path) || self.macro_modules.contains(path);
        let mut known = self.nodes.iter().filter(|(path, _)| is_known(path));
        let (_, to) = known.find(|(_, node)| node.module.macros.contains(name))?;
        Some((Path { segments: vec![format!("{name}!")], line }, to))
    }
}

fn as_strs(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

/// Path of the module that a file is: `a/b.rs` and `a/b/mod.rs` are `a::b`.
fn module_path(file: &str) -> Vec<String> {
    let path = file.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if ["lib", "main"].contains(&path) {
        return Vec::new();
    }
    path.split('/').map(str::to_owned).collect()
}

/// Cycles of imports: the size of each group of files that all reach each other, and the shortest
/// cycle in it.
pub(crate) fn cycles(imports: &[Import]) -> Vec<(usize, Vec<&Import>)> {
    let mut from: BTreeMap<&str, Vec<&Import>> = BTreeMap::new();
    for import in imports {
        from.entry(&import.from).or_default().push(import);
    }
    let reached: BTreeMap<&str, BTreeMap<&str, Vec<&Import>>> =
        from.keys().map(|file| (*file, ways(&from, file))).collect();
    let reaches = |a: &str, b: &str| reached.get(a).is_some_and(|ways| ways.contains_key(b));
    let mut groups: BTreeMap<Vec<&str>, Vec<&Import>> = BTreeMap::new();
    for (file, ways) in &reached {
        let Some(cycle) = ways.get(file) else { continue };
        let group = from.keys().filter(|other| reaches(file, other) && reaches(other, file));
        let shortest = groups.entry(group.copied().collect()).or_insert_with(|| cycle.clone());
        if cycle.len() < shortest.len() {
            shortest.clone_from(cycle);
        }
    }
    groups.into_iter().map(|(group, cycle)| (group.len(), cycle)).collect()
}

/// Shortest ways from a file to all that it reaches, itself among them if it is in a cycle.
fn ways<'a>(
    from: &BTreeMap<&'a str, Vec<&'a Import>>,
    start: &'a str,
) -> BTreeMap<&'a str, Vec<&'a Import>> {
    let mut ways: BTreeMap<&str, Vec<&Import>> = BTreeMap::new();
    let mut queue = VecDeque::from([(start, Vec::new())]);
    while let Some((file, way)) = queue.pop_front() {
        for import in from.get(file).into_iter().flatten() {
            if !ways.contains_key(import.to.as_str()) {
                let way = [way.as_slice(), &[*import]].concat();
                ways.insert(&import.to, way.clone());
                queue.push_back((&import.to, way));
            }
        }
    }
    ways
}

/// Files that `a.rs` imports, in a crate of that file and others.
fn imported_by_a(text: &str, others: &[(&str, &str)]) -> BTreeSet<String> {
    let files = [&[("lib.rs", "mod a;"), ("a.rs", text)], others].concat();
    let of_a = Crate::read(&files).imports.into_iter().filter(|import| import.from == "a.rs");
    of_a.map(|import| import.to).collect()
}

#[test]
fn path_leads_to_the_file_that_defines_its_item() {
    let others = [
        ("b/mod.rs", "mod c; pub use c::{C, deep::*}; pub use library::External; pub struct B;"),
        ("b/c/mod.rs", "pub mod deep; pub mod open; pub use open::open; pub struct C;"),
        ("b/c/deep.rs", "structure! { Deep { a: u8 } } pub const D: u8 = 0;"),
        ("b/c/open.rs", "pub fn open() {}"),
        ("a/child.rs", "pub struct Child;"),
    ];
    let rows: [(&str, &[&str]); 14] = [
        ("use crate::b::B;", &["b/mod.rs"]),
        ("use crate::b::{C};", &["b/c/mod.rs"]),
        ("use crate::b::{self, C as Renamed};", &["b/c/mod.rs", "b/mod.rs"]),
        ("use crate::b::D;", &["b/c/deep.rs"]),
        ("use crate::b::Deep;", &["b/c/deep.rs"]),
        ("use crate::b::External;", &["b/mod.rs"]),
        ("use crate::b::C::{self, One};", &["b/c/mod.rs"]),
        ("use crate::b::c::open;", &["b/c/open.rs"]),
        ("use crate::b::c; fn f() { c::open::open() }", &["b/c/mod.rs", "b/c/open.rs"]),
        ("mod child; use child::Child;", &["a/child.rs"]),
        ("mod child; fn f() { child::f::<u8>() }", &["a/child.rs"]),
        ("mod child; use self::child::*; fn f() { child() }", &["a/child.rs"]),
        ("mod inner { pub struct Inner; } use inner::Inner;", &[]),
        ("use library::b::B; fn f(a: library::C) { a.b::<D>() }", &[]),
    ];
    for (text, expected) in rows {
        let found = imported_by_a(text, &others);
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected, "{text}");
    }
}

#[test]
fn macro_without_a_path_leads_to_the_file_that_defines_it() {
    let macros = ("macros.rs", "macro_rules! row { () => {}; }");
    let others = |root| [("lib.rs", root), macros, ("a.rs", "row!(); vec![];")];
    let found = |root| Crate::read(&others(root)).imports.into_iter().map(|import| import.to);
    assert_eq!(found("#[macro_use] mod macros; mod a;").collect::<Vec<_>>(), ["macros.rs"]);
    assert_eq!(found("mod macros; mod a;").count(), 0, "this does not compile");
    assert_eq!(found("macro_rules! row { () => {}; } mod a;").collect::<Vec<_>>(), ["lib.rs"]);
}

#[test]
fn module_in_a_macro_call_is_imported() {
    let text = "mod b; rows! { served { B => b; } } fn f() { rows!(c); }";
    assert_eq!(
        imported_by_a(text, &[("a/b.rs", ""), ("a/c.rs", "")]),
        ["a/b.rs".to_owned()].into()
    );
}

#[test]
fn loop_of_re_exports_ends() {
    let others =
        [("b.rs", "pub use crate::c::*; pub use B as B;"), ("c.rs", "pub use super::b::*;")];
    assert_eq!(imported_by_a("use crate::b::{B, C};", &others).len(), 1);
}

#[test]
fn program_beside_a_library_is_not_part_of_its_crate() {
    let of_root = |files: &[(&str, &str)]| Crate::read(files).imports.len();
    let (program, module) = (("main.rs", "mod a; use a::A;"), ("a.rs", "pub struct A;"));
    assert_eq!(of_root(&[program, module]), 1);
    assert_eq!(of_root(&[program, module, ("lib.rs", "mod a;")]), 0);
}
