//! What the kernel tells about a process: CPU time, resident memory; and where threads may run.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::Context as _;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// CPU time that a process had used at one instant, told in two ways.
///
/// The scheduler counts nanoseconds, but only of threads that live; the process counts ticks,
/// also of threads that have ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuSnapshot {
    /// Nanoseconds by thread.
    threads: BTreeMap<u32, u64>,
    /// User and system time of the process, in clock ticks.
    ticks: u64,
}

/// Ticks that the process's count may be ahead of the threads' before a thread must have ended.
const TICKS_SLACK: u64 = 3;

impl CpuSnapshot {
    /// What process `pid` has used by now.
    ///
    /// # Errors
    /// There is no such process, or `/proc` does not show it.
    pub fn of(pid: u32) -> anyhow::Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
            .with_context(|| format!("/proc does not show a process {pid}"))?;
        let ticks = ticks_in(&stat).context("/proc/PID/stat has an unknown shape")?;
        let mut threads = BTreeMap::new();
        for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
            let Some(tid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // A thread may end between the listing and this; its ticks remain.
            let Ok(text) = fs::read_to_string(format!("/proc/{pid}/task/{tid}/schedstat")) else {
                continue;
            };
            if let Some(nanos) = text.split(' ').next().and_then(|nanos| nanos.parse().ok()) {
                threads.insert(tid, nanos);
            }
        }
        Ok(Self { threads, ticks })
    }

    /// CPU time used since `before`, by whichever account is complete.
    pub fn since(&self, before: &Self) -> Duration {
        let tick = Duration::from_secs(1)
            / u32::try_from(rustix::param::clock_ticks_per_second()).unwrap_or(100).max(1);
        let ticks = self.ticks.saturating_sub(before.ticks);
        let by_ticks = tick * u32::try_from(ticks).unwrap_or(u32::MAX);
        let gone = before.threads.keys().any(|tid| !self.threads.contains_key(tid));
        let nanos = self
            .threads
            .iter()
            .map(|(tid, now)| now.saturating_sub(before.threads.get(tid).copied().unwrap_or(0)));
        let by_threads = Duration::from_nanos(nanos.sum());
        let lost = by_ticks > by_threads + tick * u32::try_from(TICKS_SLACK).unwrap_or(0);
        if gone || lost { by_ticks } else { by_threads }
    }
}

/// `utime + stime` of a line of `/proc/PID/stat`.
fn ticks_in(stat: &str) -> Option<u64> {
    // The second field is the name, in brackets, and may hold spaces and brackets itself.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Resident memory of process `pid`, in KiB.
///
/// # Errors
/// There is no such process, or `/proc` does not tell.
pub fn resident_kib(pid: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))
        .with_context(|| format!("/proc does not show a process {pid}"))?;
    status_kib(&status, "VmRSS:").context("/proc/PID/status has no VmRSS")
}

fn status_kib(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// What the processor calls itself.
pub fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name"));
    let name = name.and_then(|rest| rest.split_once(':')).map(|(_, name)| name.trim());
    name.unwrap_or(std::env::consts::ARCH).to_owned()
}

/// Who runs where: the first cores for the server, the others for the load.
#[derive(Clone, Debug)]
pub struct Cores {
    /// Where this thread might run before.
    all: CpuSet,
    /// The server's.
    pub server: CpuSet,
    /// The load's: the rest, or all when there is no rest.
    pub load: CpuSet,
}

impl Cores {
    /// Divides the cores that this process may use: `count` for the server.
    ///
    /// # Errors
    /// The kernel does not tell which cores those are.
    pub fn divide(count: usize) -> anyhow::Result<Self> {
        let all = sched_getaffinity(None).context("cannot ask which cores may be used")?;
        let allowed: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core)).collect();
        let set = |cores: &mut dyn Iterator<Item = usize>| {
            let mut set = CpuSet::new();
            cores.for_each(|core| set.set(core));
            set
        };
        let server = set(&mut allowed.iter().copied().take(count.max(1)));
        let rest = set(&mut allowed.iter().copied().skip(count.max(1)));
        let load = if rest.count() == 0 { all } else { rest };
        Ok(Self { all, server, load })
    }

    /// Whether server and load must share cores.
    pub fn are_shared(&self) -> bool {
        self.load == self.all
    }

    /// Runs `act` with this thread on `set`, and puts the thread back afterwards.
    ///
    /// Threads and processes that `act` starts stay on `set`.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn on<T>(&self, set: &CpuSet, act: impl FnOnce() -> T) -> anyhow::Result<T> {
        sched_setaffinity(None, set).context("cannot bind a thread to its cores")?;
        let out = act();
        sched_setaffinity(None, &self.all).context("cannot release a thread from its cores")?;
        Ok(out)
    }

    /// Like [`Cores::on`] for a future that stays on this thread.
    ///
    /// # Errors
    /// The kernel refuses.
    pub async fn on_async<T>(
        &self,
        set: &CpuSet,
        act: impl Future<Output = T>,
    ) -> anyhow::Result<T> {
        sched_setaffinity(None, set).context("cannot bind a thread to its cores")?;
        let out = act.await;
        sched_setaffinity(None, &self.all).context("cannot release a thread from its cores")?;
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn snapshot(threads: &[(u32, u64)], ticks: u64) -> CpuSnapshot {
        CpuSnapshot { threads: threads.iter().copied().collect(), ticks }
    }

    fn spin(duration: Duration) {
        let start = Instant::now();
        while start.elapsed() < duration {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn ticks_are_found_behind_any_name() {
        let stat = "42 (a) b (c)) R 1 2 3 4 -1 5 99 0 0 0 150 25 7 8 20 0 1 0 213323";
        assert_eq!(ticks_in(stat), Some(175));
        assert_eq!(ticks_in("42 (a"), None);
    }

    #[test]
    fn resident_memory_is_read_in_kib() {
        assert_eq!(status_kib("Name:\tx\nVmRSS:\t   12345 kB\n", "VmRSS:"), Some(12_345));
        assert_eq!(status_kib("Name:\tx\n", "VmRSS:"), None);
        assert!(resident_kib(std::process::id()).unwrap() > 1_000);
    }

    #[test]
    fn the_scheduler_s_account_is_preferred_while_it_is_complete() {
        let before = snapshot(&[(1, 1_000_000), (2, 5_000_000)], 10);

        let complete = snapshot(&[(1, 101_000_000), (2, 55_000_000), (3, 1)], 25);
        assert_eq!(complete.since(&before), Duration::from_nanos(150_000_001));

        let one_ended = snapshot(&[(1, 101_000_000)], 30);
        assert_eq!(one_ended.since(&before), Duration::from_millis(200));

        let one_came_and_went = snapshot(&[(1, 101_000_000), (2, 5_000_000)], 40);
        assert_eq!(one_came_and_went.since(&before), Duration::from_millis(300));
    }

    #[test]
    fn cpu_time_of_threads_is_seen_also_when_they_have_ended() {
        // The other tests of this process add to what is seen: only the lower bound is sure.
        let pid = std::process::id();
        let before = CpuSnapshot::of(pid).unwrap();
        let own = |clock| {
            let time = rustix::time::clock_gettime(clock);
            Duration::new(u64::try_from(time.tv_sec).unwrap(), u32::try_from(time.tv_nsec).unwrap())
        };
        let used = std::thread::spawn(move || {
            spin(Duration::from_millis(200));
            own(rustix::time::ClockId::ThreadCPUTime)
        })
        .join()
        .unwrap();
        let seen = CpuSnapshot::of(pid).unwrap().since(&before);
        assert!(seen + Duration::from_millis(40) >= used, "{seen:?} of {used:?}");
    }

    #[test]
    fn a_missing_process_is_an_error() {
        assert!(CpuSnapshot::of(u32::MAX).is_err());
        assert!(resident_kib(u32::MAX).is_err());
    }

    #[test]
    fn cores_are_divided_and_given_back() {
        let before = sched_getaffinity(None).unwrap();
        let cores = Cores::divide(1).unwrap();
        assert_eq!(cores.server.count(), 1);
        assert!(cores.load.count() >= 1);
        assert_eq!(cores.are_shared(), before.count() == 1);

        let inside = cores.on(&cores.server, || sched_getaffinity(None).unwrap()).unwrap();

        assert_eq!(inside, cores.server);
        assert_eq!(sched_getaffinity(None).unwrap(), before);
    }
}
