import Glibc

/// A directory below which root works as its owner, and nobody else's links lead anywhere.
///
/// A server's state belongs to an unprivileged user, who may have been broken into and may put a link in the place of each
/// file and directory in it, at any moment. So root's tools open the path one component after the other, refuse a path that
/// others than root and the owner can replace (as sshd does by `StrictModes`), take the owner from the open descriptor, and
/// do what they do there with the owner's rights alone: a link then leads to nothing that its maker could not reach himself.
///
/// Only the *effective* ids change. The real and the saved ones stay root's, so that the owner can neither send signals to
/// the process nor trace it or read its memory (kill(2); ptrace(2), "Ptrace access mode checking"), which may hold the key
/// of an operator.
///
/// For any other user than root all of this does nothing: who works with his own rights needs no fewer.
public final class OwnedDirectory: Sendable {
    /// The path under which it was opened.
    public let path: String
    /// Whom it belongs to.
    public let owner: FileOwner
    private let descriptor: Int32
    private let isFixed: Bool

    /// Opens a directory.
    ///
    /// - Throws: ``FileError`` where there is none, ``UnsafeDirectory`` where somebody could replace it under root's hands.
    public convenience init(_ path: String) throws {
        try self.init(path, walk: PathWalk(path, mayEndEarly: false))
    }

    private init(_ path: String, walk: consuming PathWalk) throws {
        if geteuid() == 0 { try walk.check(path) }
        self.path = path
        isFixed = walk.isFixed
        owner = walk.owner
        descriptor = try walk.takeDescriptor()
    }

    deinit { close(descriptor) }

    /// Opens a directory, which is made where it is missing, with those above it, by whom the last of those that are there
    /// belongs to. None but its owner may enter what is made.
    public static func making(_ path: String) throws -> OwnedDirectory {
        let above = try above(path)
        if !Files.exists(path) { try above.perform { try Files.makePrivateDirectory(path) } }
        return try OwnedDirectory(path)
    }

    /// The last directory of a path that is there.
    public static func above(_ path: String) throws -> OwnedDirectory {
        try OwnedDirectory(path, walk: PathWalk(path, mayEndEarly: true))
    }

    /// Whether this process is root and will work as somebody else here.
    public var isForeign: Bool { geteuid() == 0 && owner.user != 0 }

    // MARK: - Working as the owner

    /// Does something with the owner's rights, and returns to root's.
    ///
    /// The rights are those of the whole process: nothing else may go on beside it that needs other ones.
    public func perform<Result>(_ body: () throws -> Result) throws -> Result {
        guard isForeign else { return try body() }
        let groups = try become()
        let result = Swift.Result { try body() }
        try Self.becomeRoot(groups)
        return try result.get()
    }

    /// As ``perform(_:)``, for what waits.
    public func perform<Result>(_ body: () async throws -> Result) async throws -> Result {
        guard isForeign else { return try await body() }
        let groups = try become()
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        try Self.becomeRoot(groups)
        return try result.get()
    }

    /// - Returns: the groups that this process had.
    private func become() throws(FileError) -> [gid_t] {
        let count = getgroups(0, nil)
        var old = [gid_t](repeating: 0, count: max(0, Int(count)))
        guard count >= 0, getgroups(count, &old) == count else {
            throw FileError(operation: "become the owner of", path: path, code: errno)
        }
        let groups = Self.groups(of: owner)
        guard setgroups(groups.count, groups) == 0, setegid(owner.group) == 0, seteuid(owner.user) == 0 else {
            let code = errno
            try Self.becomeRoot(old)
            throw FileError(operation: "become the owner of", path: path, code: code)
        }
        return old
    }

    private static func becomeRoot(_ groups: [gid_t]) throws(FileError) {
        guard seteuid(0) == 0, setegid(getgid()) == 0, setgroups(groups.count, groups) == 0 else {
            throw FileError(operation: "become root again after work in", path: "the state", code: errno)
        }
    }

    /// All groups of a user, so that he has here what a server has that runs as him; without an account only one.
    private static func groups(of owner: FileOwner) -> [gid_t] {
        guard let account = getpwuid(owner.user) else { return [owner.group] }
        var count: Int32 = 64
        var groups = [gid_t](repeating: 0, count: Int(count))
        guard getgrouplist(account.pointee.pw_name, owner.group, &groups, &count) >= 0 else {
            return [owner.group]
        }
        return Array(groups.prefix(Int(count)))
    }

    // MARK: - By root itself

    /// Whether a name in the directory stands for something that root made, where nobody but root can put another
    /// directory in this one's place: settings that the owner may only read.
    ///
    /// Every directory above belongs to root, so that the path is the directory's own; the name's owner is asked of the
    /// descriptor.
    public func isRoots(_ name: String) -> Bool {
        var info = stat()
        return isFixed && fstatat(descriptor, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && info.st_uid == 0
    }

    /// Opens a file of the directory to read it, where it is a regular one that has no second name and belongs to the
    /// owner. No link is followed.
    public func read(_ name: String, _ body: (_ descriptor: Int32) throws -> Void) throws {
        let file = openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard file >= 0 else { throw FileError(operation: "open", path: "\(path)/\(name)", code: errno) }
        defer { close(file) }
        var info = stat()
        guard fstat(file, &info) == 0, info.st_mode & S_IFMT == S_IFREG, info.st_nlink == 1,
            info.st_uid == owner.user
        else { throw FileError(operation: "read", path: "\(path)/\(name)", code: EPERM) }
        try body(file)
    }

    /// Gives the directory, and nothing in it, to a user.
    public func give(to new: FileOwner) throws(FileError) {
        guard new != owner else { return }
        guard fchownat(descriptor, "", new.user, new.group, FileOwner.emptyPath) == 0 else {
            throw FileError(operation: "change the owner of", path: path, code: errno)
        }
    }

    /// Gives all that is in it to its owner, where this process is root: what came back from a backup. Links are neither
    /// followed nor given, nor are files that have a second name.
    ///
    /// - Parameter lent: the names of files that stay as they are where they were given to the group to read.
    public func adoptContents(lent: Set<String> = []) throws(FileError) {
        guard isForeign else { return }
        try owner.adoptTree(descriptor, called: path, lent: lent)
    }
}
