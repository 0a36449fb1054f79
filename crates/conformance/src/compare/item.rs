//! Comparison of one batch item with the printed one, field by field.

use kmip::Version;
use kmip::encoding::{Element, Value};
use ttlv::Type;

use super::finding::{Finding, UNLISTED_VARIATION};
use super::names::{element_key, redacted_value};
use crate::bindings::{Bindings, Symbol};
use crate::case::Case;
use crate::server_objects::{Attribute, ServerObject, find_descendant};
use crate::tolerances::{CASE_VARIATIONS, Condition, FIXED_BYTES, RULES, Rule, Variation};

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

/// Context in which an item is compared.
#[derive(Clone, Copy)]
pub(super) struct ItemContext<'a> {
    pub(super) case: &'a Case,
    pub(super) version: Version,
    pub(super) operation: &'a str,
    /// The payload of the request as it was sent.
    pub(super) payload: Option<&'a Element>,
    pub(super) object: Option<&'a ServerObject>,
    /// Has the object been met before?
    pub(super) is_known: bool,
    /// Was the text that is to be decrypted never encrypted here?
    pub(super) undecipherable: bool,
}

/// State of a comparison.
pub(super) struct Comparison<'a, 'b> {
    pub(super) item: ItemContext<'a>,
    pub(super) path: Vec<String>,
    pub(super) findings: &'b mut Vec<Finding>,
    pub(super) bindings: &'b mut Bindings,
}

impl Comparison<'_, '_> {
    /// Rule that permits a variation of a field, if its condition applies.
    fn rule(
        &self,
        name: &str,
        variation: Variation,
        actual: Option<&Element>,
    ) -> Option<&'static Rule> {
        let mut rules = RULES.iter().filter(|rule| {
            rule.is_about(self.item.version, self.item.operation, &self.path, name, variation)
        });
        rules.find(|rule| self.applies(rule.condition, name, actual))
    }

    fn applies(&self, condition: Condition, name: &str, actual: Option<&Element>) -> bool {
        let object = self.item.object;
        let payload = self.item.payload;
        let asks_for =
            |name: &str| payload.is_some_and(|payload| find_descendant(payload, name).is_some());
        let children = |name: &str| {
            payload.is_some_and(|payload| payload.children().iter().any(|c| c.name == name))
        };
        match condition {
            Condition::Always => true,
            Condition::Generated => object.is_some_and(|object| object.generated),
            Condition::Undecipherable => self.item.undecipherable,
            Condition::NotFixed => object.is_none_or(|object| object.fixed_date(name).is_none()),
            Condition::Varies => object.zip(payload).is_some_and(|(object, payload)| {
                object.has_varying_output(self.item.operation, payload)
            }),
            Condition::AllAsked => !children("AttributeName") && !children("AttributeReference"),
            Condition::Zero => actual.and_then(Element::text) == Some("0"),
            Condition::NoVersionsAsked => !asks_for("ProtocolVersion"),
            Condition::NotGrouped => object.is_none_or(|object| !object.is_grouped()),
            Condition::NotCritical => {
                let critical = actual.and_then(|actual| actual.child("CriticalityIndicator"));
                critical.and_then(Element::text) == Some("false")
            }
        }
    }

    /// Whether the text of the case permits the element to be extra or missing.
    fn is_free_in_case(&self, element: &Element) -> bool {
        let in_payload = self.path.last().is_some_and(|parent| parent == "ResponsePayload");
        let mut cases = CASE_VARIATIONS.iter().filter(|free| free.case == self.item.case.base());
        in_payload
            && cases.any(|free| {
                let required = element.text().is_some_and(|text| free.required.contains(&text));
                free.names.contains(&element.name.as_ref()) && !required
            })
    }

    fn may_be_extra(&self, element: &Element) -> bool {
        self.rule(&element.name, Variation::Extra, Some(element)).is_some()
            || self.is_free_in_case(element)
    }

    fn may_be_missing(&self, element: &Element) -> bool {
        let rule = self.rule(&element.name, Variation::Missing, Some(element));
        rule.is_some() || self.is_free_in_case(element)
    }

    pub(super) fn compare_element(
        &mut self,
        printed: &Element,
        normal: &Element,
        actual: &Element,
    ) {
        let name = self.name_of(normal);
        if normal.ty() != actual.ty() {
            let what =
                format!("it is a {} and must be a {}", actual.ty().name(), normal.ty().name());
            return self.report(&name, what, UNLISTED_VARIATION.to_owned());
        }
        match (&printed.value, &normal.value, &actual.value) {
            (_, Value::Structure(normal_inside), Value::Structure(actual_inside)) => {
                if self.rule(&name, Variation::Contents, Some(actual)).is_some() {
                    return;
                }
                self.path.push(name);
                self.compare_children(printed.children(), normal_inside, actual_inside);
                self.path.pop();
            }
            (
                Value::Text(_, printed),
                Value::Text(ty, normal_text),
                Value::Text(_, actual_text),
            ) => {
                let texts = ValueTexts { printed, normal: normal_text, actual: actual_text };
                self.compare_value(&name, *ty, &texts);
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
            Some(_) | None if element.name == "Attribute" => match Attribute::from_element(element)
            {
                Some(attribute) => format!("Attribute {}", attribute.name),
                None => "Attribute".to_owned(),
            },
            Some(_) | None => element.name.to_string(),
        }
    }

    /// Compares what is inside two structures.
    fn compare_children(&mut self, printed: &[Element], normal: &[Element], actual: &[Element]) {
        self.check_order(actual);
        let mut wanted = printed.iter().zip(normal).peekable();
        let mut given = actual.iter().peekable();
        loop {
            // A group that may stand in any order is taken whole.
            let next = wanted.peek().map(|(_, normal)| &normal.name);
            let next = next.or_else(|| given.peek().map(|actual| &actual.name));
            let Some(next) = next.cloned() else { return };
            if self.rule(&next, Variation::Order, None).is_some() {
                let free = |name: &str| self.rule(name, Variation::Order, None).is_some();
                let is_one = |name: &str| free(name) && self.is_one_group(name, &next);
                let (mut all, mut came) = (Vec::new(), Vec::new());
                while let Some(pair) = wanted.next_if(|(_, normal)| is_one(&normal.name)) {
                    all.push(pair);
                }
                while let Some(actual) = given.next_if(|actual| is_one(&actual.name)) {
                    came.push(actual);
                }
                self.compare_unordered(&all, came);
                continue;
            }
            match (wanted.peek().copied(), given.peek().copied()) {
                (Some((printed, normal)), Some(actual)) if normal.name == actual.name => {
                    wanted.next();
                    given.next();
                    self.compare_element(printed, normal, actual);
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

    /// Checks the standard's order of the fields of a structure to which some may be added.
    fn check_order(&mut self, actual: &[Element]) {
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

    /// Compares each printed element with the matching one of those that came, in any order.
    fn compare_unordered(&mut self, wanted: &[(&Element, &Element)], mut given: Vec<&Element>) {
        for (printed, normal) in wanted {
            let key = element_key(normal);
            let like = |actual: &&Element| element_key(actual) == key;
            let same = given
                .iter()
                .position(|actual| like(actual) && self.matches_printed(printed, normal, actual));
            match same.or_else(|| given.iter().position(like)) {
                Some(at) => self.compare_element(printed, normal, given.swap_remove(at)),
                None if self.may_be_missing(normal) => {}
                None if self.rule(&key, Variation::Missing, None).is_some() => {}
                None => {
                    let shown = format!("{} {key}", normal.name);
                    self.missing(shown.trim_end());
                }
            }
        }
        for actual in given {
            if !self.may_be_extra(actual) {
                self.unexpected(&format!("{} {}", actual.name, element_key(actual)));
            }
        }
    }

    fn matches_printed(&self, printed: &Element, normal: &Element, actual: &Element) -> bool {
        let (mut findings, mut bindings) = (Vec::new(), self.bindings.clone());
        let path = self.path.clone();
        let mut trial =
            Comparison { item: self.item, path, findings: &mut findings, bindings: &mut bindings };
        trial.compare_element(printed, normal, actual);
        findings.is_empty()
    }

    fn compare_value(&mut self, name: &str, ty: Type, texts: &ValueTexts<'_>) {
        match Symbol::parse(texts.printed) {
            Some(Symbol::Name(symbol)) => return self.compare_symbol(name, symbol, ty, texts),
            Some(Symbol::Now(_)) | None => {}
        }
        let is_now = texts.printed.starts_with("$NOW");
        let fixed = self.item.object.and_then(|object| object.fixed_date(name));
        if let Some(fixed) = fixed.filter(|_| ty == Type::DateTime && self.is_attribute()) {
            if fixed != texts.actual {
                let what = format!("it is {} and was given as {fixed}", texts.actual);
                self.report(name, what, "V9: a date that a request has fixed must stay".to_owned());
            }
            return;
        }
        if texts.normal == texts.actual && !is_now {
            self.bindings.record_answer(name, texts.actual);
            return;
        }
        let length = self.rule(name, Variation::Length, None);
        let value = self.rule(name, Variation::Value, None);
        let fits = ty != Type::ByteString || texts.normal.len() == texts.actual.len();
        let fits = fits && keeps_fixed_bytes(name, texts);
        if length.is_some() || value.is_some() && fits || is_now && self.is_unknown(name) {
            self.bindings.bind_literal(name, texts.printed, texts.actual);
            return;
        }
        let what = match value {
            Some(rule) => {
                let (normal, actual) = (texts.normal.len() / 2, texts.actual.len() / 2);
                let what = match normal == actual {
                    true => "it differs where it must not".to_owned(),
                    false => format!("it has {actual} bytes and must have {normal}"),
                };
                return self.report(name, what, format!("{}: {}", rule.number, rule.why));
            }
            None => {
                let (wanted, came) = (
                    redacted_value(name, ty, texts.normal),
                    redacted_value(name, ty, texts.actual),
                );
                match wanted == came {
                    true => format!("it is not the value that is printed ({came})"),
                    false => format!("it is {came} and must be {wanted}"),
                }
            }
        };
        self.report(name, what, self.broken_rule(name));
    }

    /// Is nothing known of when the date of an object was given, so that `$NOW` is some time?
    fn is_unknown(&self, name: &str) -> bool {
        !self.item.is_known && self.rule(name, Variation::Value, None).is_none()
    }

    fn is_attribute(&self) -> bool {
        self.path.iter().any(|outer| outer == "Attributes" || outer.starts_with("Attribute "))
    }

    fn compare_symbol(&mut self, name: &str, symbol: &str, ty: Type, texts: &ValueTexts<'_>) {
        if texts.actual.is_empty() && ty != Type::Structure {
            return self.report(name, "it is empty".to_owned(), UNLISTED_VARIATION.to_owned());
        }
        match self.bindings.get(symbol) {
            Some(bound) if bound != texts.actual => {
                let what = format!("it is not the ${symbol} of the answers before");
                self.report(name, what, "4: a symbol means one thing in a case".to_owned());
            }
            Some(_) => {}
            None => {
                self.bindings.bind(symbol, texts.actual);
                self.bindings.record_answer(name, texts.actual);
            }
        }
    }

    /// Rule that a different value breaks: the one whose condition does not apply, or the default.
    fn broken_rule(&self, name: &str) -> String {
        let mut rules = RULES.iter().filter(|rule| {
            let of = |variation| {
                let item = &self.item;
                rule.is_about(item.version, item.operation, &self.path, name, variation)
            };
            of(Variation::Value) || of(Variation::Length)
        });
        match rules.next() {
            Some(rule) => format!("{}: only {}", rule.number, rule.why),
            None => UNLISTED_VARIATION.to_owned(),
        }
    }

    pub(super) fn missing(&mut self, name: &str) {
        self.report(name, "it is missing here".to_owned(), UNLISTED_VARIATION.to_owned());
    }

    pub(super) fn unexpected(&mut self, name: &str) {
        self.report(
            name.trim_end(),
            "it is not printed here".to_owned(),
            UNLISTED_VARIATION.to_owned(),
        );
    }

    fn report(&mut self, name: &str, what: String, rule: String) {
        let mut path = self.path.iter().filter(|part| *part != "BatchItem").cloned();
        let path: String = path.by_ref().map(|part| part + "/").collect();
        self.findings.push(Finding { path: format!("{path}{name}"), what, rule });
    }
}

/// Whether the bytes of a value that must not vary are as printed.
fn keeps_fixed_bytes(name: &str, texts: &ValueTexts<'_>) -> bool {
    let held = FIXED_BYTES.iter().filter(|(held, _)| *held == name).flat_map(|(_, ranges)| *ranges);
    held.into_iter().all(|range| {
        let digits = range.start.saturating_mul(2)..range.end.saturating_mul(2);
        texts.normal.get(digits.clone()) == texts.actual.get(digits)
    })
}

/// Printed, normal and actual text of one value.
struct ValueTexts<'a> {
    printed: &'a str,
    normal: &'a str,
    actual: &'a str,
}
