//! Reports of a load, in the same formats as those of a run.

mod annotations;
mod checks;
mod junit;
mod markdown;
mod mix_rows;
mod page;
mod summary;
mod time_plot;
mod time_rows;

pub(crate) use annotations::write_load_annotations;
pub(crate) use junit::write_load_junit;
pub(crate) use markdown::write_load_markdown;
pub(crate) use page::write_load_page;
pub(crate) use summary::write_load_summary;
