//! Commands and options in the documents.

use std::collections::BTreeSet;

use aghook::internals::cli::arguments::Arguments;
use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};

use super::markdown::{Document, first_cells};

/// The sections of docs/commands.md with options that several commands share.
const SHARED: [&str; 3] = ["Secret options", "Receiver options", "Scenario selection"];

#[test]
fn every_command_line_is_valid() {
    let mut parsed = 0;
    for document in Document::all() {
        let name = document.name.display();
        let (typed, mentioned) = command_lines(&document);
        for line in typed.iter().chain(&mentioned) {
            let words = words_for_aghook(line);
            let words = words.unwrap_or_else(|| panic!("{name}: {line}: can't be split"));
            if let Err(error) = Arguments::try_parse_from(&words) {
                let harmless = match error.kind() {
                    ErrorKind::DisplayHelp => true,
                    // Prose may mention a command without its required arguments.
                    ErrorKind::MissingRequiredArgument => mentioned.contains(line),
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
fn every_mentioned_option_exists() {
    let known: BTreeSet<String> = options().into_iter().flat_map(|(_, known)| known).collect();
    let global = ["--help", "--version", "--color", "--verbose"];
    for document in Document::all() {
        for span in document.code_spans() {
            let option = span.split([' ', '=']).next().unwrap_or_default();
            if option.len() > 2 && option.starts_with("--") && !global.contains(&option) {
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
        let mut found = explained(&heading);
        for shared in SHARED {
            let anchor = shared.to_lowercase().replace(' ', "-");
            if section.contains(&format!("](#{anchor})")) {
                found.extend(explained(shared));
            }
        }
        assert_eq!(found, known, "{heading}");
    }
}

/// Every command with its own options, without the global ones.
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

/// The command lines in code blocks, and those that the prose mentions.
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
    let mut mentioned = document.code_spans();
    typed.retain(|line| calls_aghook(line).is_some());
    // `COMMAND` is a placeholder, as in `aghook COMMAND --help`.
    mentioned.retain(|line| calls_aghook(line).is_some() && !line.contains("COMMAND"));
    (typed, mentioned)
}

/// The arguments after the program's name.
fn calls_aghook(line: &str) -> Option<&str> {
    let prefixes = [
        "aghook ",
        "cargo run -- ",
        "cargo run --locked --all-features -- ",
    ];
    let after = prefixes
        .iter()
        .find_map(|prefix| line.strip_prefix(prefix))?;
    // `aghook 0.1.0`, as in the first line of a report, is not a command.
    after
        .starts_with(|c: char| c.is_ascii_lowercase() || c == '-')
        .then_some(after)
}

fn words_for_aghook(line: &str) -> Option<Vec<String>> {
    let words = shlex::split(calls_aghook(line)?)?;
    let is_shell_syntax = |word: &String| ["|", ">", "<", "&", "&&", ";"].contains(&word.as_str());
    let own = words.into_iter().take_while(|word| !is_shell_syntax(word));
    Some(std::iter::once("aghook".to_owned()).chain(own).collect())
}
