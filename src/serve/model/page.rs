//! A part of a list.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) limit: u32,
    pub(crate) offset: u32,
}

impl Page {
    /// Everything that a list can have.
    pub(crate) const ALL: Self = Self {
        limit: u32::MAX,
        offset: 0,
    };
}
