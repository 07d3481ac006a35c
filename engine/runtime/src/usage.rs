//! What a container uses, read once from its control group; what the machine has, from `/proc`.
//!
//! The same struct for both versions; what a layout cannot tell is `None` or empty. Who looks again
//! and again keeps a [`Reader`]: finding the files is most of the cost. **Invariant:** reading changes
//! nothing; rates are the caller's business.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use engine_sys::cgroup;

use crate::{
    cgroups::{Cgroup, CgroupError},
    layout::{Controller, Version},
    pressure::{Pressure, Stalls},
};

/// A container's use at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    pub cpu: CpuUsage,
    pub memory: MemoryUsage,
    pub pids: PidsUsage,
    pub block: BlockUsage,
    /// What processes waited for; version 2 only.
    pub pressure: Pressure,
    /// Processes that were killed for want of memory since the group was made.
    pub oom_kills: u64,
}

/// Processor time since the group was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CpuUsage {
    pub total_ns: u64,
    pub user_ns: u64,
    pub system_ns: u64,
    /// For each processor; version 1 only.
    pub per_cpu_ns: Vec<u64>,
    /// Quota periods that have passed, those in which the quota ran out, and the time lost.
    pub periods: u64,
    pub throttled_periods: u64,
    pub throttled_ns: u64,
}

/// Memory at this moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryUsage {
    /// Page cache included.
    pub usage_bytes: u64,
    /// The highest so far; version 2 tells it from Linux 5.19 on.
    pub max_usage_bytes: Option<u64>,
    /// `None` is without limit.
    pub limit_bytes: Option<u64>,
    /// How often the limit was met; version 1 only.
    pub failures: Option<u64>,
    /// Page cache that the kernel would give up first: what tools subtract from the usage.
    pub inactive_file_bytes: u64,
    /// `memory.stat`, by the kernel's names.
    pub stats: BTreeMap<String, u64>,
}

/// Processes and threads at this moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PidsUsage {
    pub current: u64,
    /// `None` is without limit.
    pub limit: Option<u64>,
}

/// Input and output on block devices since the group was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockUsage {
    pub bytes: Vec<BlockCount>,
    pub operations: Vec<BlockCount>,
}

/// A count for one device and one kind of operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockCount {
    pub major: u64,
    pub minor: u64,
    /// The kernel's word on version 1 (`Read`), Docker's on version 2 (`read`).
    pub operation: String,
    pub value: u64,
}

/// The machine at one moment, to put a container's use in proportion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostUsage {
    /// Processor time of everybody, idle time included, over all processors.
    pub cpu_total_ns: u64,
    pub online_cpus: u32,
    pub memory_bytes: u64,
}

/// Reads what `group` uses, once.
///
/// # Errors
/// [`CgroupError::Read`] when the group is gone. A controller that this machine does not have
/// leaves zeros.
pub fn read(group: &Cgroup) -> Result<Usage, CgroupError> {
    Reader::new(group.clone()).read()
}

/// Reads what one group uses, again and again; its files stay open, about fifteen of them.
#[derive(Debug)]
pub struct Reader {
    group: Cgroup,
    kept: BTreeMap<(Controller, &'static str), Kept>,
    /// Files that say the same as long as nobody changes the limits.
    steady: Vec<&'static str>,
    /// The last names of memory, to be filled anew: there are some fifty of them.
    names: BTreeMap<String, u64>,
    still: Still,
    is_gone: bool,
}

/// What is known of a file.
#[derive(Debug)]
enum Kept {
    Open(File),
    /// What it says does not change.
    Said(String),
    /// This kernel does not have it.
    Absent,
}

/// What shows cheaply whether a group's memory is what it was: its names are most of a look's cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Still {
    cpu_ns: u64,
    memory_bytes: u64,
    /// Looks since the names were read.
    n_looks: u8,
}

impl Still {
    /// So many looks in a row may go by the names of the first. Others can move the pages of a
    /// group that does nothing, and write them to disk.
    const LOOKS_MAX: u8 = 4;

    /// Tells whether nothing in the group has run since the last look and its memory is as large.
    fn goes_on(&mut self, cpu_ns: u64, memory_bytes: u64) -> bool {
        let is_same = (self.cpu_ns, self.memory_bytes) == (cpu_ns, memory_bytes);
        let goes_on = is_same && self.n_looks < Self::LOOKS_MAX;
        *self = Self {
            cpu_ns,
            memory_bytes,
            n_looks: if goes_on { self.n_looks + 1 } else { 0 },
        };
        goes_on
    }
}

/// Which limits a group has: without one, what counts how often it was met stands still.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limited {
    pub processors: bool,
    pub memory: bool,
}

impl Reader {
    /// A reader that has no file open yet.
    pub fn new(group: Cgroup) -> Self {
        Self {
            group,
            kept: BTreeMap::new(),
            steady: Vec::new(),
            names: BTreeMap::new(),
            still: Still::default(),
            is_gone: false,
        }
    }

    /// A reader for as long as nobody changes the group's limits: it reads once what only that can
    /// change.
    pub fn of_limited(group: Cgroup, limited: Limited) -> Self {
        let is_legacy = group.version() != Version::V2;
        let steady = [
            ("pids.max", true),
            ("cpu.stat", is_legacy && !limited.processors),
            ("memory.failcnt", !limited.memory),
            ("memory.max", true),
        ];
        Self {
            steady: steady.iter().filter(|one| one.1).map(|one| one.0).collect(),
            ..Self::new(group)
        }
    }

    /// Takes the names of memory back that the last look gave: the next one fills in their numbers.
    pub fn reuse(&mut self, names: BTreeMap<String, u64>) {
        self.names = names;
    }

    /// Reads what the group uses now.
    ///
    /// # Errors
    /// [`CgroupError::Read`] when the group is gone, also when one of its name was made since: that
    /// one needs a new reader.
    pub fn read(&mut self) -> Result<Usage, CgroupError> {
        if !self.kept.values().any(|kept| matches!(kept, Kept::Open(_))) {
            self.is_gone = !self.group.exists();
        }
        let usage = match self.group.version() {
            Version::V2 => {
                let cpu = unified_cpu(&mut self.files(Controller::Cpu));
                Usage {
                    memory: unified_memory(&mut self.files(Controller::Memory), cpu.total_ns),
                    cpu,
                    pids: pids(&mut self.files(Controller::Pids)),
                    block: unified_block(&self.files(Controller::Blkio).text("io.stat")),
                    pressure: pressure(self),
                    oom_kills: self
                        .files(Controller::Memory)
                        .count("memory.events", OOM_KILLS),
                }
            }
            Version::V1 | Version::Hybrid => {
                let cpu = legacy_cpu(self);
                Usage {
                    memory: legacy_memory(&mut self.files(Controller::Memory), cpu.total_ns),
                    cpu,
                    pids: pids(&mut self.files(Controller::Pids)),
                    block: legacy_block(&mut self.files(Controller::Blkio)),
                    pressure: Pressure::default(),
                    oom_kills: self
                        .files(Controller::Memory)
                        .count("memory.oom_control", OOM_KILLS),
                }
            }
        };
        if self.is_gone {
            let group = self.group.path().to_owned();
            return Err(CgroupError::Read {
                what: "the use",
                source: engine_sys::SysError::new("open", &group, engine_sys::Errno::NOENT),
                group,
            });
        }
        Ok(usage)
    }

    fn files(&mut self, controller: Controller) -> Files<'_> {
        Files {
            reader: self,
            controller,
        }
    }

    /// Reads a whole control file; one that is not there is an error, and is not looked for again.
    fn text(&mut self, controller: Controller, name: &'static str) -> io::Result<String> {
        match self.kept.get(&(controller, name)) {
            Some(Kept::Open(file)) => return whole(file),
            Some(Kept::Said(text)) => return Ok(text.clone()),
            Some(Kept::Absent) => return Err(io::ErrorKind::NotFound.into()),
            None => {}
        }
        let path: Option<PathBuf> = self
            .group
            .controller_dir(controller)
            .map(|dir| dir.join(name));
        let read = || {
            let file = File::open(path.ok_or(io::ErrorKind::NotFound)?)?;
            Ok((whole(&file)?, file))
        };
        match read() {
            Ok((text, file)) => {
                let kept = match self.steady.contains(&name) {
                    true => Kept::Said(text.clone()),
                    false => Kept::Open(file),
                };
                self.kept.insert((controller, name), kept);
                Ok(text)
            }
            Err(error) => {
                if is_absent(&error) {
                    self.kept.insert((controller, name), Kept::Absent);
                }
                Err(error)
            }
        }
    }
}

/// Tells whether an error says that this kernel does not have the file, or was begun without it.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::Unsupported
    )
}

/// Reads a file of the kernel's from its beginning; each time it is made anew.
pub(crate) fn whole(file: &File) -> io::Result<String> {
    const PAGE: usize = 4096;
    let mut page = [0; PAGE];
    let mut text = Vec::new();
    loop {
        let n_read = file.read_at(&mut page, text.len() as u64)?;
        text.extend_from_slice(&page[..n_read]);
        // The kernel fills a page with whole records (seq_read_iter). Where another follows, this one
        // is half a page long or the other had no room in the half that is left: less is the end,
        // and asking once more for nothing would double the cost of a look.
        if n_read < PAGE / 2 {
            return String::from_utf8(text).map_err(|_| io::ErrorKind::InvalidData.into());
        }
    }
}

/// Reads what the whole machine uses and has.
///
/// # Errors
/// The kernel's answer.
pub fn read_host() -> engine_sys::Result<HostUsage> {
    let stat = cgroup::read(Path::new("/proc/stat"))?;
    let memory = cgroup::read(Path::new("/proc/meminfo"))?;
    Ok(host(&stat, &memory))
}

/// Linux counts processor time for programs in hundredths of a second, on every architecture.
const NS_PER_TICK: u64 = 10_000_000;

fn host(stat: &str, memory: &str) -> HostUsage {
    let mut lines = stat.lines();
    let all = lines.next().unwrap_or_default();
    // user, nice, system, idle, iowait, irq, softirq, steal; guest time is in user already.
    let ticks: u64 = all.split_whitespace().skip(1).take(8).map(number).sum();
    let online = lines.take_while(|line| line.starts_with("cpu")).count();
    let total = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes = total
        .and_then(|rest| rest.split_whitespace().next())
        .map_or(0, number);
    HostUsage {
        cpu_total_ns: ticks * NS_PER_TICK,
        online_cpus: u32::try_from(online).unwrap_or(1).max(1),
        memory_bytes: kilobytes * 1024,
    }
}

/// The control files of one controller. What is not there reads as empty.
struct Files<'a> {
    reader: &'a mut Reader,
    controller: Controller,
}

impl Files<'_> {
    fn text(&mut self, file: &'static str) -> String {
        match self.reader.text(self.controller, file) {
            Ok(text) => text,
            Err(error) => {
                // What a file says whose group was removed.
                self.reader.is_gone |=
                    error.raw_os_error() == Some(engine_sys::Errno::NODEV.raw_os_error());
                String::new()
            }
        }
    }

    fn number(&mut self, file: &'static str) -> u64 {
        number(self.text(file).trim())
    }

    /// Reads a file that may not be there.
    fn optional(&mut self, file: &'static str) -> Option<u64> {
        self.text(file).trim().parse().ok()
    }

    /// Reads the number of one line.
    fn count(&mut self, file: &'static str, key: &str) -> u64 {
        let text = self.text(file);
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        line.map_or(0, number)
    }

    /// Reads what memory is used for, into the names of the last time.
    fn memory_names(&mut self, cpu_ns: u64, memory_bytes: u64) -> BTreeMap<String, u64> {
        let goes_on = self.reader.still.goes_on(cpu_ns, memory_bytes);
        let mut names = std::mem::take(&mut self.reader.names);
        if goes_on && !names.is_empty() {
            return names;
        }
        let text = self.text("memory.stat");
        if text.is_empty() {
            // It could not be read: what was then is not what is now.
            names.clear();
        }
        for (key, value) in text.lines().filter_map(|line| line.split_once(' ')) {
            match names.get_mut(key) {
                Some(known) => *known = number(value),
                None => {
                    names.insert(key.to_owned(), number(value));
                }
            }
        }
        names
    }

    fn map(&mut self, file: &'static str) -> BTreeMap<String, u64> {
        let text = self.text(file);
        let pairs = text.lines().filter_map(|line| line.split_once(' '));
        pairs
            .map(|(key, value)| (key.to_owned(), number(value)))
            .collect()
    }
}

/// The line of a group's events that counts the processes killed for want of memory.
const OOM_KILLS: &str = "oom_kill ";

fn pressure(reader: &mut Reader) -> Pressure {
    let mut stalls = |controller, file| Stalls::parse(&reader.files(controller).text(file));
    Pressure {
        cpu: stalls(Controller::Cpu, "cpu.pressure"),
        memory: stalls(Controller::Memory, "memory.pressure"),
        io: stalls(Controller::Blkio, "io.pressure"),
    }
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

fn legacy_cpu(reader: &mut Reader) -> CpuUsage {
    let throttling = reader.files(Controller::Cpu).map("cpu.stat");
    let mut accounting = reader.files(Controller::Cpuacct);
    let per_cpu = accounting.text("cpuacct.usage_percpu");
    let per_cpu_ns: Vec<u64> = per_cpu.split_whitespace().map(number).collect();
    let (user_ns, system_ns) = user_and_system(&accounting.text("cpuacct.usage_all"));
    let of = |key: &str| throttling.get(key).copied().unwrap_or(0);
    CpuUsage {
        total_ns: per_cpu_ns.iter().sum(),
        user_ns,
        system_ns,
        per_cpu_ns,
        periods: of("nr_periods"),
        throttled_periods: of("nr_throttled"),
        throttled_ns: of("throttled_time"),
    }
}

/// Sums `cpuacct.usage_all`: a heading, then for each processor its number, user and system time.
fn user_and_system(text: &str) -> (u64, u64) {
    let rows = text.lines().skip(1).filter_map(|line| {
        let mut fields = line.split_whitespace().skip(1).map(number);
        Some((fields.next()?, fields.next()?))
    });
    rows.fold((0, 0), |sum, row| (sum.0 + row.0, sum.1 + row.1))
}

fn unified_cpu(files: &mut Files<'_>) -> CpuUsage {
    let stat = files.map("cpu.stat");
    let of = |key: &str| stat.get(key).copied().unwrap_or(0);
    CpuUsage {
        total_ns: of("usage_usec") * 1000,
        user_ns: of("user_usec") * 1000,
        system_ns: of("system_usec") * 1000,
        per_cpu_ns: Vec::new(),
        periods: of("nr_periods"),
        throttled_periods: of("nr_throttled"),
        throttled_ns: of("throttled_usec") * 1000,
    }
}

fn legacy_memory(files: &mut Files<'_>, cpu_ns: u64) -> MemoryUsage {
    /// Version 1's "without limit" is the highest whole page of a signed number.
    const UNLIMITED: u64 = 1 << 62;
    let usage_bytes = files.number("memory.usage_in_bytes");
    let stats = files.memory_names(cpu_ns, usage_bytes);
    MemoryUsage {
        usage_bytes,
        max_usage_bytes: files.optional("memory.max_usage_in_bytes"),
        // The lowest of its own and of those above it.
        limit_bytes: stats
            .get("hierarchical_memory_limit")
            .copied()
            .filter(|limit| *limit < UNLIMITED),
        failures: files.optional("memory.failcnt"),
        inactive_file_bytes: stats.get("total_inactive_file").copied().unwrap_or(0),
        stats,
    }
}

fn unified_memory(files: &mut Files<'_>, cpu_ns: u64) -> MemoryUsage {
    let usage_bytes = files.number("memory.current");
    let stats = files.memory_names(cpu_ns, usage_bytes);
    MemoryUsage {
        usage_bytes,
        max_usage_bytes: files.optional("memory.peak"),
        limit_bytes: files.optional("memory.max"),
        failures: None,
        inactive_file_bytes: stats.get("inactive_file").copied().unwrap_or(0),
        stats,
    }
}

fn pids(files: &mut Files<'_>) -> PidsUsage {
    PidsUsage {
        current: files.number("pids.current"),
        limit: files.optional("pids.max"),
    }
}

fn legacy_block(files: &mut Files<'_>) -> BlockUsage {
    let mut read = |file| files.text(file).lines().filter_map(legacy_count).collect();
    BlockUsage {
        bytes: read("blkio.throttle.io_service_bytes_recursive"),
        operations: read("blkio.throttle.io_serviced_recursive"),
    }
}

/// Reads `254:0 Read 4096`; the last line is a sum without a device.
fn legacy_count(line: &str) -> Option<BlockCount> {
    let mut fields = line.split_whitespace();
    let (major, minor) = fields.next()?.split_once(':')?;
    Some(BlockCount {
        major: major.parse().ok()?,
        minor: minor.parse().ok()?,
        operation: fields.next()?.to_owned(),
        value: fields.next()?.parse().ok()?,
    })
}

/// Reads lines like `254:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`.
fn unified_block(text: &str) -> BlockUsage {
    let mut usage = BlockUsage::default();
    for line in text.lines() {
        let mut fields = line.split_whitespace();
        let Some((major, minor)) = fields.next().and_then(|device| device.split_once(':')) else {
            continue;
        };
        for (key, value) in fields.filter_map(|field| field.split_once('=')) {
            let (list, operation) = match key {
                "rbytes" => (&mut usage.bytes, "read"),
                "wbytes" => (&mut usage.bytes, "write"),
                "rios" => (&mut usage.operations, "read"),
                "wios" => (&mut usage.operations, "write"),
                _ => continue,
            };
            list.push(BlockCount {
                major: number(major),
                minor: number(minor),
                operation: operation.to_owned(),
                value: number(value),
            });
        }
    }
    usage
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_counts_of_both_versions() {
        let legacy = "254:0 Read 4096\n254:0 Total 4096\nTotal 4096\n";
        let counts: Vec<BlockCount> = legacy.lines().filter_map(legacy_count).collect();
        assert_eq!(counts.len(), 2);
        assert_eq!(
            (counts[0].operation.as_str(), counts[0].value),
            ("Read", 4096)
        );

        let unified =
            unified_block("254:0 rbytes=8 wbytes=9 rios=1 wios=2 dbytes=0 dios=0\n8:0 \n");
        assert_eq!(
            unified
                .bytes
                .iter()
                .map(|one| one.value)
                .collect::<Vec<_>>(),
            [8, 9]
        );
        assert_eq!(
            unified
                .operations
                .iter()
                .map(|one| one.value)
                .collect::<Vec<_>>(),
            [1, 2]
        );
    }

    #[test]
    fn a_group_that_does_nothing_is_asked_for_its_memory_every_fifth_time() {
        let mut still = Still::default();
        let looks: Vec<bool> = (0..12).map(|_| still.goes_on(7, 4096)).collect();

        let asked: Vec<usize> = (0..12).filter(|n| !looks[*n]).collect();
        assert_eq!(asked, [0, 5, 10]);
        assert!(!still.goes_on(8, 4096), "something has run");
        assert!(still.goes_on(8, 4096));
        assert!(!still.goes_on(8, 8192), "its memory has grown");
    }

    #[test]
    fn times_of_all_processors_are_summed() {
        let all = "cpu user system\n0 10 1\n1 20 2\n";

        assert_eq!(user_and_system(all), (30, 3));
    }

    #[test]
    fn a_file_of_any_length_is_read_whole() {
        let dir = tempfile::tempdir().unwrap();
        for n_lines in [0, 1, 255, 256, 257, 512, 1000] {
            let text = "0123456\n".repeat(n_lines);
            let path = dir.path().join("file");
            std::fs::write(&path, &text).unwrap();

            assert_eq!(whole(&File::open(&path).unwrap()).unwrap(), text);
        }
        let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap();
        let read = whole(&File::open("/proc/cpuinfo").unwrap()).unwrap();
        assert_eq!(read.lines().count(), processors.lines().count());
    }

    #[test]
    fn the_host_from_its_two_files() {
        let stat = "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1\ncpu1 1\nintr 99\n";

        let host = host(stat, "MemTotal:       1024 kB\nMemFree: 1 kB\n");

        assert_eq!(host.cpu_total_ns, 36 * NS_PER_TICK);
        assert_eq!((host.online_cpus, host.memory_bytes), (2, 1 << 20));
    }

    #[test]
    fn this_machine_has_processors_and_memory() {
        let host = read_host().unwrap();

        assert!(host.online_cpus > 0 && host.memory_bytes > 0 && host.cpu_total_ns > 0);
    }
}
