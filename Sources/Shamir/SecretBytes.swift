/// Bytes that are wiped when the last reference to them goes away. They are never copied behind the caller's back,
/// as the storage of an array may be.
public final class SecretBytes {
    private let storage: UnsafeMutableRawBufferPointer

    /// The number of bytes.
    public var count: Int { storage.count }

    /// - Parameter count: the number of bytes; they start as zeros.
    public init(count: Int) {
        storage = .allocate(byteCount: count, alignment: 64)
        storage.initializeMemory(as: UInt8.self, repeating: 0)
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

    deinit {
        SecretBytes.wipe(storage)
        storage.deallocate()
    }

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

    /// Overwrites `buffer` with zeros.
    ///
    /// `@_optimize(none)` keeps the compiler from looking into this function, seeing that nobody reads the zeros, and
    /// leaving the call out. This module imports nothing, so it cannot call `explicit_bzero`.
    @inline(never) @_optimize(none)
    public static func wipe(_ buffer: UnsafeMutableRawBufferPointer) {
        zero(buffer)
    }

    /// The optimised part of ``wipe(_:)``.
    @inline(never)
    private static func zero(_ buffer: UnsafeMutableRawBufferPointer) {
        buffer.initializeMemory(as: UInt8.self, repeating: 0)
    }
}
