//! YAML text as a tree whose every node knows its place, and the way from there to typed values.
//!
//! Nothing here knows what a scenario or a profile is.

mod decode;
mod decode_error;
mod diagnostic;
mod located;
mod node;
mod one_or_many;
mod recovery;
mod source_file;
mod substitution;
#[cfg(test)]
mod tests;

pub use decode::decode;
pub use decode_error::{DecodeError, nearest};
pub use diagnostic::{Diagnostic, Diagnostics};
pub use located::{Located, Span};
pub use node::{Key, Node, NodeValue};
pub use one_or_many::OneOrMany;
pub use recovery::{Decoded, Patience, decode_all};
pub use source_file::SourceFile;
pub use substitution::{Variables, substitute};
