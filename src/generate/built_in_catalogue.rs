//! The items of the built-in catalogue.
//!
//! Names and texts are invented. They cover several genres and scripts and include emoji, as real
//! events do.

use BuiltInItem as Item;

/// An item of the built-in catalogue. With `contents` it is a bundle.
pub(super) struct BuiltInItem {
    pub(super) sku: &'static str,
    pub(super) name: &'static str,
    pub(super) description: Option<&'static str>,
    /// The usual quantities; always 1 for a bundle.
    pub(super) quantities: &'static [u64],
    /// The contents of a bundle: SKUs of this catalogue with their quantities.
    pub(super) contents: &'static [(&'static str, u64)],
}

const ONE: &[u64] = &[1];
const FEW: &[u64] = &[1, 2, 3, 5, 10];
const DOZENS: &[u64] = &[10, 20, 25, 40, 60, 100];
const HUNDREDS: &[u64] = &[100, 250, 500, 750, 1_200];
const THOUSANDS: &[u64] = &[1_000, 5_000, 25_000, 120_000, 480_000];
// A game may limit what it grants of an item, so only scenarios about quantities use larger ones.
const MILLIONS: &[u64] = &[250_000, 750_000, 1_000_000];

const fn item(
    sku: &'static str,
    quantities: &'static [u64],
    name: &'static str,
    description: &'static str,
) -> Item {
    Item {
        sku,
        name,
        description: Some(description),
        quantities,
        contents: &[],
    }
}

const fn without_text(sku: &'static str, quantities: &'static [u64], name: &'static str) -> Item {
    Item {
        description: None,
        ..item(sku, quantities, name, "")
    }
}

const fn bundle(
    sku: &'static str,
    name: &'static str,
    description: Option<&'static str>,
    contents: &'static [(&'static str, u64)],
) -> Item {
    Item {
        description,
        contents,
        ..item(sku, ONE, name, "")
    }
}

#[rustfmt::skip]
pub(super) static ITEMS: &[BuiltInItem] = &[
    // Currencies.
    item("crystals", THOUSANDS, "Crystals", "The premium currency of the Shattered Isles. Spend them on summons, skins and speed-ups."),
    item("gold_coins", THOUSANDS, "Gold Coins", "Minted in the Dwarven vaults and accepted by every merchant in the realm."),
    item("gems.blue", HUNDREDS, "Blue Gems", "Refined under moonlight. Every town hall upgrade asks for a few of them."),
    without_text("tickets_arena", FEW, "Arena Tickets"),
    item("energy", DOZENS, "Energy ⚡", "Refills your energy at once, even above the daily limit."),
    item("star_dust", MILLIONS, "Star Dust", "Gathered from falling comets; counted in millions by those who race for the throne."),
    item("fuel_cells", DOZENS, "Fuel Cells", "Powers one hyperspace jump each. Your fleet does not leave port without them."),
    without_text("seeds_sunflower", DOZENS, "Sunflower Seeds"),
    item("diamonds.promo", HUNDREDS, "Алмазы 💎", "Подарочные алмазы. Их нельзя передать другому игроку."),
    item("league-points", HUNDREDS, "League Points", "Count toward this week's league table, up to the promotion line."),

    // Boosters and supplies.
    item("boost_xp_2x_1h", FEW, "Double XP (1 hour)", "All battles give twice the experience for one hour of play time."),
    item("boost_harvest_3d", ONE, "Green Thumb, 3 days", "Crops grow 50 % faster. Works while you are offline, too."),
    item("speedup_5m", DOZENS, "5-minute Speed-up", "Takes five minutes off any building, research or training queue."),
    item("speedup_8h", FEW, "8-hour Speed-up", "Takes eight hours off any building, research or training queue."),
    without_text("shield_24h", ONE, "Peace Shield (24 h)"),
    item("potion_heal_l", FEW, "Large Healing Potion", "Restores 2,500 health. Smells of juniper, tastes of \"victory\"."),
    item("hint_pack", DOZENS, "Hints", "One hint shows one right move. Saved for the level that you swore you'd never need them on."),
    item("extra_moves_5", FEW, "+5 Moves", "Five more moves when a level is about to be lost."),
    item("nitro.refill", FEW, "Nitro Refill 🏎️", "A full tank of nitro for your next three races."),
    item("bait_golden", DOZENS, "Golden Bait", "Only legendary fish bite. Lasts for one cast."),
    item("stamina_tea", FEW, "緑茶のスタミナ", "スタミナを60回復します。1日に3回まで使えます。"),

    // Skins and looks.
    item("skin_knight_ember", ONE, "Ember Knight", "A legendary skin: charred plate, a burning plume and its own finishing move."),
    item("skin_mech_koi", ONE, "Koi Mech", "Hand-painted scales on titanium. Voice lines included."),
    item("skin_farm_autumn", ONE, "Autumn Farmhouse", "Maple leaves on the roof, pumpkins on the porch. Changes nothing but the mood."),
    without_text("avatar_frame_s12", ONE, "Season 12 Avatar Frame"),
    item("emote_facepalm", ONE, "Facepalm 🤦", "For the moments that words would make worse."),
    item("car_wrap_aurora", ONE, "Aurora Wrap", "A colour-shifting wrap for any car of class B or higher."),
    item("pet_fox_snow", ONE, "Snežná liška", "Follows you everywhere and finds a hidden chest once a day."),
    item("title_dragonfriend", ONE, "Title: Dragonfriend", "Shown under your name in chat, in raids and on the leader board."),
    without_text("trail_rainbow", ONE, "Rainbow Trail 🌈"),

    // Chests and keys.
    item("chest_wooden", FEW, "Wooden Chest", "Holds three common cards and a little gold."),
    item("chest_royal", FEW, "Royal Chest", "Ten cards, one of them epic or better. Guaranteed by royal decree."),
    item("chest_mimic", ONE, "Suspicious Chest", "It is breathing. Open it anyway?"),
    item("key_dungeon", FEW, "Dungeon Key", "Opens one door of the Sunken Keep; crumbles afterwards."),
    without_text("capsule_gacha_r", FEW, "Rare Capsule"),
    item("cards_hero_epic", FEW, "Epic Hero Cards", "Cards of one random epic hero that you have already unlocked."),
    item("relic_fragment", DOZENS, "Relic Fragments", "Sixty fragments make a relic. Duplicates turn into dust."),

    // Passes and access.
    item("pass_season_12", ONE, "Season 12 Pass", "Unlocks the gold track of season 12, with all rewards up to your present tier."),
    item("vip_7d", ONE, "VIP, 7 days", "A second builder, no queues and a daily gift for a week."),
    item("slot_hero", ONE, "Hero Slot", "Room for one more hero. Stays yours for good."),
    without_text("rename_card", ONE, "Rename Card"),
    item("hero_unlock_vesna", ONE, "Hero: Vesna", "Unlocks Vesna, the thaw mage. Players who own her get 80 hero cards instead."),

    // Bundles.
    bundle("bundle_starter", "Starter Bundle", Some("Everything that a new commander needs for the first week, at the price of nothing."), &[
        ("crystals", 500), ("speedup_5m", 20), ("chest_wooden", 3),
    ]),
    bundle("bundle_racer", "Racer's Toolbox", None, &[
        ("nitro.refill", 5), ("car_wrap_aurora", 1),
    ]),
    bundle("bundle_harvest", "Harvest Festival Basket", Some("Picked this morning. Best opened before the frost comes. 🎃"), &[
        ("seeds_sunflower", 40), ("boost_harvest_3d", 1), ("skin_farm_autumn", 1), ("gold_coins", 25_000),
    ]),
    bundle("bundle_raid_night", "Raid Night Kit", Some("Potions, keys and a shield for the morning after."), &[
        ("potion_heal_l", 10), ("key_dungeon", 2), ("shield_24h", 1),
    ]),
    bundle("bundle_puzzle", "Puzzle Lover's Pack", None, &[
        ("hint_pack", 25), ("extra_moves_5", 10),
    ]),
    bundle("bundle_welcome_back", "Welcome Back!", Some("We kept your chair warm: here is what you missed while you were away."), &[
        ("vip_7d", 1), ("energy", 100), ("boost_xp_2x_1h", 3), ("chest_royal", 2),
    ]),

    // Bundles of bundles.
    bundle("bundle_founders", "Founder's Collection", Some("Both starter bundles in one crate, with a title that can't be earned any more."), &[
        ("bundle_starter", 1), ("bundle_raid_night", 1), ("title_dragonfriend", 1),
    ]),
    bundle("bundle_anniversary", "5 Jahre – Jubiläumspaket", Some("Fünf Jahre, fünf Geschenke. Danke, dass du dabei bist! 🎉"), &[
        ("diamonds.promo", 500), ("bundle_puzzle", 1), ("skin_knight_ember", 1),
    ]),
    bundle("bundle_everything", "The Everything Crate", None, &[
        ("bundle_founders", 1), ("stamina_tea", 5),
    ]),
];
