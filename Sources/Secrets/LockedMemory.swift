import Glibc
import Synchronization

/// Memory for one secret: kept out of core dumps and, where the system permits, out of swap.
///
/// A lock holds for whole pages and is not counted, so pages are locked once, when they are mapped, and never shared with
/// anything but secrets. Short secrets lie side by side in blocks that stay for good; long ones have pages of their own,
/// which are kept for the next secret of their size: locking takes longer than what most secrets are used for.
struct LockedMemory: @unchecked Sendable {
    // @unchecked: an address and a flag; the bytes have one owner at a time, a secret or the list of kept ones.
    let bytes: UnsafeMutableRawBufferPointer
    /// Whether the system agreed to keep the bytes out of swap.
    let isLocked: Bool

    private struct State {
        /// What is free, by size.
        var kept: [Int: [LockedMemory]] = [:]
        var keptPageBytes = 0
        var lockWasRefused = false
    }

    private static let state = Mutex(State())
    private static let pageBytes = sysconf(Int32(_SC_PAGESIZE))
    private static let shortestPlace = 64
    private static let blockPages = 4
    /// The most bytes of whole pages that are kept: well below the usual limit of 8 MiB for what a process may lock.
    private static let keptLimit = 2_097_152

    /// Whether the system refused a lock since the process started.
    static var lockWasRefused: Bool { state.withLock { $0.lockWasRefused } }

    /// Zeroed memory for `count` bytes, or a little more.
    static func take(_ count: Int) -> LockedMemory {
        let size = size(for: count)
        return state.withLock { state in
            if let kept = state.kept[size]?.popLast() {
                if size >= pageBytes { state.keptPageBytes -= size }
                return kept
            }
            guard size < pageBytes else { return map(size, &state) }
            let block = map(blockPages * pageBytes, &state)
            var places = stride(from: 0, to: block.bytes.count, by: size).map { start in
                let place = UnsafeMutableRawBufferPointer(rebasing: block.bytes[start..<start + size])
                return LockedMemory(bytes: place, isLocked: block.isLocked)
            }
            let first = places.removeFirst()
            state.kept[size, default: []] += places
            return first
        }
    }

    /// A power of two below a page, else whole pages.
    private static func size(for count: Int) -> Int {
        var size = shortestPlace
        while size < count, size < pageBytes { size *= 2 }
        return size < pageBytes ? size : (count + pageBytes - 1) / pageBytes * pageBytes
    }

    private static func map(_ size: Int, _ state: inout State) -> LockedMemory {
        let mapped = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped, mapped != MAP_FAILED else { fatalError("out of memory") }
        // Where the kernel does not know how to leave pages out of a core dump, nothing else changes.
        _ = madvise(mapped, size, MADV_DONTDUMP)
        let isLocked = mlock(mapped, size) == 0
        if !isLocked { state.lockWasRefused = true }
        return LockedMemory(
            bytes: UnsafeMutableRawBufferPointer(start: mapped, count: size), isLocked: isLocked)
    }

    /// Takes back memory of which the first `count` bytes were used.
    func giveBack(wiping count: Int) {
        UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]).wipe()
        let isKept = Self.state.withLock { state in
            if bytes.count >= Self.pageBytes {
                guard isLocked, state.keptPageBytes + bytes.count <= Self.keptLimit else { return false }
                state.keptPageBytes += bytes.count
            }
            state.kept[bytes.count, default: []].append(self)
            return true
        }
        // Cannot fail for a mapping of this address and length.
        if !isKept { munmap(bytes.baseAddress, bytes.count) }
    }
}
