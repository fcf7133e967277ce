//! What a profile says about the form of events.

use std::sync::Arc;

use super::{BodyLayout, ContextObjects, KeyForm};

/// The form of generated events, unless an event has its own.
#[derive(Debug, Clone, Default)]
pub struct EventForm {
    /// How bodies are written.
    pub(crate) layout: BodyLayout,
    /// The form of idempotency keys. If `None`, that of the source's example.
    pub(crate) key: Option<Arc<KeyForm>>,
    pub(crate) contexts: Arc<ContextObjects>,
}
