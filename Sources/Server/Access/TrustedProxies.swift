import HTTPTypes
import PDFleet

/// Who a request comes from where reverse proxies stand before the server.
///
/// Without a setting nobody is believed: anybody can write an `X-Forwarded-For` header.
struct TrustedProxies: Sendable {
    private static let forwardedFor = HTTPField.Name("X-Forwarded-For")

    let ranges: [AddressRange]

    init(_ ranges: [AddressRange] = []) {
        self.ranges = ranges
    }

    /// The address of the client: the peer's, or where that is a trusted proxy, the last one in `X-Forwarded-For` that
    /// is none. Each proxy adds at the right whom it heard it from, so only what stands right of the first stranger is
    /// believed. Nothing where the proxy names somebody without an address: `unknown`, `_hidden`, what cannot be read.
    func client(peer: IPAddress?, headers: HTTPFields) -> IPAddress? {
        guard var client = peer, isTrusted(client), let name = Self.forwardedFor else { return peer }
        let values = headers[values: name]
        let hops = values.joined(separator: ",").split(separator: ",").map(Self.trimmed).filter {
            !$0.isEmpty
        }
        // A proxy that speaks for itself sends no such header; one that sends it empty hides somebody.
        guard !hops.isEmpty || values.isEmpty else { return nil }
        for hop in hops.reversed() {
            guard let address = Self.address(hop) else { return nil }
            client = address
            guard isTrusted(client) else { return client }
        }
        return client
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let start = text.drop { $0 == " " || $0 == "\t" }
        let end = start.lastIndex { $0 != " " && $0 != "\t" }
        return end.map { start[...$0] } ?? ""
    }

    /// Reads `ADDRESS`, `ADDRESS:PORT` of IPv4, `[ADDRESS]` and `[ADDRESS]:PORT` of IPv6, as proxies write them.
    private static func address(_ hop: Substring) -> IPAddress? {
        if let address = IPAddress(String(hop)) { return address }
        var host = hop
        if let colon = hop.lastIndex(of: ":"), hop.last != "]" {
            guard UInt16(hop[hop.index(after: colon)...]) != nil else { return nil }
            host = hop[..<colon]
        }
        let isBracketed = host.first == "[" && host.last == "]"
        if isBracketed { host = host.dropFirst().dropLast() }
        return host.contains(":") == isBracketed ? IPAddress(String(host)) : nil
    }

    private func isTrusted(_ address: IPAddress) -> Bool {
        ranges.contains { $0.contains(address) }
    }
}
