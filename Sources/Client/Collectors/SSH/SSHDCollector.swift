import PDDocument

/// `sshd`: whether the OpenSSH server can be reached, where, and what it lets in.
struct SSHDCollector: Collector {
    let name = "sshd"
    let commands: Set = ["sshd", "systemctl"]

    /// Under these names distributions ship it; the sockets start it when somebody connects.
    private static let services = ["ssh.service", "sshd.service"]
    private static let sockets = ["ssh.socket", "sshd.socket"]

    func collect(_ context: CollectorContext) throws -> Value {
        let machine = context.machine
        let daemons = try Self.daemons(machine)
        guard machine.isInstalled("sshd") || daemons?.isEmpty == false else {
            return ["status": "not_installed", "listening": []]
        }
        let units = SystemdUnit.show(Self.services + Self.sockets, machine)
        let isActive = { (names: [String]) in names.contains { units?[$0]?.isActive == true } }
        var different: [SSHDaemon] = []
        for daemon in daemons ?? [] where !different.contains(where: { $0.isLike(daemon) }) {
            different.append(daemon)
        }
        let read = different.map { (daemon: $0, settings: SSHDSettings.read(machine, $0)) }
        let settings = read.isEmpty ? SSHDSettings.read(machine) : .mostPermissive(read.map(\.settings))
        let hasChanged = (daemons ?? []).contains { daemon in
            read.contains { $0.daemon.isLike(daemon) && $0.settings.areNewer(than: daemon, machine) }
        }

        var listening: Set<String> = []
        for name in Self.sockets where isActive([name]) { listening.formUnion(units?[name]?.listening ?? []) }
        if daemons?.isEmpty == false || isActive(Self.services) {
            listening.formUnion(
                try SocketTable.addresses(
                    of: (daemons ?? []).compactMap(\.process), ports: settings.ports, machine))
        }

        var result = DocumentWriter()
        // The service of a socket runs from the first connection on, and changes nothing.
        if isActive(Self.sockets) {
            result.append("status", "running")
            result.append("started_by", "socket")
        } else if isActive(Self.services) {
            result.append("status", "running")
            result.append("started_by", "service")
        } else if let daemons {
            result.append("status", daemons.isEmpty ? "stopped" : "running")
            if !daemons.isEmpty { result.append("started_by", "process") }
        } else if units != nil {
            result.append("status", "stopped")
        } else {
            result.append("status", "unknown")
            result.append(
                "reason", "systemd does not run here, and other users' processes are hidden from us")
        }
        result.append("listening", .array(listening.sorted().map(Value.string)))
        if daemons?.isEmpty == false, listening.isEmpty, try machine.networkTable("tcp") == nil {
            result.append("listening_reason", "/proc/net is not to be seen")
        }
        settings.append(to: &result)
        if hasChanged { result.append("changed_since_start", true) }
        return .document(result.finish())
    }

    /// The servers that wait for connections in our own process namespace; nothing where processes of others are hidden
    /// (`hidepid` of proc(5)).
    private static func daemons(_ machine: Machine) throws -> [SSHDaemon]? {
        guard machine.exists("/proc/1/comm") else { return nil }
        return try machine.names(in: "/proc").compactMap { process in
            guard process.first?.isNumber == true, machine.attribute("/proc/\(process)/comm") == "sshd",
                // It may have ended since.
                let command = try? machine.text("/proc/\(process)/cmdline"),
                let status = try? machine.text("/proc/\(process)/status"), !isContained(status)
            else { return nil }
            return SSHDaemon(process: process, commandLine: command)
        }
    }

    /// Whether the process has a number in a further process namespace, as those in containers have.
    private static func isContained(_ status: String) -> Bool {
        let numbers = status.split(separator: "\n").first { $0.hasPrefix("NSpid:") }
        return (numbers?.split(whereSeparator: \.isWhitespace).count ?? 0) > 2
    }
}
