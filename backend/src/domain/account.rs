//! People with an account: their name, password, role and language.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::{AccountId, Rule};

/// A person who may log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id, never used again.
    pub id: AccountId,
    /// The name typed at login.
    pub name: AccountName,
    /// What the person may do.
    pub role: Role,
    /// The language chosen; the browser's when none is.
    pub language: Option<Language>,
    /// The colours chosen.
    pub theme: Theme,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Light or dark colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Theme {
    /// As the reader's system says.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// Every theme.
    pub const ALL: &[Self] = &[Self::System, Self::Light, Self::Dark];

    /// Returns the word the database and the forms use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl FromStr for Theme {
    type Err = Rule;

    fn from_str(text: &str) -> Result<Self, Rule> {
        Self::ALL
            .iter()
            .copied()
            .find(|theme| theme.as_str() == text)
            .ok_or(Rule::Choice)
    }
}

/// What a person may do; each role holds what the one below it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Sees lists, states, health, ports, load and events; changes nothing.
    Viewer,
    /// Holds every permission.
    Owner,
}

impl Role {
    /// Every role, the least powerful first.
    pub const ALL: &[Self] = &[Self::Viewer, Self::Owner];

    /// Returns the word the database and the forms use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Owner => "owner",
        }
    }
}

impl FromStr for Role {
    type Err = Rule;

    fn from_str(text: &str) -> Result<Self, Rule> {
        Self::ALL
            .iter()
            .copied()
            .find(|role| role.as_str() == text)
            .ok_or(Rule::Choice)
    }
}

/// A language that the product speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Korean.
    Korean,
}

impl Language {
    /// Every language.
    pub const ALL: &[Self] = &[Self::English, Self::Korean];

    /// Returns its tag, as in `Accept-Language`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Korean => "ko",
        }
    }

    /// Returns the first language of an `Accept-Language` header that the product speaks.
    ///
    /// Browsers list languages by preference, so the weights need no reading.
    pub fn accepted(header: &str) -> Self {
        header
            .split(',')
            .take(16)
            .filter_map(|part| part.split([';', '-']).next())
            .find_map(|tag| tag.trim().to_ascii_lowercase().parse().ok())
            .unwrap_or_default()
    }
}

impl FromStr for Language {
    type Err = Rule;

    fn from_str(text: &str) -> Result<Self, Rule> {
        Self::ALL
            .iter()
            .copied()
            .find(|language| language.tag() == text)
            .ok_or(Rule::Choice)
    }
}

/// The name of an account; letter case does not distinguish two.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccountName(String);

impl AccountName {
    const MOST: usize = 40;

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for AccountName {
    type Err = Rule;

    fn from_str(text: &str) -> Result<Self, Rule> {
        let text = text.trim();
        let Some(first) = text.bytes().next() else {
            return Err(Rule::Required);
        };
        if text.chars().count() > Self::MOST {
            return Err(Rule::TooLong { most: Self::MOST });
        }
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'@');
        if !first.is_ascii_alphanumeric() || !text.bytes().all(allowed) {
            return Err(Rule::Name);
        }
        Ok(Self(text.to_owned()))
    }
}

/// A password as typed; never shown, never logged.
#[derive(Clone, Debug)]
pub struct Password(SecretString);

impl Password {
    /// Fewer characters are guessed too soon.
    pub const LEAST: usize = 10;
    /// Hashing more would only serve somebody who wants to keep the server busy.
    pub const MOST: usize = 256;

    /// Takes a password to compare with a stored one; nothing but its length is judged.
    ///
    /// # Errors
    /// When it is empty or longer than any password can be.
    pub fn typed(text: String) -> Result<Self, Rule> {
        if text.is_empty() {
            return Err(Rule::Required);
        }
        if text.chars().count() > Self::MOST {
            return Err(Rule::TooLong { most: Self::MOST });
        }
        Ok(Self(SecretString::from(text)))
    }

    /// Takes a password that somebody chooses for an account.
    ///
    /// # Errors
    /// When it is too short, too long, contains the name, or is among the first that are tried.
    pub fn chosen(text: String, name: &AccountName) -> Result<Self, Rule> {
        let n_characters = text.chars().count();
        if n_characters == 0 {
            return Err(Rule::Required);
        }
        if n_characters < Self::LEAST {
            return Err(Rule::TooShort { least: Self::LEAST });
        }
        let lower = text.to_lowercase();
        if name.as_str().len() >= 3 && lower.contains(&name.as_str().to_lowercase()) {
            return Err(Rule::PasswordIsName);
        }
        if is_common(&lower) {
            return Err(Rule::CommonPassword);
        }
        Self::typed(text)
    }

    /// Returns the text, for the hash function alone.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Tells whether a password of ten or more characters is among the first that are tried.
fn is_common(lower: &str) -> bool {
    const FIRST_TRIED: &[&str] = &[
        "1234567890",
        "12345678910",
        "123456789a",
        "0123456789",
        "0987654321",
        "9876543210",
        "1q2w3e4r5t",
        "1qaz2wsx3edc",
        "qwertyuiop",
        "qwerty12345",
        "qwerty123456",
        "asdfghjkl1",
        "password12",
        "password123",
        "password1234",
        "passw0rd123",
        "administrator",
        "admin12345",
        "letmein1234",
        "welcome123",
        "welcome1234",
        "changeme123",
        "iloveyou123",
        "princess123",
        "football123",
        "baseball123",
        "sunshine123",
        "dragon12345",
        "monkey12345",
        "abcdefghij",
        "abcd123456",
        "abc1234567",
        "zxcvbnm123",
        "q1w2e3r4t5",
        "gantry12345",
        "correcthorse",
    ];
    let first = lower.chars().next();
    let one_character = lower.chars().all(|c| Some(c) == first);
    one_character || FIRST_TRIED.contains(&lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for good in ["ana", "a.b_c-d@e", "7", " ana "] {
            assert!(AccountName::from_str(good).is_ok(), "{good}");
        }
        let long = "a".repeat(41);
        for bad in [
            "",
            "  ",
            "-ana",
            "an a",
            "ana\n",
            "a\u{1b}[31m",
            "ana\r\nx",
            &long,
        ] {
            assert!(
                AccountName::from_str(bad).is_err() || bad == "ana\n",
                "{bad:?}"
            );
        }
        assert_eq!(AccountName::from_str("ana\n").unwrap().as_str(), "ana");
    }

    #[test]
    fn weak_passwords_are_named_with_the_rule_they_break() {
        let name = AccountName::from_str("wilma").unwrap();
        let check = |text: &str, rule: &Rule| {
            assert_eq!(
                &Password::chosen(text.to_owned(), &name).unwrap_err(),
                rule,
                "{text}"
            );
        };
        check("", &Rule::Required);
        check("short", &Rule::TooShort { least: 10 });
        check("xxWILMAxx12", &Rule::PasswordIsName);
        check("Password123", &Rule::CommonPassword);
        check("aaaaaaaaaaaa", &Rule::CommonPassword);
        check(&"ab".repeat(200), &Rule::TooLong { most: 256 });
        assert!(Password::chosen("a quiet harbour".to_owned(), &name).is_ok());
    }

    #[test]
    fn the_browsers_first_known_language_is_taken() {
        assert_eq!(
            Language::accepted("ko-KR,ko;q=0.9,en;q=0.8"),
            Language::Korean
        );
        assert_eq!(Language::accepted("fr, en-GB;q=0.5, ko"), Language::English);
        assert_eq!(Language::accepted("*"), Language::English);
    }
}
