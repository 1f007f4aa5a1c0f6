import PDDocument

/// `listeners`: what waits for connections from other machines: address, port and program.
///
/// UDP sockets on ports that the kernel hands out by itself are left out: they belong to questions that programs ask,
/// and come and go.
struct ListenersCollector: Collector {
    let name = "listeners"

    /// Ports of services that share something of the machine.
    private static let sharing: [UInt16: String] = [
        22: "ssh", 23: "telnet", 69: "tftp", 111: "portmap", 137: "netbios", 139: "samba", 445: "samba",
        548: "afp",
        631: "printing", 873: "rsync", 2049: "nfs", 3389: "rdp", 5900: "vnc", 5901: "vnc", 8200: "dlna",
    ]

    func collect(_ context: CollectorContext) throws -> Value {
        let machine = context.machine
        var entries = try SocketTable.read(["tcp", "udp"], machine)
        guard try machine.networkTable("tcp") != nil else {
            return ["status": "unknown", "reason": "/proc/net is not to be seen"]
        }
        let first = Self.firstEphemeralPort(machine.textOrEmpty("/proc/sys/net/ipv4/ip_local_port_range"))
        entries = entries.filter { !$0.isLocal && ($0.transport == "tcp" || $0.port < first) }
        let owners = machine.isRoot ? try Self.owners(machine) : [:]
        var seen: Set<[String]> = []
        for entry in entries {
            seen.insert([
                entry.transport, Self.padded(entry.port), entry.address, owners[entry.inode] ?? "",
            ])
        }
        let sorted = seen.sorted { $0.lexicographicallyPrecedes($1) }
        var result = DocumentWriter()
        result.append(
            "sockets",
            .array(
                sorted.map { row in
                    var socket = DocumentWriter()
                    socket.append("transport", .string(row[0]))
                    socket.append("port", .int(Int(row[1]) ?? 0))
                    socket.append("address", .string(row[2]))
                    if !row[3].isEmpty { socket.append("program", .string(row[3])) }
                    return .document(socket.finish())
                }))
        result.append("sharing", Set(entries.compactMap { Self.sharing[$0.port] }).sorted())
        if !machine.isRoot { result.append("reason", "only root sees which program a socket belongs to") }
        return .document(result.finish())
    }

    /// The first of the ports that the kernel hands out.
    static func firstEphemeralPort(_ text: String) -> UInt16 {
        text.split(whereSeparator: \.isWhitespace).first.flatMap { UInt16($0) } ?? 32_768
    }

    private static func padded(_ port: UInt16) -> String {
        let text = String(port)
        return String(repeating: "0", count: 5 - text.count) + text
    }

    /// The program of each socket, by the socket's number.
    private static func owners(_ machine: Machine) throws -> [String: String] {
        var owners: [String: String] = [:]
        for process in try RunningProcess.all(machine) {
            for inode in SocketTable.inodes(of: process.id, machine) {
                // systemd holds the sockets of services that it starts on demand; the service tells more.
                if owners[inode] == nil || owners[inode] == "systemd" { owners[inode] = process.name }
            }
        }
        return owners
    }
}
