/// The TCP sockets that wait for connections in our network namespace.
struct ListeningSockets {
    private struct Socket {
        let address: String
        let port: UInt16
        let inode: Substring
        let isIPv6: Bool

        var text: String { isIPv6 ? "[\(address)]:\(port)" : "\(address):\(port)" }
    }

    private var sockets: [Socket] = []

    /// Reads `/proc/net/tcp` and `/proc/net/tcp6` (proc(5)).
    static func read(_ machine: Machine) throws -> ListeningSockets {
        var result = ListeningSockets()
        for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
            for line in (try machine.textIfPresent(path) ?? "").split(separator: "\n").dropFirst() {
                let fields = line.split(separator: " ")
                // 0A is TCP_LISTEN.
                guard fields.count > 9, fields[3] == "0A" else { continue }
                let local = fields[1].split(separator: ":")
                guard local.count == 2, let port = UInt16(local[1], radix: 16),
                    let address = InternetAddress.text(kernelWords: local[0])
                else { continue }
                result.sockets.append(
                    Socket(address: address, port: port, inode: fields[9], isIPv6: local[0].count > 8))
            }
        }
        return result
    }

    /// Where these processes listen. Only root sees which process holds a socket; for others the ports decide.
    func addresses(of processes: [String], ports: Set<UInt16>, _ machine: Machine) throws -> [String] {
        var inodes: Set<String> = []
        for process in processes {
            // Denied to all but root; then there is nothing to go by but the ports.
            for descriptor in (try? machine.names(in: "/proc/\(process)/fd")) ?? [] {
                if let target = machine.linkTarget("/proc/\(process)/fd/\(descriptor)"),
                    target.hasPrefix("socket:[")
                {
                    inodes.insert(String(target.dropFirst("socket:[".count).dropLast()))
                }
            }
        }
        let held = sockets.filter { inodes.contains(String($0.inode)) }
        return (held.isEmpty ? sockets.filter { ports.contains($0.port) } : held).map(\.text)
    }
}
