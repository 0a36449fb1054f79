//! 2.1, 4.58 and 7.9: which object a request means that names none by its identifier, and which
//! data one that holds none: a word or a number for what the batch has named or given before it.

use kmip::SecretBytes;
use kmip::payload::ResponsePayload;
use kmip::vocabulary::{Data, Operation, UniqueIdentifier as Word};

/// What the items of a batch have named and given in their answers, in order.
#[derive(Debug, Default)]
pub(crate) struct BatchReferences {
    /// Each item that was done, with the Unique Identifiers in its answer: none, one or many.
    items: Vec<(Operation, Vec<String>)>,
    /// Each data that was given.
    data: Vec<(Operation, SecretBytes)>,
}

/// The words for data, and the operation that each means (2.1, 11.13).
const DATA: &[(Data, Operation)] = &[
    (Data::Decrypt, Operation::Decrypt),
    (Data::Encrypt, Operation::Encrypt),
    (Data::Hash, Operation::Hash),
    (Data::MACMACData, Operation::MAC),
    (Data::RNGRetrieve, Operation::RNGRetrieve),
    (Data::SignSignatureData, Operation::Sign),
    (Data::SignatureVerify, Operation::SignatureVerify),
];

impl BatchReferences {
    /// An item was done.
    pub(crate) fn keep(&mut self, operation: Operation, answer: &ResponsePayload) {
        let ids = answer.unique_identifiers().into_iter().map(str::to_owned).collect();
        self.items.push((operation, ids));
        self.data.extend(answer.data().map(|data| (operation, SecretBytes::new(data))));
    }

    /// The nth identifier so far, from zero; a negative number counts back from here.
    pub(crate) fn at(&self, index: i32) -> Option<&str> {
        nth(self.items.iter().flat_map(|(_, ids)| ids), index).map(String::as_str)
    }

    /// The nth data so far, counted likewise.
    pub(crate) fn data_at(&self, index: i32) -> Option<&SecretBytes> {
        nth(self.data.iter(), index).map(|(_, data)| data)
    }

    /// The data that the word's operation gave last.
    pub(crate) fn data_of(&self, word: Data) -> Option<&SecretBytes> {
        let (_, operation) = DATA.iter().find(|(known, _)| *known == word)?;
        self.data.iter().rev().find(|(of, _)| of == operation).map(|(_, data)| data)
    }

    /// The object of the last item of the word's operation (2.1, 11.58). Of a pair the plain word
    /// means the private key, as the ID Placeholder does; a Locate that found several means none.
    pub(crate) fn of(&self, word: Word) -> Option<&str> {
        let word = word.name()?;
        let (name, nth) = match (word.strip_suffix("PrivateKey"), word.strip_suffix("PublicKey")) {
            (Some(name), _) => (name, 0),
            (None, Some(name)) => (name, 1),
            (None, None) => (word, 0),
        };
        let (operation, ids) =
            self.items.iter().rev().find(|(operation, _)| operation.name() == Some(name))?;
        match *operation == Operation::Locate && ids.len() != 1 {
            true => None,
            false => ids.get(nth).map(String::as_str),
        }
    }
}

/// The nth of all, from zero, or with a negative number from the end.
fn nth<T>(mut all: impl DoubleEndedIterator<Item = T>, index: i32) -> Option<T> {
    let nth = usize::try_from(index.unsigned_abs()).ok()?;
    match index < 0 {
        true => all.rev().nth(nth.checked_sub(1)?),
        false => all.nth(nth),
    }
}

#[cfg(test)]
mod tests {
    use super::{BatchReferences, Data, Word};
    use kmip::SecretBytes;
    use kmip::payload::{
        CreateKeyPairResponse, DestroyResponse, HashResponse, LocateResponse, PingResponse,
        RNGRetrieveResponse,
    };
    use kmip::vocabulary::Operation;

    #[test]
    fn numbers_and_words_for_what_the_batch_has_named() {
        let mut named = BatchReferences::default();
        let pair = CreateKeyPairResponse {
            private_key_unique_identifier: "private".to_owned(),
            public_key_unique_identifier: "public".to_owned(),
            private_key_template_attribute: None,
            public_key_template_attribute: None,
        };
        let found = LocateResponse {
            located_items: Some(2),
            unique_identifiers: vec!["one".to_owned(), "two".to_owned()],
        };
        named.keep(Operation::CreateKeyPair, &pair.into());
        named.keep(Operation::Ping, &PingResponse {}.into());
        named.keep(Operation::Locate, &found.into());
        let gone = DestroyResponse { unique_identifier: "gone".to_owned() };
        named.keep(Operation::Destroy, &gone.into());

        let rows = [
            (0, Some("private")),
            (1, Some("public")),
            (2, Some("one")),
            (4, Some("gone")),
            (5, None),
            (-1, Some("gone")),
            (-5, Some("private")),
            (-6, None),
            (i32::MIN, None),
            (i32::MAX, None),
        ];
        for (index, id) in rows {
            assert_eq!(named.at(index), id, "{index}");
        }
        let rows = [
            (Word::CreateKeyPair, Some("private")),
            (Word::CreateKeyPairPrivateKey, Some("private")),
            (Word::CreateKeyPairPublicKey, Some("public")),
            (Word::ReKeyKeyPairPublicKey, None),
            (Word::Locate, None),
            (Word::Create, None),
            (Word(0x8000_0001), None),
        ];
        for (word, id) in rows {
            assert_eq!(named.of(word), id, "{word:?}");
        }
    }
    #[test]
    fn numbers_and_words_for_what_the_batch_has_given() {
        let mut named = BatchReferences::default();
        let hash = HashResponse { data: Some(SecretBytes::new(b"h")), correlation_value: None };
        named.keep(Operation::Hash, &hash.into());
        named.keep(Operation::Ping, &PingResponse {}.into());
        named.keep(
            Operation::RNGRetrieve,
            &RNGRetrieveResponse { data: SecretBytes::new(b"r") }.into(),
        );
        let found = |data: Option<&SecretBytes>| data.map(|data| data.as_bytes().to_vec());
        for (index, data) in [(0, Some(b"h")), (1, Some(b"r")), (2, None), (-2, Some(b"h"))] {
            assert_eq!(found(named.data_at(index)), data.map(|data| data.to_vec()), "{index}");
        }
        for (word, data) in [(Data::Hash, Some(b"h")), (Data::Encrypt, None)] {
            assert_eq!(found(named.data_of(word)), data.map(|data| data.to_vec()), "{word:?}");
        }
    }
}
