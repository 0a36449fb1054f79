//! A managed object as it is kept: what is known of it, and apart from that the object itself.
//!
//! ```text
//! o/<id>   Metadata: owner and attributes      what Locate, Get Attributes and every check read
//!          and behind it Material, if small    what Get reads; removed by Destroy
//! k/<id>   Material: the object, else          the same
//!
//! O/<hash of owner><id>  K/<hash of owner><id>   the same, where a client chose the identifier
//!
//! METADATA { OWNER, ActivationDate, Name, ... ATTRIBUTE { index, which, value } ... }
//! ```
//!
//! The form of these rows and of all others is frozen: it is `RECORD_FORMAT` 1 of the store.
//! Both are TTLV, under tags of the vendor range that no message may carry; what is known is packed
//! ([`packed`]). The first instance of an attribute stands under its own tag, which takes about a
//! third of the bytes. A fact is kept once: State is not here (it follows from the dates), nor are
//! the identifiers (they follow from the key), nor is the material in the metadata.

mod known;
mod material;
mod metadata;
mod packed;
mod row;
mod summary;
mod tags;

pub(crate) use known::{Known, is_in};
pub(crate) use material::Material;
pub(crate) use metadata::{ATTRIBUTES, Metadata};
pub(crate) use row::{BESIDE_LEN_MAX, damaged, take_apart};
pub(crate) use summary::Summary;
pub(crate) use tags::KEPT_VERSION;
