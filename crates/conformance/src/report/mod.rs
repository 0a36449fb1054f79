//! What a run has shown: as text on a terminal, HTML, JUnit XML and JSON.

pub mod html;
pub mod json;
pub mod junit;
pub mod matrix;
pub mod terminal;

/// Text with what XML and HTML would misread put otherwise.
pub(crate) fn escaped(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => all.push_str("&amp;"),
            '<' => all.push_str("&lt;"),
            '>' => all.push_str("&gt;"),
            '"' => all.push_str("&quot;"),
            '\n' | '\t' => all.push(c),
            // XML has no other control characters.
            c if c.is_control() => all.push('\u{FFFD}'),
            c => all.push(c),
        }
    }
    all
}
