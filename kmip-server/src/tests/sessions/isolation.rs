//! An object of another client is answered for as one that never was: every operation that names
//! objects, asked with another client's identifiers and with unknown ones.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::guarded_reads::{World, rows};
use crate::operations::availability;
use crate::tests::harness::*;

/// Length of an identifier as this server makes them.
const ID_LEN: usize = 36;

/// Where identifiers are in bytes, whatever is around them.
fn identifiers(bytes: &[u8]) -> Vec<usize> {
    let is_id = |at: &usize| {
        let Some(window) = bytes.get(*at..*at + ID_LEN) else { return false };
        Uuid::try_parse_ascii(window).is_ok() && [8, 13, 18, 23].iter().all(|d| window[*d] == b'-')
    };
    (0..bytes.len()).filter(is_id).collect()
}

/// The same bytes with an unknown identifier in the place of each.
fn with_unknown(bytes: &[u8], unknown: &mut BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    for at in identifiers(bytes) {
        let known = bytes[at..at + ID_LEN].to_vec();
        let fresh = || Uuid::now_v7().to_string().into_bytes();
        let other = unknown.entry(known).or_insert_with(fresh);
        changed[at..at + ID_LEN].copy_from_slice(other);
    }
    changed
}

/// What an answer says, with each identifier by its place in the request.
fn said(answer: &[u8], ids: &[Vec<u8>]) -> Vec<String> {
    let items = ResponseMessage::decode(answer).unwrap().items;
    let text = |item: ResponseBatchItem| {
        let mut text = format!("{item:?}");
        for (place, id) in ids.iter().enumerate() {
            text = text.replace(std::str::from_utf8(id).unwrap(), &format!("id {place}"));
        }
        text
    };
    items.into_iter().map(text).collect()
}

#[tokio::test]
async fn objects_of_another_client_are_as_if_they_were_not() {
    let mut compared = Vec::new();
    for operation in availability::served() {
        let at = World::new();
        for (number, row) in rows::of(&at, operation).await.into_iter().enumerate() {
            for payload in row.items {
                let asked = payload.operation();
                let header = RequestHeader::new(row.version, 1);
                let items = vec![RequestBatchItem::from(payload)];
                let frame = RequestMessage { header, items }.encode();
                let mut unknown = BTreeMap::new();
                let other = with_unknown(&frame, &mut unknown);
                if unknown.is_empty() {
                    continue;
                }
                let (ids, others): (Vec<_>, Vec<_>) = unknown.into_iter().unzip();
                let mallory = at.harness.beside("mallory");
                let (of_alice, of_nobody) =
                    (mallory.bytes(&frame).await, mallory.bytes(&other).await);
                let (of_alice, of_nobody) = (said(&of_alice, &ids), said(&of_nobody, &others));
                assert_eq!(of_alice, of_nobody, "{operation:?}, row {number}, {asked:?}");
                compared.push(asked);
            }
        }
    }
    compared.sort_unstable();
    compared.dedup();
    assert!(compared.len() > 30, "only {compared:?}");
}
