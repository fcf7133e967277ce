//! Parses YAML into a tree with source spans, and decodes the tree into typed values.
//!
//! Nothing here depends on scenarios or profiles.

mod decode;
mod decode_error;
mod diagnostic;
mod node;
mod one_or_many;
mod recovery;
mod source_file;
mod source_reader;
mod spanned;
mod substitution;
#[cfg(test)]
mod tests;

pub use decode::decode;
pub use decode_error::{DecodeError, nearest};
pub use diagnostic::{Diagnostic, Diagnostics};
pub use node::{Node, NodeKey, NodeValue};
pub use one_or_many::OneOrMany;
pub use recovery::{DecodeBudget, DecodeOutcome, decode_all};
pub use source_file::SourceFile;
pub use spanned::{Span, Spanned};
pub use substitution::{Variables, substitute};
