//! No byte of a secret is in the text of any message, however it is spelt and wherever it stands.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise"
)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use kmip::redacted_text;
use kmip::tags::*;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use ttlv::{Tag, Type, Writer};

/// Where secrets stand: the tag, and the types that it may have there.
const SECRET_PLACES: &[(Tag, &[Type])] = &[
    (KeyMaterial, &[Type::ByteString, Type::BigInteger, Type::TextString, Type::Structure]),
    (KeyValue, &[Type::ByteString, Type::TextString]),
    (Password, &[Type::TextString, Type::ByteString]),
    (CredentialValue, &[Type::Structure, Type::ByteString, Type::TextString]),
    (Data, &[Type::ByteString, Type::TextString]),
    (SignatureData, &[Type::ByteString]),
    (MACData, &[Type::ByteString]),
    (OpaqueDataValue, &[Type::ByteString, Type::TextString]),
    (DerivationData, &[Type::ByteString]),
    (Salt, &[Type::ByteString]),
    (InitializationVector, &[Type::ByteString]),
    (IVCounterNonce, &[Type::ByteString]),
    (OTPSeed, &[Type::ByteString, Type::TextString]),
    (OneTimePassword, &[Type::TextString]),
    (HashedPassword, &[Type::ByteString]),
    (ServerHashedPassword, &[Type::ByteString]),
    (TicketValue, &[Type::ByteString]),
    (PrivateExponent, &[Type::BigInteger]),
    (D, &[Type::BigInteger]),
    (P, &[Type::BigInteger]),
    (Key, &[Type::ByteString]),
    (PKCS_11InputParameters, &[Type::ByteString]),
    (PKCS_11OutputParameters, &[Type::ByteString]),
    (DigestedData, &[Type::ByteString]),
    (AuthenticatedEncryptionAdditionalData, &[Type::ByteString]),
    (AuthenticatedEncryptionTag, &[Type::ByteString]),
    (VendorExtension, &[Type::Structure]),
    (AttributeValue, &[Type::ByteString, Type::BigInteger]),
    (Tag(0x54_0007), &[Type::ByteString, Type::BigInteger, Type::TextString]),
    (Tag(0x42_FF00), &[Type::ByteString, Type::BigInteger, Type::TextString]),
];

/// A tree of random items with the secret at one place in it.
struct Planted<'a> {
    rng: &'a mut SmallRng,
    secret: &'a [u8],
    /// Where the header of the item is that holds it.
    at: usize,
    /// Is the secret one by its type or place alone? Then a header that lies makes it public.
    by_place: bool,
}

impl Planted<'_> {
    fn plant(&mut self, w: &mut Writer) {
        self.at = w.as_bytes().len();
        let (tag, types) = *SECRET_PLACES.choose(self.rng).unwrap();
        self.by_place = tag == AttributeValue;
        match *types.choose(self.rng).unwrap() {
            Type::Structure => w.structure(tag, |w| {
                self.by_place = true;
                let inside = [Modulus, Password, Name, UniqueIdentifier, Tag(0x54_0001)];
                let ty = [Type::ByteString, Type::BigInteger, Type::TextString];
                let (inside, ty) = (inside.choose(self.rng), ty.choose(self.rng));
                w.item(*inside.unwrap(), *ty.unwrap(), self.secret);
            }),
            ty => w.item(tag, ty, self.secret),
        }
    }

    fn random_item(&mut self, w: &mut Writer) {
        let tag = Tag(ROWS.choose(self.rng).unwrap().value);
        match self.rng.random_range(0..8) {
            0 => w.integer(tag, self.rng.random()),
            1 => w.enumeration(tag, self.rng.random_range(0..32)),
            2 => w.text_string(tag, "Cryptographic Algorithm"),
            3 => w.byte_string(tag, &[9; 11]),
            4 => w.date_time(tag, self.rng.random()),
            5 => w.boolean(tag, self.rng.random()),
            6 => w.structure(tag, |w| w.long_integer(tag, self.rng.random())),
            _ => w.text_string(AttributeName, "Object Type"),
        }
    }

    fn tree(&mut self, w: &mut Writer, depth: u32) {
        let here = self.rng.random_range(0..4);
        for n in 0..4 {
            match (n == here, depth) {
                (true, 0) => self.plant(w),
                (true, _) => w.structure(RequestPayload, |w| self.tree(w, depth - 1)),
                (false, _) => self.random_item(w),
            }
        }
    }
}

/// Every way in which a part of the secret might be spelt.
fn spellings(secret: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    for part in secret.windows(4) {
        let hex: Vec<String> = part.iter().map(|byte| format!("{byte:02x}")).collect();
        let decimal: Vec<String> = part.iter().map(u8::to_string).collect();
        let number: [u8; 4] = part.try_into().unwrap();
        for separator in ["", " ", ":", ", "] {
            all.push(hex.join(separator));
            all.push(hex.join(separator).to_uppercase());
        }
        all.push(decimal.join(" "));
        all.push(decimal.join(", "));
        all.push(u32::from_be_bytes(number).to_string());
        all.push(i32::from_be_bytes(number).to_string());
        all.extend(std::str::from_utf8(part).map(str::to_owned));
        all.push(part.escape_ascii().to_string());
    }
    for start in 0..3 {
        let spelt = STANDARD_NO_PAD.encode(&secret[start..]);
        all.extend(spelt.as_bytes()[..16].windows(8).map(|s| String::from_utf8_lossy(s).into()));
    }
    all
}

fn shows_nothing(message: &[u8], spellings: &[String]) {
    let text = redacted_text(message).to_string();
    for spelling in spellings {
        assert!(!text.contains(spelling.as_str()), "{spelling} in\n{text}");
    }
}

#[test]
fn no_spelling_of_a_secret_is_in_the_text_of_any_message() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut rng = SmallRng::seed_from_u64(seed);
    for round in 0..100 {
        // Half of them bytes, half of them a passphrase, whose letters make none of our words.
        let letters: Vec<u8> = match round % 2 {
            0 => (128..=250).collect(),
            _ => b"jqvwxz!$%&*+;=?@^|~".to_vec(),
        };
        let secret: Vec<u8> = (0..32).map(|_| *letters.choose(&mut rng).unwrap()).collect();
        let spellings = spellings(&secret);
        let mut planted = Planted { rng: &mut rng, secret: &secret, at: 0, by_place: false };
        let mut w = Writer::default();
        let depth = planted.rng.random_range(0..4);
        planted.tree(&mut w, depth);
        let (at, by_place) = (planted.at, planted.by_place);
        let message = w.into_bytes();

        shows_nothing(&message, &spellings);
        for _ in 0..8 {
            shows_nothing(&message[..rng.random_range(0..message.len())], &spellings);
        }
        if by_place {
            continue;
        }
        // The header of the secret lies about its type or its length.
        for ty in 0..=12 {
            let mut wrong = message.clone();
            wrong[at + 3] = ty;
            shows_nothing(&wrong, &spellings);
        }
        for len in [0, 4, 8, 16, 24, 31, 33, 40, 255] {
            let mut wrong = message.clone();
            wrong[at + 7] = len;
            shows_nothing(&wrong, &spellings);
        }
    }
}
