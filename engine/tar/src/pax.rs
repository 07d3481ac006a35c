//! The records of a PAX extension header.

use std::collections::HashMap;

use crate::header::{FieldResult, id};
use crate::reader::{Time, Xattr};

const XATTR_PREFIX: &[u8] = b"SCHILY.xattr.";

/// What an extension header says about the member behind it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Extension {
    pub(crate) path: Option<Vec<u8>>,
    pub(crate) link: Option<Vec<u8>>,
    pub(crate) size: Option<u64>,
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
    pub(crate) modified: Option<Time>,
    pub(crate) xattrs: Vec<Xattr>,
}

impl Extension {
    /// Reads the records; a key twice, or a key that changes the shape of the content, is refused.
    pub(crate) fn parse(bytes: &[u8]) -> FieldResult<Self> {
        let mut extension = Self::default();
        let mut seen = HashMap::new();
        for record in Records(bytes) {
            let (key, value) = record?;
            if seen.insert(key, ()).is_some() {
                return Err("an extension header has the same key twice");
            }
            extension.take(key, value)?;
        }
        Ok(extension)
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> FieldResult<()> {
        match key {
            b"path" => self.path = Some(name(value)?),
            b"linkpath" => self.link = Some(name(value)?),
            b"size" => {
                let size = decimal(value)?;
                self.size = Some(u64::try_from(size).map_err(|_| "the size is negative")?);
            }
            b"uid" => self.uid = Some(id(decimal(value)?)?),
            b"gid" => self.gid = Some(id(decimal(value)?)?),
            b"mtime" => self.modified = Some(time(value)?),
            _ if key.starts_with(b"GNU.sparse.") => return Err("sparse files are not supported"),
            _ => {
                if let Some(attribute) = key.strip_prefix(XATTR_PREFIX) {
                    self.xattrs.push(xattr(attribute, value)?);
                }
            }
        }
        Ok(())
    }
}

/// Checks a global header. Readers disagree on whether its records count, so only a comment,
/// which changes nothing, may be in it (`git archive` writes one).
pub(crate) fn check_global(bytes: &[u8]) -> FieldResult<()> {
    for record in Records(bytes) {
        let (key, _) = record?;
        if key != b"comment" {
            return Err("a global extension header has other than a comment");
        }
    }
    Ok(())
}

/// Splits `LENGTH KEY=VALUE\n` records.
struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = FieldResult<(&'a [u8], &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let record = split_record(self.0);
        self.0 = record.as_ref().map_or(&[], |(_, rest)| rest);
        Some(record.map(|(pair, _)| pair))
    }
}

type Split<'a> = ((&'a [u8], &'a [u8]), &'a [u8]);

fn split_record(bytes: &[u8]) -> FieldResult<Split<'_>> {
    const MALFORMED: &str = "an extension header has a malformed record";
    let space = bytes
        .iter()
        .take(20)
        .position(|byte| *byte == b' ')
        .ok_or(MALFORMED)?;
    let length = usize::try_from(decimal(&bytes[..space])?).map_err(|_| MALFORMED)?;
    if length <= space + 1 || length > bytes.len() || bytes[length - 1] != b'\n' {
        return Err(MALFORMED);
    }
    let record = &bytes[space + 1..length - 1];
    let equals = record
        .iter()
        .position(|byte| *byte == b'=')
        .ok_or(MALFORMED)?;
    if equals == 0 {
        return Err(MALFORMED);
    }
    Ok(((&record[..equals], &record[equals + 1..]), &bytes[length..]))
}

fn name(value: &[u8]) -> FieldResult<Vec<u8>> {
    if value.is_empty() || value.contains(&0) {
        return Err("an extension header has an empty name, or a zero byte in one");
    }
    Ok(value.to_vec())
}

fn xattr(name: &[u8], value: &[u8]) -> FieldResult<Xattr> {
    if name.is_empty() || name.len() > 255 || name.contains(&0) || value.len() > 64 * 1024 {
        return Err("an extended attribute is out of the kernel's limits");
    }
    Ok(Xattr {
        name: name.to_vec(),
        value: value.to_vec(),
    })
}

fn decimal(digits: &[u8]) -> FieldResult<i64> {
    let (negative, digits) = match digits.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, digits),
    };
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return Err("an extension header has a malformed number");
    }
    let number = digits
        .iter()
        .fold(0_i64, |number, digit| number * 10 + i64::from(digit - b'0'));
    Ok(if negative { -number } else { number })
}

/// Seconds with an optional fraction, of which nanoseconds are kept.
fn time(value: &[u8]) -> FieldResult<Time> {
    let point = value
        .iter()
        .position(|byte| *byte == b'.')
        .unwrap_or(value.len());
    let seconds = decimal(&value[..point])?;
    let fraction = value.get(point + 1..).unwrap_or_default();
    if !fraction.iter().all(u8::is_ascii_digit) {
        return Err("an extension header has a malformed time");
    }
    let digits = fraction
        .iter()
        .copied()
        .chain(std::iter::repeat(b'0'))
        .take(9);
    let nanoseconds = digits.fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'));
    if value.starts_with(b"-") && nanoseconds > 0 {
        return Ok(Time {
            seconds: seconds - 1,
            nanoseconds: 1_000_000_000 - nanoseconds,
        });
    }
    Ok(Time {
        seconds,
        nanoseconds,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(key: &str, value: &str) -> String {
        let rest = format!(" {key}={value}\n");
        let mut length = rest.len() + 1;
        while length.to_string().len() + rest.len() != length {
            length = length.to_string().len() + rest.len();
        }
        format!("{length}{rest}")
    }

    fn parse(records: &[(&str, &str)]) -> FieldResult<Extension> {
        let text: String = records
            .iter()
            .map(|(key, value)| record(key, value))
            .collect();
        Extension::parse(text.as_bytes())
    }

    #[test]
    fn known_keys_are_read_and_unknown_ones_are_not() {
        let extension = parse(&[
            ("path", "a=b/ç"),
            ("size", "123"),
            ("mtime", "17.5"),
            ("SCHILY.xattr.user.x", "a=\n"),
            ("atime", "nonsense"),
        ])
        .unwrap();
        assert_eq!(extension.path.as_deref(), Some("a=b/ç".as_bytes()));
        assert_eq!(extension.size, Some(123));
        assert_eq!(
            extension.modified,
            Some(Time {
                seconds: 17,
                nanoseconds: 500_000_000
            })
        );
        assert_eq!(extension.xattrs[0].value, b"a=\n");
    }

    #[test]
    fn what_readers_disagree_on_is_refused() {
        for records in [
            &[("size", "1"), ("size", "1")][..],
            &[("path", "")],
            &[("size", "-1")],
            &[("size", "0x10")],
            &[("size", "99999999999999999999")],
            &[("uid", "4294967296")],
            &[("GNU.sparse.major", "1")],
            &[("mtime", "1.2.3")],
        ] {
            assert!(parse(records).is_err(), "{records:?}");
        }
        for bytes in [
            "7 a=b\n",
            "5 a=b\n",
            "x a=b\n",
            "6 a=b",
            " a=b\n",
            "4 =\n",
            "99999 a=b\n",
        ] {
            assert!(Extension::parse(bytes.as_bytes()).is_err(), "{bytes:?}");
        }
        assert!(check_global(record("comment", "0123").as_bytes()).is_ok());
        assert!(check_global(record("size", "1").as_bytes()).is_err());
    }

    #[test]
    fn times_before_1970_keep_their_fraction() {
        assert_eq!(
            time(b"-1.25"),
            Ok(Time {
                seconds: -2,
                nanoseconds: 750_000_000
            })
        );
        assert_eq!(
            time(b"5.1234567899"),
            Ok(Time {
                seconds: 5,
                nanoseconds: 123_456_789
            })
        );
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Extension::parse(&bytes);
            let _ = check_global(&bytes);
        }
    }
}
