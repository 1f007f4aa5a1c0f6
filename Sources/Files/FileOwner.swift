import Glibc

/// Whose a file is.
public struct FileOwner: Equatable, Sendable {
    /// The user's number.
    public let user: uid_t
    /// The group's number.
    public let group: gid_t

    /// A user with a group.
    public init(user: uid_t, group: gid_t) {
        self.user = user
        self.group = group
    }

    /// Whose a file is, by what stat(2) says of it.
    public init(_ file: stat) {
        user = file.st_uid
        group = file.st_gid
    }

    /// Gives a directory and all that is in it to this owner, as root may. Links are neither followed nor given, nor are
    /// files that have a second name, which may be anywhere.
    ///
    /// - Parameter lent: the names of files that stay as they are where they were given to the group to read.
    func adoptTree(_ directory: Int32, called path: String, lent: Set<String>) throws(FileError) {
        try adopt(".", in: directory, called: path, lent)
    }

    /// By descriptors: whoever may change the directories meanwhile must not lead us elsewhere.
    private func adopt(
        _ name: String, in directory: Int32, called path: String, _ lent: Set<String>
    ) throws(FileError) {
        let descriptor = openat(directory, name, Self.onlyPath | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            // It went away since the directory was listed.
            if errno == ENOENT { return }
            throw FileError(operation: "look at", path: path, code: errno)
        }
        defer { close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0 else {
            throw FileError(operation: "look at", path: path, code: errno)
        }
        let isDirectory = info.st_mode & S_IFMT == S_IFDIR
        guard isDirectory || info.st_mode & S_IFMT == S_IFREG && info.st_nlink == 1 else { return }
        let isOwn = FileOwner(info) == self
        let isLent =
            !isDirectory && lent.contains(name) && info.st_gid == group && info.st_mode & S_IRGRP != 0
        if !isOwn, !isLent, fchownat(descriptor, "", user, group, Self.emptyPath) != 0 {
            throw FileError(operation: "change the owner of", path: path, code: errno)
        }
        guard isDirectory else { return }
        for name in try Self.names(in: descriptor, called: path) {
            try adopt(name, in: descriptor, called: "\(path)/\(name)", lent)
        }
    }

    private static func names(in directory: Int32, called path: String) throws(FileError) -> [String] {
        let listed = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard listed >= 0, let stream = fdopendir(listed) else {
            let code = errno
            if listed >= 0 { close(listed) }
            throw FileError(operation: "list", path: path, code: code)
        }
        return Files.names(of: stream)
    }

    /// `O_PATH` and `AT_EMPTY_PATH` of open(2) and fchownat(2), the same numbers on all machines of today.
    static let onlyPath: Int32 = 0o10_000_000
    static let emptyPath: Int32 = 0x1000
}
