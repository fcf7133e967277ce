//! Reports of a load: of its figures and verdicts, in the same kinds as those of a run.

mod annotations;
mod checks;
mod histogram;
mod junit;
mod markdown;
mod mix;
mod page;
mod plot;
mod summary;

pub use annotations::write_load_annotations;
pub use junit::write_load_junit;
pub use markdown::write_load_markdown;
pub use page::write_load_page;
pub use summary::write_load_summary;
