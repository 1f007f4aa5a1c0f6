import CGcrypt
import Glibc

/// Where the bytes of a ``SecretBytes`` lie.
enum SecureMemory {
    /// The longest secret that goes to libgcrypt's pools, in bytes: they cannot hold more than 64 KiB in one
    /// piece, and a few large secrets would leave no room for the many small ones. Longer ones get pages of
    /// their own.
    static let longestPooled = 16_384

    /// Zeroed memory for `count` bytes; nil where there is none.
    static func allocate(count: Int) -> UnsafeMutableRawBufferPointer? {
        guard count <= longestPooled else { return map(count: count) }
        guard let start = gcry_calloc_secure(1, max(count, 1)) else { return nil }
        return UnsafeMutableRawBufferPointer(start: start, count: count)
    }

    private static func map(count: Int) -> UnsafeMutableRawBufferPointer? {
        let protection = PROT_READ | PROT_WRITE
        guard let start = mmap(nil, count, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            start != UnsafeMutableRawPointer(bitPattern: -1)
        else { return nil }
        // Keeps the pages out of core dumps. Where the kernel does not know how, nothing else changes.
        _ = madvise(start, count, MADV_DONTDUMP)
        return UnsafeMutableRawBufferPointer(start: start, count: count)
    }

    /// Locks the bytes into main memory; false where the limit of the process is used up.
    ///
    /// libgcrypt ignores a refused mlock(), and never locks the pools that it adds when the first one is
    /// full. Locking pages that are locked already changes nothing.
    static func lock(_ memory: UnsafeMutableRawBufferPointer) -> Bool {
        mlock(memory.baseAddress, max(memory.count, 1)) == 0
    }

    /// Wipes the bytes and gives the memory back.
    static func release(_ memory: UnsafeMutableRawBufferPointer) {
        memory.wipe()
        if memory.count <= longestPooled {
            gcry_free(memory.baseAddress)
        } else {
            // Cannot fail for a mapping that was made with the same address and length.
            munmap(memory.baseAddress, memory.count)
        }
    }
}
