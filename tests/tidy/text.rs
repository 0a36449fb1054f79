//! Rules on text: width, length, module docs, open tasks, machine paths and links.

use crate::check;
use crate::tree::{files, sources};

const COLUMNS_MAX: usize = 100;
const LINES_MAX: usize = 500;

/// Longer files, with the reason: only tables of data.
const LONG: [(&str, &str); 0] = [];

/// Files with wider lines, with the reason.
const WIDE: [(&str, &str); 1] =
    [("crates/kmip/src/vocabulary/cryptography.rs", "a value with its old names is one row")];

/// Generated files.
const FOREIGN: [&str; 2] = ["Cargo.lock", "fuzz/Cargo.lock"];

#[test]
fn line_has_at_most_100_columns() {
    // Not TOML: an inline table cannot be broken.
    let endings =
        [".rs", ".sh", ".py", ".yml", ".yaml", ".js", ".css", ".html", "Dockerfile", ".ci/run"];
    let mut breaches = Vec::new();
    let narrow = |path: &str| !WIDE.iter().any(|(wide, _)| *wide == path);
    for file in files().iter().filter(|file| file.is(&endings) && narrow(&file.path)) {
        for (number, line) in file.lines() {
            let columns = line.chars().count();
            // Neither a link nor a row of a table can be broken.
            let row = line.trim_start().trim_start_matches(['/', '!']).starts_with(" |");
            if columns > COLUMNS_MAX && !line.contains("https://") && !row {
                breaches.push(format!("{}:{number}: {columns} columns", file.path));
            }
        }
    }
    check("a line has at most 100 columns", &breaches);
}

#[test]
fn source_file_has_at_most_500_lines() {
    let mut breaches = Vec::new();
    for file in sources() {
        let lines = file.lines().count();
        let excused = LONG.iter().any(|(path, _)| *path == file.path);
        if lines > LINES_MAX && !excused {
            breaches.push(format!("{}: {lines} lines", file.path));
        }
    }
    for (path, _) in LONG {
        if let Some(file) = sources().find(|file| file.path == path)
            && file.lines().count() <= LINES_MAX
        {
            breaches.push(format!("{path}: needs no exception any more"));
        }
    }
    check("a source file has at most 500 lines: split it by what it does", &breaches);
}

#[test]
fn source_file_begins_with_its_purpose() {
    let silent = sources().filter(|file| !file.text().is_some_and(|text| text.starts_with("//!")));
    let breaches: Vec<String> = silent.map(|file| file.path.clone()).collect();
    check("a source file begins with //! and its purpose", &breaches);
}

/// The words are put together here, so that this file is no breach.
#[test]
fn open_task_names_its_issue() {
    let words = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["XX", "X"].concat()];
    let mut breaches = Vec::new();
    for file in files().iter().filter(|file| !FOREIGN.contains(&file.path.as_str())) {
        for (number, line) in file.lines() {
            let mut words = words.iter().filter(|word| has_word(line, word));
            if let Some(word) = words.next()
                && !line.contains(&format!("{word}(#"))
            {
                breaches.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    check("an open task names its issue, as in WORD(#12)", &breaches);
}

#[test]
fn test_is_not_ignored_and_code_is_not_missing() {
    let words =
        [["#[", "ignore"].concat(), ["to", "do!("].concat(), ["unimple", "mented!("].concat()];
    let mut breaches = Vec::new();
    for file in sources() {
        for (number, line) in file.lines() {
            if words.iter().any(|word| line.contains(word)) {
                breaches.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    check("no test is ignored and no code is missing", &breaches);
}

#[test]
fn file_has_no_path_of_a_machine() {
    let homes = [["/ro", "ot/"].concat(), ["/ho", "me/"].concat(), ["/wo", "rk/"].concat()];
    let mut breaches = Vec::new();
    for file in files() {
        for (number, line) in file.lines() {
            // At the beginning of a word: `target/root/` or `https://host/home/` is no such path.
            let starts = |home: &String| {
                line.match_indices(home.as_str()).any(|(at, _)| {
                    let before = line.get(..at).and_then(|before| before.chars().last());
                    before.is_none_or(|c| c.is_whitespace() || "\"'`(=:".contains(c))
                })
            };
            if homes.iter().any(starts) {
                breaches.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    check("no file contains a path of one machine", &breaches);
}

#[test]
fn link_of_a_document_resolves() {
    let mut breaches = Vec::new();
    for file in files().iter().filter(|file| file.is(&[".md"])) {
        for (number, line) in file.lines() {
            for link in links(line) {
                if !resolves(&file.path, link) {
                    breaches.push(format!("{}:{number}: {link}", file.path));
                }
            }
        }
    }
    check("a link leads to a file of the repository, and to a heading in it", &breaches);
}

/// Targets of the inline links in a line of Markdown.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1);
    targets.filter_map(|rest| rest.split(')').next()).filter(|link| !link.is_empty())
}

fn resolves(from: &str, link: &str) -> bool {
    if link.contains("://") || link.starts_with("mailto:") {
        return true;
    }
    let (path, heading) = link.split_once('#').unwrap_or((link, ""));
    let target = if path.is_empty() {
        from.to_owned()
    } else {
        let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                name => parts.push(name),
            }
        }
        parts.join("/")
    };
    let Some(file) = files().iter().find(|file| file.path == target) else {
        let folder = format!("{target}/");
        return heading.is_empty() && files().iter().any(|file| file.path.starts_with(&folder));
    };
    heading.is_empty()
        || file.lines().any(|(_, line)| line.starts_with('#') && slug(line) == heading)
}

/// Anchor of a heading.
fn slug(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// Returns whether `line` contains `word`, not as part of a longer word.
fn has_word(line: &str, word: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().last());
        let after = line.get(at.saturating_add(word.len())..).and_then(|text| text.chars().next());
        !part(before) && !part(after)
    })
}

#[test]
fn words_links_and_anchors_are_found() {
    assert!(has_word("a word, alone", "word") && !has_word("swordfish", "word"));
    assert!(resolves("Cargo.toml", "tests/Cargo.toml") && !resolves("Cargo.toml", "nothing.md"));
    assert!(resolves("tests/Cargo.toml", "../Cargo.toml"));
    assert_eq!(slug("## Why `sled`, then?"), "why-sled-then");
    assert_eq!(links("see [a](b.md) and [c](d.md#e)").collect::<Vec<_>>(), ["b.md", "d.md#e"]);
}
