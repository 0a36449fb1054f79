//! What a run has shown: as text on a terminal, HTML, JUnit XML and JSON.

pub(crate) mod html;
pub mod json;
pub(crate) mod junit;
pub(crate) mod matrix;
pub mod terminal;

/// Text with what XML and HTML would misread put otherwise.
pub(crate) fn escape_xml(text: &str) -> String {
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
