//! TTLV as a tree, whatever its tags mean: what the mutations work on.

use ttlv::{Reader, Tag, Type, Writer};

/// How deep a tree may be: two more than a reader takes.
const DEPTH_MAX: usize = 34;

/// Item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its tag.
    pub tag: Tag,
    /// What it holds.
    pub body: Body,
}

/// What an item holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Items.
    Items(Vec<Node>),
    /// A value of a type, without padding.
    Value(Type, Vec<u8>),
}

/// Reads items to the end; nothing if one is malformed.
pub fn read(bytes: &[u8]) -> Option<Vec<Node>> {
    read_at(bytes, 0)
}

fn read_at(bytes: &[u8], depth: usize) -> Option<Vec<Node>> {
    let (mut reader, mut nodes) = (Reader::new(bytes), Vec::new());
    while !reader.is_empty() {
        let item = reader.item().ok()?;
        let body = match item.ty {
            Type::Structure if depth == DEPTH_MAX => return None,
            Type::Structure => Body::Items(read_at(item.value, depth + 1)?),
            ty => Body::Value(ty, item.value.to_vec()),
        };
        nodes.push(Node { tag: item.tag, body });
    }
    Some(nodes)
}

/// Writes items with right lengths and padding.
pub fn write(nodes: &[Node]) -> Vec<u8> {
    let mut w = Writer::default();
    write_to(nodes, &mut w);
    w.into_bytes()
}

fn write_to(nodes: &[Node], w: &mut Writer) {
    for node in nodes {
        match &node.body {
            Body::Items(items) => w.structure(node.tag, |w| write_to(items, w)),
            Body::Value(ty, value) => w.item(node.tag, *ty, value),
        }
    }
}

/// Counts the items, however deep.
pub fn count(nodes: &[Node]) -> usize {
    nodes.iter().map(|node| 1 + count(node.items())).sum()
}

impl Node {
    /// Items inside; none for a value.
    pub fn items(&self) -> &[Self] {
        match &self.body {
            Body::Items(items) => items,
            Body::Value(..) => &[],
        }
    }

    /// Items inside, to be changed.
    pub fn items_mut(&mut self) -> &mut [Self] {
        match &mut self.body {
            Body::Items(items) => items,
            Body::Value(..) => &mut [],
        }
    }

    /// Text, if it holds some.
    pub fn text(&self) -> Option<&str> {
        match &self.body {
            Body::Value(Type::TextString, value) => std::str::from_utf8(value).ok(),
            Body::Value(..) | Body::Items(_) => None,
        }
    }

    /// Calls `f` for this item and all inside it.
    pub fn visit(&self, f: &mut impl FnMut(&Self)) {
        f(self);
        self.items().iter().for_each(|item| item.visit(f));
    }

    /// Calls `f` for this item and all inside it, to be changed.
    pub fn visit_mut(&mut self, f: &mut impl FnMut(&mut Self)) {
        f(self);
        self.items_mut().iter_mut().for_each(|item| item.visit_mut(f));
    }
}

/// Finds the item with this number in the order of reading: the list that it is in, and its place
/// there.
pub fn find(nodes: &mut Vec<Node>, number: usize) -> Option<(&mut Vec<Node>, usize)> {
    let mut rest = number;
    let mut at = None;
    for (place, node) in nodes.iter().enumerate() {
        let size = 1 + count(node.items());
        if rest < size {
            at = Some(place);
            break;
        }
        rest -= size;
    }
    let at = at?;
    if rest == 0 {
        return Some((nodes, at));
    }
    match &mut nodes.get_mut(at)?.body {
        Body::Items(items) => find(items, rest - 1),
        Body::Value(..) => None,
    }
}
