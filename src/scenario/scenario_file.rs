//! A scenario file: from its text to the cases that are run.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::check::{check, check_names};
use super::document::{
    Diagnostic, Diagnostics, Key, Located, Node, NodeValue, Patience, SourceFile, Span, Variables,
    decode_all, substitute,
};
use super::matrix::{Choice, choices};
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

impl Case {
    /// Reads a file into its cases; all that is wrong in any of them is reported together.
    pub fn of_file(source: &SourceFile) -> Result<Vec<Self>, Diagnostics> {
        let tree = Node::parse(source)?;
        let mut problems = Diagnostics::default();
        let choices = choices(source, &tree, &mut problems);
        let mut patience = Patience::of_a_file();
        let mut cases = Vec::new();
        for choice in choices {
            match Self::read(source, &tree, choice, &mut patience) {
                Ok(case) => cases.push(case),
                Err(found) => problems.extend(found.0),
            }
        }
        // The same mistake shows in every case of a matrix; once is enough.
        problems.of_one_file(&source.name).into_result()?;
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

    fn read(
        source: &SourceFile,
        tree: &Node,
        choice: Choice,
        patience: &mut Patience,
    ) -> Result<Self, Diagnostics> {
        let mut problems = Diagnostics::default();
        let filled = fill_in(source, tree, &choice.variables, &mut problems);
        let decoded = decode_all::<Scenario>(source, &filled, patience);
        problems.extend(decoded.mistakes);
        let scenario = match decoded.value {
            Some(scenario) if problems.0.is_empty() => scenario,
            // What a part of a scenario lacks may stand in the part that is wrong.
            Some(part) => {
                problems.extend(check_names(source, tree, &part).0);
                return Err(problems);
            }
            None => return Err(problems),
        };
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

/// The tree with its variables filled in, everywhere but where they are defined.
fn fill_in(
    source: &SourceFile,
    tree: &Node,
    variables: &Variables,
    problems: &mut Diagnostics,
) -> Node {
    let NodeValue::Mapping(entries) = &tree.value else {
        return tree.clone();
    };
    let filled = |(key, value): &(Key, Node)| {
        let value = match key.text.as_str() {
            "vars" => value.clone(),
            "matrix" => without_wrong_lists(value),
            _ => substitute(source, value, variables, problems),
        };
        (key.clone(), value)
    };
    Node {
        value: NodeValue::Mapping(entries.iter().map(filled).collect()),
        span: tree.span,
    }
}

/// The matrix without what is no list, as that is told already.
fn without_wrong_lists(matrix: &Node) -> Node {
    let mut matrix = matrix.clone();
    if let NodeValue::Mapping(entries) = &mut matrix.value {
        entries.retain(|(_, values)| matches!(values.value, NodeValue::Sequence(_)));
    }
    matrix
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
