//! Local sockets that keep message boundaries and carry descriptors.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
};

use crate::{Errno, Result, SysError};

/// The most descriptors that one message carries here.
pub const MAX_FDS: usize = 4;

/// Makes two connected packet sockets, both closed on exec.
pub fn packet_pair() -> Result<(OwnedFd, OwnedFd)> {
    pair(SocketType::SEQPACKET)
}

/// Makes two connected stream sockets, both closed on exec.
pub fn stream_pair() -> Result<(OwnedFd, OwnedFd)> {
    pair(SocketType::STREAM)
}

fn pair(kind: SocketType) -> Result<(OwnedFd, OwnedFd)> {
    rustix::net::socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)
        .map_err(|errno| SysError::new("socketpair", "a local socket", errno))
}

/// Listens for packet connections on a path that does not exist yet; only root may connect.
pub fn listen(path: &Path) -> Result<OwnedFd> {
    let socket = packet_socket(path)?;
    let address = address(path)?;
    // Rights are set before the name exists: on Linux the file takes the socket's own mode.
    rustix::fs::fchmod(&socket, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)
        .map_err(|errno| SysError::new("fchmod", path.display(), errno))?;
    rustix::net::bind(&socket, &address)
        .map_err(|errno| SysError::new("bind", path.display(), errno))?;
    rustix::net::listen(&socket, 4)
        .map_err(|errno| SysError::new("listen", path.display(), errno))?;
    Ok(socket)
}

/// Accepts one connection; `None` when none is waiting.
pub fn accept(listener: impl AsFd) -> Result<Option<OwnedFd>> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    match rustix::net::accept_with(listener, flags) {
        Ok(socket) => Ok(Some(socket)),
        Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED) => Ok(None),
        Err(errno) => Err(SysError::new("accept4", "a local socket", errno)),
    }
}

/// Connects to a packet listener.
pub fn connect(path: &Path) -> Result<OwnedFd> {
    let socket = packet_socket(path)?;
    rustix::net::connect(&socket, &address(path)?)
        .map_err(|errno| SysError::new("connect", path.display(), errno))?;
    Ok(socket)
}

fn packet_socket(path: &Path) -> Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
        .map_err(|errno| SysError::new("socket", path.display(), errno))
}

fn address(path: &Path) -> Result<SocketAddrUnix> {
    SocketAddrUnix::new(path).map_err(|errno| SysError::new("bind", path.display(), errno))
}

/// Returns the user id of the process at the other end, as it was when it connected.
pub fn peer_user(socket: impl AsFd) -> Result<u32> {
    rustix::net::sockopt::socket_peercred(socket)
        .map(|credentials| credentials.uid.as_raw())
        .map_err(|errno| SysError::new("getsockopt(SO_PEERCRED)", "a local socket", errno))
}

/// Returns how much of what was sent the other end of a local socket has not read yet; the kernel
/// counts its own bookkeeping along, but nothing is nothing.
pub fn n_unread(socket: impl AsFd) -> Result<usize> {
    let mut n_bytes: libc::c_int = 0;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: TIOCOUTQ writes one int, which lives through the call; the descriptor is borrowed.
    let result = unsafe { libc::ioctl(fd, libc::TIOCOUTQ, &raw mut n_bytes) };
    if result == 0 {
        return Ok(usize::try_from(n_bytes).unwrap_or(0));
    }
    let error = std::io::Error::last_os_error();
    Err(SysError::from_io(
        "ioctl(SIOCOUTQ)",
        "a local socket",
        &error,
    ))
}

/// Sends one packet with descriptors; a peer that has gone is an error and never a signal.
pub fn send(socket: impl AsFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<()> {
    if fds.len() > MAX_FDS {
        return Err(SysError::new(
            "sendmsg",
            "too many descriptors",
            Errno::TOOMANYREFS,
        ));
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(SysError::new("sendmsg", "descriptors", Errno::NOBUFS));
    }
    loop {
        let sent = rustix::net::sendmsg(
            &socket,
            &[IoSlice::new(bytes)],
            &mut control,
            SendFlags::NOSIGNAL,
        );
        match sent {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(SysError::new("sendmsg", "a local socket", errno)),
        }
    }
}

/// A packet as it was received.
#[derive(Debug)]
pub enum Received {
    /// Nothing is waiting.
    Nothing,
    /// The other end has gone.
    Closed,
    /// A packet of so many bytes, with its descriptors.
    Packet(usize, Vec<OwnedFd>),
}

/// Receives one packet; its descriptors are closed on exec.
///
/// # Errors
/// `EMSGSIZE` when the packet is larger than `buffer` or carries too many descriptors.
pub fn receive(socket: impl AsFd, buffer: &mut [u8]) -> Result<Received> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let message = loop {
        let received = rustix::net::recvmsg(
            &socket,
            &mut [IoSliceMut::new(buffer)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        );
        match received {
            Ok(message) => break message,
            // The peer has gone and left something unread: that is told once, before its last words.
            Err(Errno::INTR | Errno::CONNRESET) => {}
            Err(Errno::AGAIN) => return Ok(Received::Nothing),
            Err(errno) => return Err(SysError::new("recvmsg", "a local socket", errno)),
        }
    };
    let mut fds = Vec::new();
    for part in control.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = part {
            fds.extend(received);
        }
    }
    if message
        .flags
        .intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC)
    {
        return Err(SysError::new(
            "recvmsg",
            "a packet that is too large",
            Errno::MSGSIZE,
        ));
    }
    if message.bytes == 0 && fds.is_empty() {
        return Ok(Received::Closed);
    }
    Ok(Received::Packet(message.bytes, fds))
}

/// Ends the writing side of a stream socket; a peer that has gone is no error.
pub fn end_writing(socket: impl AsFd) {
    // The only failure is a connection that has ended already, which is what was wanted.
    let _ = rustix::net::shutdown(socket, rustix::net::Shutdown::Write);
}

/// Waits until a descriptor can be read, at most so long; says whether it can.
pub fn wait_readable(fd: impl AsFd, at_most: Duration) -> Result<bool> {
    wait(fd, PollFlags::IN, at_most)
}

/// Waits until a descriptor can be written, at most so long; says whether it can.
pub fn wait_writable(fd: impl AsFd, at_most: Duration) -> Result<bool> {
    wait(fd, PollFlags::OUT, at_most)
}

fn wait(fd: impl AsFd, flags: PollFlags, at_most: Duration) -> Result<bool> {
    let limit = Timespec::try_from(at_most).ok();
    match rustix::event::poll(&mut [PollFd::new(&fd, flags)], limit.as_ref()) {
        Ok(n_ready) => Ok(n_ready > 0),
        Err(Errno::INTR) => Ok(false),
        Err(errno) => Err(SysError::new("ppoll", "a descriptor", errno)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_arrives_whole_with_its_descriptors() {
        let (ours, theirs) = packet_pair().expect("pair");
        let (reader, _writer) = crate::fd::pipe().expect("pipe");

        send(&ours, b"hello", &[reader.as_fd()]).expect("send");

        let mut buffer = [0; 16];
        let Received::Packet(5, fds) = receive(&theirs, &mut buffer).expect("receive") else {
            panic!("a packet of five bytes was sent");
        };
        assert_eq!((&buffer[..5], fds.len()), (b"hello".as_slice(), 1));
    }

    #[test]
    fn the_last_words_of_a_peer_that_did_not_listen_are_heard() {
        let (ours, theirs) = packet_pair().expect("pair");
        send(&ours, b"are you there", &[]).expect("send");
        send(&theirs, b"farewell", &[]).expect("send");

        drop(theirs);

        let mut buffer = [0; 16];
        let heard = receive(&ours, &mut buffer).expect("receive");
        assert!(matches!(heard, Received::Packet(8, _)), "{heard:?}");
        let heard = receive(&ours, &mut buffer).expect("receive");
        assert!(matches!(heard, Received::Closed), "{heard:?}");
    }

    #[test]
    fn a_packet_that_does_not_fit_is_an_error() {
        let (ours, theirs) = packet_pair().expect("pair");

        send(&ours, b"hello", &[]).expect("send");

        let error = receive(&theirs, &mut [0; 2]).expect_err("it is cut");
        assert_eq!(error.errno, Errno::MSGSIZE);
    }

    #[test]
    fn a_peer_that_has_gone_is_told_apart_from_silence() {
        let (ours, theirs) = packet_pair().expect("pair");
        crate::fd::set_nonblocking(&ours, true).expect("non-blocking");

        assert!(matches!(receive(&ours, &mut [0; 2]), Ok(Received::Nothing)));
        drop(theirs);
        assert!(matches!(receive(&ours, &mut [0; 2]), Ok(Received::Closed)));
        assert_eq!(
            send(&ours, b"x", &[]).map_err(|error| error.errno),
            Err(Errno::PIPE)
        );
    }
}
