//! The faults that a scenario can ask for, by name. How each is played is delivery's work.

mod parameters;
mod reading;

use std::fmt;

pub use self::parameters::{LateRetry, Lost, SlowBody, TimeoutOverlap};

/// One table: the variant, what it can be told, its name in a file, and the sentence on it.
macro_rules! faults {
    ($($variant:ident $(($parameters:ty))? $name:literal $about:literal;)*) => {
        /// What goes wrong between the sender and the receiver, though neither wants it. A receiver
        /// must survive it, and grant once.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Fault {
            $(
                #[doc = $about]
                $variant $(($parameters))?,
            )*
        }

        impl Fault {
            /// Every fault as it is where nothing more is said, in the order in which they are
            /// listed to users.
            pub const ALL: [Self; [$($name),*].len()] =
                [$(Self::$variant $((<$parameters>::DEFAULT))?),*];

            const NAMES: &[&str] = &[$($name),*];

            /// The name in a scenario file and on the command line.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant { .. } => $name,)* }
            }

            /// One sentence: what happens, and which mistake of a receiver it reveals.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant { .. } => $about,)* }
            }
        }
    };
}

faults! {
    LostAck "lost_ack"
        "The connection is closed once the answer begins, unread, and the delivery is retried: reveals a receiver that grants again because it takes every request for a new one.";
    CutBody "cut_body"
        "The connection is reset in the middle of the body, and the delivery is retried: reveals a receiver that acts on half an event, or breaks on it.";
    SlowBody(SlowBody) "slow_body"
        "The body comes a byte at a time: reveals a receiver that reads no further than the first piece, or that one slow sender holds up.";
    TimeoutOverlap(TimeoutOverlap) "timeout_overlap"
        "The sender gives up waiting and retries on a new connection while the receiver is still at work: reveals a receiver that looks whether it has granted before it grants, but not in one step.";
    Reset "reset"
        "The connection is reset as soon as the request has left, and the delivery is retried: reveals a receiver that breaks off halfway when nobody waits for the answer.";
    Duplicate "duplicate"
        "Every delivery is made twice, one right behind the other: reveals a receiver that counts on each event coming once.";
    OutOfOrder "out_of_order"
        "The first event's answer is lost, the others come in reverse order, and only then the first is retried: reveals a receiver that remembers only the last event, or expects events in the order of their times.";
    LateRetry(LateRetry) "late_retry"
        "The retry comes when the whole policy is over and repeats the first signature, whose timestamp is that old by then: reveals a receiver that grants again, or drops the event, because the timestamp is no longer fresh.";
}

impl Fault {
    /// Whether it can be played over HTTP/1.1 alone.
    ///
    /// HTTP/2 ends a request by ending its stream: the connection, which other requests share, is
    /// not reset for that. What these faults do to a connection is nothing that a sender over
    /// HTTP/2 does.
    pub fn needs_http1(self) -> bool {
        matches!(self, Self::CutBody | Self::Reset)
    }

    /// Whether it is of no use without a retry.
    pub fn needs_retry(self) -> bool {
        !matches!(self, Self::SlowBody(_) | Self::Duplicate)
    }

    /// Whether a forgery can be delivered so. Forgeries are not retried, so what is about the retry
    /// makes no sense for them.
    pub fn fits_forgery(self) -> bool {
        !self.needs_retry()
    }

    /// Whether deliveries with it can be made at the same moment: those whose first request is sent
    /// as a whole, and which need no order among each other.
    pub fn fits_together(self) -> bool {
        let answer_is_lost = LateRetry { lost: Lost::Answer };
        matches!(self, Self::LostAck | Self::Reset) || self == Self::LateRetry(answer_is_lost)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

#[cfg(test)]
mod tests;
