//! Parts of pages that follow the data: a stream of server-sent events, each with the part's new HTML.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Dashboard;
use super::page::PageError;

/// The shortest time between two events: a queue that works makes thousands of changes a second.
const PAUSE: Duration = Duration::from_millis(100);
/// How many times longer than reading a part the pause after it is: the queue reads the data file, too.
const REST: u32 = 10;

/// Sends what `render` writes, now and whenever it changes, until the server ends.
pub(super) fn follow<F, R>(dashboard: &Dashboard, render: R) -> Response
where
    F: Future<Output = Result<String, PageError>> + Send + 'static,
    R: Fn() -> F + Send + 'static,
{
    let part = Part {
        changes: dashboard.hub.changes(),
        ending: dashboard.ending.clone(),
        shown: None,
        took: Duration::ZERO,
        render,
    };
    let events = stream::unfold(part, async |mut part| {
        let html = part.next_html().await?;
        Some((Ok::<_, Infallible>(Event::default().data(html)), part))
    });
    Sse::new(Box::pin(events))
        .keep_alive(KeepAlive::default())
        .into_response()
}

struct Part<R> {
    changes: watch::Receiver<()>,
    ending: watch::Receiver<bool>,
    shown: Option<String>,
    /// How long reading it took.
    took: Duration,
    render: R,
}

impl<F, R> Part<R>
where
    F: Future<Output = Result<String, PageError>>,
    R: Fn() -> F,
{
    /// The HTML, once it differs from what is shown. `None` when the server ends.
    async fn next_html(&mut self) -> Option<String> {
        loop {
            if self.shown.is_some() {
                tokio::select! {
                    changed = self.changes.changed() => changed.ok()?,
                    _ = self.ending.wait_for(|is_ending| *is_ending) => return None,
                }
                tokio::time::sleep(PAUSE.max(self.took * REST)).await;
            }
            self.changes.borrow_and_update();
            let began = Instant::now();
            let html = (self.render)().await.ok()?;
            self.took = began.elapsed();
            if self.shown.as_ref() != Some(&html) {
                self.shown = Some(html.clone());
                return Some(html);
            }
        }
    }
}
