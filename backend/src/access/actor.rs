//! Who is asking.

use std::net::IpAddr;

use crate::domain::{Account, AuditActor, RequestId, SessionKey};

/// A person who has logged in, and the request they make.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Their account, as it is now.
    pub account: Account,
    /// The session they use.
    pub session: SessionKey,
    /// The address they come from.
    pub address: IpAddr,
    /// This request.
    pub request: RequestId,
}

impl Actor {
    /// Returns how the audit names them.
    pub fn audit(&self) -> AuditActor {
        AuditActor::Account {
            id: self.account.id.clone(),
            name: self.account.name.to_string(),
        }
    }
}
