//! What the system says about the machine and this process; nothing outside reads `/proc`.
//!
//! Records hold no host or user name: [`host`] is for claims, which name who works on a cell.

/// The processor's model; empty where the system does not say.
pub fn cpu_model() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    field(&info, "model name").unwrap_or_default()
}

/// The kernel's version; empty where the system does not say.
pub fn kernel() -> String {
    std::fs::read_to_string("/proc/sys/kernel/osrelease")
        .map_or_else(|_| String::new(), |text| text.trim().to_owned())
}

/// The first graphics card's model; `None` without NVIDIA's driver.
pub fn gpu_model() -> Option<String> {
    let cards = std::fs::read_dir("/proc/driver/nvidia/gpus").ok()?;
    let first = cards.flatten().map(|card| card.path().join("information")).min()?;
    field(&std::fs::read_to_string(first).ok()?, "Model")
}

/// Version of NVIDIA's kernel driver; `None` without it.
pub fn driver() -> Option<String> {
    driver_version(&std::fs::read_to_string("/proc/driver/nvidia/version").ok()?)
}

/// Starts counting the process's largest resident size anew, where the system allows it.
pub fn forget_peak_memory() {
    // Without it the figure is that of the whole run, which is the larger and so the cautious one.
    drop(std::fs::write("/proc/self/clear_refs", "5"));
}

/// The process's largest resident size in bytes; `None` where the system does not say.
pub fn peak_memory_bytes() -> Option<u64> {
    kib_field(&std::fs::read_to_string("/proc/self/status").ok()?, "VmHWM")
}

/// Memory of the machine in bytes; `None` where the system does not say.
pub fn total_memory_bytes() -> Option<u64> {
    kib_field(&std::fs::read_to_string("/proc/meminfo").ok()?, "MemTotal")
}

/// Free memory in bytes: the system's, or what this process's group may still take where that is less.
pub fn available_memory_bytes() -> Option<u64> {
    let system = kib_field(&std::fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable")?;
    Some(group_rest().map_or(system, |rest| rest.min(system)))
}

/// What a container's limit leaves; `None` without one. Cached files count as used there, so they are given back.
fn group_rest() -> Option<u64> {
    let read = |name: &str| std::fs::read_to_string(format!("/sys/fs/cgroup/{name}")).ok();
    let limit: u64 = read("memory.max")?.trim().parse().ok()?;
    let used: u64 = read("memory.current")?.trim().parse().ok()?;
    let cached = read("memory.stat")?.lines().find_map(|l| l.strip_prefix("inactive_file ")?.parse().ok());
    Some(limit.saturating_sub(used.saturating_sub(cached.unwrap_or(0))))
}

/// The machine's name; empty where it has none.
pub fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    name.or_else(|| std::env::var("HOSTNAME").ok()).map_or_else(String::new, |name| name.trim().to_owned())
}

/// The namespace this process's number belongs to: containers count processes apart.
pub fn pid_namespace() -> Option<String> {
    std::fs::read_link("/proc/self/ns/pid").ok().map(|link| link.display().to_string())
}

/// Start of a process in clock ticks since boot. `None` where there is no such process, or no `/proc`.
pub fn process_started(pid: u32) -> Option<u64> {
    stat_field(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?, 22)
}

/// Processor time of this process's threads in clock ticks (1/100 s): user and system together.
pub fn cpu_ticks() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    Some(stat_field(&stat, 14)? + stat_field(&stat, 15)?)
}

/// A numbered field of a process's `stat`, from 1. Counted behind the name in brackets, which may hold spaces.
fn stat_field(stat: &str, number: usize) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

/// The bytes of a `name: N kB` line.
fn kib_field(text: &str, name: &str) -> Option<u64> {
    let kib: u64 = field(text, name)?.split_whitespace().next()?.parse().ok()?;
    kib.checked_mul(1024)
}

/// Architecture and system of the build, as `x86_64-linux`.
pub fn target() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

/// The value of the first `name : value` line.
fn field(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

/// The first word of numbers and dots behind `Kernel Module`.
fn driver_version(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("Kernel Module")?;
    let version = |word: &&str| word.contains('.') && word.starts_with(|c: char| c.is_ascii_digit());
    rest.split_whitespace().find(version).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_files_are_understood() {
        let info = "processor\t: 0\nmodel name\t: AMD EPYC 9B14\nmodel name\t: other\n";
        assert_eq!(field(info, "model name").as_deref(), Some("AMD EPYC 9B14"));
        let text = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build\n";
        assert_eq!(driver_version(text).as_deref(), Some("570.86.15"));
        assert_eq!(driver_version("NVRM"), None);
        assert_eq!(kib_field("MemTotal: 9 kB\nMemAvailable:   2048 kB\n", "MemAvailable"), Some(2 << 20));
        assert_eq!(kib_field("MemTotal: 9 kB\n", "MemAvailable"), None);
        let stat = "7 (a b) c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20";
        assert_eq!((stat_field(stat, 14), stat_field(stat, 22)), (Some(11), Some(19)));
    }
}
