import Glibc
import PDFiles

/// All that collectors see of the machine they run on. Tests give them recorded ones.
public struct Machine: Sendable {
    /// What the kernel says of itself.
    public struct Kernel: Sendable, Equatable {
        /// The release, such as `6.1.0-28-amd64`.
        public var release: String
        /// The architecture, such as `x86_64`.
        public var architecture: String

        /// A kernel.
        public init(release: String, architecture: String) {
            self.release = release
            self.architecture = architecture
        }
    }

    /// An IPv4 address of a network device.
    public struct Address: Sendable, Equatable {
        /// The device's name.
        public var device: String
        /// The address with its prefix length, such as `192.0.2.7/24`.
        public var address: String

        /// An address.
        public init(device: String, address: String) {
            self.device = device
            self.address = address
        }
    }

    /// Stands before every path; empty for the real machine.
    public var root: String
    /// The running kernel.
    public var kernel: Kernel
    /// Whether we may read what only root may.
    public var isRoot: Bool
    /// Lists the IPv4 addresses of all network devices.
    public var ipv4Addresses: @Sendable () throws(FileError) -> [Address]
    /// Runs a command until the deadline at most.
    public var execute: @Sendable (Invocation, SuspendingClock.Instant) throws(CommandError) -> CommandOutput
    /// The commands that may be run; nothing where all may.
    public var allowedCommands: Set<String>?
    /// What a disk says of encrypting by itself, given its path under /dev.
    public var opalStatus: @Sendable (String) -> OpalStatus = { _ in .unknown }
    /// When the collector that works on this machine has to be done. The clock stands still while the machine sleeps.
    public var deadline: SuspendingClock.Instant

    /// A machine from its parts.
    public init(
        root: String, kernel: Kernel, isRoot: Bool,
        ipv4Addresses: @escaping @Sendable () throws(FileError) -> [Address],
        execute:
            @escaping @Sendable (Invocation, SuspendingClock.Instant) throws(CommandError) -> CommandOutput,
        deadline: SuspendingClock.Instant = .now + .seconds(60)
    ) {
        self.root = root
        self.kernel = kernel
        self.isRoot = isRoot
        self.ipv4Addresses = ipv4Addresses
        self.execute = execute
        self.deadline = deadline
    }

    /// Where commands are looked for: never in a place that a user's environment names.
    public static let searchPath = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/run/current-system/sw/bin"]

    /// The most that a command may write, in bytes.
    public static let outputLimit = 8 << 20

    /// The machine that this process runs on.
    public static func this() -> Machine {
        var machine = Machine(
            root: "", kernel: .running(), isRoot: geteuid() == 0, ipv4Addresses: Address.all,
            execute: { (invocation, deadline) throws(CommandError) in
                try invocation.run(until: deadline)
            })
        machine.opalStatus = OpalStatus.of
        return machine
    }

    // MARK: - Files

    /// The file's text; what is not UTF-8 is replaced.
    func text(_ path: String) throws(FileError) -> String {
        var status = stat()
        // A pipe or a device would be read as if it were empty, or never end.
        if stat(root + path, &status) == 0, ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT) {
            throw FileError(operation: "read what is no file,", path: path, code: EINVAL)
        }
        do {
            return String(decoding: try Files.read(root + path), as: UTF8.self)
        } catch {
            throw FileError(operation: error.operation, path: path, code: error.code)
        }
    }

    /// The file's text, or nothing where there is no such file.
    func textIfPresent(_ path: String) throws(FileError) -> String? {
        do {
            return try text(path)
        } catch  where error.isAbsence {
            return nil
        }
    }

    /// A table of our network namespace, such as `tcp` (proc(5), `/proc/net`); nothing where there is none. A `/proc` that
    /// shows processes alone (`subset=pid`) has it below our own.
    func networkTable(_ name: String) throws(FileError) -> String? {
        if let table = try textIfPresent("/proc/net/\(name)") { return table }
        return try textIfPresent("/proc/self/net/\(name)")
    }

    /// The first line of a small file that may be missing or, as some of sysfs, unreadable for a device without that
    /// property.
    func attribute(_ path: String) -> String? {
        // The caller treats "no such property" and "no answer" alike.
        (try? text(path)).map { String($0.prefix { !$0.isNewline }) }
    }

    /// The sorted names in a directory; none where there is no such directory.
    func names(in path: String) throws(FileError) -> [String] {
        do {
            return try Files.names(in: root + path)
        } catch  where error.isAbsence {
            return []
        } catch {
            throw FileError(operation: error.operation, path: path, code: error.code)
        }
    }

    /// Whether something is there, as far as we may see.
    func exists(_ path: String) -> Bool {
        Files.exists(root + path)
    }

    /// The path with every link resolved; nothing where it leads nowhere or out of the recorded tree.
    func realPath(_ path: String) -> String? {
        guard let resolved = Files.realPath(root + path), resolved.hasPrefix(root) else { return nil }
        return String(resolved.dropFirst(root.count))
    }

    /// What a link says.
    func linkTarget(_ path: String) -> String? {
        Files.linkTarget(root + path)
    }

    /// The number of the user that a process runs as.
    func owner(ofProcess process: String) -> String? {
        ((try? text("/proc/\(process)/status")) ?? "").split(separator: "\n").first { $0.hasPrefix("Uid:") }
            .flatMap { $0.split(whereSeparator: \.isWhitespace).dropFirst(2).first.map(String.init) }
    }

    /// When a process was started, in milliseconds since 1970-01-01 UTC (proc(5): `/proc/N/stat`, `/proc/stat`).
    func start(ofProcess process: String) -> Int64? {
        // Its name, in brackets, may hold anything.
        guard let line = try? text("/proc/\(process)/stat"), let name = line.lastIndex(of: ")"),
            let boot = try? text("/proc/stat").split(separator: "\n").first(where: { $0.hasPrefix("btime ") })
        else { return nil }
        let fields = line[name...].split(separator: " ")
        let ticks = Int64(sysconf(Int32(_SC_CLK_TCK)))
        guard fields.count > 20, let started = Int64(fields[20]), let booted = Int64(boot.dropFirst(6)),
            ticks > 0, (0..<1 << 40).contains(started), (0..<1 << 40).contains(booted)
        else { return nil }
        return booted * 1000 + started * 1000 / ticks
    }

    // MARK: - Commands

    /// Whether a command is installed.
    func isInstalled(_ command: String) -> Bool {
        Self.searchPath.contains { exists("\($0)/\(command)") }
    }

    /// Runs a command to its end.
    public func run(_ arguments: String...) throws(CommandError) -> CommandOutput {
        try run(arguments)
    }

    /// Runs a command to its end.
    ///
    /// - Parameters:
    ///   - arguments: its name first.
    ///   - executable: what to run instead of what ``searchPath`` has under that name.
    ///   - session: whose user it runs as, with what programs of that session have in their environment. As another user
    ///     than ours only where we are root.
    public func run(
        _ arguments: [String], executable: String? = nil, in session: UserSession? = nil
    ) throws(CommandError) -> CommandOutput {
        let name = arguments.first ?? ""
        if let allowedCommands, !allowedCommands.contains(name) { throw .notAllowed(name) }
        return try execute(
            Invocation(arguments: arguments, executable: executable, session: session), deadline)
    }
}

extension Machine.Kernel {
    static func running() -> Machine.Kernel {
        var name = utsname()
        uname(&name)
        return Machine.Kernel(release: text(&name.release), architecture: text(&name.machine))
    }

    private static func text<Tuple>(_ field: inout Tuple) -> String {
        withUnsafeBytes(of: &field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

extension Machine.Address {
    @Sendable static func all() throws(FileError) -> [Machine.Address] {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else {
            throw FileError(operation: "list", path: "network addresses", code: errno)
        }
        defer { freeifaddrs(first) }
        var addresses: [Machine.Address] = []
        var next = first
        while let current = next {
            next = current.pointee.ifa_next
            guard let name = current.pointee.ifa_name, let address = current.pointee.ifa_addr,
                let mask = current.pointee.ifa_netmask, Int32(address.pointee.sa_family) == AF_INET
            else { continue }
            let octets = withUnsafeBytes(of: ipv4(address)) { $0.map(String.init).joined(separator: ".") }
            addresses.append(
                Machine.Address(
                    device: String(String(cString: name).prefix { $0 != ":" }),
                    address: "\(octets)/\(ipv4(mask).nonzeroBitCount)"))
        }
        return addresses
    }

    /// In the order of the network, as it stands in memory.
    private static func ipv4(_ address: UnsafeMutablePointer<sockaddr>) -> in_addr_t {
        address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee.sin_addr.s_addr }
    }
}
