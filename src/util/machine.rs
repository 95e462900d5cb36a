//! What the system says about the machine: processor, graphics card, driver. Never a host or user name.

/// The processor's model; empty where the system does not say.
pub fn cpu_model() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    field(&info, "model name").unwrap_or_default()
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
    let kib = field(&std::fs::read_to_string("/proc/self/status").ok()?, "VmHWM")?;
    Some(kib.split_whitespace().next()?.parse::<u64>().ok()? << 10)
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
    }
}
