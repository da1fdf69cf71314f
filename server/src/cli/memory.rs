//! The memory of this process.

/// Has it in small pages, on Linux. The allocator asks for pages of 2 MiB, of which the most part
/// would be empty: an idle server took 60 MiB with them, and takes 27 without; it is as fast.
pub fn use_small_pages() {
    // Where the kernel knows no such thing, there is nothing to switch off.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}
