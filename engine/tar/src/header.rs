//! One 512-byte header: its fields, each read in the only way that all readers share.

/// Length of a header and unit of everything in an archive.
pub(crate) const BLOCK_BYTES: usize = 512;

/// A header block whose checksum is right.
pub(crate) struct Header<'a>(&'a [u8; BLOCK_BYTES]);

/// What a field says that is not a number any reader agrees on.
pub(crate) type FieldResult<T> = Result<T, &'static str>;

impl<'a> Header<'a> {
    /// Checks the sum and takes the block as a header.
    pub(crate) fn parse(block: &'a [u8; BLOCK_BYTES]) -> FieldResult<Self> {
        let header = Self(block);
        let expected = header
            .number(148, 8)
            .map_err(|_| "the checksum is not a number")?;
        let (mut unsigned, mut signed) = (0_i64, 0_i64);
        for (position, byte) in block.iter().enumerate() {
            let byte = if (148..156).contains(&position) {
                b' '
            } else {
                *byte
            };
            unsigned += i64::from(byte);
            signed += i64::from(byte.cast_signed());
        }
        if expected != unsigned && expected != signed {
            return Err("the checksum is wrong");
        }
        if &block[508..512] == b"tar\0" {
            return Err("star's own format is not supported");
        }
        Ok(header)
    }

    pub(crate) fn type_flag(&self) -> u8 {
        self.0[156]
    }

    /// The name, with the prefix that the POSIX format adds.
    pub(crate) fn path(&self) -> Vec<u8> {
        let name = text(&self.0[0..100]);
        let prefix = text(&self.0[345..500]);
        if !self.is_posix() || prefix.is_empty() {
            return name.to_vec();
        }
        [prefix, b"/", name].concat()
    }

    pub(crate) fn link(&self) -> Vec<u8> {
        text(&self.0[157..257]).to_vec()
    }

    pub(crate) fn size(&self) -> FieldResult<u64> {
        u64::try_from(self.number(124, 12)?).map_err(|_| "the size is negative")
    }

    pub(crate) fn mode(&self) -> FieldResult<u32> {
        // Some writers put the type bits in; only permissions are meant.
        let mode = self.number(100, 8)?;
        u32::try_from(mode & 0o7777).map_err(|_| "the mode is negative")
    }

    pub(crate) fn uid(&self) -> FieldResult<u32> {
        id(self.number(108, 8)?)
    }

    pub(crate) fn gid(&self) -> FieldResult<u32> {
        id(self.number(116, 8)?)
    }

    pub(crate) fn modified(&self) -> FieldResult<i64> {
        self.number(136, 12)
    }

    pub(crate) fn device(&self) -> FieldResult<(u32, u32)> {
        if !self.has_devices() {
            return Ok((0, 0));
        }
        let part = |at| {
            u32::try_from(self.number(at, 8)?).map_err(|_| "the device number is out of range")
        };
        Ok((part(329)?, part(337)?))
    }

    fn is_posix(&self) -> bool {
        &self.0[257..263] == b"ustar\0"
    }

    fn has_devices(&self) -> bool {
        &self.0[257..262] == b"ustar"
    }

    fn number(&self, at: usize, length: usize) -> FieldResult<i64> {
        let field = &self.0[at..at + length];
        if field[0] & 0x80 != 0 {
            base_256(field)
        } else {
            octal(field)
        }
    }
}

/// An id that fits; the one that the kernel reads as "leave it" does not.
pub(crate) fn id(number: i64) -> FieldResult<u32> {
    match u32::try_from(number) {
        Ok(id) if id != u32::MAX => Ok(id),
        _ => Err("the owner or group is out of range"),
    }
}

fn text(field: &[u8]) -> &[u8] {
    let end = field
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(field.len());
    &field[..end]
}

fn octal(field: &[u8]) -> FieldResult<i64> {
    let digits = text(field.trim_ascii_start()).trim_ascii_end();
    digits.iter().try_fold(0_i64, |number, digit| match digit {
        b'0'..=b'7' => number
            .checked_mul(8)
            .and_then(|number| number.checked_add(i64::from(digit - b'0')))
            .ok_or("a number is too large"),
        _ => Err("a number has other than octal digits"),
    })
}

/// GNU's binary numbers: big-endian two's complement without the top bit.
fn base_256(field: &[u8]) -> FieldResult<i64> {
    let negative = field[0] & 0x40 != 0;
    let first = if negative { field[0] } else { field[0] & 0x7f };
    let mut number = if negative { -1_i128 } else { 0 };
    for byte in std::iter::once(first).chain(field[1..].iter().copied()) {
        number = number << 8 | i128::from(byte);
    }
    i64::try_from(number).map_err(|_| "a number is too large")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_gnu_binary() {
        let cases: [(&[u8], FieldResult<i64>); 10] = [
            (b"0000644\0", Ok(0o644)),
            (b"  644 \0\0", Ok(0o644)),
            (b"\0\0\0\0\0\0\0\0", Ok(0)),
            (b"77777777", Ok(0o7777_7777)),
            (b"0000648\0", Err("a number has other than octal digits")),
            (b"-000644\0", Err("a number has other than octal digits")),
            (b"0x00644\0", Err("a number has other than octal digits")),
            (b"\x80\0\0\0\0\0\x01\x02", Ok(258)),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff", Ok(-1)),
            (
                b"\x80\xff\xff\xff\xff\xff\xff\xff",
                Ok(0x00ff_ffff_ffff_ffff),
            ),
        ];
        for (field, expected) in cases {
            let read = if field[0] & 0x80 != 0 {
                base_256(field)
            } else {
                octal(field)
            };
            assert_eq!(read, expected, "{field:?}");
        }
        assert!(base_256(b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff").is_err());
    }

    #[test]
    fn ids_fit_and_never_mean_leave_it() {
        assert_eq!(id(0xffff_fffe), Ok(0xffff_fffe));
        for number in [-1, 0xffff_ffff, 0x1_0000_0000] {
            assert!(id(number).is_err(), "{number}");
        }
    }
}
