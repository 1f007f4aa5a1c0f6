import Glibc
import Synchronization

/// Whole pages that hold one secret: kept out of core dumps and, where the system permits, out of swap.
///
/// A lock holds for whole pages and is not counted, so that two secrets on one page would undo each other's. Locked
/// pages that are given back are wiped and kept for the next secret of their size: locking takes longer than what most
/// secrets are used for.
struct LockedPages: @unchecked Sendable {
    // @unchecked: an address and a flag; the pages have one owner at a time, a secret or the list of kept ones.
    let memory: UnsafeMutableRawBufferPointer
    /// Whether the system agreed to keep the pages out of swap.
    let isLocked: Bool

    private struct State {
        var kept: [Int: [LockedPages]] = [:]
        var keptBytes = 0
        var lockWasRefused = false
    }

    private static let state = Mutex(State())
    private static let pageBytes = sysconf(Int32(_SC_PAGESIZE))
    /// The most bytes that are kept: well below the usual limit of 8 MiB for what a process may lock.
    private static let keptLimit = 2_097_152

    /// Whether the system refused a lock since the process started.
    static var lockWasRefused: Bool { state.withLock { $0.lockWasRefused } }

    /// Zeroed pages for `count` bytes.
    static func take(_ count: Int) -> LockedPages {
        let bytes = max(1, (count + pageBytes - 1) / pageBytes) * pageBytes
        let kept = state.withLock { state in
            let pages = state.kept[bytes]?.popLast()
            if pages != nil { state.keptBytes -= bytes }
            return pages
        }
        if let kept { return kept }
        let mapped = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped, mapped != MAP_FAILED else { fatalError("out of memory") }
        // Where the kernel does not know how to leave pages out of a core dump, nothing else changes.
        _ = madvise(mapped, bytes, MADV_DONTDUMP)
        let isLocked = mlock(mapped, bytes) == 0
        if !isLocked { state.withLock { $0.lockWasRefused = true } }
        return LockedPages(
            memory: UnsafeMutableRawBufferPointer(start: mapped, count: bytes), isLocked: isLocked)
    }

    /// Takes back pages of which the first `count` bytes were used.
    func giveBack(wiping count: Int) {
        SecretBytes.wipe(UnsafeMutableRawBufferPointer(rebasing: memory[..<count]))
        let bytes = memory.count
        let isKept = Self.state.withLock { state in
            guard isLocked, state.keptBytes + bytes <= Self.keptLimit else { return false }
            state.kept[bytes, default: []].append(self)
            state.keptBytes += bytes
            return true
        }
        // Cannot fail for a mapping of this address and length.
        if !isKept { munmap(memory.baseAddress, bytes) }
    }
}
