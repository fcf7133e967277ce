//! The items that generated events grant: the built-in ones or a game's own.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU64;
use std::sync::{Arc, LazyLock};

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};

use super::built_in_catalogue::ITEMS;
use super::identifiers::item_id;
use super::item_identity::ItemIdentity;
use crate::protocol::{Field, Text};

/// The items that generated events grant.
#[derive(Debug, Clone)]
pub struct Catalogue {
    entries: Vec<CatalogueEntry>,
    by_sku: HashMap<Text, usize>,
    pub(super) plain: Vec<usize>,
    /// Indices of the bundles that contain no other bundle.
    pub(super) bundles: Vec<usize>,
    /// Indices of the bundles that contain bundles.
    pub(super) nesting_bundles: Vec<usize>,
    /// Indices of the game's own SKUs of bundles, whose contents the events decide.
    pub(super) bundle_skus: Vec<usize>,
}

/// An item of a game's catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogueItem {
    /// The item's SKU at Aghanim, and in the game unless `held_as` says otherwise.
    pub sku: String,
    /// The name that players see. Default: derived from the SKU.
    pub name: Option<String>,
    /// A description of the item. Default: `null`.
    pub description: Option<String>,
    /// The SKU that the game holds instead, and that probes are asked for. Default: the same SKU.
    pub held_as: Option<String>,
    /// How many the game holds for one of the item. Default: 1.
    pub times: Option<NonZeroU64>,
    /// Whether a player can hold more than one. Default: `true`. Granting a non-stackable item
    /// again changes nothing, so generated events use it only if all items are non-stackable.
    #[serde(default = "stackable")]
    pub stackable: bool,
    /// Whether it is a bundle. If an item is, generated bundles have only such SKUs, and all else has the
    /// others. Default: `false`.
    #[serde(default)]
    pub bundle: bool,
}

impl CatalogueItem {
    /// Reads a list of items. Without a plain one, no bundle would contain anything.
    pub(crate) fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Self>, D::Error> {
        let items = Vec::<Self>::deserialize(deserializer)?;
        if !items.is_empty() && items.iter().all(|item| item.bundle) {
            return Err(D::Error::custom(
                "`items` lists only bundles: list a plain item, too",
            ));
        }
        Ok(items)
    }

    /// An item with defaults.
    #[cfg(test)]
    pub(crate) fn named(sku: &str) -> Self {
        Self {
            sku: sku.to_owned(),
            name: None,
            description: None,
            held_as: None,
            times: None,
            stackable: true,
            bundle: false,
        }
    }

    /// The SKU that the game holds.
    pub(crate) fn held_sku(&self) -> &str {
        self.held_as.as_deref().unwrap_or(&self.sku)
    }

    /// How many the game holds for one of the item.
    pub(crate) fn held_times(&self) -> u64 {
        self.times.map_or(1, NonZeroU64::get)
    }
}

fn stackable() -> bool {
    true
}

#[derive(Debug, Clone)]
pub(super) struct CatalogueEntry {
    pub(super) identity: ItemIdentity,
    stackable: bool,
    /// Whether the game says that this is a bundle's SKU.
    is_bundle_sku: bool,
    /// The contents of a bundle: indices of entries with their quantities.
    pub(super) contents: Vec<(usize, u64)>,
}

/// The quantities of an item that is not in the catalogue.
pub(super) const USUAL_QUANTITIES: &[u64] = &[1, 2, 5, 10, 50, 100, 500];

impl Catalogue {
    /// The built-in catalogue: items of several genres, bundles, and bundles of bundles.
    pub fn built_in() -> Arc<Self> {
        static BUILT_IN: LazyLock<Arc<Catalogue>> =
            LazyLock::new(|| Arc::new(Catalogue::from_entries(built_in_entries())));
        Arc::clone(&BUILT_IN)
    }

    /// A catalogue of a game's own items, from which random bundles are assembled. If an SKU
    /// occurs several times, the first item is used. Without items, this is the built-in catalogue.
    pub fn of(items: Vec<CatalogueItem>) -> Self {
        if items.is_empty() {
            return Self::built_in().as_ref().clone();
        }
        let mut seen = HashSet::new();
        let entries = items
            .into_iter()
            .filter(|item| seen.insert(item.sku.clone()))
            .map(|item| CatalogueEntry {
                identity: ItemIdentity {
                    id: item_id(&item.sku).into(),
                    name: item.name.unwrap_or_else(|| name_of_sku(&item.sku)).into(),
                    description: item
                        .description
                        .map_or(Field::Null, |text| Field::Value(text.into())),
                    sku: item.sku.into(),
                    quantities: if item.stackable {
                        USUAL_QUANTITIES
                    } else {
                        &[1]
                    },
                },
                stackable: item.stackable,
                is_bundle_sku: item.bundle,
                contents: Vec::new(),
            });
        Self::from_entries(entries.collect())
    }

    /// The SKUs of all items, in the catalogue's order.
    pub fn skus(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.identity.sku.as_ref())
    }

    pub(super) fn entry(&self, index: usize) -> &CatalogueEntry {
        &self.entries[index]
    }

    pub(super) fn find(&self, sku: &str) -> Option<&ItemIdentity> {
        let index = self.by_sku.get(sku)?;
        Some(&self.entries[*index].identity)
    }

    /// An SKU of this many characters, if an item has one.
    pub(crate) fn sku_of_length(&self, length: usize) -> Option<&Text> {
        let plain = self.entries.iter().filter(|entry| !entry.is_bundle_sku);
        let mut skus = plain.map(|entry| &entry.identity.sku);
        skus.find(|sku| sku.chars().count() == length)
    }

    fn from_entries(entries: Vec<CatalogueEntry>) -> Self {
        let indices = |matches: &dyn Fn(&CatalogueEntry) -> bool| -> Vec<usize> {
            (0..entries.len())
                .filter(|index| matches(&entries[*index]))
                .collect()
        };
        let is_bundle = |entry: &CatalogueEntry| !entry.contents.is_empty();
        let has_plain = entries.iter().any(|entry| !entry.is_bundle_sku);
        let is_plain =
            |entry: &CatalogueEntry| !(is_bundle(entry) || entry.is_bundle_sku && has_plain);
        // A duplicate grant is visible only if the item is stackable.
        let none_stackable = !entries
            .iter()
            .any(|entry| entry.stackable && is_plain(entry));
        let contains_bundle = |entry: &CatalogueEntry| {
            let mut contents = entry.contents.iter();
            contents.any(|(index, _)| is_bundle(&entries[*index]))
        };
        Self {
            plain: indices(&|entry| is_plain(entry) && (entry.stackable || none_stackable)),
            bundle_skus: indices(&|entry| entry.is_bundle_sku),
            bundles: indices(&|entry| is_bundle(entry) && !contains_bundle(entry)),
            nesting_bundles: indices(&contains_bundle),
            by_sku: (0..entries.len())
                .map(|index| (entries[index].identity.sku.clone(), index))
                .collect(),
            entries,
        }
    }
}

fn built_in_entries() -> Vec<CatalogueEntry> {
    // Static, so that events can borrow the IDs.
    static IDS: LazyLock<Vec<String>> =
        LazyLock::new(|| ITEMS.iter().map(|item| item_id(item.sku)).collect());
    let index_of = |sku: &str| ITEMS.iter().position(|item| item.sku == sku);
    ITEMS
        .iter()
        .zip(IDS.iter())
        .map(|(item, id)| CatalogueEntry {
            identity: ItemIdentity {
                id: Text::Borrowed(id),
                sku: Text::Borrowed(item.sku),
                name: Text::Borrowed(item.name),
                description: item
                    .description
                    .map_or(Field::Null, |text| Field::Value(Text::Borrowed(text))),
                quantities: item.quantities,
            },
            stackable: true,
            is_bundle_sku: false,
            contents: item
                .contents
                .iter()
                .filter_map(|(sku, quantity)| Some((index_of(sku)?, *quantity)))
                .collect(),
        })
        .collect()
}

/// Derives a display name from an SKU: `gems_100` becomes `Gems 100`.
pub(super) fn name_of_sku(sku: &str) -> String {
    let words = sku.split(|c: char| !c.is_alphanumeric());
    let mut name = String::with_capacity(sku.len());
    for word in words.filter(|word| !word.is_empty()) {
        if !name.is_empty() {
            name.push(' ');
        }
        let mut letters = word.chars();
        name.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        name.push_str(letters.as_str());
    }
    if name.is_empty() {
        sku.to_owned()
    } else {
        name
    }
}

/// Derives an SKU from a display name: `Gems 100` becomes `gems_100`. A name without an ASCII
/// letter or digit gets its SKU from [`distinct_sku_of_name`].
pub(super) fn sku_of_name(name: &str) -> String {
    let slug = slug(name);
    if slug.is_empty() {
        distinct_sku_of_name(name)
    } else {
        slug
    }
}

/// Derives an SKU that is unique to the name: `Gems 100` becomes `gems_100_` followed by eight hex
/// digits of the name's SHA-256.
pub(super) fn distinct_sku_of_name(name: &str) -> String {
    let mut sku = slug(name);
    if sku.is_empty() {
        sku.push_str("item");
    }
    sku.push('_');
    sku.push_str(&hex::encode(&Sha256::digest(name)[..4]));
    sku
}

/// An invented SKU of this many characters.
pub(super) fn sku_of_length(length: usize) -> String {
    "a_long_sku_".chars().cycle().take(length).collect()
}

fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    words
        .map(str::to_ascii_lowercase)
        .collect::<Vec<_>>()
        .join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(sku: &str, name: Option<&str>) -> CatalogueItem {
        CatalogueItem {
            name: name.map(str::to_owned),
            ..CatalogueItem::named(sku)
        }
    }

    #[test]
    fn the_built_in_catalogue_is_consistent() {
        let catalogue = Catalogue::built_in();
        let skus: HashSet<&str> = catalogue.skus().collect();
        assert_eq!(skus.len(), ITEMS.len(), "duplicate SKU");
        let names: HashSet<&str> = ITEMS.iter().map(|item| item.name).collect();
        assert_eq!(names.len(), ITEMS.len(), "duplicate name");
        for item in ITEMS {
            for (sku, quantity) in item.contents {
                assert!(
                    skus.contains(sku),
                    "{} contains the unknown SKU {sku}",
                    item.sku
                );
                assert!(*quantity > 0);
            }
            assert!(!item.quantities.is_empty());
            assert!(
                item.contents.is_empty() || item.quantities == [1],
                "{}",
                item.sku
            );
        }
        assert!(!catalogue.bundles.is_empty() && !catalogue.nesting_bundles.is_empty());
        assert!(ITEMS.iter().any(|item| item.description.is_none()));
        assert!(ITEMS.iter().any(|item| !item.name.is_ascii()));
    }

    #[test]
    fn built_in_texts_are_borrowed() {
        for entry in &Catalogue::built_in().entries {
            let identity = &entry.identity;
            for text in [&identity.id, &identity.sku, &identity.name] {
                assert!(matches!(text, Text::Borrowed(_)), "{text}");
            }
        }
    }

    #[test]
    fn the_first_of_several_items_with_one_sku_is_used() {
        let catalogue = Catalogue::of(vec![
            own("gems_100", None),
            own("sword", Some("Меч")),
            own("gems_100", Some("Other")),
        ]);
        assert_eq!(catalogue.skus().collect::<Vec<_>>(), ["gems_100", "sword"]);
        let name = |sku| catalogue.find(sku).map(|item| item.name.as_ref());
        assert_eq!(name("gems_100"), Some("Gems 100"));
        assert_eq!(name("sword"), Some("Меч"));
        assert_eq!(name("Sword"), None);
    }

    #[test]
    fn stackable_items_are_preferred() {
        let non_stackable = |sku| CatalogueItem {
            stackable: false,
            ..own(sku, None)
        };
        let plain = |items| {
            let catalogue = Catalogue::of(items);
            let plain = catalogue.plain.iter().map(|index| catalogue.entry(*index));
            plain
                .map(|entry| &entry.identity)
                .map(|item| (item.sku.to_string(), item.quantities.len()))
                .collect::<Vec<_>>()
        };
        let mixed = plain(vec![non_stackable("hat"), own("gems", None)]);
        assert_eq!(mixed, [("gems".to_owned(), USUAL_QUANTITIES.len())]);
        assert_eq!(plain(vec![non_stackable("hat")]), [("hat".to_owned(), 1)]);
    }

    #[test]
    fn marked_bundles_are_the_skus_of_bundles_and_of_nothing_else() {
        let bundle = |sku| CatalogueItem {
            bundle: true,
            ..own(sku, None)
        };
        let skus = |catalogue: &Catalogue, of: &[usize]| {
            let entries = of.iter().map(|index| catalogue.entry(*index));
            entries
                .map(|entry| entry.identity.sku.to_string())
                .collect::<Vec<_>>()
        };
        let items = vec![bundle("chest"), own("gems", None), own("hat", None)];
        let catalogue = Catalogue::of(items);
        assert_eq!(skus(&catalogue, &catalogue.plain), ["gems", "hat"]);
        assert_eq!(skus(&catalogue, &catalogue.bundle_skus), ["chest"]);
        assert_eq!(catalogue.sku_of_length(5), None);
        // Nothing else would be left.
        let catalogue = Catalogue::of(vec![bundle("chest")]);
        assert_eq!(skus(&catalogue, &catalogue.plain), ["chest"]);
    }

    #[test]
    fn without_items_the_built_in_catalogue_is_used() {
        assert_eq!(Catalogue::of(Vec::new()).skus().count(), ITEMS.len());
    }

    #[test]
    fn names_and_skus_are_derived_from_each_other() {
        assert_eq!(
            name_of_sku("com.game.gold-coins_2"),
            "Com Game Gold Coins 2"
        );
        assert_eq!(name_of_sku("---"), "---");
        assert_eq!(sku_of_name("+5 Moves"), "5_moves");
        assert_eq!(sku_of_name("Меч"), distinct_sku_of_name("Меч"));
        assert_ne!(sku_of_name("Меч"), sku_of_name("Щит"));
        assert!(distinct_sku_of_name("Меч").starts_with("item_"));
    }
}
