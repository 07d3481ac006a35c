//! Passwords: hashed with Argon2id, away from the threads that serve, a few at a time.
//!
//! A hash costs 19 MiB and some ten milliseconds of a core on purpose. A semaphore bounds how many
//! are at work, so that a flood of logins fills neither the memory nor the machine.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

use crate::domain::Password;
use crate::tasks;

const AT_ONCE: usize = 2;

/// Why a password can be neither hashed nor compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to hash a password")]
pub struct HashError;

/// What comparing a password showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is another password.
    Wrong,
    /// It is the password.
    Right,
    /// It is the password, and its hash is older than today's rule: store this one instead.
    RightRehash(String),
}

/// Hashes and compares passwords.
#[derive(Clone, Debug)]
pub struct Hasher {
    turns: Arc<Semaphore>,
}

impl Default for Hasher {
    fn default() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Hasher {
    /// Returns what to store of a password.
    ///
    /// # Errors
    /// When the hash function fails.
    pub async fn hash(&self, password: &Password) -> Result<String, HashError> {
        let password = password.clone();
        self.turn(move || hash(&password)).await
    }

    /// Compares a password with what was stored of one. With `None`, when there is no such account,
    /// it takes as long, so that the time does not tell which names exist.
    ///
    /// # Errors
    /// When the hash function fails.
    pub async fn verify(
        &self,
        password: &Password,
        stored: Option<String>,
    ) -> Result<Verdict, HashError> {
        let password = password.clone();
        self.turn(move || verify(&password, stored)).await
    }

    async fn turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|_| HashError)?;
        // The turn goes with the work: a hash goes on when nobody waits for it any more.
        let in_turn = move || {
            let done = work();
            drop(turn);
            done
        };
        tasks::blocking(in_turn).await.ok_or(HashError)?
    }
}

fn hash(password: &Password) -> Result<String, HashError> {
    let hash = Argon2::default()
        .hash_password(password.expose().as_bytes())
        .map_err(|_| HashError)?;
    Ok(hash.to_string())
}

fn verify(password: &Password, stored: Option<String>) -> Result<Verdict, HashError> {
    let Some(stored) = stored else {
        hash(password)?;
        return Ok(Verdict::Wrong);
    };
    let parsed = PasswordHash::new(&stored).map_err(|_| HashError)?;
    if Argon2::default()
        .verify_password(password.expose().as_bytes(), &parsed)
        .is_err()
    {
        return Ok(Verdict::Wrong);
    }
    if rule_of(&stored) == todays_rule() {
        return Ok(Verdict::Right);
    }
    Ok(Verdict::RightRehash(hash(password)?))
}

/// What stands before the salt of a hash made today.
fn todays_rule() -> String {
    let argon2 = Argon2::default();
    let params = argon2.params();
    format!(
        "${}$v={}$m={},t={},p={}",
        argon2::Algorithm::default(),
        u32::from(argon2::Version::default()),
        params.m_cost(),
        params.t_cost(),
        params.p_cost()
    )
}

/// The algorithm, version and parameters of a hash: what stands before the salt.
fn rule_of(hash: &str) -> &str {
    let mut dollars = hash.match_indices('$').map(|(at, _)| at);
    dollars.nth(3).map_or(hash, |at| &hash[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Password {
        Password::typed(text.to_owned()).unwrap()
    }

    #[tokio::test]
    async fn a_password_is_stored_as_argon2id_with_a_salt_of_its_own() {
        let hasher = Hasher::default();
        let one = hasher.hash(&typed("a quiet harbour")).await.unwrap();
        let two = hasher.hash(&typed("a quiet harbour")).await.unwrap();
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, two);
        assert_eq!(rule_of(&one), todays_rule());
        assert_eq!(
            hasher
                .verify(&typed("a quiet harbour"), Some(one.clone()))
                .await
                .unwrap(),
            Verdict::Right
        );
        assert_eq!(
            hasher.verify(&typed("another"), Some(one)).await.unwrap(),
            Verdict::Wrong
        );
        assert_eq!(
            hasher.verify(&typed("another"), None).await.unwrap(),
            Verdict::Wrong
        );
    }

    #[tokio::test]
    async fn a_hash_that_nobody_waits_for_keeps_its_turn_until_it_is_done() {
        let hasher = Hasher::default();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let turn = hasher.turn(move || {
            let _released = held.recv();
            Ok(())
        });
        let patience = std::time::Duration::from_millis(20);
        assert!(tokio::time::timeout(patience, turn).await.is_err());
        assert_eq!(hasher.turns.available_permits(), AT_ONCE - 1);

        drop(release);
        let all = u32::try_from(AT_ONCE).unwrap();
        let free = hasher.turns.acquire_many(all).await;
        assert!(free.is_ok(), "the turn is free again");
    }

    #[tokio::test]
    async fn a_hash_of_an_older_rule_is_renewed_at_login() {
        let params = argon2::Params::new(8_192, 1, 1, None).unwrap();
        let older = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
            .hash_password(b"a quiet harbour")
            .unwrap()
            .to_string();
        let verdict = Hasher::default()
            .verify(&typed("a quiet harbour"), Some(older))
            .await
            .unwrap();
        assert!(matches!(verdict, Verdict::RightRehash(_)), "{verdict:?}");
    }
}
