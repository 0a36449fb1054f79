//! Tables of answers in text: one row a line, its fields apart by bars, its source first.

/// A row.
pub(crate) struct Row<'a> {
    /// Who wrote the answer down.
    pub(crate) source: &'a str,
    fields: Vec<&'a str>,
}

/// The rows of a table, without its comments.
pub(crate) fn rows(table: &str) -> impl Iterator<Item = Row<'_>> {
    table.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(|line| {
        let mut fields = line.split(" | ");
        Row { source: fields.next().unwrap(), fields: fields.collect() }
    })
}

impl<'a> Row<'a> {
    /// A field, if it is not the dash of what is absent.
    pub(crate) fn text(&self, index: usize) -> Option<&'a str> {
        let field = *self.fields.get(index).unwrap_or_else(|| panic!("{}", self.source));
        (field != "-").then_some(field)
    }

    /// A field of bytes; none when it is absent.
    pub(crate) fn optional_bytes(&self, index: usize) -> Option<Vec<u8>> {
        self.text(index).map(|text| bytes(text, self.source))
    }

    /// A field of bytes; empty when it is absent.
    pub(crate) fn bytes(&self, index: usize) -> Vec<u8> {
        self.optional_bytes(index).unwrap_or_default()
    }

    /// A field that is a name of the vocabulary.
    pub(crate) fn named<T>(&self, index: usize, from_name: fn(&str) -> Option<T>) -> Option<T> {
        self.text(index)
            .map(|name| from_name(name).unwrap_or_else(|| panic!("{}: {name}", self.source)))
    }
}

/// Hexadecimal digits as bytes.
pub(crate) fn bytes(text: &str, source: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "{source}: {text}");
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap_or_else(|_| panic!("{source}")))
        .collect()
}
