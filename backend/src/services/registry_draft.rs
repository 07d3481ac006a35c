//! A registry before it is kept: what was typed in its form.
//!
//! **Invariant:** pure. What cannot be taken is named by its field; the password is never noted.

use secrecy::{ExposeSecret, SecretString};

use crate::domain::{
    FieldError, RegistryAddress, RegistryAuthority, RegistryName, RegistryUser, Rule,
};

/// Longer than any password or token; a certificate's key in JSON fits.
const MOST_SECRET: usize = 8_192;

/// A registry as a form has it.
#[derive(Clone, Debug)]
pub struct Draft {
    pub(super) name: RegistryName,
    pub(super) address: RegistryAddress,
    pub(super) user: RegistryUser,
    pub(super) authority: RegistryAuthority,
    pub(super) secret: Option<SecretString>,
}

impl Draft {
    /// Reads what was typed; an empty password is none.
    ///
    /// # Errors
    /// With the first field that cannot be taken.
    pub fn typed(
        name: &str,
        address: &str,
        user: &str,
        authority: &str,
        secret: SecretString,
    ) -> Result<Self, FieldError> {
        let draft = Self {
            name: name.parse().map_err(|rule| FieldError::new("name", rule))?,
            address: address
                .parse()
                .map_err(|rule| FieldError::new("address", rule))?,
            user: user.parse().map_err(|rule| FieldError::new("user", rule))?,
            authority: authority
                .parse()
                .map_err(|rule| FieldError::new("authority", rule))?,
            secret: Some(secret).filter(|secret| !secret.expose_secret().is_empty()),
        };
        let secret = draft.secret.as_ref().map(ExposeSecret::expose_secret);
        if secret.is_some_and(|secret| secret.len() > MOST_SECRET) {
            let most = MOST_SECRET;
            return Err(FieldError::new("secret", Rule::TooLong { most }));
        }
        if draft.user.is_nobody() && secret.is_some() {
            return Err(FieldError::new("user", Rule::Required));
        }
        Ok(draft)
    }

    /// Returns what the audit notes of it: everything but the password.
    pub(super) fn noted(&self) -> String {
        let authority = match self.authority.is_empty() {
            true => "",
            false => " authority=own",
        };
        format!("address={} user={}{authority}", self.address, self.user)
    }
}
