//! What is wrong with a TLS connection, in plain words.

use std::io;

use rustls::{AlertDescription, CertificateError, Error};

use super::Failure;

pub(super) const OTHER_HOST: &str = "it is for another host";
pub(super) const EXPIRED: &str = "it has expired";

/// The failure for an error of TLS, during the handshake or later.
pub(in crate::transport) fn tls_failure(error: &Error) -> Failure {
    match error {
        Error::InvalidCertificate(problem) => Failure::UntrustedCertificate {
            reason: certificate_problem(problem),
        },
        Error::AlertReceived(alert) => alert_failure(*alert),
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => {
            Failure::tls("the receiver does not speak TLS on this port")
        }
        Error::PeerIncompatible(_) => Failure::tls(
            "the receiver and aghook have no TLS version or cipher in common; aghook speaks TLS \
             1.2 and 1.3",
        ),
        Error::NoCertificatesPresented => Failure::tls("the receiver has sent no certificate"),
        Error::DecryptError
        | Error::PeerMisbehaved(_)
        | Error::InappropriateHandshakeMessage { .. } => {
            Failure::tls("the receiver broke the rules of TLS")
        }
        _ => Failure::tls("the handshake could not be completed"),
    }
}

/// The failure for an error of TLS within an I/O error, if there is one.
pub(super) fn tls_failure_within(error: &io::Error) -> Option<Failure> {
    let inner = error.get_ref()?.downcast_ref::<Error>()?;
    Some(tls_failure(inner))
}

fn alert_failure(alert: AlertDescription) -> Failure {
    use AlertDescription as Alert;
    let client = |reason: &str| Failure::ClientCertificate {
        reason: reason.to_owned(),
    };
    match alert {
        Alert::NoApplicationProtocol => Failure::VersionNotOffered,
        Alert::CertificateRequired => client("the receiver demands a client certificate"),
        Alert::CertificateExpired => {
            client("the receiver says that the client certificate has expired")
        }
        Alert::CertificateRevoked => {
            client("the receiver says that the client certificate has been revoked")
        }
        Alert::UnknownCA => {
            client("the receiver does not know the CA that signed the client certificate")
        }
        Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateUnknown
        | Alert::AccessDenied => {
            client("the receiver demands a client certificate, or does not accept the given one")
        }
        Alert::ProtocolVersion => Failure::tls(
            "the receiver does not speak TLS 1.2 or 1.3, which are the versions that aghook speaks",
        ),
        Alert::HandshakeFailure | Alert::InsufficientSecurity => Failure::tls(
            "the receiver and aghook have no cipher in common, or the receiver has no certificate \
             for this host",
        ),
        Alert::UnrecognisedName => Failure::tls("the receiver has no certificate for this host"),
        Alert::InternalError => Failure::tls("the receiver had an internal error"),
        Alert::CloseNotify | Alert::UserCanceled => {
            Failure::tls("the connection was closed during the handshake")
        }
        _ => Failure::tls("the receiver refused the handshake"),
    }
}

fn certificate_problem(error: &CertificateError) -> String {
    use CertificateError as Problem;
    let plain = match error {
        Problem::UnknownIssuer => "it is signed by an unknown CA",
        Problem::Expired | Problem::ExpiredContext { .. } => EXPIRED,
        Problem::NotValidYet | Problem::NotValidYetContext { .. } => "it is not valid yet",
        Problem::Revoked => "it has been revoked",
        Problem::NotValidForName | Problem::NotValidForNameContext { .. } => OTHER_HOST,
        Problem::BadEncoding => "it is malformed",
        Problem::BadSignature => "its signature is wrong",
        Problem::InvalidPurpose | Problem::InvalidPurposeContext { .. } => {
            "it is not a certificate for servers"
        }
        Problem::UnhandledCriticalExtension => {
            "it has a critical extension that aghook does not know"
        }
        Problem::Other(other) if other.to_string() == "CaUsedAsEndEntity" => {
            "it is a self-signed certificate or a CA's, and not the one in `--cacert`"
        }
        _ => "it has an algorithm or a property that aghook does not support",
    };
    plain.to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{OtherError, PeerIncompatible};

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("CaUsedAsEndEntity")]
    struct OfLibrary;

    #[test]
    fn no_message_is_debug_text() {
        let other = CertificateError::Other(OtherError(Arc::new(OfLibrary)));
        let certificates = [
            other,
            CertificateError::UnknownIssuer,
            CertificateError::BadSignature,
        ];
        let certificates = certificates.map(Error::InvalidCertificate);
        let alerts = (0..=u8::MAX).map(|alert| Error::AlertReceived(alert.into()));
        let others = [
            Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
            Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType),
            Error::General("DebugText".to_owned()),
        ];
        for error in certificates.into_iter().chain(alerts).chain(others) {
            let failure = tls_failure(&error);
            for text in [failure.to_string(), failure.hint().to_owned()] {
                // CamelCase betrays a name of the library.
                let is_name = |word: &str| {
                    let letters: Vec<char> = word.chars().collect();
                    letters
                        .windows(2)
                        .any(|pair| pair[0].is_lowercase() && pair[1].is_uppercase())
                };
                assert!(!text.split(' ').any(is_name), "{error:?}: {text}");
            }
        }
    }
}
