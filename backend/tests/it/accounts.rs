//! Set-up, login, and what is tried against them.

use std::net::IpAddr;

use axum::http::Method;
use backend::domain::{FieldError, Password, RequestId, Role, Rule};
use backend::services::{Error, accounts, refusals, setup};
use jiff::SignedDuration;

use crate::house::{ADDRESS, House, PASSWORD};

async fn login(house: &House, name: &str, password: &str, from: IpAddr) -> Result<(), Rule> {
    let from = (from, RequestId::unique());
    match accounts::login(&house.app.services, name, password.to_owned(), from).await {
        Ok(_) => Ok(()),
        Err(Error::Invalid(FieldError { rule, .. })) => Err(rule),
        Err(other) => panic!("{other:?}"),
    }
}

fn address(last: u8) -> IpAddr {
    [10, 0, 1, last].into()
}

#[tokio::test]
async fn the_set_up_link_makes_one_owner_and_never_a_second() {
    let house = House::without_engine().await;
    let services = &house.app.services;
    let first = setup::new_token(services).await.unwrap().unwrap();
    let token = setup::new_token(services).await.unwrap().unwrap();
    assert!(
        !setup::is_token(services, &first).await.unwrap(),
        "a new start ends the old link"
    );
    assert!(!setup::is_token(services, "").await.unwrap());

    let (name, password) = setup::chosen("ana", PASSWORD.to_owned(), PASSWORD).unwrap();
    let from = || (ADDRESS, RequestId::unique());
    let ana = setup::first_owner(services, &token, name.clone(), &password, from())
        .await
        .unwrap();
    assert_eq!(ana.role, Role::Owner);

    let again = setup::first_owner(services, &token, name, &password, from()).await;
    assert!(matches!(again, Err(Error::NotFound { .. })));
    assert_eq!(setup::new_token(services).await.unwrap(), None);
    assert!(house.app.setup_link().await.unwrap().is_none());
}

#[tokio::test]
async fn a_password_chosen_badly_is_named_by_its_field() {
    let field = |name: &str, one: &str, two: &str| match setup::chosen(name, one.to_owned(), two) {
        Err(Error::Invalid(error)) => error.field,
        _ => "",
    };
    assert_eq!(field("", PASSWORD, PASSWORD), "name");
    assert_eq!(field("ana", "short", "short"), "password");
    assert_eq!(field("ana", PASSWORD, "another one"), "password_again");
    assert_eq!(field("ana", PASSWORD, PASSWORD), "");
}

#[tokio::test]
async fn the_right_password_logs_in_and_a_wrong_one_tells_nothing() {
    let house = House::without_engine().await;
    house.account("ana", Role::Owner).await;
    assert_eq!(login(&house, "Ana", PASSWORD, ADDRESS).await, Ok(()));
    let wrong = Err(Rule::WrongCredentials);
    assert_eq!(login(&house, "ana", "wrong", ADDRESS).await, wrong);
    assert_eq!(login(&house, "nobody", "wrong", ADDRESS).await, wrong);
    assert_eq!(login(&house, "not a name!", "wrong", ADDRESS).await, wrong);
    assert_eq!(login(&house, "ana", "", ADDRESS).await, wrong);
    assert_eq!(
        login(&house, "ana", &"x".repeat(5_000), ADDRESS).await,
        wrong
    );
}

#[tokio::test]
async fn wrong_passwords_have_to_wait_and_others_do_not() {
    let house = House::without_engine().await;
    house.account("ana", Role::Owner).await;
    for _ in 0..5 {
        assert_eq!(
            login(&house, "ana", "wrong", ADDRESS).await,
            Err(Rule::WrongCredentials)
        );
    }
    let throttled = login(&house, "ana", PASSWORD, ADDRESS).await;
    assert_eq!(
        throttled,
        Err(Rule::TooManyTries { seconds: 900 }),
        "even the right one"
    );
    assert_eq!(
        login(&house, "ana", PASSWORD, address(9)).await,
        Ok(()),
        "from elsewhere"
    );

    house.clock.advance(SignedDuration::from_mins(16));
    assert_eq!(login(&house, "ana", PASSWORD, ADDRESS).await, Ok(()));
}

#[tokio::test]
async fn who_is_not_let_try_any_more_is_in_the_audit_once_and_with_a_number() {
    let house = House::without_engine().await;
    house.account("ana", Role::Owner).await;
    let (cookie, _) = house.person("ben", Role::Owner).await;
    for _ in 0..30 {
        let _refused = login(&house, "ana", "wrong", ADDRESS).await;
    }

    let refused = || async {
        let page = house.ask(Method::GET, "/audit", &cookie, "").await.body;
        let sentence = "Too many wrong passwords: this one was not looked at.";
        (page.matches(sentence).count(), page)
    };
    assert_eq!(refused().await.0, 1);
    house.clock.advance(SignedDuration::from_mins(16));
    refusals::settle(&house.app.services).await.unwrap();
    let (n_entries, page) = refused().await;
    assert_eq!(n_entries, 2, "{page}");
    assert!(page.contains("24 times more"), "{page}");
}

#[tokio::test]
async fn one_address_with_many_names_is_one_burst() {
    let house = House::without_engine().await;
    let (cookie, _) = house.person("ben", Role::Owner).await;
    for number in 0..60 {
        let _refused = login(&house, &format!("name{number}"), "wrong", ADDRESS).await;
    }

    let page = house.ask(Method::GET, "/audit", &cookie, "").await.body;

    assert_eq!(
        page.matches("Too many wrong passwords").count(),
        1,
        "{page}"
    );
}

#[tokio::test]
async fn tries_at_one_moment_are_counted_one_by_one() {
    let house = House::without_engine().await;
    house.account("ana", Role::Owner).await;
    let tries = (0..40).map(|_| login(&house, "ana", "wrong", ADDRESS));
    let ends = futures_util::future::join_all(tries).await;
    let n_looked_at = ends
        .iter()
        .filter(|end| **end == Err(Rule::WrongCredentials))
        .count();
    assert_eq!(n_looked_at, 5);
}

#[tokio::test]
async fn a_network_of_the_sixth_version_counts_as_one_address() {
    let house = House::without_engine().await;
    for number in 0..20_u16 {
        let from = [0x2001, 0xdb8, 0, 7, 0, 0, 0, number].into();
        let name = format!("name{number}");
        assert_eq!(
            login(&house, &name, "wrong", from).await,
            Err(Rule::WrongCredentials)
        );
    }
    let from = [0x2001, 0xdb8, 0, 7, 9, 9, 9, 9].into();
    let next = login(&house, "fresh", "wrong", from).await;
    assert!(matches!(next, Err(Rule::TooManyTries { .. })), "{next:?}");
}

#[tokio::test]
async fn one_address_cannot_try_many_names() {
    let house = House::without_engine().await;
    for number in 0..20 {
        let name = format!("name{number}");
        assert_eq!(
            login(&house, &name, "wrong", ADDRESS).await,
            Err(Rule::WrongCredentials)
        );
    }
    let next = login(&house, "fresh", "wrong", ADDRESS).await;
    assert!(matches!(next, Err(Rule::TooManyTries { .. })), "{next:?}");
}

#[tokio::test]
async fn the_operator_rescues_an_owner_whose_sessions_end() {
    let house = House::without_engine().await;
    let (cookie, _) = house.person("ana", Role::Viewer).await;
    house.account("ben", Role::Owner).await;
    let password = Password::typed("a rescued harbour".to_owned()).unwrap();

    let ana = setup::rescue_owner(&house.app.services, "ana".parse().unwrap(), &password).await;

    assert_eq!(ana.unwrap().role, Role::Owner);
    assert!(house.actor(&cookie).await.is_none());
    assert_eq!(
        login(&house, "ana", "a rescued harbour", ADDRESS).await,
        Ok(())
    );
}
