//! Finds out how a stream is compressed and undoes it, within bounds.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use crate::error::TarError;

const BUFFER_BYTES: usize = 128 * 1024;

/// How a stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952, any number of members.
    Gzip,
    /// RFC 8878.
    Zstd,
}

impl Compression {
    /// What the first bytes of a stream say.
    ///
    /// # Errors
    /// When they belong to a compression that images do not use.
    pub fn of(start: &[u8]) -> Result<Self, TarError> {
        match start {
            [0x1f, 0x8b, ..] => Ok(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Ok(Self::Zstd),
            [low, 0x2a, 0x4d, 0x18, ..] if low & 0xf0 == 0x50 => Ok(Self::Zstd),
            [0xfd, b'7', b'z', b'X', ..] => Err(unknown("xz")),
            [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', ..] => Err(unknown("bzip2")),
            [0x04, 0x22, 0x4d, 0x18, ..] => Err(unknown("lz4")),
            _ => Ok(Self::None),
        }
    }
}

/// How much may come out of a stream.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Bytes that may come out at all.
    pub bytes_max: u64,
    /// How many bytes may come out for one that went in …
    pub ratio_max: u64,
    /// … once this many have come out: short streams of zeros are nobody's bomb.
    pub ratio_free_bytes: u64,
}

/// The uncompressed bytes of a stream.
pub struct Decompressed<'a> {
    reader: Box<dyn Read + Send + 'a>,
    compression: Compression,
    bounds: Bounds,
    n_in: Arc<AtomicU64>,
    n_out: u64,
}

impl<'a> Decompressed<'a> {
    /// Looks at the first bytes of `source` and prepares to uncompress it.
    ///
    /// # Errors
    /// When `source` fails, or is compressed in a way that images do not use.
    pub fn new(source: impl Read + Send + 'a, bounds: Bounds) -> Result<Self, TarError> {
        let n_in = Arc::new(AtomicU64::new(0));
        let counted = Counted {
            source,
            n_bytes: Arc::clone(&n_in),
        };
        let mut source = BufReader::with_capacity(BUFFER_BYTES, counted);
        let compression = Compression::of(fill(&mut source)?)?;
        let reader: Box<dyn Read + Send + 'a> = match compression {
            Compression::None => Box::new(source),
            Compression::Gzip => Box::new(MultiGzDecoder::new(source)),
            Compression::Zstd => {
                let decoder = zstd::stream::read::Decoder::with_buffer(source);
                Box::new(decoder.map_err(TarError::Read)?)
            }
        };
        Ok(Self {
            reader,
            compression,
            bounds,
            n_in,
            n_out: 0,
        })
    }

    /// How the stream was compressed.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    fn check(&self) -> Result<(), TarError> {
        let Bounds {
            bytes_max,
            ratio_max,
            ratio_free_bytes,
        } = self.bounds;
        if self.n_out > bytes_max {
            return Err(TarError::Limit {
                what: "bytes",
                limit: bytes_max,
            });
        }
        let n_in = self.n_in.load(Ordering::Relaxed);
        let allowed = n_in
            .saturating_mul(ratio_max)
            .saturating_add(ratio_free_bytes);
        if self.compression != Compression::None && self.n_out > allowed {
            return Err(TarError::Limit {
                what: "bytes for each compressed one",
                limit: ratio_max,
            });
        }
        Ok(())
    }
}

impl Read for Decompressed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n_read = self.reader.read(buffer)?;
        self.n_out += n_read as u64;
        self.check().map_err(TarError::into_io)?;
        Ok(n_read)
    }
}

impl fmt::Debug for Decompressed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decompressed")
            .field("compression", &self.compression)
            .finish()
    }
}

struct Counted<R> {
    source: R,
    n_bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n_read = self.source.read(buffer)?;
        self.n_bytes.fetch_add(n_read as u64, Ordering::Relaxed);
        Ok(n_read)
    }
}

fn fill<R: Read>(source: &mut BufReader<R>) -> Result<&[u8], TarError> {
    loop {
        match source.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(TarError::from_read(error)),
            Ok(_) => break,
        }
    }
    Ok(source.buffer())
}

fn unknown(name: &str) -> TarError {
    let reason = format!("{name} compression is not supported; use gzip, zstd or none");
    TarError::Malformed { offset: 0, reason }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const BOUNDS: Bounds = Bounds {
        bytes_max: 1 << 20,
        ratio_max: 10,
        ratio_free_bytes: 4096,
    };

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> Result<Vec<u8>, TarError> {
        let mut out = Vec::new();
        let mut reader = Decompressed::new(bytes, BOUNDS)?;
        reader.read_to_end(&mut out).map_err(TarError::from_read)?;
        Ok(out)
    }

    #[test]
    fn three_kinds_are_told_apart() {
        assert_eq!(read(b"plain").unwrap(), b"plain");
        assert_eq!(read(b"").unwrap(), b"");
        assert_eq!(read(&gzip(b"packed")).unwrap(), b"packed");
        assert_eq!(
            read(&[gzip(b"two "), gzip(b"members")].concat()).unwrap(),
            b"two members"
        );
        assert_eq!(
            read(&zstd::encode_all(&b"packed"[..], 1).unwrap()).unwrap(),
            b"packed"
        );
    }

    #[test]
    fn what_images_do_not_use_is_named() {
        let error = read(b"\xfd7zXZ\0").unwrap_err();
        assert!(error.to_string().contains("xz compression"), "{error}");
    }

    #[test]
    fn bombs_stop_at_the_ratio_and_honest_zeros_pass() {
        let error = read(&gzip(&vec![0; 500_000])).unwrap_err();
        assert!(
            matches!(error, TarError::Limit { limit: 10, .. }),
            "{error}"
        );
        assert_eq!(read(&gzip(&[0; 4000])).unwrap().len(), 4000);
    }

    #[test]
    fn a_long_stream_stops_at_its_limit() {
        let error = read(&vec![1; (1 << 20) + 1]).unwrap_err();
        assert!(
            matches!(error, TarError::Limit { what: "bytes", .. }),
            "{error}"
        );
    }

    #[test]
    fn a_cut_stream_is_an_error() {
        let packed = gzip(&(0..=255).cycle().take(3000).collect::<Vec<u8>>());
        let error = read(&packed[..packed.len() - 9]).unwrap_err();
        assert!(matches!(error, TarError::Read(_)), "{error}");
    }
}
