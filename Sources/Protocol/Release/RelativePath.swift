/// Where a file lies below some directory: components parted by `/`.
///
/// A path that is one of these can be joined to a directory without leaving it by its text. It says nothing of symbolic
/// links on the disk: whoever opens it must refuse those at every step.
public struct RelativePath: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The path as it was written.
    public let text: String

    /// The most bytes of UTF-8 in a path.
    public static let byteLimit = 1024
    /// The most bytes of UTF-8 in one component, as file systems have it.
    public static let componentByteLimit = 255

    /// Takes a text that is such a path: no `/` at the start or the end, no empty component, no `.` or `..`, no control,
    /// format or unassigned character, no backslash.
    public init(_ text: String) throws(PathError) {
        guard !text.isEmpty else { throw .empty }
        guard text.utf8.count <= Self.byteLimit else { throw .tooLong }
        guard text.utf8.first != UInt8(ascii: "/") else { throw .absolute }
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse:
                throw .character(scalar.value)
            default: guard scalar != "\\" else { throw .character(scalar.value) }
            }
        }
        for component in text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard !component.isEmpty else { throw .emptyComponent }
            guard component.count <= Self.componentByteLimit else { throw .tooLong }
            guard !component.elementsEqual(".".utf8), !component.elementsEqual("..".utf8) else {
                throw .dots
            }
        }
        self.text = text
    }

    /// The names on the way; at least one. Parted by byte, as the system does it: to Swift a slash that a combining
    /// character follows is no slash.
    public var components: [String] {
        text.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The directories on the way, the innermost first.
    public var parents: [RelativePath] {
        text.utf8.indices.reversed().filter { text.utf8[$0] == UInt8(ascii: "/") }
            .map { RelativePath(checked: String(decoding: text.utf8[..<$0], as: UTF8.self)) }
    }

    /// A part of a path that was checked.
    private init(checked text: String) { self.text = text }

    /// By bytes of UTF-8: the order in which a release lists its files.
    public static func < (left: RelativePath, right: RelativePath) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    /// Equal where the bytes are: two spellings of one Unicode text are two paths to a Linux file system.
    public static func == (left: RelativePath, right: RelativePath) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
    }

    /// The path.
    public var description: String { text }
}

/// Why a text is no ``RelativePath``.
public enum PathError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Nothing.
    case empty
    /// It starts at the root.
    case absolute
    /// Two slashes in a row, or one at the end.
    case emptyComponent
    /// A component is `.` or `..`.
    case dots
    /// A path or a component of more bytes than it may have.
    case tooLong
    /// A character, by its code point, that no file name here may have.
    case character(UInt32)

    /// One line for people, without the path.
    public var description: String {
        switch self {
        case .empty: "a path is empty"
        case .absolute: "a path starts at the root"
        case .emptyComponent: "a path has an empty component"
        case .dots: "a path has '.' or '..' in it"
        case .tooLong:
            "a path has more than \(RelativePath.byteLimit) bytes, or more than "
                + "\(RelativePath.componentByteLimit) in one component"
        case .character(let value): "a path has the character U+\(String(value, radix: 16, uppercase: true))"
        }
    }
}
