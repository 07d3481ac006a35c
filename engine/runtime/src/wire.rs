//! Messages as packets: short ones whole, long ones in an anonymous file beside the packet.

use std::io::{Read as _, Seek as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use engine_sys::fd;
use engine_sys::socket::{self, Received};
use serde::Serialize;

use crate::{Error, Result};

/// What a packet holds at most; a longer message travels as a sealed file.
const INLINE_BYTES: usize = 16 << 10;
/// The longest message: a process with every argument and variable that the kernel would take.
const MAX_BYTES: u64 = 8 << 20;

const INLINE: u8 = 0;
const IN_FILE: u8 = 1;

/// Sends a message with descriptors.
pub(crate) fn send(
    to: BorrowedFd<'_>,
    message: &impl Serialize,
    fds: &[BorrowedFd<'_>],
) -> Result<()> {
    let mut packet = vec![INLINE];
    serde_json::to_writer(&mut packet, message).map_err(|source| Error::Damaged {
        subject: "a message to send".into(),
        source,
    })?;
    if packet.len() <= INLINE_BYTES {
        return socket::send(to, &packet, fds).map_err(Error::sys("send a message"));
    }
    let file = fd::sealed("message", &packet[1..]).map_err(Error::sys("keep a long message"))?;
    let mut all = vec![file.as_fd()];
    all.extend_from_slice(fds);
    socket::send(to, &[IN_FILE], &all).map_err(Error::sys("send a long message"))
}

/// Receives a message with its descriptors; `None` when none is waiting.
pub(crate) fn receive(from: BorrowedFd<'_>) -> Result<Option<(Vec<u8>, Vec<OwnedFd>)>> {
    let mut packet = vec![0; INLINE_BYTES];
    let received = socket::receive(from, &mut packet).map_err(Error::sys("receive a message"))?;
    let (n_bytes, mut fds) = match received {
        Received::Nothing => return Ok(None),
        Received::Closed => return Err(Error::Closed),
        Received::Packet(n_bytes, fds) => (n_bytes, fds),
    };
    packet.truncate(n_bytes);
    if packet.first() == Some(&IN_FILE) && !fds.is_empty() {
        let message = read_file(fds.remove(0))?;
        return Ok(Some((message, fds)));
    }
    packet.drain(..1.min(n_bytes));
    Ok(Some((packet, fds)))
}

fn read_file(file: OwnedFd) -> Result<Vec<u8>> {
    let failed = |source| Error::File {
        action: "read",
        path: "a long message".into(),
        source,
    };
    let mut file = std::fs::File::from(file);
    file.rewind().map_err(failed)?;
    let mut message = Vec::new();
    file.take(MAX_BYTES)
        .read_to_end(&mut message)
        .map_err(failed)?;
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_messages_arrive_as_they_were_sent() {
        let (ours, theirs) = socket::packet_pair().expect("pair");
        for n_bytes in [0, 1, INLINE_BYTES, 3 << 20] {
            let text = "x".repeat(n_bytes);

            send(ours.as_fd(), &text, &[ours.as_fd()]).expect("send");

            let (bytes, fds) = receive(theirs.as_fd())
                .expect("receive")
                .expect("a message");
            assert_eq!(
                serde_json::from_slice::<String>(&bytes).expect("json"),
                text
            );
            assert_eq!(fds.len(), 1);
        }
    }
}
