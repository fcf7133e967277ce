//! Reads the address of `--listen`.

use std::net::SocketAddr;

use super::InvalidValue;

pub(super) fn parse_address(text: &str) -> Result<SocketAddr, InvalidValue> {
    let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
    let address = match host {
        "localhost" => format!("127.0.0.1:{port}"),
        _ => text.to_owned(),
    };
    address.parse().map_err(|_| {
        InvalidValue::expected(
            "an IP address and a port, such as `127.0.0.1:8090`, `localhost:8090` or `[::1]:8090`",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_is_the_only_name_that_is_accepted() {
        let address = |text: &str| parse_address(text).map(|address| address.to_string());
        assert_eq!(address("localhost:80").as_deref(), Ok("127.0.0.1:80"));
        assert_eq!(address("[::1]:0").as_deref(), Ok("[::1]:0"));
        for text in [
            "localhost",
            "localhost:",
            "game.localhost:80",
            "127.0.0.1",
            "",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
    }
}
