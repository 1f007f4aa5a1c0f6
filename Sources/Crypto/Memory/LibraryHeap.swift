import CGcrypt
import Glibc
import PDSecrets

/// Where libgcrypt's memory comes from: like its own, but wiped whenever it is given back.
///
/// The library copies parts of secret keys to ordinary memory while it signs, and frees them as they are. Its secure
/// memory is that of ``PDSecrets/SecretBytes``, so that it keeps secure what it copies from a secret.
enum LibraryHeap {
    /// What stands before a block of secure memory. 32 bytes keep the alignment of malloc(3).
    private struct Header {
        let memory: LockedMemory
        let count: Int
        static let byteCount = 32
    }

    /// Has to come before the library allocates anything that it frees later.
    static func install() {
        gcry_set_allocation_handler(
            { malloc($0) }, { LibraryHeap.allocateSecure($0) },
            { $0.map { LockedMemory.contains($0) } == true ? 1 : 0 },
            { LibraryHeap.reallocate($0, $1) }, { LibraryHeap.free($0) })
    }

    private static func allocateSecure(_ count: Int) -> UnsafeMutableRawPointer? {
        guard count <= Int.max - Header.byteCount, let memory = LockedMemory.take(count + Header.byteCount),
            let start = memory.bytes.baseAddress
        else {
            errno = ENOMEM
            return nil
        }
        start.storeBytes(of: Header(memory: memory, count: count), as: Header.self)
        return start + Header.byteCount
    }

    private static func header(of block: UnsafeMutableRawPointer) -> Header {
        (block - Header.byteCount).load(as: Header.self)
    }

    /// As realloc(3), which would free what it moves without wiping it.
    private static func reallocate(
        _ block: UnsafeMutableRawPointer?, _ count: Int
    ) -> UnsafeMutableRawPointer? {
        guard let block else { return malloc(count) }
        let isSecure = LockedMemory.contains(block)
        let held = isSecure ? header(of: block).count : malloc_usable_size(block)
        if count <= held { return block }
        guard let moved = isSecure ? allocateSecure(count) : malloc(count) else { return nil }
        moved.copyMemory(from: block, byteCount: min(held, count))
        free(block)
        return moved
    }

    private static func free(_ block: UnsafeMutableRawPointer?) {
        guard let block else { return }
        guard LockedMemory.contains(block) else {
            explicit_bzero(block, malloc_usable_size(block))
            return Glibc.free(block)
        }
        let header = header(of: block)
        header.memory.giveBack(wiping: header.count + Header.byteCount)
    }
}
