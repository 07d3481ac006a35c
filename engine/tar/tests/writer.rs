//! What is written is read back the same, by the strict reader and by others.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Read;
use std::process::{Command, Stdio};

use engine_tar::{Archive, Kind, Member, Time, Writer, Xattr};
use proptest::prelude::*;

fn member(path: &str, kind: Kind) -> Member {
    Member {
        path: path.as_bytes().to_vec(),
        kind,
        size_bytes: 0,
        mode: 0o640,
        uid: 0,
        gid: 0,
        modified: Time {
            seconds: 1_700_000_000,
            nanoseconds: 0,
        },
        xattrs: Vec::new(),
    }
}

fn written(members: &[(Member, Vec<u8>)]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for (member, content) in members {
        match member.kind {
            Kind::File => writer.file(member, &mut content.as_slice()).unwrap(),
            _ => writer.member(member).unwrap(),
        }
    }
    writer.finish().unwrap()
}

fn read(archive: &[u8]) -> Vec<(Member, Vec<u8>)> {
    let mut archive = Archive::new(archive, 1_000);
    let mut members = Vec::new();
    while let Some(member) = archive.next_member().unwrap() {
        let mut content = Vec::new();
        archive.content().read_to_end(&mut content).unwrap();
        members.push((member, content));
    }
    members
}

#[test]
fn gnu_tar_lists_what_was_written() {
    let long = format!("{}/{}", "d".repeat(90), "f".repeat(90));
    let mut file = member(&long, Kind::File);
    file.size_bytes = 5;
    let members = [
        (member("dir/", Kind::Directory), Vec::new()),
        (file, b"hello".to_vec()),
        (member("link", Kind::Symlink(b"dir".to_vec())), Vec::new()),
        (member("pipe", Kind::Fifo), Vec::new()),
        (member("null", Kind::CharacterDevice(1, 3)), Vec::new()),
    ];
    let mut tar = Command::new("tar")
        .args(["-t"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut tar.stdin.take().unwrap(), &written(&members)).unwrap();
    let listed = tar.wait_with_output().unwrap();

    assert!(listed.status.success());
    let names = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(
        names.lines().collect::<Vec<_>>(),
        ["dir/", &long, "link", "pipe", "null"]
    );
}

#[test]
fn a_file_that_changed_keeps_the_length_that_was_promised() {
    let mut file = member("f", Kind::File);
    file.size_bytes = 4;
    let after = (member("after", Kind::Fifo), Vec::new());
    for (content, expected) in [(&b"ab"[..], &b"ab\0\0"[..]), (b"abcdef", b"abcd")] {
        let members = read(&written(&[(file.clone(), content.to_vec()), after.clone()]));
        assert_eq!(members[0].1, expected);
        assert_eq!(members[1], after);
    }
}

fn any_kind() -> impl Strategy<Value = Kind> {
    let link = prop::collection::vec(1_u8..=255, 1..200);
    prop_oneof![
        Just(Kind::File),
        Just(Kind::Directory),
        Just(Kind::Fifo),
        link.clone().prop_map(Kind::Symlink),
        link.prop_map(Kind::HardLink),
        (0_u32..4096, 0_u32..1_048_576).prop_map(|(a, b)| Kind::CharacterDevice(a, b)),
        (0_u32..4096, 0_u32..1_048_576).prop_map(|(a, b)| Kind::BlockDevice(a, b)),
    ]
}

prop_compose! {
    fn any_member()(
        mut path in prop::collection::vec(1_u8..=255, 1..200),
        kind in any_kind(),
        mode in 0_u32..=0o7777,
        uid in 0_u32..u32::MAX,
        gid in 0_u32..u32::MAX,
        seconds in -10_000_000_000_i64..100_000_000_000,
        nanoseconds in prop_oneof![Just(0), 0_u32..1_000_000_000],
        value in prop::collection::vec(any::<u8>(), 0..50),
        content in prop::collection::vec(any::<u8>(), 0..2000),
    ) -> (Member, Vec<u8>) {
        while path.last() == Some(&b'/') {
            path.pop();
        }
        path.insert(0, b'p');
        if kind == Kind::Directory {
            path.push(b'/');
        }
        let content = if kind == Kind::File { content } else { Vec::new() };
        let member = Member {
            path,
            size_bytes: content.len() as u64,
            kind,
            mode,
            uid,
            gid,
            modified: Time { seconds, nanoseconds },
            xattrs: vec![Xattr { name: b"user.x".to_vec(), value }],
        };
        (member, content)
    }
}

proptest! {
    #[test]
    fn everything_is_read_back(members in prop::collection::vec(any_member(), 0..6)) {
        prop_assert_eq!(read(&written(&members)), members);
    }
}
