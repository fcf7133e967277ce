//! Sends recorded deliveries again: with new identities, signed again, in their order and layout.

use std::io::Write as _;

use bytes::Bytes;

use super::super::interrupt::interrupted_once;
use super::super::session::StartedSession;
use super::super::{CommandError, Console, ExitCode, block_on};
use super::ReplayRun;
use crate::capture::{Captured, FreshIdentities, RecordedDelivery, read_capture};
use crate::delivery::{ForgeInput, sign, to_outgoing};
use crate::run::RunContext;
use crate::transport::{Exchange, SendOptions};

/// How many deliveries had which result.
#[derive(Default)]
struct Counts {
    same: u64,
    different: u64,
    not_compared: u64,
}

impl ReplayRun {
    pub(super) fn send_captured(&self, console: &mut Console) -> Result<ExitCode, CommandError> {
        if self.compare == Some(super::Compare::Body) || self.as_treated || !self.filter.is_empty()
        {
            let message = "a capture is replayed as a whole, and only its statuses are compared";
            let help = "remove `--compare body`, `--as-treated` and `--filter`";
            return Err(CommandError::usage(message).with_help(help));
        }
        let Captured { deliveries, note } = read_capture(&self.run).map_err(CommandError::usage)?;
        if let Some(note) = note {
            console.note(&note);
        }
        let chosen = self.session(None, "captured", console)?;
        let (game_id, players) = (&chosen.profile.game_id, chosen.profile.listed_players());
        let mut identities = FreshIdentities::new(game_id.clone(), players.to_vec())
            .map_err(|error| CommandError::not_completed(format!("no random numbers: {error}")))?;
        block_on(async {
            let session = StartedSession::start(chosen, &self.secret, console).await?;
            session.reach(&self.target).await?;
            let context = &session.context;
            let (count, target) = (deliveries.len(), context.shown_target());
            writeln!(
                console,
                "sending {count} recorded deliveries to {target}, with new identities, signed again\n"
            )?;
            let mut counts = Counts::default();
            let mut interrupted = std::pin::pin!(interrupted_once());
            for (index, delivery) in deliveries.iter().enumerate() {
                let text = delivery.request.body.text.as_deref();
                let Some(body) = text.and_then(|text| identities.renew(text)) else {
                    counts.not_compared += 1;
                    continue;
                };
                let exchange = tokio::select! {
                    biased;
                    () = &mut interrupted => break,
                    exchange = send(context, body) => exchange,
                };
                self.print_captured(
                    index + 1,
                    delivery,
                    &exchange,
                    context,
                    &mut counts,
                    console,
                )?;
            }
            session.stop().await;
            counts.print(console)?;
            Ok(counts.verdict())
        })
    }

    fn print_captured(
        &self,
        number: usize,
        delivery: &RecordedDelivery,
        exchange: &Exchange,
        context: &RunContext,
        counts: &mut Counts,
        console: &mut Console,
    ) -> std::io::Result<()> {
        let recorded = delivery.response.as_ref().map(|response| response.status);
        // A receiver that failed then need not fail now.
        let recorded = recorded.filter(|status| *status < 500);
        let shown = |status: Option<u16>| match status {
            Some(status) => status.to_string(),
            None => "a failure".to_owned(),
        };
        let (now, observed) = match &exchange.result {
            Ok(response) => (Some(response.status), response.status.to_string()),
            Err(failure) => (None, context.shown(failure)),
        };
        let is_same = now == recorded;
        match (is_same, recorded) {
            (true, Some(_)) => counts.same += 1,
            (false, Some(_)) => counts.different += 1,
            (_, None) => counts.not_compared += 1,
        }
        if self.verbose || (!is_same && recorded.is_some()) {
            let mark = if is_same { "=" } else { "≠" };
            let recorded = shown(recorded);
            writeln!(
                console,
                "{mark} delivery {number}: recorded {recorded}, now {observed}"
            )?;
        }
        Ok(())
    }
}

async fn send(context: &RunContext, body: String) -> Exchange {
    let body = Bytes::from(body);
    let timestamp = context
        .timestamps
        .allocate(&body, context.clock.unix_seconds());
    let signed = sign(&ForgeInput {
        host: context.target.authority(),
        body: &body,
        timestamp,
        signer: &context.signer,
        expired: None,
    });
    let request = to_outgoing(&signed, &context.headers);
    let options = SendOptions::within(context.retry.timeout.0);
    context
        .client
        .send(&context.target, &request, options)
        .await
}

impl Counts {
    fn print(&self, console: &mut Console) -> std::io::Result<()> {
        let Self {
            same,
            different,
            not_compared,
        } = self;
        let all = same + different + not_compared;
        writeln!(
            console,
            "{all} deliveries: {same} with the recorded status, {different} with another, \
             {not_compared} not compared"
        )
    }

    /// A replay that compared nothing does not succeed.
    fn verdict(&self) -> ExitCode {
        match (self.different, self.same) {
            (1.., _) => ExitCode::CheckFailed,
            (0, 0) => ExitCode::NotCompleted,
            (0, _) => ExitCode::Success,
        }
    }
}
