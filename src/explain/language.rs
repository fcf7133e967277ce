//! The languages of the code.

use clap::ValueEnum;

/// A language with the framework that the code uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// Node.js with Express
    Node,
    #[value(help = "Python with FastAPI")]
    Python,
    /// Go with net/http
    Go,
    /// Java with Spring Boot
    Java,
    /// C# with ASP.NET Core
    Csharp,
}

impl Language {
    pub(crate) const ALL: [Self; 5] =
        [Self::Node, Self::Python, Self::Go, Self::Java, Self::Csharp];

    /// The name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Python => "python",
            Self::Go => "go",
            Self::Java => "java",
            Self::Csharp => "csharp",
        }
    }

    /// The language and the framework.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Node => "Node.js (Express 5)",
            Self::Python => "Python (FastAPI)",
            Self::Go => "Go (net/http)",
            Self::Java => "Java (Spring Boot)",
            Self::Csharp => "C# (ASP.NET Core)",
        }
    }

    /// The word after the three backticks in Markdown.
    pub(super) fn fence(self) -> &'static str {
        match self {
            Self::Node => "js",
            other => other.name(),
        }
    }
}
