//! Who is asking.

use std::net::IpAddr;

use crate::domain::{Account, AuditActor, RequestId, SessionKey};

/// A person who has logged in, and the request they make.
#[derive(Clone, Debug)]
#[expect(
    clippy::manual_non_exhaustive,
    reason = "`non_exhaustive` keeps other crates out, and the wall here is between rooms"
)]
pub struct Actor {
    /// Their account, as it is now.
    pub account: Account,
    /// The session they use.
    pub session: SessionKey,
    /// The address they come from.
    pub address: IpAddr,
    /// This request.
    pub request: RequestId,
    /// Only this floor can say that somebody has logged in.
    #[expect(dead_code, reason = "it is there to be unmakeable, not to be read")]
    proof: (),
}

impl Actor {
    pub(super) const fn new(
        account: Account,
        session: SessionKey,
        address: IpAddr,
        request: RequestId,
    ) -> Self {
        Self {
            account,
            session,
            address,
            request,
            proof: (),
        }
    }

    /// Returns how the audit names them.
    pub fn audit(&self) -> AuditActor {
        AuditActor::Account {
            id: self.account.id.clone(),
            name: self.account.name.to_string(),
        }
    }
}
