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
        guard machine.isInstalled("sshd") else {
            return ["status": "not_installed", "listening": []]
        }
        let units = SystemdUnit.show(Self.services + Self.sockets, machine)
        let processes = try Self.listeners(machine)
        let settings = SSHDSettings.read(machine)
        let isActive = { (names: [String]) in names.contains { units?[$0]?.isActive == true } }

        var listening: Set<String> = []
        for name in Self.sockets where isActive([name]) { listening.formUnion(units?[name]?.listening ?? []) }
        if processes?.isEmpty == false || isActive(Self.services) {
            listening.formUnion(
                try ListeningSockets.read(machine).addresses(
                    of: processes ?? [], ports: settings.ports, machine))
        }

        var result = DocumentWriter()
        if isActive(Self.services) {
            result.append("status", "running")
            result.append("started_by", "service")
        } else if isActive(Self.sockets) {
            result.append("status", "running")
            result.append("started_by", "socket")
        } else if let processes {
            result.append("status", processes.isEmpty ? "stopped" : "running")
            if !processes.isEmpty { result.append("started_by", "process") }
        } else if units != nil {
            result.append("status", "stopped")
        } else {
            result.append("status", "unknown")
            result.append(
                "reason", "systemd does not run here, and other users' processes are hidden from us")
        }
        result.append("listening", .array(listening.sorted().map(Value.string)))
        settings.append(to: &result)
        return .document(result.finish())
    }

    /// The process numbers of servers that wait for connections in our own process namespace; nothing where processes
    /// of others are hidden (`hidepid` of proc(5)).
    private static func listeners(_ machine: Machine) throws -> [String]? {
        guard machine.exists("/proc/1/comm") else { return nil }
        return try machine.names(in: "/proc").filter { process in
            guard process.first?.isNumber == true, machine.attribute("/proc/\(process)/comm") == "sshd",
                // It may have ended since.
                let command = try? machine.text("/proc/\(process)/cmdline"),
                let status = try? machine.text("/proc/\(process)/status")
            else { return false }
            return isListener(command) && !isContained(status)
        }
    }

    /// A server for one connection calls itself `sshd: user [priv]`, the one that waits `sshd: /usr/sbin/sshd -D
    /// [listener] …` or, in old versions, by its path.
    private static func isListener(_ command: String) -> Bool {
        let first = command.prefix { $0 != "\0" }
        return command.contains("[listener]") || first == "sshd" || first.hasSuffix("/sshd")
    }

    /// Whether the process has a number in a further process namespace, as those in containers have.
    private static func isContained(_ status: String) -> Bool {
        let numbers = status.split(separator: "\n").first { $0.hasPrefix("NSpid:") }
        return (numbers?.split(whereSeparator: \.isWhitespace).count ?? 0) > 2
    }
}
