import Glibc

/// The way to a directory, one component after the other, with every directory and link that is passed.
struct PathWalk: ~Copyable {
    /// A directory or a link on the way, as it was when it was passed.
    private struct Step {
        let path: String
        let info: stat

        var isDirectory: Bool { info.st_mode & S_IFMT == S_IFDIR }
        var mayOthersWrite: Bool { info.st_mode & 0o022 != 0 }
        var isSticky: Bool { info.st_mode & mode_t(S_ISVTX) != 0 }
    }

    /// As path_resolution(7).
    private static let linkLimit = 40

    private var descriptor: Int32
    private var steps: [Step] = []

    /// - Parameter mayEndEarly: whether to stop at the first component that is not there.
    init(_ path: String, mayEndEarly: Bool) throws(FileError) {
        func failure(_ code: Int32) -> FileError { FileError(operation: "open", path: path, code: code) }
        descriptor = open("/", Self.flags)
        guard descriptor >= 0 else { throw failure(errno) }
        var here = ""
        var links = 0
        func components(_ text: String) -> [String] { text.split(separator: "/").map(String.init).reversed() }
        var ahead = components(path)
        if !path.hasPrefix("/") {
            guard let current = getcwd(nil, 0) else { throw failure(errno) }
            defer { free(current) }
            ahead += components(String(cString: current))
        }
        try note("/", failure)
        while let name = ahead.popLast() {
            if name == "." { continue }
            let next = openat(descriptor, name, Self.flags)
            guard next >= 0 else {
                if errno == ENOENT, mayEndEarly { return }
                throw failure(errno)
            }
            let previous = descriptor
            descriptor = next
            here =
                name == ".."
                ? String(here[..<(here.lastIndex(of: "/") ?? here.startIndex)]) : "\(here)/\(name)"
            let info = try note(here.isEmpty ? "/" : here, failure)
            guard info.st_mode & S_IFMT == S_IFLNK else {
                close(previous)
                guard info.st_mode & S_IFMT == S_IFDIR else { throw failure(ENOTDIR) }
                continue
            }
            links += 1
            guard links <= Self.linkLimit else { throw failure(ELOOP) }
            // Of the descriptor: another link may have the name by now.
            var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
            let length = readlinkat(descriptor, "", &buffer, buffer.count)
            close(descriptor)
            descriptor = previous
            guard length > 0 else { throw failure(errno) }
            let target = String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            here = String(here[..<(here.lastIndex(of: "/") ?? here.startIndex)])
            if target.hasPrefix("/") {
                close(descriptor)
                descriptor = open("/", Self.flags)
                guard descriptor >= 0 else { throw failure(errno) }
                here = ""
            }
            ahead += components(target)
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    private static let flags = FileOwner.onlyPath | O_NOFOLLOW | O_CLOEXEC

    @discardableResult
    private mutating func note(_ path: String, _ failure: (Int32) -> FileError) throws(FileError) -> stat {
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { throw failure(errno) }
        steps.append(Step(path: path, info: info))
        return info
    }

    private var last: Step? { steps.last(where: \.isDirectory) }

    /// Whom the directory at the end belongs to.
    var owner: FileOwner { FileOwner(last?.info ?? stat()) }

    /// Whether everything above the directory belongs to root.
    var isFixed: Bool { steps.dropLast().allSatisfy { $0.info.st_uid == 0 } }

    /// Throws where somebody other than root or the owner of the directory could put something else in its place, or
    /// anything in it.
    func check(_ path: String) throws(UnsafeDirectory) {
        guard let end = last else { return }
        for step in steps {
            guard step.info.st_uid == 0 || step.info.st_uid == end.info.st_uid else {
                throw UnsafeDirectory(
                    step.path, of: path, "belongs to the user \(step.info.st_uid)", "chown root \(step.path)")
            }
            // In a sticky directory none but its owner and theirs may replace names: all of those are looked at.
            guard !step.isDirectory || !step.mayOthersWrite || step.isSticky && step.path != end.path else {
                throw UnsafeDirectory(
                    step.path, of: path, "can be written by others than its owner", "chmod go-w \(step.path)")
            }
        }
    }

    /// The directory, opened for its name alone.
    consuming func takeDescriptor() throws(FileError) -> Int32 {
        let taken = descriptor
        descriptor = -1
        return taken
    }
}
