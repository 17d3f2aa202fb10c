//! Huge pages, without which DPDK has neither secondaries nor a heap that grows.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

/// Enough for one group at a time: a primary that grows its heap by tens of MB, and its secondaries.
const PAGES: u64 = 64;

/// Where a hugetlbfs is mounted by convention.
const MOUNT_POINT: &str = "/dev/hugepages";

const COUNT: &str = "/proc/sys/vm/nr_hugepages";

/// Longer than any test keeps a group. A thread that has one and waits for another would wait for ever.
const PATIENCE: Duration = Duration::from_secs(180);

static IN_USE: Mutex<bool> = Mutex::new(false);
static GIVEN_BACK: Condvar = Condvar::new();

/// The machine's huge pages, for one group at a time.
#[derive(Debug)]
pub(super) struct HugePages {
    directory: PathBuf,
    _turn: Turn,
}

impl HugePages {
    /// Waits for its turn; grants and mounts what is missing, where this process may.
    ///
    /// # Panics
    /// With the commands that help, if there are none to be had; or if its turn does not come.
    pub(super) fn take() -> Self {
        let turn = Turn::take();
        let directory = mounted().unwrap_or_else(mount);
        if free_pages() < PAGES / 2 {
            grant();
        }
        Self { directory, _turn: turn }
    }

    /// The mount point.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Removes what the processes of a group left of its memory: DPDK keeps it for whoever comes next.
    pub(super) fn remove_files(&self, file_prefix: &str) {
        let files = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let name_start = format!("{file_prefix}map_");
        for file in files.filter(|file| file.file_name().to_string_lossy().starts_with(&name_start)) {
            let _ = fs::remove_file(file.path());
        }
    }
}

#[derive(Debug)]
struct Turn(());

impl Turn {
    fn take() -> Self {
        let in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = GIVEN_BACK.wait_timeout_while(in_use, PATIENCE, |in_use| *in_use);
        let (mut in_use, _) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(!*in_use, "the huge pages are still in another group's use after {PATIENCE:?}");
        *in_use = true;
        Self(())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *IN_USE.lock().unwrap_or_else(PoisonError::into_inner) = false;
        GIVEN_BACK.notify_one();
    }
}

/// The mount point of a hugetlbfs, if there is one.
fn mounted() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/mounts").ok()?;
    let mut points = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        let point = words.next()?;
        (words.next()? == "hugetlbfs").then(|| PathBuf::from(point))
    });
    points.next()
}

fn mount() -> PathBuf {
    let done = fs::create_dir_all(MOUNT_POINT).is_ok()
        && Command::new("mount")
            .args(["-t", "hugetlbfs", "hugetlbfs", MOUNT_POINT])
            .status()
            .is_ok_and(|status| status.success());
    assert!(
        done,
        "the real-DPDK suite needs a hugetlbfs; as root: mkdir -p {MOUNT_POINT} && mount -t hugetlbfs hugetlbfs {MOUNT_POINT}"
    );
    MOUNT_POINT.into()
}

fn grant() {
    let granted =
        fs::read_to_string(COUNT).ok().and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or(0);
    let wanted = granted + PAGES;
    assert!(
        fs::write(COUNT, wanted.to_string()).is_ok() && free_pages() >= PAGES / 2,
        "the real-DPDK suite needs {PAGES} huge pages of 2 MB, and {} are free; as root: echo {wanted} > {COUNT}",
        free_pages()
    );
}

fn free_pages() -> u64 {
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = meminfo.lines().find_map(|line| line.strip_prefix("HugePages_Free:"));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}
