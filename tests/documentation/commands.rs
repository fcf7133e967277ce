//! Commands and options that documents name.

use std::collections::BTreeSet;

use aghook::cli::arguments::Arguments;
use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};

use super::markdown::{Document, first_cells};

/// What a section of docs/commands.md names, for the commands that refer to it.
const SHARED: [&str; 3] = ["Secret options", "Receiver options", "Scenario selection"];

#[test]
fn every_command_line_can_be_parsed() {
    let mut parsed = 0;
    for document in Document::all() {
        let name = document.name.display();
        let (typed, named) = command_lines(&document);
        for line in typed.iter().chain(&named) {
            let words = words_for_aghook(line);
            let words = words.unwrap_or_else(|| panic!("{name}: {line}: can't be split"));
            if let Err(error) = Arguments::try_parse_from(&words) {
                let harmless = match error.kind() {
                    ErrorKind::DisplayHelp => true,
                    // Prose may name a command without all that it needs.
                    ErrorKind::MissingRequiredArgument => named.contains(line),
                    _ => false,
                };
                assert!(harmless, "{name}: {line}: {error}");
            }
            parsed += 1;
        }
    }
    assert!(parsed > 40, "only {parsed} command lines were found");
}

#[test]
fn every_option_that_is_named_exists() {
    let known: BTreeSet<String> = options().into_iter().flat_map(|(_, known)| known).collect();
    let of_others = ["--help", "--version", "--color", "--verbose"];
    for document in Document::all() {
        for span in document.code_spans() {
            let option = span.split([' ', '=']).next().unwrap_or_default();
            if option.len() > 2 && option.starts_with("--") && !of_others.contains(&option) {
                let name = document.name.display();
                assert!(known.contains(option), "{name}: {option}");
            }
        }
    }
}

#[test]
fn every_option_of_every_command_is_explained() {
    let document = Document::read("docs/commands.md");
    let explained = |heading: &str| -> BTreeSet<String> {
        let cells = first_cells(&document.section(heading)).into_iter();
        let options = cells.filter(|cell| cell.starts_with("--"));
        options
            .filter_map(|cell| cell.split([' ', '=']).next().map(str::to_owned))
            .collect()
    };
    let listed: BTreeSet<String> = first_cells(&document.section("Commands"))
        .into_iter()
        .collect();
    let options = options();
    let commands = options.iter().map(|(command, _)| command.clone());
    assert_eq!(listed, commands.collect());
    for (command, known) in options {
        let heading = format!("aghook {command}");
        let section = document.section(&heading);
        let mut told = explained(&heading);
        for shared in SHARED {
            let anchor = shared.to_lowercase().replace(' ', "-");
            if section.contains(&format!("](#{anchor})")) {
                told.extend(explained(shared));
            }
        }
        assert_eq!(told, known, "{heading}");
    }
}

/// Every command with its options, but for those that all have.
fn options() -> Vec<(String, BTreeSet<String>)> {
    let program = Arguments::command();
    let commands = program.get_subcommands();
    commands
        .map(|command| {
            let names = command.get_arguments().filter_map(clap::Arg::get_long);
            let names = names.map(|name| format!("--{name}")).collect();
            (command.get_name().to_owned(), names)
        })
        .collect()
}

/// What a document tells people to type, and what its prose names.
fn command_lines(document: &Document) -> (Vec<String>, Vec<String>) {
    let mut typed = Vec::new();
    for block in document.blocks() {
        let lines = block.text.replace("\\\n", " ");
        let lines = lines.lines().filter_map(|line| match block.language {
            "console" => line.strip_prefix("$ "),
            "sh" => Some(line),
            _ => None,
        });
        typed.extend(lines.map(str::to_owned));
    }
    let mut named = document.code_spans();
    typed.retain(|line| calls_aghook(line).is_some());
    // Words in capitals stand for others: `aghook COMMAND --help`.
    named.retain(|line| calls_aghook(line).is_some() && !line.contains("COMMAND"));
    (typed, named)
}

/// What stands after the program's name.
fn calls_aghook(line: &str) -> Option<&str> {
    let ways = [
        "aghook ",
        "cargo run --release -- ",
        "cargo run --release --locked -- ",
    ];
    let after = ways.iter().find_map(|way| line.strip_prefix(way))?;
    // A version, as a report's first line says it, is no command.
    after
        .starts_with(|c: char| c.is_ascii_lowercase() || c == '-')
        .then_some(after)
}

fn words_for_aghook(line: &str) -> Option<Vec<String>> {
    let words = shlex::split(calls_aghook(line)?)?;
    let of_shell = |word: &String| ["|", ">", "<", "&", "&&", ";"].contains(&word.as_str());
    let own = words.into_iter().take_while(|word| !of_shell(word));
    Some(std::iter::once("aghook".to_owned()).chain(own).collect())
}
