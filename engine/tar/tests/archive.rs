//! Archives as others write them, and archives as an attacker writes them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use engine_tar::{Archive, Kind, Member, TarError};
use proptest::prelude::*;

fn read_all(bytes: &[u8]) -> Result<Vec<(Member, Vec<u8>)>, TarError> {
    let mut archive = Archive::new(bytes, 1000);
    let mut members = Vec::new();
    while let Some(member) = archive.next_member()? {
        let mut content = Vec::new();
        archive
            .content()
            .read_to_end(&mut content)
            .map_err(TarError::from_read)?;
        members.push((member, content));
    }
    Ok(members)
}

fn header(name: &str, kind: u8, size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1);
    header.set_size(size);
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_cksum();
    header
}

/// A header and its content, padded.
fn entry(name: &str, kind: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = header(name, kind, content.len() as u64).as_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn end() -> Vec<u8> {
    vec![0; 1024]
}

fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let mut content = Vec::new();
    for (key, value) in records {
        let rest = key.len() + value.len() + 3;
        let length = if rest + 2 < 100 { rest + 2 } else { rest + 3 };
        writeln!(content, "{length} {key}={value}").unwrap();
    }
    entry("pax", b'x', &content)
}

fn refused(parts: &[Vec<u8>], word: &str) {
    let error = read_all(&parts.concat()).unwrap_err();
    assert!(
        error.to_string().contains(word),
        "{error} should say {word:?}"
    );
}

#[test]
fn gnu_tar_in_each_of_its_formats_is_understood() {
    let long = "d".repeat(90) + "/" + &"f".repeat(90);
    let script = format!(
        "cd $(mktemp -d) && mkdir -p t/{d} && echo hello > t/a && ln t/a t/b && ln -s a t/c \
         && mkfifo t/p && echo x > t/{long} && touch -d '2001-02-03 04:05:06.789 UTC' t/a",
        d = "d".repeat(90)
    );
    for format in ["gnu", "pax", "ustar", "oldgnu"] {
        let output = Command::new("sh")
            .args([
                "-c",
                &format!("{script} && tar --sort=name -H {format} -c t; rm -rf t"),
            ])
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        let members = read_all(&output.stdout).unwrap();

        let names: Vec<_> = members
            .iter()
            .map(|(member, _)| String::from_utf8_lossy(&member.path))
            .collect();
        let long_path = format!("t/{long}");
        assert!(
            names.contains(&long_path.as_str().into()),
            "{format}: {names:?}"
        );
        let by_name = |name: &str| {
            members
                .iter()
                .find(|(m, _)| m.path == name.as_bytes())
                .unwrap()
        };
        assert_eq!(by_name("t/a").1, b"hello\n");
        assert_eq!(by_name("t/a").0.modified.seconds, 981_173_106);
        assert_eq!(by_name("t/b").0.kind, Kind::HardLink(b"t/a".to_vec()));
        assert_eq!(by_name("t/c").0.kind, Kind::Symlink(b"a".to_vec()));
        assert_eq!(by_name("t/p").0.kind, Kind::Fifo);
        assert_eq!(by_name("t/").0.kind, Kind::Directory);
        let nanoseconds = if format == "pax" { 789_000_000 } else { 0 };
        assert_eq!(by_name("t/a").0.modified.nanoseconds, nanoseconds);
    }
}

#[test]
fn hidden_entries_are_refused() {
    // The inner archive would be seen by a reader that takes the header's size.
    let inner = [entry("hidden", b'0', b"x"), end()].concat();
    let size = inner.len().to_string();
    let smuggled = [
        header("f", b'0', 0).as_bytes().to_vec(),
        inner.clone(),
        end(),
    ]
    .concat();
    refused(&[pax(&[("size", &size)]), smuggled], "disagree on the size");

    let shorter = [entry("f", b'0', &inner), end()].concat();
    refused(&[pax(&[("size", "0")]), shorter], "disagree on the size");

    // The benign twin repeats the size.
    let benign = [pax(&[("size", &size)]), entry("f", b'0', &inner), end()].concat();
    assert_eq!(read_all(&benign).unwrap().len(), 1);
}

#[test]
fn ambiguous_archives_are_refused() {
    let file = entry("f", b'0', b"content");
    let long = |kind, name: &[u8]| entry("././@LongLink", kind, name);
    refused(
        &[pax(&[("path", "a")]), pax(&[("path", "b")]), file.clone()],
        "two extension",
    );
    refused(
        &[long(b'L', b"a\0"), pax(&[("path", "b")]), file.clone()],
        "disagree on a name",
    );
    refused(&[long(b'L', b"a\0b\0"), file.clone()], "zero byte");
    refused(&[long(b'L', b"a\0")], "ends after an extension");
    refused(
        &[entry("g", b'g', b"10 size=1\n"), file.clone()],
        "global extension",
    );
    refused(&[entry("d/", b'5', b"content")], "has content");
    refused(&[entry("f/", b'0', b"")], "directory's name");
    refused(&[entry("s", b'S', b"")], "sparse");
    refused(&[entry("v", b'V', b"")], "unknown type");
    refused(&[entry("l", b'1', b"")], "leads nowhere");
    refused(&[vec![0; 512], file.clone()], "single block of zeros");
    let mut broken = file.clone();
    broken[0] = b'g';
    refused(&[broken], "checksum");

    let fine = [
        entry("g", b'g', b"13 comment=x\n"),
        long(b'L', b"a\0"),
        file,
        end(),
    ]
    .concat();
    assert_eq!(read_all(&fine).unwrap()[0].0.path, b"a");
}

#[test]
fn sizes_are_neither_negative_nor_believed() {
    let mut negative = header("f", b'0', 0);
    negative.as_mut_bytes()[124..136].copy_from_slice(&[0xff; 12]);
    negative.set_cksum();
    refused(&[negative.as_bytes().to_vec()], "negative");

    let huge = header("f", b'0', 7 << 30);
    let error = read_all(huge.as_bytes()).unwrap_err();
    assert!(matches!(error, TarError::Read(_)), "{error}");

    let error = read_all(header("x", b'x', 1 << 30).as_bytes()).unwrap_err();
    assert!(matches!(error, TarError::Limit { .. }), "{error}");
}

#[test]
fn too_many_entries_are_refused() {
    let many = entry("f", b'0', b"").repeat(1001);
    let error = read_all(&many).unwrap_err();
    assert!(
        matches!(
            error,
            TarError::Limit {
                what: "entries",
                limit: 1000
            }
        ),
        "{error}"
    );
    assert_eq!(
        read_all(&entry("f", b'0', b"").repeat(1000)).unwrap().len(),
        1000
    );
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2048)) {
        let _ = read_all(&bytes);
    }

    #[test]
    fn damaged_archives_never_panic(at in 0_usize..2560, byte: u8, mend: bool) {
        let mut bytes = [
            pax(&[("path", "some/where"), ("SCHILY.xattr.user.a", "b")]),
            entry("f", b'0', b"content"),
            end(),
        ].concat();
        bytes[at] = byte;
        if mend && at < 512 {
            let mut header = tar::Header::new_old();
            header.as_mut_bytes().copy_from_slice(&bytes[..512]);
            header.set_cksum();
            bytes[..512].copy_from_slice(header.as_bytes());
        }
        let _ = read_all(&bytes);
    }

    #[test]
    fn what_the_tar_crate_writes_is_read_back(
        files in prop::collection::vec(("[a-z]{1,200}", prop::collection::vec(any::<u8>(), 0..700)), 0..5)
    ) {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in &files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o600);
            builder.append_data(&mut header, name, &content[..]).unwrap();
        }
        let members = read_all(&builder.into_inner().unwrap()).unwrap();
        prop_assert_eq!(members.len(), files.len());
        for ((member, content), (name, expected)) in members.iter().zip(&files) {
            prop_assert_eq!(&member.path, name.as_bytes());
            prop_assert_eq!(content, expected);
        }
    }
}
