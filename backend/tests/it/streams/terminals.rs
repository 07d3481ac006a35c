//! Terminals: which shell starts, who may come back, how a session ends.

use std::time::Duration;

use axum::body::Bytes;
use backend::access::{Actor, Permit, container};
use backend::services::terminals::{self, OpenError, Shown, Size, Terminal, TerminalRequest};

use super::stage::{Stage, end_sessions, owner};
use crate::engine::id;
use crate::house::{House, PATIENCE};

async fn exec(house: &House, actor: &Actor) -> Permit<container::Exec> {
    house.permit(actor, &id(1)).await
}

async fn open(house: &House, actor: &Actor) -> Terminal {
    let permit = exec(house, actor).await;
    let request = TerminalRequest::default();
    terminals::open(&house.app.services, &permit, request)
        .await
        .unwrap()
}

async fn reads(terminal: &mut Terminal, expected: &str) {
    let mut text = Vec::new();
    while text.len() < expected.len() {
        match terminal.next().await {
            Some(Shown::Bytes(bytes)) => text.extend_from_slice(&bytes),
            other => panic!("{other:?} instead of output"),
        }
    }
    assert_eq!(String::from_utf8(text).unwrap(), expected);
}

#[tokio::test]
async fn the_shell_is_the_first_one_that_starts() {
    let (house, stage) = Stage::house().await;
    let (_, ana) = owner(&house, "ana").await;
    stage.with(|play| play.commands = vec!["/bin/sh".to_owned(), "/bin/ash".to_owned()]);

    let mut terminal = open(&house, &ana).await;

    assert_eq!(terminal.command, "/bin/ash");
    assert_eq!(
        stage.with(|play| play.execs.len()),
        1,
        "nothing else was tried"
    );
    assert!(
        terminal
            .keyboard()
            .type_in(Bytes::from_static(b"ls\r"))
            .await
    );
    reads(&mut terminal, "ls\r").await;
    assert!(terminal.keyboard().resize(Size::new(40, 100)).await);
    house
        .wait(|_| stage.with(|play| play.sizes == ["h=40&w=100"]))
        .await;
}

#[tokio::test]
async fn an_image_without_a_shell_says_so_and_a_command_says_why() {
    let (house, stage) = Stage::house().await;
    let (_, ana) = owner(&house, "ana").await;
    let permit = exec(&house, &ana).await;

    let none = terminals::open(&house.app.services, &permit, TerminalRequest::default()).await;
    assert!(matches!(none, Err(OpenError::NoShell)));
    assert_eq!(stage.with(|play| play.execs.len()), 0, "nothing was tried");

    let command = vec!["/bin/vim".to_owned()];
    let request = TerminalRequest {
        command,
        ..TerminalRequest::default()
    };
    let Err(OpenError::NotStarted { message }) =
        terminals::open(&house.app.services, &permit, request).await
    else {
        panic!("it cannot start")
    };
    assert_eq!(message, "no such file");
}

#[tokio::test]
async fn a_page_that_comes_back_finds_its_screen() {
    let (house, stage) = Stage::house().await;
    let (_, ana) = owner(&house, "ana").await;
    let (_, eve) = owner(&house, "eve").await;
    stage.with(|play| play.commands.push("/bin/sh".to_owned()));
    let mut first = open(&house, &ana).await;
    let session = first.session.clone();
    first.keyboard().type_in(Bytes::from_static(b"one ")).await;
    reads(&mut first, "one ").await;
    let keyboard = first.keyboard();
    drop(first);
    keyboard.type_in(Bytes::from_static(b"two")).await;

    let strangers = exec(&house, &eve).await;
    assert!(terminals::resume(&house.app.services, &strangers, &session).is_err());
    let permit = exec(&house, &ana).await;
    let mut again = terminals::resume(&house.app.services, &permit, &session).unwrap();
    assert!(again.is_resumed);
    let screen = String::from_utf8(again.take_scrollback().to_vec()).unwrap();
    let missing = &"one two"[screen.len()..];
    reads(&mut again, missing).await;

    let other = terminals::resume(&house.app.services, &permit, &session).unwrap();
    assert_eq!(again.next().await, None, "the newer page has it");
    drop(other);
    assert_eq!(stage.streams().0, 1, "the shell goes on");
}

#[tokio::test]
async fn a_page_that_reads_nothing_does_not_hold_up_the_one_that_takes_over() {
    let (house, stage) = Stage::house().await;
    let (_, ana) = owner(&house, "ana").await;
    stage.with(|play| play.commands.push("/bin/sh".to_owned()));
    let stuck = open(&house, &ana).await;
    // More pieces than wait for a page; the shell answers each, so that they stay pieces.
    let keyboard = stuck.keyboard();
    let flood = async {
        loop {
            keyboard.type_in(Bytes::from_static(&[b'y'; 4_096])).await;
        }
    };
    let _full = tokio::time::timeout(Duration::from_millis(500), flood).await;

    let permit = exec(&house, &ana).await;
    let mut again = terminals::resume(&house.app.services, &permit, &stuck.session).unwrap();
    again.keyboard().type_in(Bytes::from_static(b"here")).await;

    let seen = async {
        let mut last = Vec::new();
        while !last.ends_with(b"here") {
            match again.next().await {
                Some(Shown::Bytes(bytes)) => last.extend_from_slice(&bytes),
                other => panic!("{other:?} instead of output"),
            }
        }
    };
    let seen = tokio::time::timeout(PATIENCE, seen).await;
    assert!(seen.is_ok(), "the new page stands still");
    drop(stuck);
}

#[tokio::test]
async fn a_command_that_ends_says_with_which_code_and_cannot_be_taken_up() {
    let (house, stage) = Stage::house().await;
    let (_, ana) = owner(&house, "ana").await;
    stage.with(|play| play.commands.push("/bin/sh".to_owned()));
    let mut terminal = open(&house, &ana).await;

    terminal
        .keyboard()
        .type_in(Bytes::from_static(b"exit 3\r"))
        .await;

    assert_eq!(terminal.next().await, Some(Shown::Ended(Some(3))));
    let permit = exec(&house, &ana).await;
    assert!(terminals::resume(&house.app.services, &permit, &terminal.session).is_err());
}

#[tokio::test]
async fn a_right_that_goes_takes_the_shell_along() {
    let (house, stage) = Stage::house().await;
    let (_, ana) = owner(&house, "ana").await;
    stage.with(|play| play.commands.push("/bin/sh".to_owned()));
    let _terminal = open(&house, &ana).await;
    stage.wait_open(1).await;

    end_sessions(&house, &ana).await;

    stage.wait_open(0).await;
}

#[tokio::test]
async fn closing_ends_the_command_at_once() {
    let (house, stage) = Stage::house().await;
    let (_, ana) = owner(&house, "ana").await;
    stage.with(|play| play.commands.push("/bin/sh".to_owned()));
    let mut terminal = open(&house, &ana).await;
    terminal.keyboard().close();
    assert_eq!(terminal.next().await, Some(Shown::Ended(None)));
    stage.wait_open(0).await;
}

#[tokio::test]
async fn terminals_that_are_opened_at_one_moment_are_counted_one_by_one() {
    let (house, stage) = Stage::house().await;
    let (_, ana) = owner(&house, "ana").await;
    stage.with(|play| play.commands = vec!["/bin/sh".to_owned()]);
    let permit = exec(&house, &ana).await;

    let services = &house.app.services;
    let opened = (0..30).map(|_| terminals::open(services, &permit, TerminalRequest::default()));
    let opened = futures_util::future::join_all(opened).await;

    let n_open = opened.iter().filter(|end| end.is_ok()).count();
    assert_eq!(n_open, 20);
    drop(opened);
    assert!(
        matches!(
            terminals::open(services, &permit, TerminalRequest::default()).await,
            Err(OpenError::Service(_))
        ),
        "those that were left go on for a while"
    );
}
