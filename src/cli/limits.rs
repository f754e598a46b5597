//! How much memory this process can still have: by its limits, its control group, and what the machine has left.

use std::path::Path;

use rustix::process::{Resource, getrlimit};

/// A limit and how much it leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headroom {
    /// Bytes.
    pub bytes: u64,
    /// What sets the limit, for people.
    pub limit: String,
    /// Whether memory counts that was asked for and never written to.
    pub counts_untouched: bool,
}

/// Every limit that is known of.
pub fn headrooms() -> Vec<Headroom> {
    let all = [address_space(), control_group(Path::new("/sys/fs/cgroup")), available()];
    all.into_iter().flatten().collect()
}

/// `ulimit -v`.
fn address_space() -> Option<Headroom> {
    let bytes = getrlimit(Resource::As).current?;
    let used = status_bytes("VmSize:")?;
    let limit = format!("ulimit -v {}", bytes / 1024);
    Some(Headroom { bytes: bytes.saturating_sub(used), limit, counts_untouched: true })
}

/// `memory.max` of the process's control group and of those above it (version 2, else version 1's limit).
fn control_group(root: &Path) -> Option<Headroom> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let mut found: Vec<Headroom> = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (parts.next(), parts.next()) else { continue };
        let (folder, limit, usage) = match controllers {
            "" => (root.to_path_buf(), "memory.max", "memory.current"),
            "memory" => (root.join("memory"), "memory.limit_in_bytes", "memory.usage_in_bytes"),
            _ => continue,
        };
        // Inside a container the group's path may not be there, but its root is.
        let mut group = Some(Path::new(group.trim_start_matches('/')));
        while let Some(path) = group {
            found.extend(of_group(&folder.join(path), limit, usage));
            group = path.parent();
        }
    }
    found.into_iter().min_by_key(|headroom| headroom.bytes)
}

fn of_group(folder: &Path, limit: &str, usage: &str) -> Option<Headroom> {
    let number = |name: &str| std::fs::read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
    let path = folder.join(limit);
    let limit = number(limit)?;
    // Pages of files give way.
    let stat = std::fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let files = stat.lines().find_map(|line| line.strip_prefix("inactive_file ")?.trim().parse::<u64>().ok());
    let used = number(usage)?.saturating_sub(files.unwrap_or(0));
    let bytes = limit.saturating_sub(used);
    Some(Headroom { bytes, limit: path.display().to_string(), counts_untouched: false })
}

/// What the machine has left.
fn available() -> Option<Headroom> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let bytes = kibibytes(&text, "MemAvailable:")?;
    Some(Headroom { bytes, limit: "memory that is available".into(), counts_untouched: false })
}

/// The most memory that this process has had in use at a time; None where the system does not tell.
pub fn peak_bytes() -> Option<u64> {
    status_bytes("VmHWM:")
}

fn status_bytes(key: &str) -> Option<u64> {
    kibibytes(&std::fs::read_to_string("/proc/self/status").ok()?, key)
}

/// The value of `KEY  123 kB`, in bytes.
fn kibibytes(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    let number: u64 = line.trim().trim_end_matches("kB").trim_end().parse().ok()?;
    Some(number * 1024)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_control_group_leaves_what_is_not_used() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        assert_eq!(of_group(place.path(), "memory.max", "memory.current"), None);
        std::fs::write(at("memory.max"), "1000000\n").unwrap();
        std::fs::write(at("memory.current"), "400000\n").unwrap();
        std::fs::write(at("memory.stat"), "anon 1\ninactive_file 100000\nactive_file 7\n").unwrap();
        let found = of_group(place.path(), "memory.max", "memory.current").unwrap();
        assert_eq!(found.bytes, 700_000);
        assert!(found.limit.ends_with("memory.max"));
        std::fs::write(at("memory.max"), "max\n").unwrap();
        assert_eq!(of_group(place.path(), "memory.max", "memory.current"), None);
    }

    #[test]
    fn kibibytes_are_read() {
        let text = "MemTotal:       16 kB\nMemAvailable:    7 kB\n";
        assert_eq!(kibibytes(text, "MemAvailable:"), Some(7 * 1024));
        assert_eq!(kibibytes(text, "VmSize:"), None);
    }
}
