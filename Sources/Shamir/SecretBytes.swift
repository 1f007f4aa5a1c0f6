import Glibc

/// Bytes that are wiped when the last reference to them goes away. They lie in pages of their own, locked into memory
/// where the system permits, and are never copied behind the caller's back, as the storage of an array may be.
public final class SecretBytes {
    private let pages: LockedPages

    /// The number of bytes.
    public let count: Int

    /// Whether the system agreed to keep these bytes out of swap.
    public var isLocked: Bool { pages.isLocked }

    /// Whether the system refused to lock any of this process's secrets. Programs that hold secrets should say so.
    public static var lockWasRefused: Bool { LockedPages.lockWasRefused }

    private var storage: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: pages.memory[..<count])
    }

    /// Ends the process where the system has no memory left, because a program that was refused room for a secret has no
    /// safe way on. A count from outside has to be checked before.
    ///
    /// - Parameter count: the number of bytes; they start as zeros. Traps where it is negative, or more than there is
    ///   memory for.
    public init(count: Int) {
        precondition(count >= 0, "a negative number of bytes")
        self.count = count
        pages = .take(count)
    }

    /// A copy of `bytes`.
    public convenience init(copying bytes: UnsafeRawBufferPointer) {
        self.init(count: bytes.count)
        storage.copyMemory(from: bytes)
    }

    /// A copy of `bytes`; wiping the original stays the caller's duty.
    public convenience init(_ bytes: [UInt8]) {
        self.init(count: bytes.count)
        storage.copyBytes(from: bytes)
    }

    deinit { pages.giveBack(wiping: count) }

    /// Reads the bytes. The pointer must not leave `body`.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(storage))
    }

    /// Changes the bytes. The pointer must not leave `body`.
    public func withUnsafeMutableBytes<Result, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(storage)
    }

    /// Reads several at once. The pointers must not leave `body`.
    public static func withUnsafeBytes<Result>(
        of list: [SecretBytes], _ body: ([UnsafeRawBufferPointer]) throws -> Result
    ) rethrows -> Result {
        try withExtendedLifetime(list) { try body(list.map { UnsafeRawBufferPointer($0.storage) }) }
    }

    /// Changes several at once. The pointers must not leave `body`.
    public static func withUnsafeMutableBytes<Result>(
        of list: [SecretBytes], _ body: ([UnsafeMutableRawBufferPointer]) throws -> Result
    ) rethrows -> Result {
        try withExtendedLifetime(list) { try body(list.map(\.storage)) }
    }

    /// Whether both hold the same bytes, in a time that depends on their lengths only.
    public func isEqual(to other: SecretBytes) -> Bool {
        ByteKernels.equal(UnsafeRawBufferPointer(storage), UnsafeRawBufferPointer(other.storage))
    }

    /// Overwrites `buffer` with zeros in a way that no optimiser may remove.
    public static func wipe(_ buffer: UnsafeMutableRawBufferPointer) {
        guard let start = buffer.baseAddress else { return }
        explicit_bzero(start, buffer.count)
    }
}
