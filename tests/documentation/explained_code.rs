//! The code that `aghook explain` shows is valid. Java is only parsed, since its libraries are missing, and
//! C# is not checked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::markdown::{Document, root};

/// Compiles each file without running it.
const COMPILE: &str = "import sys\n\
                       for name in sys.argv[1:]: compile(open(name).read(), name, 'exec')";

/// Parses each file. What it uses need not exist.
const PARSE: &str = r"
import com.sun.source.util.JavacTask;
import java.util.List;
import javax.tools.*;

class Parse {
    public static void main(String[] names) throws Exception {
        var compiler = ToolProvider.getSystemJavaCompiler();
        var found = new DiagnosticCollector<JavaFileObject>();
        var files = compiler.getStandardFileManager(found, null, null).getJavaFileObjects(names);
        ((JavacTask) compiler.getTask(null, null, found, List.of(), null, files)).parse();
        found.getDiagnostics().forEach(System.err::println);
        System.exit(found.getDiagnostics().size());
    }
}
";

/// Writes the code of each topic in a language to a file, between these texts.
fn files(folder: &TempDir, fence: &str, ending: &str, around: [&str; 2]) -> Vec<PathBuf> {
    let topics = fs::read_dir(root().join("src/explain/topics")).expect("a folder");
    let mut files = Vec::new();
    for topic in topics {
        let topic = topic.expect("an entry").path();
        let document = Document::read(&topic);
        let name = topic.file_stem().expect("a name").to_string_lossy();
        let blocks = document.blocks();
        let block = blocks.iter().find(|block| block.language == fence);
        let code = &block.unwrap_or_else(|| panic!("{name}: no {fence}")).text;
        let file = folder.path().join(format!("{name}.{ending}"));
        fs::write(&file, [around[0], code, around[1]].concat()).expect("written");
        files.push(file);
    }
    assert!(files.len() > 10, "only {} topics", files.len());
    files
}

/// Runs a program with files, which prints nothing if they are valid. Without it, says that it is skipped.
#[track_caller]
fn check(program: &str, options: &[&str], files: &[impl AsRef<Path>]) {
    let mut command = Command::new(program);
    command.args(options);
    command.args(files.iter().map(AsRef::as_ref));
    match command.output() {
        Ok(output) => {
            let printed = [output.stdout, output.stderr].concat();
            let printed = String::from_utf8_lossy(&printed);
            assert!(output.status.success() && printed.is_empty(), "{printed}");
        }
        Err(error) => eprintln!("skipped: {program} can't be run: {error}"),
    }
}

#[test]
fn python_compiles() {
    let folder = TempDir::new().expect("a folder");
    let files = files(&folder, "python", "py", ["", ""]);
    check("python3", &["-c", COMPILE], &files);
}

#[test]
fn javascript_is_valid() {
    let folder = TempDir::new().expect("a folder");
    for file in files(&folder, "js", "mjs", ["", ""]) {
        check("node", &["--check"], &[file]);
    }
}

#[test]
fn go_is_valid_and_formatted() {
    let folder = TempDir::new().expect("a folder");
    let files = files(&folder, "go", "go", ["package webhook\n\n", ""]);
    check("gofmt", &["-d"], &files);
}

#[test]
fn java_is_valid() {
    // Only a JDK has the compiler.
    if let Err(error) = Command::new("javac").arg("-version").output() {
        eprintln!("skipped: javac can't be run: {error}");
        return;
    }
    let folder = TempDir::new().expect("a folder");
    let parser = folder.path().join("Parse.java");
    fs::write(&parser, PARSE).expect("written");
    let parser = parser.to_str().expect("UTF-8");
    let files = files(&folder, "java", "java", ["class Webhook {\n", "}\n"]);
    check("java", &[parser], &files);
}
