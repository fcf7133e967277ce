//! A scenario file: from its text to the cases that are run.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::check::check;
use super::document::{
    Diagnostic, Diagnostics, Located, Node, NodeValue, SourceFile, Span, Variables, decode,
    substitute,
};
use super::{Effect, EventSpec, Level, Step};
use crate::generate::Seed;

/// A scenario: events, what is done with them, and what must come of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What holds if the scenario passes, in a few words.
    pub name: Located<String>,
    /// Why it matters to a game, and what to fix where it fails.
    #[serde(default)]
    pub about: Option<String>,
    /// Words to pick scenarios by, with `--tag`.
    #[serde(default)]
    pub tags: Vec<String>,
    /// How much the scenario demands; a single `expect` or effect can have a level of its own.
    #[serde(default)]
    pub level: Level,
    /// Where the demand comes from.
    #[serde(default)]
    pub source: Option<String>,
    /// Everything random follows from it; left out, from the file's name.
    #[serde(default)]
    pub seed: Option<u64>,
    /// Values that `${name}` stands for, anywhere below `events`, `steps` and `effects`.
    #[serde(default)]
    pub vars: IndexMap<String, Value>,
    /// Lists of values that `${name}` stands for: the scenario is run once for each, and for each
    /// combination where there are several lists.
    #[serde(default)]
    pub matrix: IndexMap<String, Vec<Value>>,
    /// The events by name.
    #[serde(default)]
    pub events: IndexMap<String, Located<EventSpec>>,
    /// What is done, one after the other.
    #[schemars(length(min = 1))]
    pub steps: Vec<Located<Step>>,
    /// What must have changed in the game after the steps.
    #[serde(default)]
    pub effects: Vec<Located<Effect>>,
}

/// A scenario with one choice of its matrix: what is run.
#[derive(Debug, Clone)]
pub struct Case {
    /// The scenario with all its variables filled in.
    pub scenario: Scenario,
    /// The file that it comes from.
    pub source: SourceFile,
    /// Where in the file the scenario's name stands, from 1.
    pub line: usize,
    /// The choice of the matrix, as `forge=wrong_secret`; none without a matrix.
    pub choice: Option<String>,
    /// How many cases before it have its file name, title and seed: copies of a file must not send
    /// the same events. Counted among the cases that are read together.
    pub copies_before: u32,
}

/// The most cases of one file.
const CASE_LIMIT: usize = 1_000;

/// The most characters of a list or mapping that stand in a title.
const SHOWN_LIMIT: usize = 40;

impl Case {
    /// Reads a file into its cases; all that is wrong in any of them is reported together.
    pub fn of_file(source: &SourceFile) -> Result<Vec<Self>, Diagnostics> {
        let tree = Node::parse(source)?;
        let constants = variables_of(source, &tree, "vars")?;
        let mut cases = Vec::new();
        let mut problems = Diagnostics::default();
        for choice in choices(source, &tree, &constants)? {
            match Self::read(source, &tree, choice) {
                Ok(case) => cases.push(case),
                Err(found) => problems.extend(found.0),
            }
        }
        // The same mistake shows in every case of a matrix; once is enough.
        let mut seen = BTreeSet::new();
        problems
            .0
            .retain(|problem| seen.insert((problem.location(), problem.message.clone())));
        problems.into_result()?;
        Self::tell_apart(&mut cases);
        Ok(cases)
    }

    /// Gives each of the cases a seed of its own, whatever their files and titles are. What follows
    /// depends on the order of the cases alone, and so is the same on every machine.
    pub(super) fn tell_apart(cases: &mut [Self]) {
        let mut taken = BTreeSet::new();
        for case in cases {
            while !taken.insert(case.seed(None).number()) {
                case.copies_before += 1;
            }
        }
    }

    fn read(source: &SourceFile, tree: &Node, choice: Choice) -> Result<Self, Diagnostics> {
        let filled = fill_in(source, tree, &choice.variables)?;
        let scenario: Scenario = decode(source, &filled)?;
        check(source, &filled, &scenario)?;
        let (line, _) = source.line_and_column(scenario.name.span.start);
        let label = (!choice.label.is_empty()).then_some(choice.label);
        Ok(Self {
            scenario,
            source: source.clone(),
            line,
            choice: label,
            copies_before: 0,
        })
    }

    /// The name that people see: the scenario's, with the choice of the matrix. It is one line.
    pub fn title(&self) -> String {
        let name = &self.scenario.name.value;
        match &self.choice {
            Some(choice) => one_line(&format!("{name} [{choice}]")),
            None => one_line(name),
        }
    }

    /// The file's name without folders and ending: what the case's randomness follows from.
    pub fn file_stem(&self) -> &str {
        let name = self
            .source
            .name
            .rsplit(['/', '\\'])
            .next()
            .unwrap_or_default();
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }

    /// From what everything random of this case follows. `run` is the seed of the whole run, if
    /// one was asked for.
    pub fn seed(&self, run: Option<Seed>) -> Seed {
        let own = match self.scenario.seed {
            Some(number) => Seed::new(number),
            None => Seed::of_text(self.file_stem()),
        };
        let of_case = match self.copies_before {
            0 => own.derive(&self.title()),
            copies => own.derive(&self.title()).derive(&copies.to_string()),
        };
        match run {
            Some(run) => run.derive(&of_case.to_string()),
            None => of_case,
        }
    }

    /// A diagnostic at a place of this case's file.
    pub fn diagnostic(
        &self,
        span: Span,
        message: impl Into<String>,
        help: Option<String>,
    ) -> Diagnostic {
        Diagnostic::at(&self.source, span, message, help)
    }
}

/// One choice of values from the matrix.
#[derive(Clone, Default)]
struct Choice {
    variables: Variables,
    label: String,
}

/// The entries under `key`, which must be a mapping.
fn variables_of(source: &SourceFile, tree: &Node, key: &str) -> Result<Variables, Diagnostic> {
    let Some(node) = tree.get(key) else {
        return Ok(BTreeMap::new());
    };
    // A wrong type here is found again, and reported, when the scenario is decoded.
    let variables = node
        .entries()
        .iter()
        .map(|(name, value)| (name.text.clone(), value.clone()));
    let variables: Variables = variables.collect();
    if let Some(name) = variables.keys().find(|name| name.contains(['$', '{', '}'])) {
        let message = format!("`{name}` can't be a variable's name");
        return Err(Diagnostic::at(
            source,
            node.span,
            message,
            Some("use letters and `_`".into()),
        ));
    }
    Ok(variables)
}

/// All combinations of the matrix's values, in the order of the file.
fn choices(
    source: &SourceFile,
    tree: &Node,
    constants: &Variables,
) -> Result<Vec<Choice>, Diagnostic> {
    let mut choices = vec![Choice {
        variables: constants.clone(),
        label: String::new(),
    }];
    for (name, values) in tree.get("matrix").map_or(&[][..], Node::entries) {
        let list = "write a list, as in `matrix: { forge: [wrong_secret, tampered_body] }`";
        let problem = |message: String, help: &str| {
            Diagnostic::at(source, name.span, message, Some(help.to_owned()))
        };
        let NodeValue::Sequence(values) = &values.value else {
            let message = format!("expected a list of values for `{}`", name.text);
            return Err(problem(message, list));
        };
        if values.is_empty() {
            let message = format!("the list of `{}` is empty, so nothing would run", name.text);
            return Err(problem(message, list));
        }
        if constants.contains_key(&name.text) {
            let message = format!("`{}` stands under `vars` too", name.text);
            return Err(problem(message, "remove one of the two"));
        }
        if choices.len() * values.len() > CASE_LIMIT {
            let message = format!("the matrix makes more than {CASE_LIMIT} cases");
            return Err(problem(message, "split the file, or leave values out"));
        }
        choices = choices
            .iter()
            .flat_map(|choice| {
                values
                    .iter()
                    .map(|value| choice.with(source, &name.text, value))
            })
            .collect::<Result<_, _>>()?;
    }
    number_equal_labels(&mut choices);
    Ok(choices)
}

/// Adds a number to each label that an earlier choice has too.
fn number_equal_labels(choices: &mut [Choice]) {
    let mut taken = BTreeSet::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for choice in choices {
        let label = choice.label.clone();
        while !taken.insert(choice.label.clone()) {
            let number = seen.entry(label.clone()).or_insert(1);
            *number += 1;
            choice.label = format!("{label} #{number}");
        }
    }
}

impl Choice {
    fn with(&self, source: &SourceFile, name: &str, value: &Node) -> Result<Self, Diagnostic> {
        let mut choice = self.clone();
        let shown = match &value.value {
            NodeValue::Text(text) => text.clone(),
            NodeValue::Unsigned(number) => number.to_string(),
            NodeValue::Signed(number) => number.to_string(),
            NodeValue::Float(number) => number.to_string(),
            NodeValue::Boolean(value) => value.to_string(),
            NodeValue::Null => "null".to_owned(),
            NodeValue::Sequence(_) | NodeValue::Mapping(_) => {
                shortened(&decode::<Value>(source, value)?.to_string())
            }
        };
        let separator = if choice.label.is_empty() { "" } else { " " };
        choice.label = format!("{}{separator}{name}={shown}", choice.label);
        choice.variables.insert(name.to_owned(), value.clone());
        Ok(choice)
    }
}

/// The text, or the beginning of a long one.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_LIMIT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The tree with its variables filled in, everywhere but where they are defined.
fn fill_in(source: &SourceFile, tree: &Node, variables: &Variables) -> Result<Node, Diagnostic> {
    let NodeValue::Mapping(entries) = &tree.value else {
        return Ok(tree.clone());
    };
    let entries = entries
        .iter()
        .map(|(key, value)| {
            let value = match key.text.as_str() {
                "vars" | "matrix" => value.clone(),
                _ => substitute(source, value, variables)?,
            };
            Ok((key.clone(), value))
        })
        .collect::<Result<_, Diagnostic>>()?;
    Ok(Node {
        value: NodeValue::Mapping(entries),
        span: tree.span,
    })
}

/// The text without anything that ends a line or steers a terminal: reports have one line for a
/// title, and a matrix can hold any text.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.trim().chars() {
        match character {
            '\u{2028}' | '\u{2029}' => line.extend(character.escape_unicode()),
            _ if character.is_control() => line.extend(character.escape_default()),
            _ => line.push(character),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_stays_on_one_line_whatever_the_matrix_holds() {
        let text = "name: x\nmatrix:\n  text: [\"one\\nline \\u0007\\u2028\", \"Łódź \\\"½\\\" \\\\\"]\n\
                    events: { e: { coupon: { code: \"${text}\" } } }\n\
                    steps: [{ deliver: e, expect: { status: 2xx } }]\n";
        let cases = Case::of_file(&SourceFile::new("x.yaml", text)).expect("a scenario");
        let titles: Vec<String> = cases.iter().map(Case::title).collect();
        let expected = [
            r"x [text=one\nline \u{7}\u{2028}]",
            "x [text=Łódź \"½\" \\]",
        ];
        assert_eq!(titles, expected);
    }

    #[test]
    fn every_choice_of_a_matrix_has_a_title_and_events_of_its_own() {
        let long = "x".repeat(50);
        let text = format!(
            "name: x\nmatrix:\n  item: [{{ sku: gems }}, {{ sku: gold }}, [{long}, 1], [{long}, 2], 7, 7]\n\
             events: {{ e: {{}} }}\nsteps: [{{ deliver: e, expect: {{ status: 2xx }} }}]\n"
        );
        let cases = Case::of_file(&SourceFile::new("x.yaml", text)).expect("a scenario");
        let titles: Vec<String> = cases.iter().map(Case::title).collect();
        let cut = format!("[\"{}…", &long[..38]);
        let expected = [
            r#"x [item={"sku":"gems"}]"#.to_owned(),
            r#"x [item={"sku":"gold"}]"#.to_owned(),
            format!("x [item={cut}]"),
            format!("x [item={cut} #2]"),
            "x [item=7]".to_owned(),
            "x [item=7 #2]".to_owned(),
        ];
        assert_eq!(titles, expected);
        let seeds: BTreeSet<u64> = cases.iter().map(|case| case.seed(None).number()).collect();
        assert_eq!(seeds.len(), cases.len());
    }
}
