//! What a probe may return.

use std::fmt;

/// How much of an item a player holds: any integer, or a `Result` with one and why it can't be read.
pub trait Quantity {
    /// The number, or why there is none.
    fn into_quantity(self) -> Result<i128, String>;
}

macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl Quantity for $integer {
            fn into_quantity(self) -> Result<i128, String> {
                i128::try_from(self).map_err(|error| error.to_string())
            }
        }
    )*};
}

integers!(
    u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize
);

impl<N: Quantity, E: fmt::Display> Quantity for Result<N, E> {
    fn into_quantity(self) -> Result<i128, String> {
        self.map_err(|error| error.to_string())?.into_quantity()
    }
}
