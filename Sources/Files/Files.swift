import Glibc
import PDSecrets

/// Files by system calls: every error names its path, every descriptor is closed in children, and what is written
/// survives a crash at any point.
public enum Files {
    /// Whether links may be followed at the last step of a path.
    public enum Links: Sendable {
        case follow, refuse
    }

    /// The whole content of a regular file or of one that the kernel makes up.
    ///
    /// - Parameter limit: the most to read, in bytes; a longer file is an error (`EFBIG`).
    public static func read(_ path: String, limit: Int = 8 << 20, links: Links = .follow) throws(FileError)
        -> [UInt8]
    {
        let descriptor = try openToRead(path, links: links)
        defer { close(descriptor) }
        var content: [UInt8] = []
        var wanted = 4096
        while true {
            var failure: Int32 = 0
            let chunk = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
                let result = retryingInterrupts { Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
                if result < 0 { failure = errno }
                count = max(0, result)
            }
            guard failure == 0 else { throw FileError(operation: "read", path: path, code: failure) }
            if chunk.isEmpty { return content }
            content += chunk
            guard content.count <= limit else {
                throw FileError(operation: "read", path: path, code: EFBIG, limit: limit)
            }
            wanted = min(wanted * 2, 1 << 18)
        }
    }

    /// The whole content of a file that holds a key, a password or a token: it is in secret memory from the first byte on.
    ///
    /// - Parameter limit: the most to read, in bytes; a longer file is an error (`EFBIG`).
    public static func readSecret(_ path: String, limit: Int, links: Links = .follow) throws(FileError)
        -> SecretBytes
    {
        let descriptor = try openToRead(path, links: links)
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw FileError(operation: "look at", path: path, code: errno)
        }
        // One more than there should be: that nothing comes after it is seen by what is read then.
        var content = SecretBytes(count: min(max(Int(status.st_size), 0), limit) + 1)
        var filled = 0
        while true {
            var failure: Int32 = 0
            let count = content.withUnsafeMutableBytes { buffer in
                let result = retryingInterrupts {
                    Glibc.read(
                        descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
                }
                if result < 0 { failure = errno }
                return max(0, result)
            }
            guard failure == 0 else { throw FileError(operation: "read", path: path, code: failure) }
            if count == 0 {
                return content.withUnsafeBytes { SecretBytes(copying: $0[..<filled]) }
            }
            filled += count
            guard filled <= limit else {
                throw FileError(operation: "read", path: path, code: EFBIG, limit: limit)
            }
            guard filled == content.count else { continue }
            // It has grown, or is made up by the kernel.
            var longer = SecretBytes(count: min(filled * 2, limit) + 1)
            longer.withUnsafeMutableBytes { target in
                content.withUnsafeBytes { target.copyMemory(from: $0) }
            }
            content = longer
        }
    }

    private static func openToRead(_ path: String, links: Links) throws(FileError) -> Int32 {
        // Without O_NONBLOCK a pipe that somebody put in a file's place would hold us up.
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (links == .refuse ? O_NOFOLLOW : 0)
        let descriptor = open(path, flags)
        guard descriptor >= 0 else { throw FileError(operation: "open", path: path, code: errno) }
        return descriptor
    }

    /// Up to `count` bytes of a file from an offset on; fewer only at its end.
    public static func read(_ path: String, at offset: Int, count: Int) throws(FileError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw FileError(operation: "open", path: path, code: errno) }
        defer { close(descriptor) }
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = 0
            while filled < count {
                let result = retryingInterrupts {
                    pread(
                        descriptor, buffer.baseAddress.map { $0 + filled }, count - filled,
                        off_t(offset + filled))
                }
                if result < 0 { failure = errno }
                guard result > 0 else { break }
                filled += result
            }
        }
        guard failure == 0 else { throw FileError(operation: "read", path: path, code: failure) }
        return bytes
    }

    /// The names in a directory, sorted, without `.` and `..`.
    public static func names(in path: String) throws(FileError) -> [String] {
        guard let directory = opendir(path) else {
            throw FileError(operation: "list", path: path, code: errno)
        }
        return names(of: directory)
    }

    /// The names that a directory's stream gives, sorted; closes it.
    static func names(of directory: OpaquePointer) -> [String] {
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// The path with every link resolved; nothing where it leads nowhere.
    public static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// What a link says; nothing where it is not one or may not be read.
    public static func linkTarget(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let length = readlink(path, &buffer, buffer.count)
        guard length > 0 else { return nil }
        return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether something is there.
    public static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    /// The size of a file in bytes; nothing where there is none.
    public static func size(_ path: String) -> Int? {
        var status = stat()
        return lstat(path, &status) == 0 ? Int(status.st_size) : nil
    }

    /// Makes a directory that only its owner may enter, with those above it where they are missing, or tightens one that
    /// is there. Those above that are there are left as they are.
    public static func makePrivateDirectory(_ path: String) throws(FileError) {
        try makeMissingDirectory(path)
        var status = stat()
        guard lstat(path, &status) == 0 else {
            throw FileError(operation: "look at", path: path, code: errno)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw FileError(operation: "use as a directory", path: path, code: ENOTDIR)
        }
        if status.st_mode & 0o077 != 0, chmod(path, 0o700) != 0 {
            throw FileError(operation: "make private", path: path, code: errno)
        }
    }

    private static func makeMissingDirectory(_ path: String) throws(FileError) {
        guard mkdir(path, 0o700) != 0, errno != EEXIST else { return }
        let code = errno
        guard code == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw FileError(operation: "make directory", path: path, code: code)
        }
        try makeMissingDirectory(String(path[..<slash]))
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw FileError(operation: "make directory", path: path, code: errno)
        }
    }

    /// The suffix of files that are being written. What a crash left may be removed by whoever alone writes there.
    public static let temporarySuffix = ".tmp"

    /// Removes what a crash left of ``writeAtomically(_:to:mode:)`` in a directory. Only for whoever alone writes there now.
    ///
    /// - Returns: the names that are gone.
    @discardableResult
    public static func removeTemporaries(in directory: String) throws(FileError) -> [String] {
        let left = try names(in: directory).filter(isTemporary)
        for name in left { try remove("\(directory)/\(name)") }
        return left
    }

    /// Whether a name is one that ``writeAtomically(_:to:mode:)`` makes: `NAME.PROCESS-NUMBER.tmp`.
    private static func isTemporary(_ name: String) -> Bool {
        guard name.hasSuffix(temporarySuffix) else { return false }
        let parts = name.dropLast(temporarySuffix.count).split(
            separator: ".", omittingEmptySubsequences: false)
        guard parts.count > 1, let unique = parts.last else { return false }
        let numbers = unique.split(separator: "-", omittingEmptySubsequences: false)
        return numbers.count == 2 && numbers.allSatisfy { !$0.isEmpty && $0.allSatisfy(\.isASCIIDigit) }
    }

    /// Puts a file of that mode in place so that a crash or power failure at any point leaves either the old content
    /// or the new one, and a reader sees one of the two: temporary file, fsync, rename, fsync of the directory. Several
    /// may write at once; one of them wins.
    public static func writeAtomically(
        _ content: [UInt8], to path: String, mode: mode_t = 0o600
    ) throws(FileError) {
        try content.withContiguousBytes { bytes throws(FileError) in
            try writeAtomically(bytes, to: path, mode: mode, owner: nil)
        }
    }

    /// The same for what is secret.
    public static func writeAtomically(
        _ secret: SecretBytes, to path: String, mode: mode_t = 0o600
    ) throws(FileError) {
        try secret.withUnsafeBytes { bytes throws(FileError) in
            try writeAtomically(bytes, to: path, mode: mode, owner: nil)
        }
    }

    /// Makes a file that was not there: it has its name once it is whole and on disk.
    ///
    /// - Throws: ``FileError`` with `EEXIST` where something has that name, which stays as it is.
    public static func create(_ content: [UInt8], at path: String, mode: mode_t) throws(FileError) {
        try content.withContiguousBytes { bytes throws(FileError) in
            try create(path, mode: mode) { descriptor throws(FileError) in
                try writeAll(bytes, to: descriptor, path: path)
            }
        }
    }

    /// The same for what is secret.
    public static func create(_ secret: SecretBytes, at path: String, mode: mode_t) throws(FileError) {
        try secret.withUnsafeBytes { bytes throws(FileError) in
            try create(path, mode: mode) { descriptor throws(FileError) in
                try writeAll(bytes, to: descriptor, path: path)
            }
        }
    }

    /// The same for a file that is there, which keeps its mode, owner and group. Where the path is a link, it stays one,
    /// and the file that it leads to changes.
    ///
    /// - Throws: ``FileError`` with `EPERM` where neither root nor this process's user made the link: whoever may write in
    ///   the directory must not be able to lead root elsewhere.
    public static func replaceAtomically(_ content: [UInt8], at path: String) throws(FileError) {
        let target = try followOwnLinks(path)
        var old = stat()
        guard lstat(target, &old) == 0 else {
            throw FileError(operation: "look at", path: path, code: errno)
        }
        let owner = FileOwner(old)
        try content.withContiguousBytes { bytes throws(FileError) in
            try writeAtomically(bytes, to: target, mode: old.st_mode & 0o777, owner: owner)
        }
    }

    /// Where the links lead that are the last step of a path.
    private static func followOwnLinks(_ path: String) throws(FileError) -> String {
        var path = path
        for _ in 0..<8 {
            let descriptor = open(path, FileOwner.onlyPath | O_NOFOLLOW | O_CLOEXEC)
            guard descriptor >= 0 else { throw FileError(operation: "open", path: path, code: errno) }
            defer { close(descriptor) }
            var info = stat()
            guard fstat(descriptor, &info) == 0 else {
                throw FileError(operation: "look at", path: path, code: errno)
            }
            guard info.st_mode & S_IFMT == S_IFLNK else { return path }
            guard info.st_uid == 0 || info.st_uid == geteuid() else {
                throw FileError(operation: "follow the link", path: path, code: EPERM)
            }
            // Of the descriptor: another link may have the path by now.
            var buffer = [CChar](repeating: 0, count: 4096)
            let length = readlinkat(descriptor, "", &buffer, buffer.count)
            guard length > 0 else { throw FileError(operation: "follow the link", path: path, code: errno) }
            let target = String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let directory = path.lastIndex(of: "/").map { path[...$0] } ?? ""
            path = target.hasPrefix("/") ? target : directory + target
        }
        throw FileError(operation: "follow the link", path: path, code: ELOOP)
    }

    private static func writeAtomically(
        _ content: UnsafeRawBufferPointer, to path: String, mode: mode_t, owner: FileOwner?
    ) throws(FileError) {
        try write(path, mode: mode) { descriptor throws(FileError) in
            try writeAll(content, to: descriptor, path: path)
            if let owner { try give(descriptor, to: owner, path: path) }
        } publish: { temporary throws(FileError) in
            try rename(temporary, to: path)
        }
    }

    private static func create(
        _ path: String, mode: mode_t, _ fill: (Int32) throws(FileError) -> Void
    ) throws(FileError) {
        try write(path, mode: mode, fill) { temporary throws(FileError) in
            // Unlike rename(2), link(2) does not replace what is there.
            guard link(temporary, path) == 0 else {
                throw FileError(operation: "create", path: path, code: errno)
            }
            unlink(temporary)
            try synchronize(directoryOf: path)
        }
    }

    /// Fills a file under a name of its own, has it on disk with that mode, and then lets `publish` give it its name.
    private static func write(
        _ path: String, mode: mode_t, _ fill: (Int32) throws(FileError) -> Void,
        publish: (_ temporary: String) throws(FileError) -> Void
    ) throws(FileError) {
        let temporary = "\(path).\(getpid())-\(UInt32.random(in: 0 ... .max))\(temporarySuffix)"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw FileError(operation: "write", path: path, code: errno) }
        defer { close(descriptor) }
        do throws(FileError) {
            try fill(descriptor)
            // The mode that was asked for, whatever the umask says.
            guard fchmod(descriptor, mode) == 0, fsync(descriptor) == 0 else {
                throw FileError(operation: "write", path: path, code: errno)
            }
            try publish(temporary)
        } catch {
            unlink(temporary)
            throw error
        }
    }

    private static func give(
        _ descriptor: Int32, to owner: FileOwner, path: String
    ) throws(FileError) {
        var new = stat()
        guard fstat(descriptor, &new) == 0 else {
            throw FileError(operation: "look at", path: path, code: errno)
        }
        // Whoever may write a file may not always give one away: then only what has to change is tried.
        guard FileOwner(new) != owner else { return }
        guard fchown(descriptor, owner.user, owner.group) == 0 else {
            throw FileError(operation: "keep the owner of", path: path, code: errno)
        }
    }

    /// Writes what is read from an open file into a new one, which has its name once it is whole.
    ///
    /// - Throws: ``FileError`` with `EEXIST` where something has that name.
    public static func copy(from source: Int32, toNew path: String) throws(FileError) {
        try create(path, mode: 0o600) { target throws(FileError) in
            while true {
                var failure: Int32 = 0
                let chunk = [UInt8](unsafeUninitializedCapacity: 1 << 20) { buffer, count in
                    let result = retryingInterrupts { Glibc.read(source, buffer.baseAddress, buffer.count) }
                    if result < 0 { failure = errno }
                    count = max(0, result)
                }
                guard failure == 0 else { throw FileError(operation: "read for", path: path, code: failure) }
                if chunk.isEmpty { break }
                try writeAll(chunk, to: target, path: path)
            }
        }
    }

    /// Makes a file of mode 0600, which has its name once `body` has written it and it is on disk.
    ///
    /// - Throws: what `body` throws; ``FileError`` with `EEXIST` where something has that name.
    public static func makeNew(_ path: String, _ body: (_ descriptor: Int32) throws -> Void) throws {
        var failure: (any Error)?
        do throws(FileError) {
            try create(path, mode: 0o600) { descriptor throws(FileError) in
                do { try body(descriptor) } catch {
                    failure = error
                    throw FileError(operation: "write", path: path, code: ECANCELED)
                }
            }
        } catch { throw failure ?? error }
    }

    /// Lends a file that has no name, so that nothing of it is left however this process ends.
    ///
    /// - Parameter directory: on whose file system it lies.
    public static func unnamed(in directory: String) throws(FileError) -> Int32 {
        let path = "\(directory)/\(getpid())-\(UInt32.random(in: 0 ... .max))\(temporarySuffix)"
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileError(operation: "write", path: path, code: errno) }
        unlink(path)
        return descriptor
    }

    /// Renames within one directory, and returns when the new name is on disk.
    public static func rename(_ path: String, to target: String) throws(FileError) {
        guard Glibc.rename(path, target) == 0 else {
            throw FileError(operation: "rename", path: path, code: errno)
        }
        try synchronize(directoryOf: target)
    }

    /// Removes a file; one that is not there any more is fine.
    public static func remove(_ path: String) throws(FileError) {
        guard unlink(path) == 0 || errno == ENOENT else {
            throw FileError(operation: "remove", path: path, code: errno)
        }
    }

    /// Returns when the names in the directory that holds a path are on disk.
    public static func synchronize(directoryOf path: String) throws(FileError) {
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(operation: "open", path: directory, code: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw FileError(operation: "write", path: directory, code: errno)
        }
    }

    /// Returns when a directory and all regular files and directories in it are on disk.
    public static func synchronize(tree path: String) throws(FileError) {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileError(operation: "open", path: path, code: errno) }
        defer { close(descriptor) }
        var info = stat()
        guard fstat(descriptor, &info) == 0, fsync(descriptor) == 0 else {
            throw FileError(operation: "write", path: path, code: errno)
        }
        guard info.st_mode & S_IFMT == S_IFDIR else { return }
        for name in try names(in: path) { try synchronize(tree: "\(path)/\(name)") }
    }

    /// Writes everything, however the system cuts it up.
    ///
    /// - Parameter path: what errors call it.
    public static func writeAll(_ content: [UInt8], to descriptor: Int32, path: String) throws(FileError) {
        try content.withContiguousBytes { bytes throws(FileError) in
            try writeAll(bytes, to: descriptor, path: path)
        }
    }

    private static func writeAll(
        _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String
    ) throws(FileError) {
        var written = 0
        while written < bytes.count {
            let result = retryingInterrupts {
                Glibc.write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
            }
            guard result > 0 else { throw FileError(operation: "write", path: path, code: errno) }
            written += result
        }
    }
}

/// Repeats a system call for as long as a signal interrupts it.
public func retryingInterrupts(_ call: () -> Int) -> Int {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}

extension Character {
    fileprivate var isASCIIDigit: Bool { isASCII && isNumber }
}
