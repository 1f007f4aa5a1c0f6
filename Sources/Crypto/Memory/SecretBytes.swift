/// A secret of fixed length: a key, a password, a shared secret.
///
/// The bytes live in libgcrypt's secure memory (long ones in pages of their own), never change after
/// initialisation, and are wiped when the last reference goes away. They are not a `Collection` and have no
/// `Array` or `Data` form on purpose: such values are copied on write and on growth, and no copy is ever
/// wiped. ``withUnsafeBytes(_:)`` is the only way to read them.
///
/// Printing, interpolating, dumping or reflecting a value shows its length only.
public final class SecretBytes: @unchecked Sendable {
    // @unchecked: `storage` is written only inside the initialiser, before another thread can hold a
    // reference.
    private let storage: UnsafeMutableRawBufferPointer

    /// Whether the operating system agreed to keep these bytes out of swap.
    ///
    /// False where `RLIMIT_MEMLOCK` is used up: the bytes are still wiped on release, but may reach the disk.
    public let isLocked: Bool

    /// The number of bytes.
    public var count: Int { storage.count }

    /// Reserves `count` zeroed bytes and lets `body` fill them in place.
    ///
    /// - Parameters:
    ///   - count: The number of bytes.
    ///   - body: Writes the secret. The buffer must not be kept.
    /// - Throws: ``Error``, ``CryptoError``, or what `body` throws; the bytes are wiped in each case.
    public init(count: Int, initializingWith body: (UnsafeMutableRawBufferPointer) throws -> Void) throws {
        guard count >= 0 else { throw Error.negativeCount(count) }
        try Libgcrypt.ready()
        guard let memory = SecureMemory.allocate(count: count) else { throw Error.outOfMemory(count: count) }
        storage = memory
        isLocked = SecureMemory.lock(memory)
        // All properties are set: if `body` throws, `deinit` runs and wipes.
        try body(storage)
    }

    /// Copies `bytes` in. The source stays as it is, and one that is not stored in one piece is copied once more
    /// on the way: wiping either is beyond this type.
    public convenience init(copying bytes: some Collection<UInt8>) throws {
        try self.init(count: bytes.count) { buffer in
            bytes.withContiguousBytes { buffer.copyMemory(from: $0) }
        }
    }

    /// Makes a new secret of `count` bytes from `random`.
    public convenience init(count: Int, random: some RandomSource) throws {
        try self.init(count: count) { try random.fill($0) }
    }

    deinit {
        SecureMemory.release(storage)
    }

    /// Gives the bytes to `body`. The pointer must not leave it.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result
    {
        try body(UnsafeRawBufferPointer(storage))
    }
}

extension SecretBytes {
    /// Why no secret could be made.
    public enum Error: Swift.Error, Equatable, Sendable {
        /// A length below zero was asked for.
        case negativeCount(Int)
        /// Secure memory is exhausted.
        case outOfMemory(count: Int)
    }
}

extension SecretBytes.Error: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        switch self {
        case .negativeCount(let count): "a secret cannot have \(count) bytes"
        case .outOfMemory(let count): "there is no secure memory for \(count) bytes"
        }
    }
}

extension SecretBytes: Equatable {
    /// Compares in time that depends on the lengths alone.
    public static func == (left: SecretBytes, right: SecretBytes) -> Bool {
        left.withUnsafeBytes { left in right.withUnsafeBytes { ConstantTime.isEqual(left, $0) } }
    }
}

extension SecretBytes: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The length, never the bytes.
    public var description: String { "SecretBytes(\(count) bytes)" }

    /// The length, never the bytes.
    public var debugDescription: String { description }

    /// The length, never the bytes.
    public var customMirror: Mirror { Mirror(self, children: ["count": count], displayStyle: .class) }
}
