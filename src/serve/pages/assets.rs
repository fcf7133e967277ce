//! The style sheet, the scripts and the icon.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use http::header;

use super::Dashboard;
use crate::report::COLORS;

const ICON: &str = include_str!("assets/icon.svg");

/// Paths, content types, and the parts of the files.
const FILES: [(&str, &str, &[&str]); 6] = [
    (
        "/assets/style.css",
        "text/css; charset=utf-8",
        &[COLORS, include_str!("assets/style.css")],
    ),
    (
        "/assets/dashboard.js",
        "text/javascript; charset=utf-8",
        &[include_str!("assets/dashboard.js")],
    ),
    (
        "/assets/live.js",
        "text/javascript; charset=utf-8",
        &[include_str!("assets/live.js")],
    ),
    (
        "/assets/copy.js",
        "text/javascript; charset=utf-8",
        &[include_str!("assets/copy.js")],
    ),
    ("/assets/icon.svg", "image/svg+xml", &[ICON]),
    // Browsers ask for it on pages that are plain text.
    ("/favicon.ico", "image/svg+xml", &[ICON]),
];

pub(super) fn routes() -> Router<Arc<Dashboard>> {
    FILES
        .iter()
        .fold(Router::new(), |router, (path, kind, parts)| {
            let respond = async || ([(header::CONTENT_TYPE, *kind)], parts.concat());
            router.route(path, get(respond))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative luminance of a color, as WCAG defines it.
    fn luminance(color: &str) -> f64 {
        let channel = |at: usize| {
            let value = u8::from_str_radix(&color[at..at + 2], 16).expect("hex digits");
            let value = f64::from(value) / 255.0;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    #[test]
    fn every_text_color_has_enough_contrast_on_every_background() {
        let color = |name: &str, dark: bool| {
            let line = COLORS
                .lines()
                .find(|line| line.trim().starts_with(&format!("--{name}:")));
            let line = line.unwrap_or_else(|| panic!("no color {name}"));
            let colors = line.split_once('(').expect("light-dark").1;
            let (light, rest) = colors.split_once(", ").expect("two colors");
            let chosen = if dark {
                rest.trim_end_matches([')', ';'])
            } else {
                light
            };
            luminance(chosen)
        };
        let texts = [
            "text",
            "soft",
            "accent",
            "failed",
            "broken",
            "warned",
            "not-checked",
            "passed",
            "key",
            "string",
            "number",
        ];
        for dark in [false, true] {
            for background in ["page", "card", "sunk"] {
                for text in texts {
                    let (one, other) = (color(text, dark), color(background, dark));
                    let contrast = (one.max(other) + 0.05) / (one.min(other) + 0.05);
                    assert!(
                        contrast >= 4.5,
                        "{text} on {background}, dark {dark}: {contrast:.2}"
                    );
                }
            }
        }
    }
}
