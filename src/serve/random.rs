//! The hub's source of randomness: IDs, secrets and chance.

use std::sync::{Arc, Mutex, PoisonError};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;

use crate::generate::random_id;
use crate::protocol::Secret;

/// Clones share one generator, which the caller seeds: from the system for real use, because secrets
/// come from it.
#[derive(Debug, Clone)]
pub(crate) struct HubRandom(Arc<Mutex<ChaCha20Rng>>);

impl HubRandom {
    pub(crate) fn from_seed(seed: [u8; 32]) -> Self {
        Self(Arc::new(Mutex::new(ChaCha20Rng::from_seed(seed))))
    }

    /// A separate generator for one task.
    pub(crate) fn fork(&self) -> ChaCha20Rng {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ChaCha20Rng::from_rng(&mut *shared)
    }

    pub(crate) fn id(&self, prefix: &str) -> String {
        random_id(prefix, &mut self.fork())
    }

    /// A new secret: 64 hex digits. How Aghanim's secrets look is not documented. `[A]`
    pub(crate) fn secret(&self) -> Secret {
        let text = hex::encode(self.fork().random::<[u8; 32]>());
        match Secret::new(text) {
            Ok(secret) => secret,
            Err(_) => unreachable!("64 digits are not empty"),
        }
    }
}
