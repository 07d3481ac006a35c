//! Who asks, in the words that a container's end is told with.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use engine_api::caller::{self, Caller};

/// The longest name that is kept.
const NAME_MAX_CHARS: usize = 128;

/// The user at the other end of the local socket, as the kernel says.
#[derive(Clone, Copy, Debug)]
pub(super) struct PeerUser(pub(super) u32);

/// The account that the server speaks for, else the user of the socket.
///
/// It decides nothing: whoever reaches the socket may say any name, and may do anything anyway.
pub(super) struct Asker(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Asker {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let header = parts.headers.get(caller::HEADER);
        let account = header
            .and_then(|value| serde_json::from_slice::<Caller>(value.as_bytes()).ok())
            .map(|caller| {
                caller
                    .actor
                    .chars()
                    .take(NAME_MAX_CHARS)
                    .collect::<String>()
            })
            .filter(|actor| !actor.is_empty());
        let user = || match parts.extensions.get::<PeerUser>() {
            Some(PeerUser(uid)) => format!("uid {uid}"),
            None => "somebody".to_owned(),
        };
        Ok(Self(account.unwrap_or_else(user)))
    }
}
