//! Whether a folder lies on a disk of this machine alone.

use std::path::Path;

/// Kinds of file system that no other machine sees, by the kernel's number (statfs(2)).
#[cfg(target_os = "linux")]
const LOCAL: &[(i64, &str)] = &[
    (0xEF53, "ext4"),
    (0x5846_5342, "xfs"),
    (0x9123_683E, "btrfs"),
    (0x0102_1994, "tmpfs"),
    (0x8584_58F6, "ramfs"),
    (0x794C_7630, "overlay"),
    (0xF2F5_2010, "f2fs"),
];

/// The name of the file system where no other machine sees it; `None` for network file systems, for kinds that are not
/// known (ZFS, FUSE), and where the system does not say. A folder that is not there yet counts as its parent.
#[cfg(target_os = "linux")]
pub fn local_file_system(folder: &Path) -> Option<&'static str> {
    let folder = std::path::absolute(folder).ok()?;
    let there = folder.ancestors().find(|path| path.exists())?;
    let kind = nix::sys::statfs::statfs(there).ok()?.filesystem_type().0;
    LOCAL.iter().find(|(number, _)| *number == kind as i64).map(|(_, name)| *name)
}

/// Elsewhere nothing is known.
#[cfg(not(target_os = "linux"))]
pub fn local_file_system(_folder: &Path) -> Option<&'static str> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn proc_is_no_disk_and_shared_memory_is_local() {
        assert_eq!(local_file_system(Path::new("/proc/self")), None);
        assert_eq!(local_file_system(Path::new("/dev/shm/not/there/yet")), Some("tmpfs"));
    }
}
