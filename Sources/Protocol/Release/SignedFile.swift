import PDCrypto
import PDDocument

/// One file as a manifest or an order describes it: nothing about it is left to whoever delivers it.
public struct SignedFile: Hashable, Sendable {
    /// Where it goes.
    public let path: RelativePath
    /// Its permission bits: readable by its owner, writable by nobody else. 0 takes the file away.
    public let mode: Int
    /// Its size in bytes.
    public let size: Int
    /// SHA-256 of its content, 32 bytes.
    public let digest: [UInt8]

    /// The most bytes that a file may have.
    public static let sizeLimit = 1 << 30

    /// A file from its parts.
    public init(path: RelativePath, mode: Int, size: Int, digest: [UInt8]) {
        self.path = path
        self.mode = mode
        self.size = size
        self.digest = digest
    }

    /// The file that has this content.
    public init(path: RelativePath, mode: Int, content: some Collection<UInt8>) {
        self.init(path: path, mode: mode, size: content.count, digest: SHA256.hash(content))
    }

    /// Whether a file may have these permission bits.
    public static func isMode(_ mode: Int) -> Bool {
        (0o400...0o777).contains(mode) && mode & 0o400 != 0 && mode & 0o022 == 0
    }

    /// Whether it has this size and content.
    public func describes(_ content: [UInt8]) -> Bool {
        size == content.count && digest == SHA256.hash(content)
    }

    var value: Value {
        [
            "path": .string(path.text), "mode": .int(mode), "size": .int(size),
            "sha256": .string(StatementFields.hexadecimal(digest)),
        ]
    }

    init(_ fields: StatementFields, allowingRemoval: Bool) throws(StatementError) {
        try fields.refuseUnknown(["path", "mode", "size", "sha256"])
        path = try fields.path("path")
        mode = try fields.integer("mode", in: 0...0o777)
        size = try fields.integer("size", in: 0...Self.sizeLimit)
        digest = try fields.digest("sha256")
        guard Self.isMode(mode) || allowingRemoval && mode == 0 && size == 0 else {
            throw .badField("mode", reason: "is not one that a file may have: \(String(mode, radix: 8))")
        }
    }
}
