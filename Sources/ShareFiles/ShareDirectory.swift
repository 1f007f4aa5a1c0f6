import Glibc
import PDShamir

/// Directories that hold shares.
package enum ShareDirectory {
    /// A file as the system names it.
    package struct Entry {
        /// What to call it; bytes that are not UTF-8 are replaced.
        package let name: String
        /// Its path as it is, with the NUL at the end.
        package let path: [CChar]

        package init(_ path: String) {
            name = path
            self.path = Array(path.utf8CString)
        }

        fileprivate init(_ name: [CChar], in directory: String) {
            path = (directory + "/").utf8CString.dropLast() + name
            self.name = String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// What a file name makes of a file.
    private enum Kind {
        case native
        case sealed
        case gfshare

        /// Letter case does not count: some file systems know capitals alone.
        init?(_ name: String) {
            let name = name.lowercased()
            if name.hasSuffix(ShareInput.suffix) {
                self = .native
            } else if name.hasSuffix(ShareInput.sealedSuffix) {
                self = .sealed
            } else if GfshareName.number(in: name) != nil {
                self = .gfshare
            } else {
                return nil
            }
        }
    }

    /// The shares and sealed files in a directory.
    ///
    /// - Returns: nil where the path is no directory.
    package static func shares(in path: String) throws(ToolError) -> [Entry]? {
        guard let files = try files(in: path) else { return nil }
        let native = files.filter { $0.kind == .native }
        let found =
            native.isEmpty
            ? files.filter { $0.kind == .gfshare } : native + files.filter { $0.kind == .sealed }
        guard !found.isEmpty else {
            throw ToolError("no shares in \(Printable.path(path)): name the files instead")
        }
        return found.map(\.entry)
    }

    /// Refuses a place for new shares that holds others: as a directory neither set could be combined again.
    package static func refuseOthers(in path: String, format: ShareFormat) throws(ToolError) {
        let others = try files(in: path) ?? []
        // Beside native shares, no file counts as one of libgfshare's.
        guard let other = others.first(where: { format == .gfshare || $0.kind != .gfshare }) else { return }
        throw ToolError(
            "\(Printable.path(other.entry.name)) exists already, and two sets of shares in one directory cannot be told "
                + "apart: choose an empty directory",
            exitCode: 3)
    }

    /// The files in a directory that look like shares, by their names: not pipes and the like, which may never end, and
    /// nothing that is hidden, as what a Mac leaves beside each file.
    private static func files(in path: String) throws(ToolError) -> [(entry: Entry, kind: Kind)]? {
        var status = stat()
        guard path != "-", stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return nil }
        guard let directory = opendir(path) else { throw ToolError("cannot open", path, errno: errno) }
        defer { closedir(directory) }
        var files: [(entry: Entry, kind: Kind)] = []
        while let found = readdir(directory) {
            let name = withUnsafePointer(to: &found.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
                    Array(UnsafeBufferPointer(start: $0, count: strlen($0) + 1))
                }
            }
            let entry = Entry(name, in: path)
            guard name.first != 0x2e, let kind = Kind(entry.name) else { continue }
            // A link that leads nowhere is for whoever opens it to report.
            guard fstatat(dirfd(directory), name, &status, 0) != 0 || status.st_mode & S_IFMT == S_IFREG
            else { continue }
            files.append((entry, kind))
        }
        return files.sorted { $0.entry.name < $1.entry.name }
    }
}
