import Glibc
import PDDocument
import PDFiles
import PDProtocol

extension Agent {
    /// What the person whose machine this is may want to see: the last report that the server took, what changed with it,
    /// and what of it was left out.
    ///
    /// - Throws: ``AgentError`` where nothing was delivered yet, or it cannot be read.
    public static func lastSent(_ state: StateDirectory) throws(AgentError) -> LastSent {
        do throws(FileError) {
            let bytes = try Files.read(state.lastSent, limit: 64 << 20, links: .refuse)
            let before = try? Files.read(state.sentBefore, limit: 64 << 20, links: .refuse)
            return LastSent(bytes: bytes, before: before)
        } catch { throw error.isAbsence ? .nothingSent : .file(error) }
    }

    /// Keeps what was delivered, and the digest of it for all users of the machine. Results of commands, which are reported
    /// apart, are with the orders.
    func remember(_ report: SignedReport) throws(FileError) {
        guard LastSent(bytes: report.data, before: nil).report["plugins"] != nil else { return }
        if let last = try? Files.read(state.lastSent, limit: 64 << 20, links: .refuse) {
            guard last != report.data else { return }
            try Files.writeAtomically(last, to: state.sentBefore)
        }
        try Files.writeAtomically(report.data, to: state.lastSent)
        guard let digest = state.digest, let slash = digest.lastIndex(of: "/") else { return }
        let directory = String(digest[..<slash])
        guard mkdir(directory, 0o755) == 0 || errno == EEXIST, chmod(directory, 0o755) == 0 else {
            throw FileError(operation: "make public", path: directory, code: errno)
        }
        try Files.writeAtomically(
            Array((LastSent(bytes: report.data, before: nil).digest.json(pretty: true) + "\n").utf8),
            to: digest,
            mode: 0o644)
    }
}

/// A report that the server took.
public struct LastSent: Sendable {
    /// The very bytes that were signed and sent.
    public let bytes: [UInt8]
    /// The report before it.
    private let before: [UInt8]?

    init(bytes: [UInt8], before: [UInt8]?) {
        self.bytes = bytes
        self.before = before
    }

    /// What was sent, as a document.
    public var report: Document { Self.document(bytes) }

    private static func document(_ bytes: [UInt8]) -> Document {
        (try? Document(json: bytes, timestamps: .atSuffix)) ?? [:]
    }

    /// The fields of the report that are not as in the one before, such as `firewall.status`; nothing where there was none.
    public var changed: [String]? {
        guard let before else { return nil }
        let old = Self.document(before)["plugins"] ?? .null
        var paths: [String] = []
        Self.compare(old, report["plugins"] ?? .null, path: "", &paths)
        return paths.sorted()
    }

    private static func compare(_ old: Value, _ new: Value, path: String, _ paths: inout [String]) {
        guard old != new else { return }
        guard let first = old.document, let second = new.document else {
            paths.append(path)
            return
        }
        for key in Set(first.keys + second.keys) {
            compare(
                first[key] ?? .null, second[key] ?? .null, path: path.isEmpty ? key : "\(path).\(key)", &paths
            )
        }
    }

    /// What every user of the machine may see: what collectors found, but for what is said of single users and their
    /// sessions, where the machine is, and what programs that ran as root wrote.
    public var digest: Document {
        let shown = ["hostname", "collected_at", "agent", "plugins"].compactMap { name in
            report[name].map { (name, Self.forEverybody($0)) }
        }
        return Document(shown)
    }

    private static let notForEverybody: Set = [
        "users", "user", "sessions", "session", "homes", "home", "geolocation", "stdout", "stderr",
        "evidence",
    ]

    private static func forEverybody(_ value: Value) -> Value {
        switch value {
        case .document(let document):
            .document(
                Document(
                    document.filter { !notForEverybody.contains($0.key) }.map {
                        ($0.key, forEverybody($0.value))
                    }))
        case .array(let values): .array(values.map(forEverybody))
        default: value
        }
    }
}
