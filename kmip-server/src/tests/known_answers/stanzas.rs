//! Cases in text: a stanza each, of `[kind]` and lines `name = value`; values are hex or words.

/// One case.
#[derive(Default)]
pub(crate) struct Stanza {
    kind: String,
    fields: Vec<(String, String)>,
}

impl Stanza {
    /// A word; nothing when it is absent.
    pub(crate) fn word(&self, name: &str) -> &str {
        let mut fields = self.fields.iter();
        fields.find(|(field, _)| field == name).map_or("", |(_, value)| value.as_str())
    }

    /// Bytes; none when they are absent.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        hex(self.word(name))
    }

    /// Where the case is from.
    pub(crate) fn source(&self) -> &str {
        self.word("source")
    }
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().map(|c| u8::try_from(c.to_digit(16).expect("hex")).unwrap()).collect();
    assert_eq!(digits.len() % 2, 0, "{text}");
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// The cases of one kind; there must be some.
pub(crate) fn of_kind(text: &str, kind: &str) -> Vec<Stanza> {
    let mut all = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if let Some(kind) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            all.push(Stanza { kind: kind.to_owned(), fields: Vec::new() });
        } else if let Some((name, value)) = line.split_once(" = ") {
            let fields = &mut all.last_mut().expect("a stanza begins with its kind").fields;
            fields.push((name.to_owned(), value.to_owned()));
        }
    }
    all.retain(|stanza| stanza.kind == kind);
    assert!(!all.is_empty(), "no cases of {kind}");
    all
}
