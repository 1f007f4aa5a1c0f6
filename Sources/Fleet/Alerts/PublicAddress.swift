import Foundation

/// Keeps requests to addresses that others chose out of the own network (server-side request forgery).
enum PublicAddress {
    /// What is reserved for networks of one's own, this machine, links, tests and the like (IANA's special-purpose address
    /// registries, RFC 6890).
    private static let reserved: [AddressRange] = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3", "::/8", "64:ff9b::/32", "100::/8", "2001::/23", "2001:db8::/32", "2002::/16",
        "fc00::/7", "fe80::/10",
        "fec0::/10", "ff00::/8",
    ].compactMap { AddressRange($0) }

    static func isPublic(_ address: IPAddress) -> Bool { !reserved.contains { $0.contains(address) } }

    /// Looks a name up, once, and pins the connection to what was found.
    ///
    /// - Returns: an entry for `CURLOPT_RESOLVE`: `host:port:address,address`.
    /// - Throws: ``StateError`` where the name is not known, or one of its addresses is not public.
    static func pin(_ url: String) throws(StateError) -> String {
        guard let parts = URLComponents(string: url), let host = parts.host, !host.isEmpty else {
            throw StateError("\(url) is no address")
        }
        let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        let port = parts.port ?? (parts.scheme == "https" ? 443 : 80)
        let found = try addresses(of: bare)
        for address in found where !isPublic(address) {
            throw StateError(
                "\(host) leads to \(address), which is not a public address: set allow_private for the channel if that is meant"
            )
        }
        let list = found.map { $0.bytes.count == 16 ? "[\($0)]" : "\($0)" }.joined(separator: ",")
        return "\(host):\(port):\(list)"
    }

    private static func addresses(of host: String) throws(StateError) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &first)
        guard code == 0 else {
            throw StateError("\(host) cannot be looked up: \(String(cString: gai_strerror(code)))")
        }
        defer { freeaddrinfo(first) }
        var found: [IPAddress] = []
        var next = first
        while let entry = next {
            next = entry.pointee.ai_next
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            guard
                getnameinfo(
                    entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0,
                    NI_NUMERICHOST)
                    == 0, let address = IPAddress(String(cString: text))
            else { continue }
            if !found.contains(address) { found.append(address) }
        }
        guard !found.isEmpty else { throw StateError("\(host) has no address") }
        return found
    }
}
