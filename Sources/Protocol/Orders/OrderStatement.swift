import PDCrypto
import PDDocument

/// What somebody with a trusted key orders some machines to do: put files in place, take them away, or run a command
/// once. It is signed detached, as the bytes in which it is sent.
///
/// The fleet, the machines, the time and every byte are in it, so that it cannot be moved to another fleet, machine,
/// time or path.
public struct OrderStatement: Equatable, Sendable {
    /// What is ordered.
    public enum Kind: Equatable, Sendable {
        /// Files that lie among the agent's until the next release.
        case files
        /// A program that is run once; it is the one file.
        case command(Command)
    }

    /// How a one-time command is run.
    public struct Command: Equatable, Sendable {
        /// The name under which its result is kept.
        public let name: String
        /// How long it may run, in seconds.
        public let timeLimit: Int
        /// How often it is tried in all where it fails; nothing where it is tried each time the agent asks, until it
        /// works or the order expires.
        public let attempts: Int?
        /// The most of each of its outputs that is reported, in bytes.
        public let outputLimit: Int

        /// A command's terms.
        public init(name: String, timeLimit: Int, attempts: Int?, outputLimit: Int) {
            self.name = name
            self.timeLimit = timeLimit
            self.attempts = attempts
            self.outputLimit = outputLimit
        }

        /// The times that a command may be given, in seconds.
        public static let timeLimits = 1...86_400
        /// How often a command may be tried.
        public static let attemptCounts = 1...100
        /// What stands in place of a number of attempts that has no end.
        public static let forever = "forever"
        /// How much of its output may be reported, in bytes.
        public static let outputLimits = 0...1 << 20

        /// Whether a command may have that name: as those of collectors, and fit for a file.
        public static func isName(_ name: String) -> Bool {
            guard let path = try? RelativePath(name) else { return false }
            return path.components.count == 1 && V1.Submission.isResultName(name)
        }
    }

    /// What `format` says.
    public static let format = "penguindome-order-1"
    /// The most bytes of a statement.
    public static let sizeLimit = 4 << 20
    /// The most machines that one statement names.
    public static let hostLimit = 20_000
    /// The most files of an order.
    public static let fileLimit = 1000
    /// The folder in which a command's file stands.
    public static let commandFolder = "client/commands"

    /// Where collectors of one's own lie, among files of a release and of orders: the original system's place, then the
    /// agent's own.
    public static let pluginFolders = ["client/plugins", "collectors"]

    /// 24 hexadecimal digits in lower case.
    public let id: String
    /// What is ordered.
    public let kind: Kind
    /// The fleet: the fingerprint of its server's key.
    public let fleet: OpenPGP.Fingerprint
    /// The machines that are meant.
    public let hosts: [Hostname]
    /// When it was written, in seconds since 1970-01-01 UTC.
    public let created: Int64
    /// From when on it is not to be obeyed any more.
    public let expires: Int64
    /// The files in the order of their paths.
    public let files: [SignedFile]

    /// An order from its parts. Hosts and files are put in order.
    ///
    /// - Throws: what ``init(json:)`` would find wrong with it.
    public init(
        id: String, kind: Kind, fleet: OpenPGP.Fingerprint, hosts: [Hostname], created: Int64, expires: Int64,
        files: [SignedFile]
    ) throws(StatementError) {
        self.id = id
        self.kind = kind
        self.fleet = fleet
        self.hosts = hosts.sorted { $0.name < $1.name }
        self.created = created
        self.expires = expires
        self.files = files.sorted { $0.path < $1.path }
        guard try OrderStatement(json: json()) == self else { throw .notCanonical }
    }

    private static let known: Set<String> = [
        "format", "critical", "id", "kind", "fleet", "hosts", "created_at", "expires_at", "files", "command",
    ]

    /// Whether a text is an identifier of an order.
    public static func isID(_ text: String) -> Bool {
        text.utf8.count == 24
            && text.utf8.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            }
    }

    /// Reads the bytes of an order, whose signature is good.
    public init(json: [UInt8]) throws(StatementError) {
        let fields = try StatementFields(
            json: json, limit: Self.sizeLimit, format: Self.format, known: Self.known)
        id = try fields.string("id")
        guard Self.isID(id) else {
            throw .badField("id", reason: "is not 24 hexadecimal digits in lower case")
        }
        fleet = try fields.fingerprint("fleet")
        let names = try fields.texts("hosts", count: 1...Self.hostLimit)
        hosts = names.compactMap(Hostname.init)
        guard hosts.count == names.count else {
            throw .badField("hosts", reason: "has one that is no host name")
        }
        for (one, next) in zip(hosts, hosts.dropFirst()) where one.name >= next.name {
            throw .badField("hosts", reason: "is not in order, or names one twice")
        }
        created = try fields.time("created_at")
        expires = try fields.time("expires_at")
        guard created < expires else { throw .badField("expires_at", reason: "is not after created_at") }

        switch try fields.string("kind") {
        case "files":
            kind = .files
            files = try fields.files("files", count: 1...Self.fileLimit, allowingRemoval: true)
        case "command":
            let command = try Command(fields.fields("command"))
            kind = .command(command)
            files = try fields.files("files", count: 1...1)
            guard files.first?.path.text == "\(Self.commandFolder)/\(command.name)" else {
                throw .badField("files", reason: "is not the command's file")
            }
        default: throw .badField("kind", reason: "is neither files nor command")
        }
    }

    /// The bytes to sign and to send.
    public func json() -> [UInt8] {
        var writer = DocumentWriter()
        writer.append("format", .string(Self.format))
        writer.append("id", .string(id))
        switch kind {
        case .files: writer.append("kind", "files")
        case .command(let command):
            writer.append("kind", "command")
            writer.append("command", command.value)
        }
        writer.append("fleet", .string("\(fleet)"))
        writer.append("hosts", .array(hosts.map { .string($0.name) }))
        writer.append("created_at", StatementFields.time(created))
        writer.append("expires_at", StatementFields.time(expires))
        writer.append("files", .array(files.map(\.value)))
        return Array(writer.finish().json().utf8)
    }

    /// Whether that machine is meant.
    public func names(_ host: Hostname) -> Bool { hosts.contains(host) }
}

extension OrderStatement.Command {
    init(_ fields: StatementFields) throws(StatementError) {
        try fields.refuseUnknown(["name", "time_limit", "attempts", "output_limit"])
        name = try fields.string("name")
        guard Self.isName(name) else { throw .badField("name", reason: "is not one that a command may have") }
        timeLimit = try fields.integer("time_limit", in: Self.timeLimits)
        attempts = try fields.attempts("attempts", in: Self.attemptCounts)
        outputLimit = try fields.integer("output_limit", in: Self.outputLimits)
    }

    var value: Value {
        [
            "name": .string(name), "time_limit": .int(timeLimit),
            "attempts": attempts.map(Value.int) ?? .string(Self.forever),
            "output_limit": .int(outputLimit),
        ]
    }
}
