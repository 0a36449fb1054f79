//! One item beside the printed one, field by field.

use kmip::Version;
use kmip::encoding::{Element, Value};
use ttlv::Type;

use super::finding::{Finding, NO_OTHER};
use super::names::{key_of, shown};
use crate::bindings::{Bindings, Symbol};
use crate::case::Case;
use crate::server_objects::{Attribute, Object, find};
use crate::tolerances::{CASES, Freedom, HELD, RULES, Rule, When};

/// The fields of structures to which the rules let some be added, in the order of the standard.
const ORDERS: &[(&str, &[&str])] = &[
    (
        "ResponseHeader",
        &[
            "ProtocolVersion",
            "TimeStamp",
            "ClientCorrelationValue",
            "ServerCorrelationValue",
            "BatchCount",
        ],
    ),
    (
        "BatchItem",
        &[
            "Operation",
            "UniqueBatchItemID",
            "ResultStatus",
            "ResultReason",
            "ResultMessage",
            "AsynchronousCorrelationValue",
            "ResponsePayload",
            "MessageExtension",
        ],
    ),
    ("Attribute", &["AttributeName", "AttributeIndex", "AttributeValue"]),
    ("ResponsePayload", &["LocatedItems", "UniqueIdentifier", "TemplateAttribute"]),
];

/// What is known while an item is judged.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    pub(super) case: &'a Case,
    pub(super) version: Version,
    pub(super) operation: &'a str,
    /// The payload of the request as it was sent.
    pub(super) payload: Option<&'a Element>,
    pub(super) object: Option<&'a Object>,
    /// Has the object been met before?
    pub(super) is_known: bool,
    /// Was the text that is to be decrypted never encrypted here?
    pub(super) undecipherable: bool,
}

/// Where a comparison stands.
pub(super) struct Scene<'a, 'b> {
    pub(super) item: Item<'a>,
    pub(super) path: Vec<String>,
    pub(super) findings: &'b mut Vec<Finding>,
    pub(super) bindings: &'b mut Bindings,
}

impl Scene<'_, '_> {
    /// The rule that frees a field, if its condition holds.
    fn rule(
        &self,
        name: &str,
        freedom: Freedom,
        actual: Option<&Element>,
    ) -> Option<&'static Rule> {
        let mut rules = RULES.iter().filter(|rule| {
            rule.is_about(self.item.version, self.item.operation, &self.path, name, freedom)
        });
        rules.find(|rule| self.holds(rule.when, name, actual))
    }

    fn holds(&self, when: When, name: &str, actual: Option<&Element>) -> bool {
        let object = self.item.object;
        let payload = self.item.payload;
        let asks_for = |name: &str| payload.is_some_and(|payload| find(payload, name).is_some());
        let children = |name: &str| {
            payload.is_some_and(|payload| payload.children().iter().any(|c| c.name == name))
        };
        match when {
            When::Always => true,
            When::Generated => object.is_some_and(|object| object.generated),
            When::Undecipherable => self.item.undecipherable,
            When::NotFixed => object.is_none_or(|object| object.fixed(name).is_none()),
            When::Varies => object
                .zip(payload)
                .is_some_and(|(object, payload)| object.varies(self.item.operation, payload)),
            When::AllAsked => !children("AttributeName") && !children("AttributeReference"),
            When::NoFormatAsked => !asks_for("KeyFormatType"),
            When::Zero => actual.and_then(Element::text) == Some("0"),
            When::NoVersionsAsked => !asks_for("ProtocolVersion"),
            When::NotGrouped => object.is_none_or(|object| !object.is_grouped()),
            When::NotCritical => {
                let critical = actual.and_then(|actual| actual.child("CriticalityIndicator"));
                critical.and_then(Element::text) == Some("false")
            }
        }
    }

    /// Does the text of the case let the element come and go?
    fn is_freed(&self, element: &Element) -> bool {
        let in_payload = self.path.last().is_some_and(|parent| parent == "ResponsePayload");
        let mut cases = CASES.iter().filter(|free| free.case == self.item.case.base());
        in_payload
            && cases.any(|free| {
                let required = element.text().is_some_and(|text| free.required.contains(&text));
                free.names.contains(&element.name.as_ref()) && !required
            })
    }

    fn may_be_extra(&self, element: &Element) -> bool {
        self.rule(&element.name, Freedom::Extra, Some(element)).is_some() || self.is_freed(element)
    }

    fn may_be_missing(&self, element: &Element) -> bool {
        let rule = self.rule(&element.name, Freedom::Missing, Some(element));
        rule.is_some() || self.is_freed(element)
    }

    pub(super) fn element(&mut self, printed: &Element, normal: &Element, actual: &Element) {
        let name = self.name_of(normal);
        if normal.ty() != actual.ty() {
            let what =
                format!("it is a {} and must be a {}", actual.ty().name(), normal.ty().name());
            return self.find(&name, what, NO_OTHER.to_owned());
        }
        match (&printed.value, &normal.value, &actual.value) {
            (_, Value::Structure(normal_inside), Value::Structure(actual_inside)) => {
                if self.rule(&name, Freedom::Contents, Some(actual)).is_some() {
                    return;
                }
                self.path.push(name);
                self.children(printed.children(), normal_inside, actual_inside);
                self.path.pop();
            }
            (
                Value::Text(_, printed),
                Value::Text(ty, normal_text),
                Value::Text(_, actual_text),
            ) => {
                let texts = Texts { printed, normal: normal_text, actual: actual_text };
                self.value(&name, *ty, &texts);
            }
            // Types were the same, and the printed element has the shape of the normal one.
            (Value::Structure(_), Value::Text(..), _)
            | (_, Value::Text(..), Value::Structure(_))
            | (_, Value::Structure(_), Value::Text(..)) => {}
        }
    }

    /// What an element is called where it stands: the value of an attribute of 1.x is called as
    /// the attribute is.
    fn name_of(&self, element: &Element) -> String {
        let attribute = self.path.last().and_then(|outer| outer.strip_prefix("Attribute "));
        match attribute {
            Some(attribute) if element.name == "AttributeValue" => attribute.to_owned(),
            Some(_) | None if element.name == "Attribute" => match Attribute::of(element) {
                Some(attribute) => format!("Attribute {}", attribute.name),
                None => "Attribute".to_owned(),
            },
            Some(_) | None => element.name.to_string(),
        }
    }

    /// Compares what is inside two structures.
    fn children(&mut self, printed: &[Element], normal: &[Element], actual: &[Element]) {
        self.in_order(actual);
        let mut wanted = printed.iter().zip(normal).peekable();
        let mut given = actual.iter().peekable();
        loop {
            // A group that may stand in any order is taken whole.
            let next = wanted.peek().map(|(_, normal)| &normal.name);
            let next = next.or_else(|| given.peek().map(|actual| &actual.name));
            let Some(next) = next.cloned() else { return };
            if self.rule(&next, Freedom::Order, None).is_some() {
                let free = |name: &str| self.rule(name, Freedom::Order, None).is_some();
                let is_one = |name: &str| free(name) && self.is_one_group(name, &next);
                let (mut all, mut came) = (Vec::new(), Vec::new());
                while let Some(pair) = wanted.next_if(|(_, normal)| is_one(&normal.name)) {
                    all.push(pair);
                }
                while let Some(actual) = given.next_if(|actual| is_one(&actual.name)) {
                    came.push(actual);
                }
                self.unordered(&all, came);
                continue;
            }
            match (wanted.peek().copied(), given.peek().copied()) {
                (Some((printed, normal)), Some(actual)) if normal.name == actual.name => {
                    wanted.next();
                    given.next();
                    self.element(printed, normal, actual);
                }
                (_, Some(actual))
                    if self.may_be_extra(actual)
                        && !wanted.clone().any(|(_, later)| later.name == actual.name) =>
                {
                    given.next();
                }
                (Some((_, normal)), _) if self.may_be_missing(normal) => {
                    wanted.next();
                }
                (Some((_, normal)), Some(actual)) => {
                    // Is it missing, or does something stand before it that is too much?
                    if given.clone().any(|later| later.name == normal.name) {
                        given.next();
                        self.unexpected(&actual.name);
                    } else {
                        wanted.next();
                        let name = self.name_of(normal);
                        self.missing(&name);
                    }
                }
                (Some((_, normal)), None) => {
                    wanted.next();
                    let name = self.name_of(normal);
                    self.missing(&name);
                }
                (None, Some(actual)) => {
                    given.next();
                    self.unexpected(&actual.name);
                }
                (None, None) => return,
            }
        }
    }

    /// Sees that the fields of a structure to which some may be added stand as in the standard.
    fn in_order(&mut self, actual: &[Element]) {
        let parent = self.path.last().map(|parent| parent.split(' ').next().unwrap_or_default());
        let Some((_, order)) = ORDERS.iter().find(|(name, _)| Some(*name) == parent) else {
            return;
        };
        let place = |child: &Element| order.iter().position(|name| *name == child.name);
        let places: Vec<usize> = actual.iter().filter_map(place).collect();
        // Of a payload, some fields may be there several times.
        let several = parent == Some("ResponsePayload");
        if !places.is_sorted_by(|a, b| a < b || several && a == b) {
            self.unexpected("a field in another place, or twice,");
        }
    }

    /// Do two names belong to one group? All attributes of 2.x do; operations and object types
    /// that Query reports do not.
    fn is_one_group(&self, name: &str, other: &str) -> bool {
        let in_attributes = self.path.last().is_some_and(|parent| parent == "Attributes");
        in_attributes || name == other
    }

    /// Looks for each printed element among those that came.
    fn unordered(&mut self, wanted: &[(&Element, &Element)], mut given: Vec<&Element>) {
        for (printed, normal) in wanted {
            let key = key_of(normal);
            let like = |actual: &&Element| key_of(actual) == key;
            let same = given
                .iter()
                .position(|actual| like(actual) && self.would_be_same(printed, normal, actual));
            match same.or_else(|| given.iter().position(like)) {
                Some(at) => self.element(printed, normal, given.swap_remove(at)),
                None if self.may_be_missing(normal) => {}
                None if self.rule(&key, Freedom::Missing, None).is_some() => {}
                None => {
                    let shown = format!("{} {key}", normal.name);
                    self.missing(shown.trim_end());
                }
            }
        }
        for actual in given {
            if !self.may_be_extra(actual) {
                self.unexpected(&format!("{} {}", actual.name, key_of(actual)));
            }
        }
    }

    fn would_be_same(&self, printed: &Element, normal: &Element, actual: &Element) -> bool {
        let (mut findings, mut bindings) = (Vec::new(), self.bindings.clone());
        let path = self.path.clone();
        let mut trial =
            Scene { item: self.item, path, findings: &mut findings, bindings: &mut bindings };
        trial.element(printed, normal, actual);
        findings.is_empty()
    }

    fn value(&mut self, name: &str, ty: Type, texts: &Texts<'_>) {
        match Symbol::parse(texts.printed) {
            Some(Symbol::Named(symbol)) => return self.symbol(name, symbol, ty, texts),
            Some(Symbol::Now(_)) | None => {}
        }
        let is_now = texts.printed.starts_with("$NOW");
        let fixed = self.item.object.and_then(|object| object.fixed(name));
        if let Some(fixed) = fixed.filter(|_| ty == Type::DateTime && self.is_attribute()) {
            if fixed != texts.actual {
                let what = format!("it is {} and was given as {fixed}", texts.actual);
                self.find(name, what, "V9: a date that a request has fixed must stay".to_owned());
            }
            return;
        }
        if texts.normal == texts.actual && !is_now {
            self.bindings.hear(name, texts.actual);
            return;
        }
        let length = self.rule(name, Freedom::Length, None);
        let value = self.rule(name, Freedom::Value, None);
        let fits = ty != Type::ByteString || texts.normal.len() == texts.actual.len();
        let fits = fits && is_held(name, texts);
        if length.is_some() || value.is_some() && fits || is_now && self.is_unknown(name) {
            self.bindings.note(name, texts.printed, texts.actual);
            return;
        }
        let what = match value {
            Some(rule) => {
                let (normal, actual) = (texts.normal.len() / 2, texts.actual.len() / 2);
                let what = match normal == actual {
                    true => "it differs where it must not".to_owned(),
                    false => format!("it has {actual} bytes and must have {normal}"),
                };
                return self.find(name, what, format!("{}: {}", rule.number, rule.why));
            }
            None => {
                let (wanted, came) = (shown(name, ty, texts.normal), shown(name, ty, texts.actual));
                match wanted == came {
                    true => format!("it is not the value that is printed ({came})"),
                    false => format!("it is {came} and must be {wanted}"),
                }
            }
        };
        self.find(name, what, self.cause(name));
    }

    /// Is nothing known of when the date of an object was given, so that `$NOW` is some time?
    fn is_unknown(&self, name: &str) -> bool {
        !self.item.is_known && self.rule(name, Freedom::Value, None).is_none()
    }

    fn is_attribute(&self) -> bool {
        self.path.iter().any(|outer| outer == "Attributes" || outer.starts_with("Attribute "))
    }

    fn symbol(&mut self, name: &str, symbol: &str, ty: Type, texts: &Texts<'_>) {
        if texts.actual.is_empty() && ty != Type::Structure {
            return self.find(name, "it is empty".to_owned(), NO_OTHER.to_owned());
        }
        match self.bindings.get(symbol) {
            Some(bound) if bound != texts.actual => {
                let what = format!("it is not the ${symbol} of the answers before");
                self.find(name, what, "4: a symbol means one thing in a case".to_owned());
            }
            Some(_) => {}
            None => {
                self.bindings.bind(symbol, texts.actual);
                self.bindings.hear(name, texts.actual);
            }
        }
    }

    /// Why a value may not be otherwise: the rule that would have let it, or that there is none.
    fn cause(&self, name: &str) -> String {
        let mut rules = RULES.iter().filter(|rule| {
            let of = |freedom| {
                let item = &self.item;
                rule.is_about(item.version, item.operation, &self.path, name, freedom)
            };
            of(Freedom::Value) || of(Freedom::Length)
        });
        match rules.next() {
            Some(rule) => format!("{}: only {}", rule.number, rule.why),
            None => NO_OTHER.to_owned(),
        }
    }

    pub(super) fn missing(&mut self, name: &str) {
        self.find(name, "it is missing here".to_owned(), NO_OTHER.to_owned());
    }

    pub(super) fn unexpected(&mut self, name: &str) {
        self.find(name.trim_end(), "it is not printed here".to_owned(), NO_OTHER.to_owned());
    }

    fn find(&mut self, name: &str, what: String, rule: String) {
        let mut path = self.path.iter().filter(|part| *part != "BatchItem").cloned();
        let path: String = path.by_ref().map(|part| part + "/").collect();
        self.findings.push(Finding { path: format!("{path}{name}"), what, rule });
    }
}

/// Are the bytes of a value that no rule frees as they are printed?
fn is_held(name: &str, texts: &Texts<'_>) -> bool {
    let held = HELD.iter().filter(|(held, _)| *held == name).flat_map(|(_, ranges)| *ranges);
    held.into_iter().all(|range| {
        let digits = range.start.saturating_mul(2)..range.end.saturating_mul(2);
        texts.normal.get(digits.clone()) == texts.actual.get(digits)
    })
}

/// The three spellings of one value.
struct Texts<'a> {
    printed: &'a str,
    normal: &'a str,
    actual: &'a str,
}
