import Glibc
import PDFiles
import PDProtocol

/// A directory that is held open, below which paths are followed one name at a time: what lies on the way is a directory
/// or the call fails. A symbolic link leads nowhere, whoever put it there and whenever.
final class OpenDirectory {
    /// What a name stands for.
    enum Kind {
        case file, directory, link, other
    }

    /// The path under which it was opened, for messages.
    let path: String
    private let descriptor: Int32

    /// Opens a directory that is no link itself.
    init(_ path: String) throws(FileError) {
        self.path = path
        descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(operation: "open", path: path, code: errno) }
    }

    private init(_ descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    private func failure(_ operation: String, _ name: String) -> FileError {
        FileError(operation: operation, path: "\(path)/\(name)", code: errno)
    }

    // MARK: - Ways down

    /// The directory of that name.
    ///
    /// - Parameter name: a string, or one of ``entries()``.
    func directory(_ name: UnsafePointer<CChar>) throws(FileError) -> OpenDirectory {
        let child = openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        let text = String(cString: name)
        guard child >= 0 else { throw failure("open", text) }
        return OpenDirectory(child, path: "\(path)/\(text)")
    }

    /// The directory of that name, made where it is not there.
    func makeDirectory(_ name: String, mode: mode_t = 0o755) throws(FileError) -> OpenDirectory {
        if mkdirat(descriptor, name, 0o700) == 0 {
            guard fchmodat(descriptor, name, mode, 0) == 0 else { throw failure("make directory", name) }
        } else if errno != EEXIST {
            throw failure("make directory", name)
        }
        return try directory(name)
    }

    /// The directory that a path's last name lies in, and that name.
    func parent(of path: RelativePath, making: Bool) throws(FileError) -> (OpenDirectory, name: String) {
        var names = path.components
        let last = names.removeLast()
        var directory = self
        for name in names {
            directory = making ? try directory.makeDirectory(name) : try directory.directory(name)
        }
        return (directory, last)
    }

    // MARK: - Files

    /// Makes a new file, to be written. The name's own entry is on disk once ``synchronize()`` was called.
    func newFile(_ name: String) throws(FileError) -> FileWriter {
        let file = openat(descriptor, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("create", name) }
        return FileWriter(file, path: "\(path)/\(name)")
    }

    /// Makes a new file of that content and mode, on disk when this returns but for its name's entry.
    func create(_ name: String, _ content: [UInt8], mode: mode_t) throws(FileError) {
        let file = try newFile(name)
        try file.write(content[...])
        try file.finish(mode: mode)
    }

    /// A regular file, open for reading, with its size and permission bits.
    func open(_ path: RelativePath) throws(FileError) -> OpenFile {
        let (directory, name) = try parent(of: path, making: false)
        let file = openat(directory.descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { throw directory.failure("open", name) }
        return try OpenFile(file, path: "\(directory.path)/\(name)")
    }

    /// Whether something has that name, a link counted as itself.
    ///
    /// - Parameter name: a string, or one of ``entries()``.
    func kind(_ name: UnsafePointer<CChar>) -> Kind? {
        var status = stat()
        guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
        return switch status.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .directory
        case S_IFLNK: .link
        default: .other
        }
    }

    /// The names in it, sorted; what is no UTF-8 is repaired, and so names nothing.
    func names() throws(FileError) -> [String] {
        try entries().map(Self.text).sorted()
    }

    private static func text(_ name: [CChar]) -> String {
        String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The names in it, byte by byte, each with the NUL at its end. To whoever asks what is there, and not only for what
    /// ought to be there, names are these: two strings that are equal, or the same once they were repaired, may be two
    /// names.
    func entries() throws(FileError) -> [[CChar]] {
        // A descriptor of its own: fdopendir takes it over, and its position is shared with nobody.
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { throw failure("list", ".") }
        guard let stream = fdopendir(copy) else {
            defer { close(copy) }
            throw failure("list", ".")
        }
        defer { closedir(stream) }
        let dot = CChar(bitPattern: UInt8(ascii: "."))
        var names: [[CChar]] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                bytes.prefix { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]
            }
            if name != [dot, 0], name != [dot, dot, 0] { names.append(name) }
        }
        return names
    }

    // MARK: - Changes

    /// Makes what was created, renamed and removed here survive a power failure.
    func synchronize() throws(FileError) {
        guard fsync(descriptor) == 0 else { throw failure("write", ".") }
    }

    /// As ``synchronize()``, for every directory below, too.
    func synchronizeAll() throws(FileError) {
        for name in try names() where kind(name) == .directory { try directory(name).synchronizeAll() }
        try synchronize()
    }

    /// Removes what has that name, with everything below it; nothing is fine. No link is followed.
    func remove(_ name: String) throws(FileError) { try remove(Array(name.utf8CString)) }

    /// By the bytes of the name: what somebody put there need not be UTF-8.
    private func remove(_ name: [CChar]) throws(FileError) {
        if unlinkat(descriptor, name, 0) == 0 || errno == ENOENT { return }
        let code = errno
        let text = Self.text(name)
        guard code == EISDIR || code == EPERM else {
            throw FileError(operation: "remove", path: "\(path)/\(text)", code: code)
        }
        let child = try directory(name)
        for inner in try child.entries() { try child.remove(inner) }
        guard unlinkat(descriptor, name, AT_REMOVEDIR) == 0 else { throw failure("remove", text) }
    }

    /// Gives something another name, in place of what has it now.
    func rename(_ name: String, to target: String, in other: OpenDirectory? = nil) throws(FileError) {
        guard renameat(descriptor, name, (other ?? self).descriptor, target) == 0 else {
            throw failure("rename", name)
        }
    }

    /// Makes a symbolic link that says `target`.
    func link(_ name: String, to target: String) throws(FileError) {
        guard symlinkat(target, descriptor, name) == 0 else { throw failure("create", name) }
    }

    /// What a link says; nothing where it is not one.
    func linkTarget(_ name: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let length = readlinkat(descriptor, name, &buffer, buffer.count)
        guard length > 0 else { return nil }
        return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// A new file that is being written, of mode 0600 until it is whole.
final class FileWriter {
    private let path: String
    private let descriptor: Int32

    fileprivate init(_ descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    deinit { close(descriptor) }

    func write(_ bytes: ArraySlice<UInt8>) throws(FileError) {
        var written = bytes.startIndex
        while written < bytes.endIndex {
            let result = bytes[written...].withUnsafeBytes { rest in
                retryingInterrupts { Glibc.write(descriptor, rest.baseAddress, rest.count) }
            }
            guard result > 0 else { throw FileError(operation: "write", path: path, code: errno) }
            written += result
        }
    }

    /// Gives it its mode, and returns when its content is on disk.
    func finish(mode: mode_t) throws(FileError) {
        guard fchmod(descriptor, mode) == 0, fsync(descriptor) == 0 else {
            throw FileError(operation: "write", path: path, code: errno)
        }
    }
}
