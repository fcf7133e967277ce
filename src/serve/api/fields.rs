//! Reads the fields of a JSON object, and collects all mistakes as `FastAPI` words them. That Aghanim's API is
//! built on it is only likely, so the texts are an assumption. `[A]`

use std::cell::RefCell;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::protocol::Field;
use crate::serve::error::{FieldProblem, HubError, Location};

/// What is wrong with a value: the message and its type.
pub(super) type Mistake = (String, &'static str);

/// The mistakes of a request.
#[derive(Debug, Default)]
pub(super) struct Problems(RefCell<Vec<FieldProblem>>);

impl Problems {
    pub(super) fn add(&self, loc: Vec<Location>, (msg, kind): Mistake) {
        self.0.borrow_mut().push(FieldProblem { loc, msg, kind });
    }

    /// The value that was read, if there was no mistake.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, HubError> {
        let mut problems = self.0.into_inner();
        match value {
            Some(value) if problems.is_empty() => Ok(value),
            _ => {
                // FastAPI reports each field once.
                problems.dedup_by(|one, other| one.loc == other.loc);
                Err(HubError::Invalid(problems))
            }
        }
    }
}

/// The fields of one object.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a> {
    entries: &'a Map<String, Value>,
    path: Vec<Location>,
    problems: &'a Problems,
}

impl<'a> Fields<'a> {
    /// Reads a body in which these fields must not be missing.
    pub(super) fn read_body<T>(
        body: &Map<String, Value>,
        required: &[&str],
        read: impl FnOnce(&Fields<'_>) -> T,
    ) -> Result<T, HubError> {
        let problems = Problems::default();
        let fields = Fields {
            entries: body,
            path: vec![Location::Key("body".to_owned())],
            problems: &problems,
        };
        for name in required {
            fields.check_presence(name);
        }
        let read = read(&fields);
        problems.finish(Some(read))
    }

    /// Whether the field has a value other than null.
    pub(super) fn has(&self, name: &str) -> bool {
        is_given(self.entries, name)
    }

    fn location(&self, name: &str) -> Vec<Location> {
        let mut location = self.path.clone();
        location.push(Location::Key(name.to_owned()));
        location
    }

    pub(super) fn mistake(&self, name: &str, mistake: Mistake) {
        self.problems.add(self.location(name), mistake);
    }

    /// A field that may be absent or null.
    pub(super) fn nullable<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&Value) -> Result<T, Mistake>,
    ) -> Field<T> {
        match self.entries.get(name) {
            None => Field::Absent,
            Some(Value::Null) => Field::Null,
            Some(value) => match parse(value) {
                Ok(value) => Field::Value(value),
                Err(mistake) => {
                    self.mistake(name, mistake);
                    Field::Absent
                }
            },
        }
    }

    /// A field that may be absent, but not null.
    pub(super) fn optional<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&Value) -> Result<T, Mistake>,
    ) -> Option<T> {
        match self.nullable(name, parse) {
            Field::Value(value) => Some(value),
            Field::Absent => None,
            Field::Null => {
                let mistake = "none is not an allowed value".to_owned();
                self.mistake(name, (mistake, "type_error.none.not_allowed"));
                None
            }
        }
    }

    /// A field that must have a value.
    pub(super) fn required<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&Value) -> Result<T, Mistake>,
    ) -> Option<T> {
        self.check_presence(name);
        self.optional(name, parse)
    }

    fn check_presence(&self, name: &str) {
        if !self.entries.contains_key(name) {
            self.mistake(name, ("field required".to_owned(), "value_error.missing"));
        }
    }

    /// An object in a field.
    pub(super) fn object(&self, name: &str) -> Option<Fields<'a>> {
        let Value::Object(entries) = self.entries.get(name)? else {
            self.mistake(name, not_an_object());
            return None;
        };
        Some(Fields {
            entries,
            path: self.location(name),
            problems: self.problems,
        })
    }

    /// The objects of a list in a field; `None` if there is no list.
    pub(super) fn objects(&self, name: &str, most: usize) -> Option<Vec<Fields<'a>>> {
        let values = match self.entries.get(name)? {
            Value::Array(values) if values.len() <= most => values,
            Value::Array(_) => {
                let mistake = format!("ensure this value has at most {most} items");
                self.mistake(name, (mistake, "value_error.list.max_items"));
                return None;
            }
            _ => {
                self.mistake(name, not_a_list());
                return None;
            }
        };
        let mut objects = Vec::new();
        for (index, value) in values.iter().enumerate() {
            let mut path = self.location(name);
            path.push(Location::Index(index));
            match value {
                Value::Object(entries) => objects.push(Fields {
                    entries,
                    path,
                    problems: self.problems,
                }),
                _ => self.problems.add(path, not_an_object()),
            }
        }
        Some(objects)
    }

    /// A list of values of the same kind.
    pub(super) fn list<T>(
        &self,
        name: &str,
        parse: impl Fn(&Value) -> Result<T, Mistake>,
    ) -> Option<Vec<T>> {
        let Value::Array(values) = self.entries.get(name)? else {
            self.mistake(name, not_a_list());
            return None;
        };
        let mut list = Vec::new();
        for (index, value) in values.iter().enumerate() {
            match parse(value) {
                Ok(value) => list.push(value),
                Err(mistake) => {
                    let mut path = self.location(name);
                    path.push(Location::Index(index));
                    self.problems.add(path, mistake);
                }
            }
        }
        Some(list)
    }

    /// The values of these fields, as they were given.
    pub(super) fn given(&self, names: &[(&'static str, Shape)]) -> Map<String, Value> {
        let mut given = Map::new();
        for (name, shape) in names {
            if let Field::Value(value) = self.nullable(name, |value| shape.check(value)) {
                given.insert((*name).to_owned(), value);
            }
        }
        given
    }
}

/// Whether the field has a value other than null.
pub(super) fn is_given(entries: &Map<String, Value>, name: &str) -> bool {
    entries.get(name).is_some_and(|value| !value.is_null())
}

/// Refuses what Aghanim can and the local one can't.
pub(super) fn not_supported(what: &str) -> HubError {
    HubError::Unsupported(format!("the local Aghanim does not support {what}"))
}

/// The type of a field that is only kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Flag,
    Integer,
    Texts,
    Object,
    OneOf(&'static [&'static str]),
}

impl Shape {
    fn check(self, value: &Value) -> Result<Value, Mistake> {
        let is_texts = |value: &Value| {
            value
                .as_array()
                .is_some_and(|list| list.iter().all(Value::is_string))
        };
        let (fits, mistake) = match self {
            Self::Text => (value.is_string(), not_a_text()),
            Self::Flag => (value.is_boolean(), not_a_flag()),
            Self::Texts => (is_texts(value), not_a_list()),
            Self::Object => (value.is_object(), not_an_object()),
            Self::Integer => return integer(i64::MIN..=i64::MAX)(value).map(Value::from),
            Self::OneOf(names) => return one_of(names)(value).map(Value::from),
        };
        if fits {
            Ok(value.clone())
        } else {
            Err(mistake)
        }
    }
}

fn not_a_text() -> Mistake {
    ("str type expected".to_owned(), "type_error.str")
}

fn not_a_flag() -> Mistake {
    (
        "value could not be parsed to a boolean".to_owned(),
        "type_error.bool",
    )
}

fn not_an_integer() -> Mistake {
    (
        "value is not a valid integer".to_owned(),
        "type_error.integer",
    )
}

fn not_a_list() -> Mistake {
    ("value is not a valid list".to_owned(), "type_error.list")
}

pub(super) fn not_an_object() -> Mistake {
    ("value is not a valid dict".to_owned(), "type_error.dict")
}

/// Reads text of at most this many characters.
pub(super) fn text(most: usize) -> impl Fn(&Value) -> Result<String, Mistake> {
    move |value| {
        let text = value.as_str().ok_or_else(not_a_text)?;
        if text.chars().count() > most {
            let message = format!("ensure this value has at most {most} characters");
            return Err((message, "value_error.any_str.max_length"));
        }
        Ok(text.to_owned())
    }
}

/// Reads text that is not empty.
pub(super) fn nonempty(most: usize) -> impl Fn(&Value) -> Result<String, Mistake> {
    move |value| match text(most)(value)? {
        text if text.trim().is_empty() => {
            let message = "ensure this value has at least 1 characters".to_owned();
            Err((message, "value_error.any_str.min_length"))
        }
        text => Ok(text),
    }
}

pub(super) fn flag(value: &Value) -> Result<bool, Mistake> {
    value.as_bool().ok_or_else(not_a_flag)
}

/// Reads a whole number within a range. In a JSON Schema, 2.0 is one, too.
pub(super) fn integer(range: RangeInclusive<i64>) -> impl Fn(&Value) -> Result<i64, Mistake> {
    move |value| {
        let whole = value.as_f64().filter(|number| number.fract() == 0.0);
        #[expect(clippy::cast_possible_truncation, reason = "casts saturate")]
        let whole = whole.map(|number| number as i128);
        let exact = value.as_i64().map(i128::from);
        let exact = exact.or_else(|| value.as_u64().map(i128::from));
        let number = exact.or(whole).ok_or_else(not_an_integer)?;
        let (first, last) = (*range.start(), *range.end());
        if number < first.into() {
            let message = format!("ensure this value is greater than or equal to {first}");
            return Err((message, "value_error.number.not_ge"));
        }
        match i64::try_from(number) {
            Ok(number) if number <= last => Ok(number),
            _ => {
                let message = format!("ensure this value is less than or equal to {last}");
                Err((message, "value_error.number.not_le"))
            }
        }
    }
}

/// Reads a number from this one on.
pub(super) fn count(first: u64) -> impl Fn(&Value) -> Result<u64, Mistake> {
    let range = i64::try_from(first).unwrap_or(i64::MAX)..=i64::MAX;
    move |value| integer(range.clone())(value).map(i64::unsigned_abs)
}

/// Reads one of these names.
pub(super) fn one_of(
    names: &'static [&'static str],
) -> impl Fn(&Value) -> Result<&'static str, Mistake> {
    move |value| {
        let found = names.iter().find(|name| value.as_str() == Some(name));
        found.copied().ok_or_else(|| {
            let names: Vec<_> = names.iter().map(|name| format!("'{name}'")).collect();
            let message = format!(
                "value is not a valid enumeration member; permitted: {}",
                names.join(", ")
            );
            (message, "type_error.enum")
        })
    }
}
