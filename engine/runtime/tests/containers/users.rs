//! Who a program runs as.

use crate::sandbox::{Sandbox, process, run_exec, start};

#[test]
fn the_user_is_found_in_the_image() {
    for (user, id, home) in [
        ("", "uid=0(root) gid=0(root) groups=0(root)", "/root"),
        (
            "ada",
            "uid=1000(ada) gid=1001(ada) groups=29(audio),1001(ada)",
            "/tmp",
        ),
        (
            "ada:audio",
            "uid=1000(ada) gid=29(audio) groups=29(audio)",
            "/tmp",
        ),
        ("4242", "uid=4242 gid=0(root) groups=0(root)", "/"),
    ] {
        let mut sandbox = Sandbox::shell("id; echo $HOME");
        sandbox.spec.process.user = user.into();

        let (output, _) = sandbox.run();

        assert_eq!(output, format!("{id}\n{home}\n"), "{user:?}");
    }
}

#[test]
fn an_unknown_user_is_refused_with_its_name() {
    let mut sandbox = Sandbox::new(&["/bin/true"]);
    sandbox.spec.process.user = "nobody".into();

    let message = sandbox.launch().unwrap_err().to_string();

    assert_eq!(
        message,
        "unable to find user nobody: no matching entries in passwd file"
    );
}

#[test]
fn a_plain_user_may_open_its_own_streams_by_name() {
    let mut sandbox = Sandbox::shell("echo there > /dev/stdout; echo here > /dev/stderr");
    sandbox.spec.process.user = "ada".into();

    let (output, record) = sandbox.run();

    assert_eq!((output.as_str(), record.code), ("there\nhere\n", 0));
}

#[test]
fn an_exec_has_a_user_of_its_own() {
    let sandbox = Sandbox::new(&["/bin/sleep", "1000"]);
    let control = sandbox.launch().unwrap();
    start(&control);
    let mut id = process(&["/bin/id", "-u"]);
    id.user = "1000:29".into();

    assert_eq!(run_exec(&control, "id", id), ("1000\n".to_owned(), 0));
}
