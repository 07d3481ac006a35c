//! The processes of a container as `top` lists them, and the counters of its network.
//!
//! Everything is read from `/proc` once; a process that ends meanwhile is left out. Names of users
//! are not looked up here: a number means another person on the host than in the image.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use engine_sys::cgroup;

use crate::{
    cgroups::{Cgroup, CgroupError},
    usage::whole,
};

/// One process, with what ps(1) can say of it. Numbers of processes are the host's.
#[derive(Debug, Clone, PartialEq)]
pub struct Process {
    pub pid: i32,
    pub parent: i32,
    pub group: i32,
    pub session: i32,
    /// The effective user and group.
    pub uid: u32,
    pub gid: u32,
    /// The program's short name, at most 15 bytes.
    pub name: String,
    /// The arguments with blanks between them; `[name]` when the process shows none.
    pub command: String,
    /// ps's `STAT`: the state, then `<` or `N` for nice, `L` locked pages, `s` session leader, `l`
    /// threads, `+` foreground.
    pub state: String,
    /// `pts/0` or `?`.
    pub terminal: String,
    pub threads: u64,
    pub nice: i64,
    pub priority: i64,
    pub virtual_bytes: u64,
    pub resident_bytes: u64,
    /// Processor time, user and system together.
    pub cpu_ns: u64,
    /// When it started.
    pub start_unix_seconds: u64,
    pub elapsed_seconds: u64,
    /// Processor time in percent of the time it has existed.
    pub cpu_percent: f64,
    /// Resident memory in percent of the machine's.
    pub memory_percent: f64,
}

/// The counters of one network interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InterfaceCounters {
    pub name: String,
    pub received: Counters,
    pub sent: Counters,
}

/// One direction of an interface.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    pub bytes: u64,
    pub packets: u64,
    pub errors: u64,
    pub dropped: u64,
}

/// Lists the processes of `group`, by number.
///
/// # Errors
/// [`CgroupError::Read`] when the group cannot be read.
pub fn list(group: &Cgroup) -> Result<Vec<Process>, CgroupError> {
    let pids = group.processes()?;
    let machine = Machine::read().map_err(|source| CgroupError::Read {
        group: group.path().to_owned(),
        what: "the processes",
        source,
    })?;
    Ok(pids
        .into_iter()
        .filter_map(|pid| read(pid, &machine))
        .collect())
}

/// Reads what went through the interfaces of one network namespace, again and again.
///
/// The namespace lives as long as this, its processes or not.
#[derive(Debug)]
pub struct InterfaceReader(File);

impl InterfaceReader {
    /// One for the network namespace of process `pid`.
    ///
    /// # Errors
    /// ENOENT when the process is gone.
    pub fn of(pid: i32) -> io::Result<Self> {
        File::open(format!("/proc/{pid}/net/dev")).map(Self)
    }

    /// Reads the counters of each interface but loopback.
    ///
    /// # Errors
    /// The kernel's answer.
    pub fn read(&self) -> io::Result<Vec<InterfaceCounters>> {
        let text = whole(&self.0)?;
        Ok(text
            .lines()
            .filter_map(interface)
            .filter(|one| one.name != "lo")
            .collect())
    }
}

/// What times and percentages are measured against.
struct Machine {
    boot_unix_seconds: u64,
    uptime_ticks: u64,
    memory_bytes: u64,
}

const TICKS_PER_SECOND: u64 = 100;
const NS_PER_TICK: u64 = 1_000_000_000 / TICKS_PER_SECOND;

impl Machine {
    fn read() -> engine_sys::Result<Self> {
        let stat = cgroup::read(Path::new("/proc/stat"))?;
        let boot = stat.lines().find_map(|line| line.strip_prefix("btime "));
        let uptime = cgroup::read(Path::new("/proc/uptime"))?;
        let mut uptime = uptime
            .split(['.', ' '])
            .map(|part| part.parse::<u64>().unwrap_or(0));
        let seconds = uptime.next().unwrap_or(0);
        // Two digits behind the point: ticks.
        let ticks = uptime.next().unwrap_or(0);
        Ok(Self {
            boot_unix_seconds: boot.and_then(|text| text.parse().ok()).unwrap_or(0),
            uptime_ticks: seconds * TICKS_PER_SECOND + ticks,
            memory_bytes: crate::usage::read_host()?.memory_bytes,
        })
    }
}

fn read(pid: i32, machine: &Machine) -> Option<Process> {
    let file = |name: &str| fs::read(format!("/proc/{pid}/{name}")).ok();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let stat = text(file("stat")?);
    let status = text(file("status")?);
    let arguments = file("cmdline")?;
    parse(pid, &stat, &status, &arguments, machine)
}

fn parse(
    pid: i32,
    stat: &str,
    status: &str,
    arguments: &[u8],
    machine: &Machine,
) -> Option<Process> {
    // The name may hold anything, parentheses too: the last one closes it.
    let (head, tail) = stat.rsplit_once(')')?;
    let name = head.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = tail.split_whitespace().collect();
    // proc(5) counts from 1 and the state is its field 3.
    let field = |number: usize| fields.get(number - 3).copied().unwrap_or("0");
    let signed = |number| field(number).parse::<i64>().unwrap_or(0);
    let unsigned = |number| field(number).parse::<u64>().unwrap_or(0);
    let id = |number| field(number).parse::<i32>().unwrap_or(0);

    let elapsed_ticks = machine.uptime_ticks.saturating_sub(unsigned(22));
    let cpu_ticks = unsigned(14) + unsigned(15);
    let resident_bytes = status_value(status, "VmRSS:") * 1024;
    Some(Process {
        pid,
        parent: id(4),
        group: id(5),
        session: id(6),
        uid: effective(status, "Uid:")?,
        gid: effective(status, "Gid:")?,
        command: command(arguments, &name),
        name,
        state: state(pid, &fields, status),
        terminal: terminal(unsigned(7)),
        threads: unsigned(20),
        nice: signed(19),
        priority: signed(18),
        virtual_bytes: unsigned(23),
        resident_bytes,
        cpu_ns: cpu_ticks * NS_PER_TICK,
        start_unix_seconds: machine.boot_unix_seconds + unsigned(22) / TICKS_PER_SECOND,
        elapsed_seconds: elapsed_ticks / TICKS_PER_SECOND,
        cpu_percent: percent(cpu_ticks, elapsed_ticks),
        memory_percent: percent(resident_bytes, machine.memory_bytes),
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "shown with one digit behind the point"
)]
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 * 100.0 / whole as f64
    }
}

/// Returns the second of the four ids in a line of `/proc/PID/status`.
fn effective(status: &str, key: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn status_value(status: &str, key: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let value = line.and_then(|rest| rest.split_whitespace().next());
    value.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn command(arguments: &[u8], name: &str) -> String {
    let shown = String::from_utf8_lossy(arguments).replace('\0', " ");
    match shown.trim_end() {
        "" => format!("[{name}]"),
        shown => shown.to_owned(),
    }
}

fn state(pid: i32, fields: &[&str], status: &str) -> String {
    let at = |number: usize| {
        fields
            .get(number - 3)
            .and_then(|text| text.parse::<i64>().ok())
    };
    let mut state = fields.first().copied().unwrap_or("?").to_owned();
    let nice = at(19).unwrap_or(0);
    let marks = [
        (nice < 0, '<'),
        (nice > 0, 'N'),
        (status_value(status, "VmLck:") > 0, 'L'),
        (at(6) == Some(i64::from(pid)), 's'),
        (at(20).is_some_and(|threads| threads > 1), 'l'),
        (
            at(8).is_some_and(|front| front > 0 && Some(front) == at(5)),
            '+',
        ),
    ];
    state.extend(marks.iter().filter(|(on, _)| *on).map(|(_, mark)| mark));
    state
}

/// Names a terminal by its device number, as ps does.
fn terminal(device: u64) -> String {
    let major = device >> 8 & 0xfff;
    let minor = device & 0xff | device >> 12 & 0xf_ff00;
    match (major, minor) {
        (136..=143, _) => format!("pts/{}", minor + (major - 136) * 256),
        (4, 0..64) => format!("tty{minor}"),
        (4, _) => format!("ttyS{}", minor - 64),
        (5, 1) => "console".to_owned(),
        _ => "?".to_owned(),
    }
}

/// Reads `  eth0: bytes packets errs drop fifo frame compressed multicast bytes packets …`.
fn interface(line: &str) -> Option<InterfaceCounters> {
    let (name, counters) = line.split_once(':')?;
    let numbers: Vec<u64> = counters
        .split_whitespace()
        .map(|digits| digits.parse().unwrap_or(0))
        .collect();
    let direction = |first: usize| {
        let numbers = numbers.get(first..first + 4)?;
        Some(Counters {
            bytes: numbers[0],
            packets: numbers[1],
            errors: numbers[2],
            dropped: numbers[3],
        })
    };
    Some(InterfaceCounters {
        name: name.trim().to_owned(),
        received: direction(0)?,
        sent: direction(8)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: Machine = Machine {
        boot_unix_seconds: 1_700_000_000,
        uptime_ticks: 100_000,
        memory_bytes: 1 << 20,
    };

    #[test]
    fn a_name_with_parentheses_hides_nothing() {
        let stat =
            "42 (a) b (c) S 1 42 42 34817 42 4194304 1 0 0 0 30 20 0 0 20 5 3 0 90000 4096 1";
        let status =
            "Name:\tx\nUid:\t0\t1000\t0\t0\nGid:\t0\t50\t0\t0\nVmLck:\t4 kB\nVmRSS:\t512 kB\n";

        let process = parse(42, stat, status, b"prog\0--flag\0two words\0", &MACHINE).unwrap();

        assert_eq!(process.name, "a) b (c");
        assert_eq!(process.command, "prog --flag two words");
        assert_eq!((process.uid, process.gid, process.parent), (1000, 50, 1));
        assert_eq!(
            (process.state.as_str(), process.terminal.as_str()),
            ("SNLsl+", "pts/1")
        );
        assert_eq!(
            (process.cpu_ns, process.elapsed_seconds),
            (500_000_000, 100)
        );
        assert_eq!(process.start_unix_seconds, 1_700_000_900);
        assert!((process.cpu_percent - 0.5).abs() < 1e-9);
        assert!((process.memory_percent - 50.0).abs() < 1e-9);
    }

    #[test]
    fn a_process_without_arguments_shows_its_name() {
        assert_eq!(command(b"", "kthreadd"), "[kthreadd]");
    }

    #[test]
    fn terminals_by_number() {
        let devices = [0, 0x0401, 0x0440, 0x0501, 0x8800, 0x8907];

        assert_eq!(
            devices.map(terminal),
            ["?", "tty1", "ttyS0", "console", "pts/0", "pts/263"]
        );
    }

    #[test]
    fn interfaces_without_the_heading() {
        let text = "Inter-|   Receive  |  Transmit\n face |bytes packets\n    lo: 1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n  eth0:10 2 3 4 0 0 0 0 50 6 7 8 0 0 0 0\n";

        let found: Vec<InterfaceCounters> = text.lines().filter_map(interface).collect();

        assert_eq!(found.len(), 2);
        assert_eq!(found[1].name, "eth0");
        assert_eq!((found[1].received.bytes, found[1].sent.dropped), (10, 8));
    }

    #[test]
    fn this_process_reads_itself() {
        let pid = std::process::id().cast_signed();

        let process = read(pid, &Machine::read().unwrap()).unwrap();

        assert!(process.resident_bytes > 0 && process.threads > 0);
        assert!(InterfaceReader::of(pid).unwrap().read().is_ok());
    }
}
