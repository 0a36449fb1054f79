//! 1.4, 4.9; 2.1, 6.1.28: the client's objects whose attributes match, the newest first.
//!
//! ```text
//! filter -> the narrowest rows of the index -> each candidate's metadata -> every condition
//! ```
//!
//! **A condition is never passed over**: one on what cannot be an attribute is refused (1.4,
//! 11.10).

mod matching;

use std::time::Duration;

use kmip::attributes::{AttributeReference, AttributeValue};
use kmip::payload::{LocateRequest, LocateResponse};
use kmip::vocabulary::{ObjectGroupMember, ObjectType, ResultReason, StorageStatusMask, tags};
use kmip::{Version, payload::Condition};

use crate::auth::held_bytes::{Held, hold_answer};
use crate::config::Names;
use crate::keystore::Context;
use crate::objects::error::{OperationError, Result};
use crate::objects::index::{Holder, id_of, is_indexed};
use crate::objects::lifecycle::{self, Storage};
use crate::objects::record::Metadata;
use matching::Conditions;

/// The most identifiers in one answer, which a client may lower. It is what the greediest known
/// client asks for; an answer of so many is 3.5 MB long.
pub(super) const LOCATED_MAX: usize = 65_535;

/// The most conditions: each is held against each attribute of each object.
const CONDITIONS_MAX: usize = 64;

/// With more conditions than this no page is quick.
const QUICK_CONDITIONS: usize = 8;

/// Pages that are looked through on the threads that serve all clients; more are slow work.
const QUICK_PAGES: usize = 2;

/// What a page takes: 256 records are decoded.
const PAGE_TIME: Duration = Duration::from_millis(1);

/// What one object takes.
const PER_OBJECT: Duration = Duration::from_micros(4);

/// Pages in one turn of slow work.
const PAGES_A_TURN: u32 = 8;

/// What an identifier takes that was found: most are those of the server, 36 characters.
const FOUND_LEN: usize = 72;

/// Rows read at once: enough that reading is not waiting, few enough that memory stays small.
const PAGE: usize = 256;

/// Condition on which members of a group are meant (1.4, 4.9; 2.1, 6.1.28).
fn of_member(member: Option<ObjectGroupMember>) -> Result<Option<Condition>> {
    match member {
        None | Some(ObjectGroupMember::GroupMemberDefault) => Ok(None),
        Some(ObjectGroupMember::GroupMemberFresh) => {
            Ok(Some(Condition::from(AttributeValue::Fresh(true))))
        }
        Some(other) => Err(OperationError::invalid_field(format!(
            "{other:?} is not an Object Group Member of this server"
        ))),
    }
}

pub(super) async fn locate(cx: &mut Context<'_>, request: LocateRequest) -> Result<LocateResponse> {
    let count = |field: &str, value: Option<i32>| match value.map(usize::try_from) {
        None => Ok(None),
        Some(Ok(count)) => Ok(Some(count)),
        Some(Err(_)) => Err(OperationError::invalid_field(format!("{field} is negative"))),
    };
    let maximum = count("Maximum Items", request.maximum_items)?;
    let offset = count("Offset Items", request.offset_items)?.unwrap_or(0);
    let mut search = Search {
        offset,
        maximum: maximum.unwrap_or(LOCATED_MAX).min(LOCATED_MAX),
        counts_all: cx.version >= Version::V1_3,
        found: Vec::new(),
        total: 0,
        held: cx.client.held.as_ref().and_then(|held| held.hold(0)),
    };
    let mut conditions = request.attributes.0;
    conditions.extend(of_member(request.object_group_member)?);
    let wanted = Wanted::of(request.storage_status_mask);
    let is_quick = check_count(conditions.len())?;
    let conditions = Conditions::new(conditions)?;
    match Candidates::narrowest(cx, &conditions, &wanted) {
        Candidates::Name { key, suffices } => {
            let mut suffices = suffices;
            let holders = holders(cx, &key).await?;
            for (at, Holder { id, is_at_hand }) in holders.into_iter().enumerate() {
                suffices = suffices && is_at_hand;
                let place = cx.slow_work();
                let matches = match at < PAGE {
                    _ if suffices => true,
                    true => is_match(cx, &id, &conditions, &wanted).await?,
                    // Very many share the name: each waits for its turn.
                    false => {
                        let looks = is_match(cx, &id, &conditions, &wanted);
                        Box::pin(place.run(PER_OBJECT, looks)).await??
                    }
                };
                if matches {
                    search.take(id);
                }
                if search.is_over() {
                    break;
                }
            }
            // The row of the name is guarded: who has it alone, has it at the commit.
            if !suffices {
                search.hold(cx, &conditions, &wanted).await?;
            }
        }
        Candidates::Rows { prefix, suffices } => {
            let suffices = suffices && !hides_templates(cx).await?;
            let rows = Rows { prefix: &prefix, suffices, conditions: &conditions, wanted: &wanted };
            search.run(cx, &rows, is_quick).await?;
            search.hold(cx, &conditions, &wanted).await?;
        }
    }
    cx.id_placeholder = match search.found.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    };
    Ok(LocateResponse {
        located_items: Some(i32::try_from(search.total).unwrap_or(i32::MAX)),
        unique_identifiers: search.found,
    })
}

/// Refuses very many conditions, and tells whether there are so few that a page is quick.
fn check_count(conditions: usize) -> Result<bool> {
    match conditions > CONDITIONS_MAX {
        false => Ok(conditions <= QUICK_CONDITIONS),
        true => Err(OperationError::new(
            ResultReason::ServerLimitExceeded,
            format!("a Locate may have {CONDITIONS_MAX} conditions and no more"),
        )),
    }
}

/// Are there templates, in a version that has none? Index rows do not tell them from the rest.
async fn hides_templates(cx: &mut Context<'_>) -> Result<bool> {
    if ObjectType::Template.exists_in(cx.version) {
        return Ok(false);
    }
    let templates = cx.index().templates();
    Ok(!cx.transaction.page(&templates, None, 1).await?.is_empty())
}

/// Where to look.
enum Candidates {
    /// The row of the object that has a name. It suffices when to have the name is to match, for an
    /// object that is at hand.
    Name { key: Vec<u8>, suffices: bool },
    /// The rows that begin so. They suffice when the rows alone say that an object matches.
    Rows { prefix: Vec<u8>, suffices: bool },
}

impl Candidates {
    fn narrowest(cx: &Context<'_>, conditions: &Conditions, wanted: &Wanted) -> Self {
        let index = cx.index();
        // Archived and destroyed objects stand in the client's rows alone.
        if wanted.archived || wanted.destroyed {
            return Self::Rows { prefix: index.client(), suffices: false };
        }
        // Who acts for another may know of some objects alone: each is looked at.
        let suffices = conditions.is_one() && wanted.online && cx.client.rights.is_none();
        let is_name = |c: &&Condition| c.attribute == AttributeReference::Standard(tags::Name);
        if let Some(name) = conditions.complete().find(is_name) {
            return Self::Name { key: index.name(name.value.as_bytes()), suffices };
        }
        match conditions.complete().find(|condition| is_indexed(&condition.attribute)) {
            Some(condition) => Self::Rows {
                prefix: index.value(&condition.attribute, condition.value.as_bytes()),
                suffices,
            },
            None => Self::Rows { prefix: index.client(), suffices: false },
        }
    }
}

/// The objects that have a name, the newest first: one, unless they may share it.
async fn holders(cx: &mut Context<'_>, key: &[u8]) -> Result<Vec<Holder>> {
    // What the batch does with the object, it does because it has the name, or nobody.
    cx.transaction.guard(key).await?;
    let Some(first) = cx.transaction.peek(key).await? else { return Ok(Vec::new()) };
    let mut holders = vec![Holder::read(first)];
    if cx.policy.names == Names::Unique {
        return Ok(holders);
    }
    let mut after = key.to_vec();
    loop {
        let page = cx.transaction.page(key, Some(&after), PAGE).await?;
        let others = page.iter().filter_map(|row| id_of(key, row));
        holders.extend(others.map(|id| Holder { id, is_at_hand: false }));
        match page.last() {
            Some(last) if page.len() >= PAGE => after = last.clone(),
            _ => break,
        }
    }
    holders.sort_unstable_by(|a, b| b.id.cmp(&a.id));
    Ok(holders)
}

/// Which objects by where they are kept (1.4, 9.1.3.3.2).
struct Wanted {
    online: bool,
    archived: bool,
    destroyed: bool,
}

impl Wanted {
    fn of(mask: Option<StorageStatusMask>) -> Self {
        match mask {
            None => Self { online: true, archived: false, destroyed: false },
            Some(mask) => Self {
                online: mask.contains(StorageStatusMask::OnLineStorage),
                archived: mask.contains(StorageStatusMask::ArchivalStorage),
                destroyed: mask.contains(StorageStatusMask::DestroyedStorage),
            },
        }
    }
}

/// What was found so far.
struct Search {
    offset: usize,
    maximum: usize,
    /// Is the number of all matches to be told, also of those beyond the page?
    counts_all: bool,
    found: Vec<String>,
    total: usize,
    /// What is found so far is held for the client, while its search waits for its turns.
    held: Option<Held>,
}

impl Search {
    fn take(&mut self, id: String) {
        if self.total >= self.offset && self.found.len() < self.maximum {
            self.found.push(id);
        }
        self.total = self.total.saturating_add(1);
    }

    /// Refuses the search if the client would hold too much with what was found.
    fn check_held(&mut self) -> Result<()> {
        hold_answer(&mut self.held, self.found.len().saturating_mul(FOUND_LEN))
    }

    fn is_over(&self) -> bool {
        !self.counts_all && self.found.len() >= self.maximum
    }

    /// The batch may do something with the one object that was found: then it is at the commit what
    /// it was found by.
    async fn hold(
        &mut self,
        cx: &mut Context<'_>,
        conditions: &Conditions,
        wanted: &Wanted,
    ) -> Result<()> {
        let [one] = self.found.as_slice() else { return Ok(()) };
        let object = cx.object(one).await;
        if does_match(cx, one, object, conditions, wanted)? {
            return Ok(());
        }
        self.found.clear();
        self.total = self.total.saturating_sub(1);
        Ok(())
    }

    async fn run(&mut self, cx: &mut Context<'_>, rows: &Rows<'_>, is_quick: bool) -> Result<()> {
        let mut after: Option<Vec<u8>> = None;
        for _ in 0..if is_quick { QUICK_PAGES } else { 0 } {
            after = self.page(cx, rows, after).await?;
            if after.is_none() {
                return Ok(());
            }
        }
        // One turn for some pages, so that others have theirs in between.
        let mut is_first = !is_quick;
        while std::mem::take(&mut is_first) || after.is_some() {
            let estimate = PAGE_TIME.saturating_mul(PAGES_A_TURN);
            let from = after.take();
            after = Box::pin(cx.slow_work().run(estimate, self.pages(cx, rows, from))).await??;
        }
        Ok(())
    }

    /// Looks through the pages of one turn.
    async fn pages(
        &mut self,
        cx: &mut Context<'_>,
        rows: &Rows<'_>,
        mut after: Option<Vec<u8>>,
    ) -> Result<Option<Vec<u8>>> {
        for _ in 0..PAGES_A_TURN {
            after = self.page(cx, rows, after).await?;
            if after.is_none() {
                break;
            }
        }
        Ok(after)
    }

    /// Looks through one page; the last row of it, if there may be more.
    async fn page(
        &mut self,
        cx: &mut Context<'_>,
        rows: &Rows<'_>,
        after: Option<Vec<u8>>,
    ) -> Result<Option<Vec<u8>>> {
        let Rows { prefix, suffices, conditions, wanted } = *rows;
        let page = cx.transaction.page(prefix, after.as_deref(), PAGE).await?;
        for id in page.iter().filter_map(|key| id_of(prefix, key)) {
            if suffices || is_match(cx, &id, conditions, wanted).await? {
                self.take(id);
            }
            if self.is_over() {
                return Ok(None);
            }
        }
        self.check_held()?;
        Ok(page.last().filter(|_| page.len() >= PAGE).cloned())
    }
}

/// The rows to be looked through, and what is looked for.
#[derive(Clone, Copy)]
struct Rows<'a> {
    prefix: &'a [u8],
    suffices: bool,
    conditions: &'a Conditions,
    wanted: &'a Wanted,
}

async fn is_match(
    cx: &mut Context<'_>,
    id: &str,
    conditions: &Conditions,
    wanted: &Wanted,
) -> Result<bool> {
    let object = cx.glance(id).await;
    does_match(cx, id, object, conditions, wanted)
}

fn does_match(
    cx: &Context<'_>,
    id: &str,
    object: Result<Metadata>,
    conditions: &Conditions,
    wanted: &Wanted,
) -> Result<bool> {
    let metadata = match object {
        Ok(metadata) => metadata,
        // Destroyed and forgotten between the reading of two pages.
        Err(error) if error.reason == ResultReason::ObjectNotFound => {
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    let is_wanted = match lifecycle::storage(metadata.values(), cx.now) {
        Storage::OnLine => wanted.online,
        Storage::Archived => wanted.archived,
        Storage::Destroyed => wanted.destroyed,
    };
    Ok(is_wanted && conditions.match_all(id, &metadata, cx.now))
}
