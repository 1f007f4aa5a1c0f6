/// A secret: a key, a password, a share, and the room in which one is computed.
///
/// The bytes lie in locked memory of their own and are wiped when the last value that shares them is gone. A value
/// that is changed while another shares its bytes gets its own copy, in the same kind of memory. Secrets are not a
/// `Collection` and have no `Array` or `Data` form on purpose: the storage of such values is copied when it grows,
/// and no copy is ever wiped. ``withUnsafeBytes(_:)`` is the only way to read them.
///
/// Printing, interpolating, dumping or reflecting a value shows its length only.
public struct SecretBytes: Sendable {
    private final class Storage: @unchecked Sendable {
        // @unchecked: the bytes change only through `withUnsafeMutableBytes`, which makes sure that nobody else
        // holds this object.
        let memory: LockedMemory
        let count: Int

        init(count: Int) {
            self.count = count
            guard let memory = LockedMemory.take(count) else { fatalError("no memory for a secret") }
            self.memory = memory
        }

        deinit { memory.giveBack(wiping: count) }

        var bytes: UnsafeMutableRawBufferPointer {
            UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<count])
        }
    }

    private var storage: Storage

    /// The number of bytes.
    public var count: Int { storage.count }

    /// Whether the system agreed to keep these bytes out of swap.
    ///
    /// False where `RLIMIT_MEMLOCK` is used up: the bytes are still wiped on release, but may reach the disk.
    public var isLocked: Bool { storage.memory.isLocked }

    /// Whether the system refused to lock any of this process's secrets. Programs that hold secrets should say so.
    public static var lockWasRefused: Bool { LockedMemory.lockWasRefused }

    /// Zeros. Ends the process where the system has no memory left, as an array does, or where `count` is negative: a
    /// count from outside has to be checked before.
    public init(count: Int) {
        precondition(count >= 0, "a negative number of bytes")
        storage = Storage(count: count)
    }

    /// Lets `body` fill zeroed bytes in place.
    ///
    /// - Parameters:
    ///   - count: As for ``init(count:)``.
    ///   - body: Writes the secret. The pointer must not leave it.
    /// - Throws: What `body` throws; the bytes are wiped then.
    public init<Failure: Error>(
        count: Int, initializingWith body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        self.init(count: count)
        try body(storage.bytes)
    }

    /// A copy. The source stays as it is, and one that is not stored in one piece is copied once more on the way:
    /// wiping either is the caller's duty.
    public init(copying bytes: some Collection<UInt8>) {
        self.init(count: bytes.count)
        bytes.withContiguousBytes { storage.bytes.copyMemory(from: $0) }
    }

    /// Reads the bytes. The pointer must not leave `body`.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(storage.bytes))
    }

    /// Changes the bytes. The pointer must not leave `body`.
    public mutating func withUnsafeMutableBytes<Result, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if !isKnownUniquelyReferenced(&storage) { self = withUnsafeBytes { SecretBytes(copying: $0) } }
        return try body(storage.bytes)
    }
}

extension SecretBytes: Equatable {
    /// Compares in a time that depends on the lengths alone.
    public static func == (left: SecretBytes, right: SecretBytes) -> Bool {
        left.withUnsafeBytes { left in right.withUnsafeBytes { ConstantTime.isEqual(left, $0) } }
    }
}

extension SecretBytes: CustomStringConvertible, CustomReflectable {
    /// The length, never the bytes.
    public var description: String { "SecretBytes(\(count) bytes)" }

    /// The length, never the bytes.
    public var customMirror: Mirror { Mirror(self, children: ["count": count], displayStyle: .struct) }
}
