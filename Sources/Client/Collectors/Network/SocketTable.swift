/// The sockets that wait for others, TCP and UDP, in our network namespace (proc(5), `/proc/net`).
enum SocketTable {
    /// One of them.
    struct Entry: Equatable, Hashable {
        let transport: String
        let address: String
        let port: UInt16
        /// The number that the links in `/proc/N/fd` have.
        let inode: String

        /// Whether only programs on this machine reach it.
        var isLocal: Bool {
            address.hasPrefix("127.") || address == "::1" || address.hasPrefix("::ffff:127.")
        }
    }

    /// All of them, of those transports.
    static func read(_ transports: [String], _ machine: Machine) throws -> [Entry] {
        var entries: [Entry] = []
        for transport in transports {
            for table in [transport, "\(transport)6"] {
                entries += parse(
                    try machine.networkTable(table) ?? "", transport: transport)
            }
        }
        return entries
    }

    /// The numbers of the sockets that a process holds. Only root sees those of others; a process may end meanwhile.
    static func inodes(of process: String, _ machine: Machine) -> [String] {
        ((try? machine.names(in: "/proc/\(process)/fd")) ?? []).compactMap { descriptor in
            guard let target = machine.linkTarget("/proc/\(process)/fd/\(descriptor)"),
                target.hasPrefix("socket:["), target.hasSuffix("]")
            else { return nil }
            return String(target.dropFirst("socket:[".count).dropLast())
        }
    }

    /// Where these processes listen by TCP, as `ADDRESS:PORT`. Only root sees which process holds a socket; for others the
    /// ports decide.
    static func addresses(
        of processes: [String], ports: Set<UInt16>, _ machine: Machine
    ) throws -> [String] {
        let entries = try read(["tcp"], machine)
        let held = Set(processes.flatMap { inodes(of: $0, machine) })
        let own = entries.filter { held.contains($0.inode) }
        return (own.isEmpty ? entries.filter { ports.contains($0.port) } : own).map {
            $0.address.contains(":") ? "[\($0.address)]:\($0.port)" : "\($0.address):\($0.port)"
        }
    }

    /// Reads one of the tables.
    ///
    /// - Parameters:
    ///   - transport: `tcp` or `udp`; with UDP, sockets that are connected do not wait for others.
    ///   - text: the table.
    static func parse(_ text: String, transport: String) -> [Entry] {
        text.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            // 0A is TCP_LISTEN, 07 is TCP_CLOSE, which a UDP socket without a peer is in.
            guard fields.count > 9, fields[3] == (transport == "tcp" ? "0A" : "07") else { return nil }
            let local = fields[1].split(separator: ":")
            guard local.count == 2, let port = UInt16(local[1], radix: 16),
                let address = InternetAddress.text(kernelWords: local[0])
            else { return nil }
            return Entry(transport: transport, address: address, port: port, inode: String(fields[9]))
        }
    }
}
