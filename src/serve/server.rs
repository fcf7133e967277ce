//! Listens, and serves the APIs and the dashboard until it is told to stop.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use super::api::{Guard, router};
use super::hub::Hub;
use super::pages;

/// How long requests and attempts in flight may take after the shutdown begins. What does not end in time
/// is sent again at the next start.
const GRACE: Duration = Duration::from_secs(5);

/// Where the server can be reached.
#[derive(Debug, Default)]
pub(crate) struct ServerSettings {
    /// Names other than `localhost` that clients may use, such as that of a container.
    pub(crate) server_names: Vec<String>,
}

/// Serves the hub on a listener until `shutdown` completes. Then ends the requests and the attempts in
/// flight, and closes the data file.
pub(crate) async fn serve(
    hub: Arc<Hub>,
    listener: TcpListener,
    settings: ServerSettings,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let guard = Guard {
        is_remote: !listener.local_addr()?.ip().is_loopback(),
        names: settings.server_names,
    };
    let (begun, mut ending) = watch::channel(false);
    let pages = pages::routes(Arc::clone(&hub), ending.clone());
    let router = router(Arc::clone(&hub), guard, pages);
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        shutdown.await;
        begun.send_replace(true);
    });
    let forced = async {
        let _ = ending.wait_for(|is_ending| *is_ending).await;
        tokio::time::sleep(GRACE).await;
    };
    let result = tokio::select! {
        ended = server => ended,
        () = forced => Ok(()),
    };
    hub.stop(GRACE).await;
    result
}
