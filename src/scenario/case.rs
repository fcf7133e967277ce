//! The cases to run that a scenario file expands to.

use std::collections::BTreeSet;

use super::check::{check, check_names};
use super::document::{
    DECODE_BUDGET, Diagnostics, Expansion, Node, NodeValue, SourceFile, Spanned, Variables,
    decode_all, is_disguising, substitute,
};
use super::matrix::{MatrixChoice, choices};
use super::scenario_model::{Scenario, ScenarioKeys};
use super::step::Step;
use crate::generate::Seed;

/// A scenario with one combination of its matrix values, ready to run.
#[derive(Debug, Clone)]
pub struct Case {
    /// The scenario with all variables replaced.
    pub scenario: Scenario,
    /// The scenario's file.
    pub source: SourceFile,
    /// The line of the scenario's name, from 1.
    pub line: usize,
    /// The matrix values, such as `forge=wrong_secret`; `None` without a matrix.
    pub choice: Option<String>,
    /// How many earlier cases, of those read together, would have the same seed. Copies of a file
    /// must not send the same events.
    pub copies_before: u32,
}

/// After so many mistakes, no further cases of a matrix are read.
const MOST_MISTAKES: usize = 1000;

impl Case {
    /// Reads the cases of a file. Reports all mistakes together.
    pub fn from_file(source: &SourceFile) -> Result<Vec<Self>, Diagnostics> {
        let tree = Node::parse(source)?;
        let mut problems = Diagnostics::default();
        let choices = choices(source, &tree, &mut problems);
        let mut limits = ReadLimits::default();
        let mut cases = Vec::new();
        for choice in choices {
            cases.extend(problems.take(Self::read(source, &tree, choice, &mut limits)));
            if limits.expansion.is_exceeded() || problems.0.len() > MOST_MISTAKES {
                break;
            }
        }
        // Every case of a matrix has the same mistakes. Report each once.
        problems.sorted_and_limited(&source.name).into_result()?;
        Self::make_seeds_unique(&mut cases);
        Ok(cases)
    }

    /// Gives each case its own seed, even if files and titles are equal. The result depends only on
    /// the order of the cases, so it is the same on every machine.
    pub(super) fn make_seeds_unique(cases: &mut [Self]) {
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
        choice: MatrixChoice<'_>,
        limits: &mut ReadLimits,
    ) -> Result<Self, Diagnostics> {
        let mut problems = Diagnostics::default();
        let filled = limits.fill_in(source, tree, &choice.variables, &mut problems);
        let (decoded, mistakes) =
            decode_all::<ScenarioKeys>(source, &filled, &mut limits.decode_budget);
        problems.extend(mistakes.0);
        let keys = match decoded {
            Some(keys) if problems.0.is_empty() => keys,
            // Only check names: anything else that seems missing may be in an invalid part.
            Some(part) => {
                problems.extend(check_names(source, tree, &part).0);
                return Err(problems);
            }
            None => return Err(problems),
        };
        let scenario = check(source, &filled, &keys)?;
        let deliveries = scenario.steps.iter().map(Step::delivery_count).sum();
        let fits = limits.expansion.add_deliveries(deliveries);
        fits.map_err(|error| error.or_span(scenario.name.span).into_diagnostic(source))?;
        Ok(Self {
            source: source.clone(),
            line: source.line_and_column(scenario.name.span.start).0,
            scenario,
            choice: Some(choice.label).filter(|label| !label.is_empty()),
            copies_before: 0,
        })
    }

    /// The name to display, on one line: the scenario's name and the matrix values. What XML can't hold
    /// is escaped, too, so that the scenario has the same name in every report.
    pub fn title(&self) -> String {
        let title = self.written_title();
        let title = title.replace('\u{fffe}', "\\u{fffe}");
        title.replace('\u{ffff}', "\\u{ffff}")
    }

    fn written_title(&self) -> String {
        let name = &self.scenario.name.value;
        match &self.choice {
            Some(choice) => one_line(&format!("{name} [{choice}]")),
            None => one_line(name),
        }
    }

    /// The file's name without folders and extension. The default seed is derived from it.
    pub fn file_stem(&self) -> &str {
        let path = &self.source.name;
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }

    /// The seed of all random values of this case. `run` is the seed of the whole run, if one was
    /// given.
    pub fn seed(&self, run: Option<Seed>) -> Seed {
        let own = match self.scenario.seed {
            Some(number) => Seed::new(number),
            None => Seed::of_text(self.file_stem()),
        };
        let mut of_case = own.derive(&self.written_title());
        if self.copies_before > 0 {
            of_case = of_case.derive(&self.copies_before.to_string());
        }
        run.map_or(of_case, |run| run.derive(&of_case.to_string()))
    }
}

/// What reading the cases of a file may take.
struct ReadLimits {
    decode_budget: usize,
    expansion: Expansion,
    is_first_case: bool,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            decode_budget: DECODE_BUDGET,
            expansion: Expansion::default(),
            is_first_case: true,
        }
    }
}

impl ReadLimits {
    /// Replaces the variables in the tree, except where they are defined. Only the first case has
    /// these definitions, which are the same in each: they are checked once.
    fn fill_in(
        &mut self,
        source: &SourceFile,
        tree: &Node,
        variables: &Variables<'_>,
        problems: &mut Diagnostics,
    ) -> Node {
        let NodeValue::Mapping(entries) = &tree.value else {
            return tree.clone();
        };
        let is_first = std::mem::take(&mut self.is_first_case);
        self.expansion.begin_case();
        let filled = |(key, value): &(Spanned<String>, Node)| {
            let value = match key.as_str() {
                "vars" | "matrix" if !is_first => return None,
                "vars" => value.clone(),
                "matrix" => without_invalid_lists(value),
                _ => substitute(source, value, variables, &mut self.expansion, problems),
            };
            Some((key.clone(), value))
        };
        Node {
            value: NodeValue::Mapping(entries.iter().filter_map(filled).collect()),
            span: tree.span,
        }
    }
}

/// Removes the matrix values that aren't lists. They are already reported.
fn without_invalid_lists(matrix: &Node) -> Node {
    let mut matrix = matrix.clone();
    if let NodeValue::Mapping(entries) = &mut matrix.value {
        entries.retain(|(_, values)| matches!(values.value, NodeValue::Sequence(_)));
    }
    matrix
}

/// Escapes line breaks, control characters and invisible ones. Reports show a title on one line, but matrix
/// values can contain any text.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.trim().chars() {
        match character {
            _ if character.is_control() => line.extend(character.escape_default()),
            _ if is_disguising(character) => line.extend(character.escape_unicode()),
            _ => line.push(character),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_stays_on_one_line_for_any_matrix_value() {
        let text = "name: x\nmatrix:\n  text: [\"one\\nline \\u0007\\u2028\\u202E\\uFFFF\", \"Łódź \\\"½\\\" \\\\\"]\n\
                    events: { e: { coupon: { code: \"${text}\" } } }\n\
                    steps: [{ deliver: e, expect: { status: 2xx } }]\n";
        let cases = Case::from_file(&SourceFile::new("x.yaml", text)).expect("a scenario");
        let titles: Vec<String> = cases.iter().map(Case::title).collect();
        let expected = [
            r"x [text=one\nline \u{7}\u{2028}\u{202e}\u{ffff}]",
            "x [text=Łódź \"½\" \\]",
        ];
        assert_eq!(titles, expected);
    }

    #[test]
    fn every_case_of_a_matrix_has_its_own_title_and_events() {
        let long = "x".repeat(50);
        let text = format!(
            "name: x\nmatrix:\n  item: [{{ sku: gems }}, {{ sku: gold }}, [{long}, 1], [{long}, 2], 7, 7]\n\
             events: {{ e: {{}} }}\nsteps: [{{ deliver: e, expect: {{ status: 2xx }} }}]\n"
        );
        let cases = Case::from_file(&SourceFile::new("x.yaml", text)).expect("a scenario");
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
