//! `gantry admin`: repairs and checks for who has the machine but not the browser.
//!
//! As root these become the owner of the data first: a file that root left beside the database would
//! lock the server out of it.

use std::io::BufRead as _;
use std::path::Path;

use frontend::words::{Language, Words};

use super::config::AdminVerb;
use super::error::StartError;
use super::privileges::{self, Account};
use super::serve::{of_store, runtime, say};
use crate::app::App;
use crate::domain::{AccountName, Front, Password, Rule};
use crate::errors;
use crate::services::setup;
use crate::store::Store;
use crate::store::audit::{self, Chain};
use crate::tasks::Tasks;

/// Longer than any password that the forms take.
const MOST_PASSWORD_BYTES: u64 = 4_096;

/// Does what was asked and says what came of it.
///
/// # Errors
/// When it could not be done, or the check found damage.
pub fn run(verb: &AdminVerb) -> Result<(), StartError> {
    match verb {
        AdminVerb::Owner { name, data, .. } => {
            let password = first_line()?;
            let refused =
                |rule: Rule| StartError::Usage(format!("--name {name}: {}", words(&rule)));
            let name: AccountName = name.parse().map_err(refused)?;
            let password = Password::chosen(password, &name)
                .map_err(|rule| StartError::Usage(format!("the password: {}", words(&rule))))?;
            step_down(&data.data)?;
            runtime()?.block_on(owner(&data.data, name, &password))
        }
        AdminVerb::Check { data } => {
            let database = data.data.join("gantry.db");
            if let Err(error) = std::fs::metadata(&database) {
                return Err(StartError::file("find", database, error));
            }
            step_down(&data.data)?;
            runtime()?.block_on(check(&data.data))
        }
    }
}

fn step_down(data: &Path) -> Result<(), StartError> {
    if !privileges::is_root() {
        return privileges::prepare_data(data, None);
    }
    let account = match Account::owner_of(data) {
        Some(account) => account,
        None => Account::find(None)?,
    };
    privileges::prepare_data(data, Some(account))?;
    privileges::give_up_root(account, None)
}

fn first_line() -> Result<String, StartError> {
    let mut line = String::new();
    let stdin = std::io::Read::take(std::io::stdin().lock(), MOST_PASSWORD_BYTES);
    std::io::BufReader::new(stdin)
        .read_line(&mut line)
        .map_err(|error| StartError::Usage(format!("the password cannot be read: {error}")))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn words(rule: &Rule) -> String {
    let values = rule.values();
    let arguments: Vec<_> = values
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    Words(Language::English).with(rule.key(), &arguments)
}

async fn owner(data: &Path, name: AccountName, password: &Password) -> Result<(), StartError> {
    let socket = Path::new("/run/gantry/engine.sock");
    let app = App::open(data, socket, Front::default(), Tasks::default()).await;
    let app = app.map_err(|error| of_store(data, &error))?;
    let made = setup::rescue_owner(&app.services, name, password).await;
    app.close().await;
    let account = made.map_err(|error| StartError::Other(errors::chain(&error)))?;
    say(&format!(
        "{} is an owner and may log in with the new password",
        account.name
    ));
    Ok(())
}

async fn check(data: &Path) -> Result<(), StartError> {
    let failed = |error| of_store(data, &error);
    let store = Store::open(&data.join("gantry.db")).await.map_err(failed)?;
    let mut found = store.integrity().await.map_err(failed)?;
    let mut read = store.read().await.map_err(failed)?;
    let chain = audit::verify(&mut read).await.map_err(failed)?;
    drop(read);
    store.close().await;
    found.extend(broken(&chain));
    if found.is_empty() {
        say(&format!(
            "the database is whole; {} audit entries follow from each other, the last is {}",
            chain.head.number, chain.head.hash
        ));
        return Ok(());
    }
    Err(StartError::Other(format!(
        "{}: {}",
        data.display(),
        found.join("; ")
    )))
}

/// Says what is wrong with the audit, if anything is.
fn broken(chain: &Chain) -> Option<String> {
    if let Some(entry) = chain.broken {
        return Some(format!(
            "the audit's entry {entry} does not follow from the one before it"
        ));
    }
    let (there, made) = (chain.head.number, chain.last_made);
    (there != made).then(|| format!("the audit ends with entry {there}, but {made} were made"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::audit::Head;

    #[test]
    fn a_cut_and_a_forgery_are_told_apart() {
        let chain = |broken, number, last_made| Chain {
            broken,
            head: Head {
                number,
                hash: String::new(),
            },
            last_made,
        };
        assert_eq!(broken(&chain(None, 7, 7)), None);
        let cut = broken(&chain(None, 5, 7)).unwrap();
        assert!(
            cut.contains("ends with entry 5") && cut.contains("7 were made"),
            "{cut}"
        );
        assert!(broken(&chain(Some(3), 2, 7)).unwrap().contains("entry 3"));
    }
}
