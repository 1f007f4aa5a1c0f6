import Glibc
import Logging
import PDFiles

/// Reports on disk that wait for delivery, one file each.
///
/// What is promised:
/// - ``add(_:)`` returns when the report is on disk. A crash or power failure at any point leaves every report that was
///   added whole, and nothing half-written in its place.
/// - A report leaves only by ``remove(_:)``, after the server took it, or when the spool is over its bounds: then the
///   oldest goes, and a line in the log says so.
/// - Reports that the server cannot read are kept apart as `.bad`, the newest ``Limits/badReports`` of them.
///
/// Files are named by a number that grows, so their order does not depend on the clock.
public struct Spool: Sendable {
    /// How much is kept.
    public struct Limits: Sendable {
        /// The most reports that wait: a week of one every five minutes.
        public var reports = 2016
        /// The most bytes that they take.
        public var bytes = 64 << 20
        /// The most reports that are kept as `.bad`.
        public var badReports = 20

        /// The standard bounds.
        public init() {}
    }

    /// A report that waits.
    public struct Entry: Sendable, Equatable {
        let number: Int
        /// The name of its file.
        public let name: String
        /// The size of its file.
        public let byteCount: Int
    }

    /// What lies in a spool.
    public struct Contents: Sendable {
        /// What waits, oldest first.
        public fileprivate(set) var waiting: [Entry] = []
        /// The reports that the server could not read, oldest first.
        public fileprivate(set) var bad: [Entry] = []
        fileprivate var temporary: [String] = []

        /// The size of all that waits, in bytes.
        public var byteCount: Int { waiting.reduce(0) { $0 + $1.byteCount } }
    }

    private let directory: String
    private let limits: Limits
    private let lock: StateLock
    private let log: Logger

    private static let suffix = ".report"
    private static let badSuffix = ".bad"
    /// So many digits that names sort like their numbers.
    private static let digits = 16

    /// Opens the spool, making the directory where it is missing, and clears away what a crash left half-written.
    ///
    /// - Parameter lock: the right to change what lies there.
    public init(directory: String, limits: Limits = Limits(), lock: StateLock, log: Logger) throws(FileError)
    {
        self.directory = directory
        self.limits = limits
        self.lock = lock
        self.log = log
        try Files.makePrivateDirectory(directory)
        for name in try Self.contents(of: directory).temporary {
            try Files.remove("\(directory)/\(name)")
        }
    }

    /// What lies in the directory, to look at without the lock. A missing directory is an empty spool.
    public static func contents(of directory: String) throws(FileError) -> Contents {
        var contents = Contents()
        let names: [String]
        do {
            names = try Files.names(in: directory)
        } catch  where error.isAbsence {
            return contents
        }
        for name in names {
            // Whoever looks without the lock may find a file gone that was there a moment before.
            guard let size = Files.size("\(directory)/\(name)") else { continue }
            if name.hasSuffix(Files.temporarySuffix) {
                contents.temporary.append(name)
            } else if let number = number(name, suffix) {
                contents.waiting.append(Entry(number: number, name: name, byteCount: size))
            } else if let number = number(name, badSuffix) {
                contents.bad.append(Entry(number: number, name: name, byteCount: size))
            }
        }
        return contents
    }

    /// What lies here.
    public func contents() throws(FileError) -> Contents {
        try Self.contents(of: directory)
    }

    /// Puts a report at the end, then drops the oldest while there is too much.
    public func add(_ report: SignedReport) throws(FileError) {
        let before = try contents()
        let number = ((before.waiting + before.bad).map(\.number).max() ?? 0) + 1
        try Files.writeAtomically(report.fileContent, to: path(Self.name(number, Self.suffix)))
        try enforceLimits()
    }

    /// The report in that file; nothing where the file is damaged, or is no file: a link, a directory, a pipe, or one that
    /// is longer than all reports together may be.
    public func read(_ entry: Entry) -> SignedReport? {
        guard let content = try? Files.read(path(entry.name), limit: limits.bytes, links: .refuse) else {
            return nil
        }
        return SignedReport(fileContent: content)
    }

    /// Puts a report in the place of one that waits.
    func replace(_ entry: Entry, with report: SignedReport) throws(FileError) {
        try Files.writeAtomically(report.fileContent, to: path(entry.name))
    }

    /// Takes a delivered report away.
    public func remove(_ entry: Entry) throws(FileError) {
        try Files.remove(path(entry.name))
    }

    /// Keeps a report apart that the server could not read.
    public func setAside(_ entry: Entry) throws(FileError) {
        try Files.rename(path(entry.name), to: path(Self.name(entry.number, Self.badSuffix)))
        let bad = try contents().bad
        for old in bad.prefix(max(0, bad.count - limits.badReports)) {
            log.warning(
                "dropped the oldest refused report: \(limits.badReports) are kept", metadata: old.metadata)
            try discard(old)
        }
    }

    /// Removes what was set aside, also where it is a directory.
    private func discard(_ entry: Entry) throws(FileError) {
        let path = path(entry.name)
        guard unlink(path) != 0, errno == EISDIR || errno == EPERM else { return }
        // One with something in it stays: what is in there is not ours.
        if rmdir(path) != 0 {
            log.warning("a directory in the spool cannot be removed", metadata: entry.metadata)
        }
    }

    /// Throws away all that waits and all that is set aside.
    func clear() throws(FileError) {
        let contents = try contents()
        for entry in contents.waiting + contents.bad { try Files.remove(path(entry.name)) }
    }

    private func enforceLimits() throws(FileError) {
        var waiting = try contents().waiting[...]
        var bytes = waiting.reduce(0) { $0 + $1.byteCount }
        // One that is larger than all may be is no report, and must not cost the others.
        for entry in waiting where entry.byteCount > limits.bytes {
            try setAside(entry)
            bytes -= entry.byteCount
        }
        waiting.removeAll { $0.byteCount > limits.bytes }
        while waiting.count > 1, waiting.count > limits.reports || bytes > limits.bytes,
            let oldest = waiting.popFirst()
        {
            log.warning(
                "dropped the oldest report: \(limits.reports) reports or \(limits.bytes) bytes are kept",
                metadata: oldest.metadata)
            try Files.remove(path(oldest.name))
            bytes -= oldest.byteCount
        }
    }

    private func path(_ name: String) -> String { "\(directory)/\(name)" }

    private static func name(_ number: Int, _ suffix: String) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.count)) + text + suffix
    }

    private static func number(_ name: String, _ suffix: String) -> Int? {
        guard name.hasSuffix(suffix), name.utf8.count == digits + suffix.utf8.count else { return nil }
        return Int(name.dropLast(suffix.count))
    }
}

extension Spool.Entry {
    var metadata: Logger.Metadata { ["file": "\(name)"] }
}
