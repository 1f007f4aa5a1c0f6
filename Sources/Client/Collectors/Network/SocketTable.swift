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
