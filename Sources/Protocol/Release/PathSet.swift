/// Paths that can lie side by side on every file system: no two are the same, none is a file and the directory of
/// another, and none differ only by case, by the spelling of one Unicode text, or by what is never seen.
public struct PathSet: Sendable {
    private enum Kind {
        case file
        /// Named by itself.
        case directory
        /// Known only because something is in it.
        case parent
    }

    private var nodes: [String: (text: String, kind: Kind)] = [:]

    /// No path.
    public init() {}

    /// Adds a file.
    public mutating func insert(file path: RelativePath) throws(PathCollision) {
        try insert(path, .file)
    }

    /// Adds a directory.
    public mutating func insert(directory path: RelativePath) throws(PathCollision) {
        try insert(path, .directory)
    }

    private mutating func insert(_ path: RelativePath, _ kind: Kind) throws(PathCollision) {
        var end = path.text.utf8.startIndex
        while let slash = path.text.utf8[end...].firstIndex(of: UInt8(ascii: "/")) {
            try insert(String(path.text[..<slash]), .parent, of: path)
            end = path.text.utf8.index(after: slash)
        }
        try insert(path.text, kind, of: path)
    }

    private mutating func insert(_ text: String, _ kind: Kind, of path: RelativePath) throws(PathCollision) {
        let key = Self.twinKey(text)
        guard let known = nodes[key] else {
            nodes[key] = (text, kind)
            return
        }
        guard known.text.utf8.elementsEqual(text.utf8) else { throw .twins(path) }
        switch (known.kind, kind) {
        case (.parent, .directory): nodes[key] = (text, .directory)
        case (.parent, .parent), (.directory, .parent): break
        case (.file, .file), (.directory, .directory): throw .duplicate(path)
        default: throw .fileAndDirectory(path)
        }
    }

    /// The same for all spellings that some file system takes for one name. Swift compares strings by canonical
    /// equivalence; going through upper case joins what has several lower cases, such as `ſ` and `s`, and through lower
    /// case before that what has several upper cases, such as `ẞ` and `SS`. What is never seen makes no other name
    /// either: ext4 passes over it where it passes over case.
    private static func twinKey(_ text: String) -> String {
        var seen = text.unicodeScalars
        seen.removeAll { $0.properties.isDefaultIgnorableCodePoint }
        return String(seen).lowercased().uppercased().lowercased()
    }
}

/// Two paths that cannot lie side by side; the second one is given.
public enum PathCollision: Error, Equatable, Sendable, CustomStringConvertible {
    /// The same path again.
    case duplicate(RelativePath)
    /// A path that differs from another by case or by Unicode normalisation only.
    case twins(RelativePath)
    /// A path that is a file and a directory at once.
    case fileAndDirectory(RelativePath)

    /// One line for people.
    public var description: String {
        switch self {
        case .duplicate(let path): "\(path) is there twice"
        case .twins(let path): "\(path) differs from another path only by case or Unicode normalisation"
        case .fileAndDirectory(let path): "\(path) is a file and a directory at once"
        }
    }
}
