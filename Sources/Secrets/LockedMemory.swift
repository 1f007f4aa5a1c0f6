import Glibc
import Synchronization

/// Memory for one secret: kept out of core dumps and, where the system permits, out of swap.
///
/// All of it lies in one range of addresses that is reserved once, so that an address tells whether it is memory of this
/// kind. A lock holds for whole pages and is not counted: pages are locked when they are first used, and hold nothing but
/// secrets. Short secrets lie side by side on pages that stay locked; pages of long ones are kept for the next secret of
/// their size, up to a limit, because locking takes longer than what most secrets are used for.
package struct LockedMemory: @unchecked Sendable {
    // @unchecked: an address and a flag; the bytes have one owner at a time, a secret or the list of free ones.
    /// Zeros when taken.
    package let bytes: UnsafeMutableRawBufferPointer
    /// Whether the system agreed to keep the bytes out of swap.
    package let isLocked: Bool

    private struct State {
        /// What was given back, by size.
        var free: [Int: [LockedMemory]] = [:]
        /// How much of what is free are locked pages of long secrets.
        var keptBytes = 0
        /// How much of the range was used at least once.
        var used = 0
        var lockWasRefused = false

        mutating func lock(_ bytes: UnsafeMutableRawBufferPointer) -> LockedMemory {
            let isLocked = mlock(bytes.baseAddress, bytes.count) == 0
            if !isLocked { lockWasRefused = true }
            return LockedMemory(bytes: bytes, isLocked: isLocked)
        }

        /// Pages that were never used.
        mutating func pages(_ size: Int) -> LockedMemory? {
            guard size <= range.count - used,
                let start = UnsafeMutableRawPointer(bitPattern: range.start + UInt(used)),
                mprotect(start, size, PROT_READ | PROT_WRITE) == 0
            else { return nil }
            used += size
            return lock(UnsafeMutableRawBufferPointer(start: start, count: size))
        }
    }

    private static let state = Mutex(State())
    private static let pageBytes = sysconf(Int32(_SC_PAGESIZE))
    private static let shortest = 64
    /// Well below the usual limit of 8 MiB for what a process may lock.
    private static let keptLimit = 2_097_152

    /// Addresses without memory: as many as the limits of the process permit (`ulimit -v`).
    private static let range: (start: UInt, count: Int) = {
        for count in [1 << 36, 1 << 32, 1 << 28, 1 << 24] {
            let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
            guard let start = mmap(nil, count, PROT_NONE, flags, -1, 0), start != MAP_FAILED else { continue }
            // Where the kernel does not know how to leave pages out of a core dump, nothing else changes.
            _ = madvise(start, count, MADV_DONTDUMP)
            return (UInt(bitPattern: start), count)
        }
        return (0, 0)
    }()

    /// Whether the system refused a lock since the process started.
    static var lockWasRefused: Bool { state.withLock { $0.lockWasRefused } }

    /// Whether an address is that of memory of this kind.
    package static func contains(_ address: UnsafeRawPointer) -> Bool {
        UInt(bitPattern: address) &- range.start < UInt(range.count)
    }

    /// Zeroed memory for `count` bytes, or for a few more; nil where there is none left.
    package static func take(_ count: Int) -> LockedMemory? {
        guard count <= range.count - pageBytes else { return nil }
        // A power of two below a page, else whole pages.
        var size = shortest
        while size < min(count, pageBytes) { size *= 2 }
        if size >= pageBytes { size = (count + pageBytes - 1) / pageBytes * pageBytes }
        return state.withLock { state in
            if let place = state.free[size]?.popLast() {
                if size < pageBytes { return place }
                guard place.isLocked else { return state.lock(place.bytes) }
                state.keptBytes -= size
                return place
            }
            guard size < pageBytes else { return state.pages(size) }
            guard let pages = state.pages(4 * pageBytes) else { return nil }
            let places = stride(from: 0, to: pages.bytes.count, by: size).map { start in
                let place = UnsafeMutableRawBufferPointer(rebasing: pages.bytes[start..<start + size])
                return LockedMemory(bytes: place, isLocked: pages.isLocked)
            }
            state.free[size, default: []] += places.dropFirst()
            return places[0]
        }
    }

    /// Takes back memory of which the first `count` bytes were used.
    package func giveBack(wiping count: Int) {
        UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]).wipe()
        Self.state.withLock { state in
            var place = self
            if bytes.count >= Self.pageBytes {
                if isLocked, state.keptBytes + bytes.count <= Self.keptLimit {
                    state.keptBytes += bytes.count
                } else {
                    // The pages go back to the system, the addresses stay. Neither can fail for pages of this range.
                    munlock(bytes.baseAddress, bytes.count)
                    madvise(bytes.baseAddress, bytes.count, MADV_DONTNEED)
                    place = LockedMemory(bytes: bytes, isLocked: false)
                }
            }
            state.free[bytes.count, default: []].append(place)
        }
    }
}
