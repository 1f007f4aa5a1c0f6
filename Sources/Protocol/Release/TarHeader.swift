/// One member of an archive.
public struct TarEntry: Equatable, Sendable {
    /// What it is. There is nothing else in an archive of ours.
    public enum Kind: Sendable {
        /// A regular file.
        case file
        /// A directory.
        case directory
    }

    /// Where it goes.
    public let path: RelativePath
    /// What it is.
    public let kind: Kind
    /// Its permission bits, of 0o777.
    public let mode: Int
    /// Its size in bytes; 0 for a directory.
    public let size: Int

    /// A member from its parts.
    public init(path: RelativePath, kind: Kind, mode: Int, size: Int) {
        self.path = path
        self.kind = kind
        self.mode = mode
        self.size = size
    }
}

/// Why bytes are no archive of ours.
public enum TarError: Error, Equatable, Sendable, CustomStringConvertible {
    /// It ends before its end mark.
    case truncated
    /// A header without the mark of POSIX ustar: another format, or no archive at all.
    case notUstar
    /// The header's sum is wrong.
    case badChecksum
    /// A number that is not octal digits, or is too large.
    case badNumber(field: String)
    /// A header field, or padding, with something where zeros must be.
    case notZero(field: String)
    /// A hard or symbolic link.
    case link
    /// A device or a named pipe.
    case specialFile
    /// A header of pax or GNU tar that changes what the next header says.
    case extendedHeader
    /// A sparse file of GNU tar.
    case sparseFile
    /// Another type of member, by its code.
    case unknownType(UInt8)
    /// Set-user-ID, set-group-ID or sticky bit, or something beyond permission bits.
    case specialMode(RelativePath)
    /// A name that is not UTF-8.
    case notUnicode
    /// A path that is none.
    case badPath(PathError)
    /// Paths that cannot lie side by side.
    case collision(PathCollision)
    /// More members than there may be.
    case tooManyEntries(limit: Int)
    /// A file of more bytes than it may have.
    case tooLarge(RelativePath)
    /// Something after the end mark.
    case trailingBytes
    /// A path that the format has no room for.
    case unsuitablePath(RelativePath)

    /// One line for people.
    public var description: String {
        switch self {
        case .truncated: "the archive is cut off"
        case .notUstar: "not a ustar archive"
        case .badChecksum: "a header of the archive is damaged"
        case .badNumber(let field): "a header of the archive has a bad \(field)"
        case .notZero(let field): "the archive has something in its \(field)"
        case .link: "the archive holds a link"
        case .specialFile: "the archive holds a device or a pipe"
        case .extendedHeader: "the archive holds an extended header of pax or GNU tar"
        case .sparseFile: "the archive holds a sparse file"
        case .unknownType(let code): "the archive holds a member of the unknown type \(code)"
        case .specialMode(let path): "\(path) has a set-user-ID, set-group-ID or sticky bit"
        case .notUnicode: "the archive has a name that is not UTF-8"
        case .badPath(let error): "\(error)"
        case .collision(let collision): "\(collision)"
        case .tooManyEntries(let limit): "the archive has more than \(limit) members"
        case .tooLarge(let path): "\(path) is too large"
        case .trailingBytes: "something follows the end of the archive"
        case .unsuitablePath(let path):
            "\(path) is too long: at most 100 bytes after a slash, and at most 155 before it"
        }
    }
}

/// A header of POSIX ustar (IEEE Std 1003.1, "ustar Interchange Format").
enum TarHeader {
    static let blockSize = 512
    static let magic = Array("ustar\u{0}00".utf8)

    /// Where each field lies.
    enum Field {
        static let name = 0..<100
        static let mode = 100..<108
        static let user = 108..<116
        static let group = 116..<124
        static let size = 124..<136
        static let time = 136..<148
        static let checksum = 148..<156
        static let type = 156
        static let linkName = 157..<257
        static let magic = 257..<265
        static let userName = 265..<297
        static let groupName = 297..<329
        static let deviceMajor = 329..<337
        static let deviceMinor = 337..<345
        static let prefix = 345..<500
        static let rest = 500..<512
    }

    /// The sum of all bytes, those of the checksum's field taken as spaces.
    static func checksum(_ block: ArraySlice<UInt8>) -> Int {
        var sum = 0
        for (offset, byte) in block.enumerated() {
            sum += Field.checksum.contains(offset) ? 0x20 : Int(byte)
        }
        return sum
    }

    /// How many bytes fill a content of that size up to whole blocks.
    static func padding(after size: Int) -> Int { (blockSize - size % blockSize) % blockSize }
}
