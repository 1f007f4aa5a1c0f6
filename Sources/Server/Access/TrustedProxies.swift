import HTTPTypes

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
    /// believed.
    func client(peer: IPAddress?, headers: HTTPFields) -> IPAddress? {
        guard var client = peer, isTrusted(client), let name = Self.forwardedFor else { return peer }
        let hops = headers[values: name].joined(separator: ",").split(separator: ",")
        for hop in hops.reversed() {
            let text = hop.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }
            guard let address = IPAddress(String(text.reversed())) else { return client }
            client = address
            guard isTrusted(client) else { return client }
        }
        return client
    }

    private func isTrusted(_ address: IPAddress) -> Bool {
        ranges.contains { $0.contains(address) }
    }
}
