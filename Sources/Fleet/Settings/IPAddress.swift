import Foundation

/// An IPv4 or IPv6 address. An IPv4 address that is written as IPv6 (`::ffff:192.0.2.1`, RFC 4291, section 2.5.5.2) is
/// the IPv4 address, so that a rule for one holds on a socket for both.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// 4 or 16 bytes, in network order.
    let bytes: [UInt8]

    /// Reads the text form; nothing where it is none. A zone (`fe80::1%eth0`) is dropped.
    package init?(_ text: String) {
        let text = text.prefix { $0 != "%" }
        var four = in_addr()
        var sixteen = in6_addr()
        if inet_pton(AF_INET, String(text), &four) == 1 {
            bytes = Swift.withUnsafeBytes(of: &four) { Array($0) }
        } else if inet_pton(AF_INET6, String(text), &sixteen) == 1 {
            let all = Swift.withUnsafeBytes(of: &sixteen) { Array($0) }
            let isMapped = all.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
            bytes = isMapped ? Array(all.suffix(4)) : all
        } else {
            return nil
        }
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// `::`, which no peer has.
    package static let unspecified = IPAddress(bytes: [UInt8](repeating: 0, count: 16))

    /// Whether it is this very machine: 127.0.0.0/8 or ::1.
    package var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
    }

    /// The address with all bits behind the first `count` cleared.
    func prefix(_ count: Int) -> IPAddress {
        IPAddress(
            bytes: bytes.enumerated().map { index, byte in
                let kept = min(8, max(0, count - 8 * index))
                return byte & UInt8(truncatingIfNeeded: 0xFF00 >> kept)
            })
    }

    /// What one customer of a network operator has: the address, or the /64 around an IPv6 address.
    package var subscriber: IPAddress { bytes.count == 4 ? self : prefix(64) }

    /// The text form.
    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        _ = bytes.withUnsafeBytes {
            inet_ntop(
                bytes.count == 4 ? AF_INET : AF_INET6, $0.baseAddress, &text, socklen_t(text.count))
        }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// A range of addresses: `192.168.4.0/24`, `fe00::/16`, or one address.
package struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    private let network: IPAddress
    private let prefixLength: Int

    /// Reads the text form; nothing where it is none, or where bits behind the prefix are set: that is more likely a
    /// typing error than meant.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(String(parts[0])) else { return nil }
        var length = address.bytes.count * 8
        if parts.count == 2 {
            guard let number = Int(parts[1]), parts[1] == "\(number)", (0...length).contains(number) else {
                return nil
            }
            length = number
        }
        guard address.prefix(length) == address else { return nil }
        network = address
        prefixLength = length
    }

    /// Whether the address is in the range.
    package func contains(_ address: IPAddress) -> Bool {
        address.bytes.count == network.bytes.count && address.prefix(prefixLength) == network
    }

    /// The text form.
    package var description: String {
        prefixLength == network.bytes.count * 8 ? "\(network)" : "\(network)/\(prefixLength)"
    }
}
