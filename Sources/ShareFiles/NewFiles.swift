import Glibc

/// New files in one directory that appear together, complete, or not at all.
///
/// They are written without a name (`O_TMPFILE`), synchronised, and then linked to their names, which fails where the
/// name is taken, by a symbolic link too. A program that dies while writing leaves nothing behind. On file systems
/// without nameless files they are written as `.NAME.PID.partial`, which a program that dies leaves behind, and renamed
/// over empty files that take their names. A machine that dies between the links leaves some of them, each whole.
package final class NewFiles {
    /// One file being written.
    package final class File {
        package let name: String
        package let path: String
        fileprivate let descriptor: Int32
        /// The name that it has now; nil for none.
        fileprivate var currentName: String?

        fileprivate init(name: String, path: String, descriptor: Int32, currentName: String?) {
            self.name = name
            self.path = path
            self.descriptor = descriptor
            self.currentName = currentName
        }

        deinit { close(descriptor) }

        package func write(_ bytes: UnsafeRawBufferPointer) throws(ToolError) {
            try NewFiles.write(bytes, to: descriptor, path)
        }
    }

    private let directory: String
    private let descriptor: Int32
    private let createdDirectory: Bool
    private let nameless: Bool
    private var files: [File] = []
    private var committed = false

    /// - Parameters:
    ///   - directory: where they will be.
    ///   - creating: whether to create the directory, for its owner only, where it does not exist.
    ///   - nameless: whether to try files without a name first.
    package init(directory: String, creating: Bool = true, nameless: Bool = true) throws(ToolError) {
        self.directory = directory
        self.nameless = nameless
        createdDirectory = creating && mkdir(directory, 0o700) == 0
        guard !creating || createdDirectory || errno == EEXIST else {
            throw ToolError("cannot create the directory", directory, errno: errno)
        }
        descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ToolError("cannot open the directory", directory, errno: errno) }
    }

    /// Shows that new files can be made in a directory, and leaves nothing there: before people are asked for what would be
    /// lost otherwise.
    package static func probe(_ directory: String) throws(ToolError) {
        _ = try NewFiles(directory: directory).create(".pd-shares.\(getpid())")
    }

    deinit {
        if !committed {
            removeNamed()
            if createdDirectory { rmdir(directory) }
        }
        close(descriptor)
    }

    /// Starts a file that only its owner may read.
    package func create(_ name: String) throws(ToolError) -> File {
        let path = directory == "." ? name : directory + "/" + name
        var status = stat()
        guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) != 0 else {
            throw Self.exists(path)
        }
        // Glibc's O_TMPFILE is a macro that Swift does not import: __O_TMPFILE | O_DIRECTORY.
        let temporary = 0o20_000_000 | O_DIRECTORY
        var file = nameless ? openat(descriptor, ".", temporary | O_WRONLY | O_CLOEXEC, 0o600) : -1
        var partial: String?
        if file < 0 {
            guard !nameless || [EOPNOTSUPP, EISDIR, EINVAL, ENOENT].contains(errno) else {
                throw ToolError("cannot create", path, errno: errno)
            }
            let name = ".\(name).\(getpid()).partial"
            file = openat(descriptor, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard file >= 0 else { throw ToolError("cannot create", path, errno: errno) }
            partial = name
        }
        let new = File(name: name, path: path, descriptor: file, currentName: partial)
        files.append(new)
        guard fchmod(file, 0o600) == 0 else { throw ToolError("cannot protect", path, errno: errno) }
        return new
    }

    /// Makes all files durable and gives them their names. On failure none of them remains.
    package func commit() throws(ToolError) {
        for file in files where fsync(file.descriptor) != 0 {
            throw ToolError("cannot write", file.path, errno: errno)
        }
        for file in files { try giveName(file) }
        guard fsync(descriptor) == 0 else { throw ToolError("cannot write to", directory, errno: errno) }
        committed = true
    }

    private func giveName(_ file: File) throws(ToolError) {
        func failure() -> ToolError {
            errno == EEXIST ? Self.exists(file.path) : ToolError("cannot create", file.path, errno: errno)
        }
        guard let partial = file.currentName else {
            let source = "/proc/self/fd/\(file.descriptor)"
            guard linkat(AT_FDCWD, source, descriptor, file.name, AT_SYMLINK_FOLLOW) == 0 else {
                throw failure()
            }
            file.currentName = file.name
            return
        }
        // The name is taken by an empty file, which fails where there is one: renaming alone would replace it.
        let placeholder = openat(
            descriptor, file.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard placeholder >= 0 else { throw failure() }
        close(placeholder)
        guard renameat(descriptor, partial, descriptor, file.name) == 0 else {
            let error = failure()
            unlinkat(descriptor, file.name, 0)
            throw error
        }
        file.currentName = file.name
    }

    private func removeNamed() {
        for file in files {
            if let name = file.currentName { unlinkat(descriptor, name, 0) }
        }
        files = []
    }

    private static func exists(_ path: String) -> ToolError {
        ToolError(
            "\(Printable.path(path)) exists already: it is never overwritten; choose another place or remove it",
            exitCode: 3)
    }

    /// Writes everything to a descriptor.
    package static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ name: String)
        throws(ToolError)
    {
        var offset = 0
        while offset < bytes.count {
            let result = Glibc.write(
                descriptor, bytes.baseAddress?.advanced(by: offset), bytes.count - offset)
            if result < 0 {
                if errno == EINTR { continue }
                throw ToolError("cannot write", name, errno: errno)
            }
            offset += result
        }
    }
}
