//! The query of a request.

use serde_json::Value;
use url::form_urlencoded;

use super::fields::{Mistake, Problems, integer};
use crate::serve::error::{HubError, Location};
use crate::serve::model::Page;

/// The parameters of a query, decoded, and the mistakes in them.
#[derive(Debug)]
pub(super) struct Query {
    parameters: Vec<(String, String)>,
    problems: Problems,
}

impl Query {
    pub(super) fn parse(text: Option<&str>) -> Self {
        let pairs = form_urlencoded::parse(text.unwrap_or_default().as_bytes());
        Self {
            parameters: pairs.into_owned().collect(),
            problems: Problems::default(),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut named = self.parameters.iter().rev();
        let found = named.find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A parameter, read as if it was text in JSON.
    pub(super) fn read<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&Value) -> Result<T, Mistake>,
    ) -> Option<T> {
        let parsed = parse(&self.get(name)?.into());
        self.checked(name, parsed)
    }

    /// A whole number from 0 on.
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        let text = self.get(name)?;
        let number = text.parse::<i64>().map_or(Value::Null, Value::from);
        let parsed = integer(0..=u32::MAX.into())(&number);
        self.checked(name, parsed)
            .and_then(|number| u32::try_from(number).ok())
    }

    pub(super) fn page(&self, default_limit: u32) -> Page {
        Page {
            limit: self.number("limit").unwrap_or(default_limit),
            offset: self.number("offset").unwrap_or_default(),
        }
    }

    /// Refuses filters that would have no effect.
    pub(super) fn refuse(&self, names: &[&str]) -> Result<(), HubError> {
        match names.iter().find(|name| self.get(name).is_some()) {
            Some(name) => Err(HubError::Unsupported(format!(
                "the local Aghanim can't filter by `{name}`"
            ))),
            None => Ok(()),
        }
    }

    /// `value`, if there was no mistake.
    pub(super) fn finish<T>(self, value: T) -> Result<T, HubError> {
        self.problems.finish(Some(value))
    }

    fn checked<T>(&self, name: &str, parsed: Result<T, Mistake>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(mistake) => {
                let location = ["query", name].map(|key| Location::Key(key.to_owned()));
                self.problems.add(location.to_vec(), mistake);
                None
            }
        }
    }
}

/// The part of a list that a page has.
pub(super) fn part<T>(list: Vec<T>, page: Page) -> Vec<T> {
    let size = |number| usize::try_from(number).unwrap_or(usize::MAX);
    list.into_iter()
        .skip(size(page.offset))
        .take(size(page.limit))
        .collect()
}
