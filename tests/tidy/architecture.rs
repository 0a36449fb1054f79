//! Rules on imports between the directories and the files of a crate.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use crate::check;
use crate::imports::{Crate, Import, cycles};
use crate::tree::sources;

/// Directory of `src`, or file with submodules beside it, and the directories that it may import.
type Table = &'static [(&'static str, &'static [&'static str])];

/// `cli -> net -> dispatch -> operations -> keystore -> auth -> objects -> store | crypto ->
/// config, secret`: each imports only what is further right.
const KMIP_SERVER: Table = &[
    (
        "cli",
        &[
            "net",
            "dispatch",
            "operations",
            "keystore",
            "auth",
            "objects",
            "store",
            "crypto",
            "config",
            "secret",
        ],
    ),
    (
        "net",
        &[
            "dispatch",
            "operations",
            "keystore",
            "auth",
            "objects",
            "store",
            "crypto",
            "config",
            "secret",
        ],
    ),
    (
        "dispatch",
        &["operations", "keystore", "auth", "objects", "store", "crypto", "config", "secret"],
    ),
    ("operations", &["keystore", "auth", "objects", "store", "crypto", "config", "secret"]),
    ("keystore", &["auth", "objects", "store", "crypto", "config", "secret"]),
    ("auth", &["objects", "store", "crypto", "config", "secret"]),
    ("objects", &["store", "crypto", "config", "secret"]),
    ("store", &["config", "secret"]),
    ("crypto", &["config", "secret"]),
    ("config", &[]),
    ("secret", &[]),
];

/// `cli -> api -> stream -> cluster -> node | key_server -> state -> crypto -> config`: each
/// imports only what is further right. No directory imports `testing`, which is for other crates.
const NODE_SIM: Table = &[
    ("testing", &["node", "key_server", "state", "crypto"]),
    ("cli", &["api", "stream", "cluster", "node", "key_server", "state", "crypto", "config"]),
    ("api", &["stream", "cluster", "node", "key_server", "state", "crypto", "config"]),
    ("stream", &["cluster", "key_server", "state"]),
    ("cluster", &["node", "key_server", "state", "crypto", "config"]),
    ("node", &["state", "crypto", "config"]),
    ("key_server", &["state", "crypto", "config"]),
    ("state", &["crypto", "config"]),
    ("crypto", &["config"]),
    ("config", &[]),
];

/// `cli -> relay | http -> engine -> actions -> rules -> message`; what is pure imports nothing of
/// what does I/O.
const KMIP_PROXY: Table = &[
    ("cli", &["relay", "http", "tls", "engine", "conversation", "rules"]),
    ("relay", &["tls", "engine", "conversation"]),
    ("http", &["engine", "conversation", "rules", "tls"]),
    ("engine", &["actions", "rules", "message"]),
    ("actions", &["rules", "message"]),
    ("rules", &["message", "subject"]),
    ("conversation", &["message"]),
    ("tls", &["subject"]),
    ("message", &[]),
    ("subject", &[]),
];

/// Files in `kmip-server/src/operations` that are not operations.
pub(crate) const SHARED_BY_OPERATIONS: [&str; 3] = ["answer", "availability", "cost"];

/// Files of a crate, with paths from its `src`.
fn files_of(src: &str) -> Vec<(&'static str, &'static str)> {
    let of_crate = sources().filter_map(|file| Some((file.path.strip_prefix(src)?, file.text()?)));
    of_crate.collect()
}

/// `src/` of every crate, and what is in it.
fn crates() -> &'static [(String, Crate)] {
    static CRATES: OnceLock<Vec<(String, Crate)>> = OnceLock::new();
    CRATES.get_or_init(|| {
        let roots = sources().filter_map(|file| {
            ["lib.rs", "main.rs"].iter().find_map(|root| file.path.strip_suffix(root))
        });
        let roots: BTreeSet<&str> = roots.filter(|root| root.ends_with("src/")).collect();
        roots.into_iter().map(|src| (src.to_owned(), Crate::read(&files_of(src)))).collect()
    })
}

fn crate_of(src: &str) -> &'static Crate {
    let found = crates().iter().find(|(root, _)| root == src).map(|(_, found)| found);
    let found = found.expect("a crate of this workspace");
    assert!(found.imports.len() > 100, "the imports of {src} are read");
    found
}

/// Name of the directory of a file, or of the file itself at the top: `a/b.rs` and `a.rs` are `a`.
fn first_name(file: &str) -> &str {
    file.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

/// Line of a breach. It begins with a path from the root of the repository, which editors open.
fn text(src: &str, import: &Import) -> String {
    format!("{src}{}:{}: imports {} as {}", import.from, import.line, import.to, import.path)
}

fn table_breaches(table: Table, src: &str, found: &Crate) -> Vec<String> {
    let Crate { files, imports, foreign_impls } = found;
    let row = |name: &str| table.iter().find(|(directory, _)| *directory == name);
    // The roots declare the directories, and may import all of them.
    let is_root = |name: &str| ["lib", "main"].contains(&name);
    let names: BTreeSet<&str> = files.iter().map(|file| first_name(file)).collect();
    let unknown = names.into_iter().filter(|name| row(name).is_none() && !is_root(name));
    let unknown = unknown.map(|name| format!("{src}{name}: has no row in the table"));
    let forbidden = imports.iter().filter(|import| {
        let (from, to) = (first_name(&import.from), first_name(&import.to));
        from != to && row(from).is_some_and(|(_, allowed)| !allowed.contains(&to))
    });
    // A call of such a method would be an import that no path shows.
    let foreign =
        foreign_impls.iter().filter(|found| first_name(&found.from) != first_name(&found.to));
    let foreign = foreign.map(|Import { from, line, path, to }| {
        format!("{src}{from}:{line}: methods of {path}, a type of {to}: write functions")
    });
    unknown.chain(forbidden.map(|import| text(src, import))).chain(foreign).collect()
}

/// Operation that a file implements: `locate` for `operations/locate/order.rs`; `mod` for the table
/// that performs any of them.
fn operation(file: &str) -> Option<&str> {
    Some(first_name(file.strip_prefix("operations/")?))
}

/// Imports of an operation, or of the table of all, by another operation or by what they share.
fn operation_breaches(src: &str, Crate { imports, .. }: &Crate) -> Vec<String> {
    let between = imports.iter().filter(|import| {
        let names = operation(&import.from).zip(operation(&import.to));
        names.is_some_and(|(from, to)| {
            from != "mod" && from != to && !SHARED_BY_OPERATIONS.contains(&to)
        })
    });
    between.map(|import| text(src, import)).collect()
}

fn cycle_breaches(src: &str, Crate { imports, .. }: &Crate) -> Vec<String> {
    let breach = |(files, cycle): (usize, Vec<&Import>)| {
        let lines: Vec<String> = cycle.into_iter().map(|import| text(src, import)).collect();
        let lines = lines.join("\n    ");
        format!("{src}: {files} files import each other; the shortest cycle:\n    {lines}")
    };
    cycles(imports).into_iter().map(breach).collect()
}

#[test]
fn directory_of_kmip_server_imports_only_what_its_row_lists() {
    let src = "kmip-server/src/";
    let breaches = table_breaches(KMIP_SERVER, src, crate_of(src));
    check("a directory imports only what its row in the table lists", &breaches);
}

#[test]
fn directory_of_node_sim_imports_only_what_its_row_lists() {
    let src = "node-sim/src/";
    let breaches = table_breaches(NODE_SIM, src, crate_of(src));
    check("a directory imports only what its row in the table lists", &breaches);
}

#[test]
fn directory_of_kmip_proxy_imports_only_what_its_row_lists() {
    let src = "crates/proxy/src/";
    let breaches = table_breaches(KMIP_PROXY, src, crate_of(src));
    check("a directory imports only what its row in the table lists", &breaches);
}

#[test]
fn operation_imports_no_other_operation() {
    let src = "kmip-server/src/";
    let breaches = operation_breaches(src, crate_of(src));
    check("an operation imports no other: shared code belongs in `keystore`", &breaches);
}

#[test]
fn files_of_a_crate_have_no_import_cycle() {
    assert!(crates().len() > 6, "every crate is read: {}", crates().len());
    let breaches = crates().iter().flat_map(|(src, found)| cycle_breaches(src, found));
    let breaches: Vec<String> = breaches.collect();
    check("the imports between the files of a crate have no cycle", &breaches);
}

/// Breaches of the table `upper -> lower` in a crate whose `lower/mod.rs` has this text.
fn breaches_of_lower(text: &str, others: &[(&str, &str)]) -> Vec<String> {
    const TABLE: Table = &[("upper", &["lower"]), ("lower", &[])];
    let upper = "use crate::lower::Lower;\npub struct Upper;\nmod part;";
    let upper = [("upper/mod.rs", upper), ("upper/part.rs", "pub struct Part;")];
    let mut files = [&[("lower/mod.rs", text)], upper.as_slice(), others].concat();
    if !others.iter().any(|(file, _)| *file == "lib.rs") {
        files.push(("lib.rs", "mod upper; mod lower;"));
    }
    table_breaches(TABLE, "", &Crate::read(&files))
}

/// Import of `upper/mod.rs` in this line of `lower/mod.rs`.
fn breach(line: usize, path: &str) -> Vec<String> {
    vec![format!("lower/mod.rs:{line}: imports upper/mod.rs as {path}")]
}

#[test]
fn import_along_the_table_is_no_breach() {
    let texts = [
        "pub struct Lower;",
        "// use crate::upper::Upper;\n/* crate::upper::Upper */ pub struct Lower;",
        "const A: &str = \"crate::upper::Upper\"; const B: &str = r#\"crate::upper::Upper\"#;",
        "pub(in crate::upper) struct Lower; pub(super) struct Other;",
        "use upper::Upper; use ::upper::Other; fn f() { ::upper::g(); library::upper::h(); }",
    ];
    for text in texts {
        assert!(breaches_of_lower(text, &[]).is_empty(), "{text}");
    }
}

#[test]
fn import_for_tests_is_no_breach() {
    let texts = [
        "#[cfg(test)] mod tests { use crate::upper::Upper; }",
        "#[cfg(test)]\n#[allow(unused)]\npub(crate) mod tests;",
        "#[cfg(test)] use crate::upper::{Upper};",
        "#[cfg(all(test, unix))] fn f<A, B>() -> Upper { crate::upper::f() }",
        "#[cfg(test)] const A: [u8; { 1 }] = crate::upper::A;",
        "struct Lower { #[cfg(test)] upper: crate::upper::Upper, }",
    ];
    for text in texts {
        let file = ("lower/tests.rs", "use crate::upper::Upper;");
        let tests = if text.ends_with("mod tests;") { vec![file] } else { Vec::new() };
        assert!(breaches_of_lower(text, &tests).is_empty(), "{text}");
        let after = format!("{text}\nuse crate::upper::Upper;");
        let line = after.lines().count();
        let expected = breach(line, "crate::upper::Upper");
        assert_eq!(breaches_of_lower(&after, &tests), expected, "{text}");
    }
    let not_for_tests = "#[cfg(not(test))] use crate::upper::Upper;";
    assert_eq!(breaches_of_lower(not_for_tests, &[]), breach(1, "crate::upper::Upper"));
}

#[test]
fn import_against_the_table_is_a_breach() {
    let rows = [
        ("use crate::upper::Upper;", "crate::upper::Upper"),
        ("use super::upper::Upper as U;", "super::upper::Upper"),
        ("pub(crate) use crate::{upper::{self}};", "crate::upper"),
        ("use crate::upper::*;", "crate::upper::*"),
        ("fn f() { use self::super::upper::Upper; }", "self::super::upper::Upper"),
        ("mod inner { use super::super::upper::Upper; }", "super::super::upper::Upper"),
    ];
    for (text, path) in rows {
        assert_eq!(breaches_of_lower(text, &[]), breach(1, path), "{text}");
    }
}

#[test]
fn inline_path_against_the_table_is_a_breach() {
    let rows = [
        ("fn f() -> crate::upper::Upper {}", "crate::upper::Upper"),
        ("fn f() { let x: Vec<super::upper::Upper> = g(); }", "super::upper::Upper"),
        ("struct Lower(pub(crate::upper::Upper));", "crate::upper::Upper"),
        ("#[derive(crate::upper::Derive)] struct Lower;", "crate::upper::Derive"),
        ("use crate::{self as root};\nfn f() { root::upper::f() }", "root::upper::f"),
        ("extern crate self as root;\nfn f() { root::upper::f() }", "root::upper::f"),
    ];
    for (text, path) in rows {
        let found = breaches_of_lower(text, &[]);
        assert_eq!(found.last(), breach(text.lines().count(), path).last(), "{text}");
    }
}

#[test]
fn path_in_a_macro_against_the_table_is_a_breach() {
    let rows = [
        ("macro_rules! m { ($x:ident) => { $crate::upper::f($x) }; }", "crate::upper::f"),
        ("macro_rules! m { () => { use crate::upper::Upper; }; }", "crate::upper::Upper"),
        ("macro_rules! m { ($x:ident) => { crate::upper::$x }; }", "crate::upper::*"),
        ("fn f() { println!(\"{:?}\", crate::upper::Upper); }", "crate::upper::Upper"),
        ("m! { a => super::upper::f, }", "super::upper::f"),
    ];
    for (text, path) in rows {
        assert_eq!(breaches_of_lower(text, &[]), breach(1, path), "{text}");
    }
}

#[test]
fn import_behind_a_re_export_is_a_breach() {
    let rows = [
        ("pub use upper::Upper;", "crate::Upper"),
        ("pub use crate::upper::{Upper as Renamed};", "crate::Renamed"),
        ("pub(crate) use upper::*;", "crate::Upper"),
        (
            "pub use first::A; mod first { pub use super::second::B as A; } \
             mod second { pub use crate::upper::Upper as B; }",
            "crate::A",
        ),
        ("pub mod prelude { pub use crate::upper::*; }", "crate::prelude::Upper"),
    ];
    for (root, path) in rows {
        let root = format!("mod upper; mod lower; {root}");
        let text = format!("use {path};");
        assert_eq!(breaches_of_lower(&text, &[("lib.rs", &root)]), breach(1, path), "{root}");
    }
    // A glob brings the name.
    let root = ("lib.rs", "pub mod prelude { pub use crate::upper::Upper; }");
    let found = breaches_of_lower("use crate::prelude::*;\nfn f(x: Upper) {}", &[root]);
    assert!(found.iter().any(|found| breach(2, "crate::prelude::Upper").contains(found)));
}

#[test]
fn directory_without_a_row_is_a_breach() {
    let root = ("lib.rs", "#[cfg(test)] mod tests;");
    let others = [root, ("main.rs", ""), ("tests/mod.rs", ""), ("other/a.rs", ""), ("file.rs", "")];
    let expected = ["file: has no row in the table", "other: has no row in the table"];
    assert_eq!(breaches_of_lower("", &others), expected);
}

#[test]
fn import_of_another_operation_is_a_breach() {
    let of_files = |get: &str, availability: &str| {
        let files = [
            ("lib.rs", "mod operations;"),
            (
                "operations/mod.rs",
                "mod get; mod locate; pub use answer::*; pub use locate::find; pub fn execute() {}",
            ),
            ("operations/answer.rs", "pub struct Answer; pub struct Other;"),
            ("operations/get.rs", get),
            ("operations/locate.rs", "mod order; use order::by_date; use super::Answer;"),
            ("operations/locate/order.rs", "use super::Found;"),
            ("operations/availability.rs", availability),
        ];
        operation_breaches("", &Crate::read(&files))
    };
    let breaches = |get: &str| of_files(get, "");
    assert!(breaches("use super::Answer; use super::answer::Other;").is_empty());
    let rows = [
        ("use super::locate::Found;", "locate.rs as super::locate::Found"),
        ("use super::find;", "locate.rs as super::find"),
        ("use super::execute;", "mod.rs as super::execute"),
        (
            "use crate::operations::locate::order::by_date;",
            "locate/order.rs as crate::operations::locate::order::by_date",
        ),
    ];
    for (text, found) in rows {
        let expected = format!("operations/get.rs:1: imports operations/{found}");
        assert_eq!(breaches(text), [expected], "{text}");
    }
    // What they share cannot hide one.
    let found = of_files("use super::availability::f;", "use super::locate::Found;");
    let expected =
        "operations/availability.rs:1: imports operations/locate.rs as super::locate::Found";
    assert_eq!(found, [expected]);
}

#[test]
fn method_of_a_type_of_another_directory_is_a_breach() {
    let rows = [
        "use crate::lower::Lower; impl Lower { fn f(&self) {} }",
        "impl<T: Fn() -> u8> crate::lower::Lower<T> where for<'a> T: F<'a> { fn f(&self) {} }",
    ];
    for text in rows {
        let others = [("upper/more.rs", text)];
        let found = breaches_of_lower("pub struct Lower;", &others);
        let is_breach = |found: &String| found.starts_with("upper/more.rs:1: methods of ");
        assert!(matches!(found.as_slice(), [one] if is_breach(one)), "{text}: {found:?}");
    }
    let allowed = [
        "use crate::lower::Lower; trait T {} impl T for Lower {} impl Own { } struct Own;",
        "impl<'a> From<Own> for crate::lower::Lower { } impl super::Upper { fn f() {} }",
        "fn f() -> impl Fn(crate::lower::Lower) { }",
    ];
    for text in allowed {
        let found = breaches_of_lower("pub struct Lower;", &[("upper/more.rs", text)]);
        assert!(found.is_empty(), "{text}: {found:?}");
    }
}

#[test]
fn import_cycle_is_a_breach() {
    let breaches = |files: &[(&str, &str)]| {
        cycle_breaches("", &Crate::read(&[&[("lib.rs", "mod a; mod b;")], files].concat()))
    };
    let chain = [
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "use super::c::C; pub struct B;"),
        ("c.rs", "pub struct C;"),
    ];
    assert!(breaches(&chain).is_empty());

    let pair = [("a.rs", "use crate::b::B;\npub struct A;"), ("b.rs", "\nfn f(a: super::a::A) {}")];
    let cycle = "a.rs:1: imports b.rs as crate::b::B\n    b.rs:2: imports a.rs as super::a::A";
    let expected = format!(": 2 files import each other; the shortest cycle:\n    {cycle}");
    assert_eq!(breaches(&pair), [expected]);

    // A cycle of other files is another breach, a longer cycle of the same files is not.
    let more = [("c.rs", "use crate::a::A; use crate::d::D;"), ("d.rs", "use crate::c::C;")];
    let of_b = ("b.rs", "use crate::c::C;");
    let found = breaches(&[pair[0], of_b, more[0], ("d.rs", "")]);
    assert!(matches!(found.as_slice(), [one] if one.starts_with(": 3 files")), "{found:?}");
    assert_eq!(breaches(&[pair, more].concat()).len(), 2);
}

#[test]
fn import_cycle_behind_a_re_export_is_a_breach() {
    let breaches = |a: &str, b: &str| {
        let root = "pub use part::{A, B};";
        let files = [("lib.rs", root), ("part/mod.rs", "pub use a::*; pub use b::B;")];
        cycle_breaches("", &Crate::read(&[files, [("part/a.rs", a), ("part/b.rs", b)]].concat()))
    };
    let (a, b) = ("pub struct A;", "pub struct B;");
    assert!(breaches(a, &format!("{b} use crate::A;")).is_empty());
    let cycle = "part/a.rs:1: imports part/b.rs as super::B\n    \
                 part/b.rs:1: imports part/a.rs as crate::A";
    let expected = format!(": 2 files import each other; the shortest cycle:\n    {cycle}");
    assert_eq!(breaches(&format!("{a} use super::B;"), &format!("{b} use crate::A;")), [expected]);
    // The module that re-exports a file cannot be imported by it.
    let files = [("lib.rs", "mod a; pub use a::A; pub struct Root;"), ("a.rs", "use crate::Root;")];
    assert_eq!(cycle_breaches("", &Crate::read(&files)).len(), 1);
}
