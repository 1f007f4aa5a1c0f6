/// The first packet of a connection that nobody asked for: TCP with the flag SYN, or UDP.
struct Stranger {
    let family: AddressFamily
    /// Where it comes in.
    let interface: String
    let source: UInt128
    /// `tcp` or `udp`.
    let transport: String
    /// Our own addresses, one of which it is sent to. Where we know none, any may be ours that is one machine's.
    let own: [UInt128]

    /// Whether it may be sent to one of these addresses.
    func isFor(_ set: AddressSet) -> Bool {
        guard own.isEmpty else { return own.contains(where: set.contains) }
        return set.ranges.contains { range in
            switch family {
            case .ipv4:
                range.lowerBound >> 28 < 0xE && range.upperBound >> 24 != 0x7F
                    && range.lowerBound != 0xFFFF_FFFF
            case .ipv6: range.lowerBound >> 120 != 0xFF && range.upperBound != 1
            }
        }
    }
}
