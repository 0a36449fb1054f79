//! The forms of a message, and the mutations of each: of its bytes, or of its items.

use kmip::encoding::{Error, json, xml};
use libfuzzer_sys::fuzzer_mutate;
use zeroize::Zeroizing;

use crate::mutation;
use crate::rng::Rng;
use crate::samples;
use crate::tree::{self, Node};

/// What the bytes of an input are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// TTLV.
    Ttlv,
    /// XML.
    Xml,
    /// JSON.
    Json,
}

impl Form {
    fn read(self, data: &[u8]) -> Option<Vec<Node>> {
        match self {
            Self::Ttlv => tree::read(data),
            Self::Xml => from_text(data, xml::decode),
            Self::Json => from_text(data, json::decode),
        }
    }

    fn write(self, nodes: &[Node]) -> Option<Vec<u8>> {
        let ttlv = tree::write(nodes);
        match self {
            Self::Ttlv => Some(ttlv),
            Self::Xml => xml::encode(&ttlv).ok().map(|text| text.as_bytes().to_vec()),
            Self::Json => json::encode(&ttlv).ok().map(|text| text.as_bytes().to_vec()),
        }
    }
}

/// Reads a text, or TTLV that is to become one.
fn from_text(
    data: &[u8],
    decode: fn(&str) -> Result<Zeroizing<Vec<u8>>, Error>,
) -> Option<Vec<Node>> {
    let text = std::str::from_utf8(data).ok().and_then(|text| decode(text).ok());
    tree::read(text.as_ref().map_or(data, |ttlv| ttlv.as_slice()))
}

/// Makes another input out of one; returns its length. `trees` are valid messages.
pub fn mutate(
    form: Form,
    trees: &[Vec<Node>],
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
) -> usize {
    let mut rng = Rng::new(seed);
    // A target of texts takes TTLV too.
    let written = if rng.one_in(4) { Form::Ttlv } else { form };
    let made = match rng.below(16) {
        0 => rng.pick(trees).and_then(|nodes| written.write(nodes)),
        1..4 => None,
        _ => data.get(..size).and_then(|data| form.read(data)).and_then(|mut nodes| {
            mutation::change(&mut nodes, trees, &mut rng);
            written.write(&nodes)
        }),
    };
    match made.filter(|made| made.len() <= max_size) {
        Some(made) => {
            data[..made.len()].copy_from_slice(&made);
            made.len()
        }
        None => fuzzer_mutate(data, size, max_size),
    }
}

/// Makes an input out of two; returns its length.
pub fn cross(form: Form, first: &[u8], second: &[u8], out: &mut [u8], seed: u32) -> usize {
    let mut rng = Rng::new(seed);
    let made = form.read(first).zip(form.read(second)).and_then(|(mut nodes, other)| {
        mutation::cross(&mut nodes, &other, &mut rng);
        form.write(&nodes)
    });
    let made = made.as_deref().unwrap_or(first);
    let len = made.len().min(out.len());
    out[..len].copy_from_slice(&made[..len]);
    len
}

/// Defines a target whose inputs have a form: the two mutations, and what is checked.
#[macro_export]
macro_rules! target {
    ($form:expr, $trees:expr, $check:expr) => {
        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            $crate::form::mutate($form, $trees, data, size, max_size, seed)
        });

        libfuzzer_sys::fuzz_crossover!(|first: &[u8], second: &[u8], out: &mut [u8], seed: u32| {
            $crate::form::cross($form, first, second, out, seed)
        });

        libfuzzer_sys::fuzz_target!(|data: &[u8]| -> libfuzzer_sys::Corpus {
            $crate::form::verdict($check(data))
        });
    };
}

/// Valid messages of all kinds.
pub fn all_trees() -> &'static [Vec<Node>] {
    samples::trees()
}

/// What a check says of its input.
pub trait Verdict {
    /// Whether the input is kept.
    fn verdict(self) -> libfuzzer_sys::Corpus;
}

impl Verdict for () {
    fn verdict(self) -> libfuzzer_sys::Corpus {
        libfuzzer_sys::Corpus::Keep
    }
}

/// Input that is not tried again is false.
impl Verdict for bool {
    fn verdict(self) -> libfuzzer_sys::Corpus {
        if self { libfuzzer_sys::Corpus::Keep } else { libfuzzer_sys::Corpus::Reject }
    }
}

/// Says whether an input is kept.
pub fn verdict(of: impl Verdict) -> libfuzzer_sys::Corpus {
    of.verdict()
}
