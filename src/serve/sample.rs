//! What the local Aghanim starts with, if nobody says otherwise.

use serde_json::Map;

use super::seed_file::SeedFile;
use crate::protocol::{Field, Item, ItemKind};
use crate::scenario::document::SourceFile;

const SAMPLE: &str = include_str!("sample.yaml");

/// The sample game.
pub(crate) fn sample_game() -> SeedFile {
    match SeedFile::parse(&SourceFile::new("sample.yaml", SAMPLE)) {
        Ok(sample) => sample,
        Err(problems) => unreachable!("a test reads the sample: {problems:?}"),
    }
}

/// The item of a test event in a game without items.
pub(super) fn test_item() -> Item {
    Item {
        id: "itm_test".into(),
        name: "Test item".into(),
        description: Field::Null,
        sku: "test_item".into(),
        quantity: 1,
        price: Field::Absent,
        price_decimal: Field::Absent,
        currency: Field::Absent,
        kind: ItemKind::Item,
        nested_items: Field::Null,
        fallback_item: Field::Absent,
        unknown: Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_valid() {
        let sample = sample_game();
        assert!(sample.items.len() > 5 && sample.coupons.len() > 5);
    }
}
