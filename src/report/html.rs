//! The HTML report: a run on one self-contained page. It loads nothing from the network and shows the
//! verdict and the list of scenarios without JavaScript; the details of a scenario are built when it
//! is opened.
//!
//! `html/assets` has the templates, the style sheets and the script.

mod embedded;
pub(super) mod latency;
pub(super) mod page;
mod row;

pub(crate) use page::COLORS;
