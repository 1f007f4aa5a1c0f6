import Glibc

/// A set of addresses of one family, as the numbers that they are.
struct AddressSet: Equatable, Hashable {
    var ranges: [ClosedRange<UInt128>]

    func contains(_ address: UInt128) -> Bool {
        ranges.contains { $0.contains(address) }
    }

    /// Reads `ADDRESS`, `ADDRESS/LENGTH`, `ADDRESS/MASK` or `ADDRESS-ADDRESS`; nothing where it is of another family.
    init?(_ text: some StringProtocol, _ family: AddressFamily) {
        if let dash = text.firstIndex(of: "-") {
            guard let first = family.number(text[..<dash]),
                let last = family.number(text[text.index(after: dash)...]), first <= last
            else { return nil }
            self.init(ranges: [first...last])
            return
        }
        let parts = text.split(separator: "/", maxSplits: 1)
        guard let first = parts.first, let address = family.number(first) else { return nil }
        guard parts.count == 2 else {
            self.init(ranges: [address...address])
            return
        }
        let mask: UInt128
        if let length = Int(parts[1]) {
            guard (0...family.bits).contains(length) else { return nil }
            mask = family.mask(length)
        } else {
            guard let number = family.number(parts[1]) else { return nil }
            mask = number
        }
        self.init(address: address, mask: mask, family)
    }

    /// Those that agree with the address where the mask has a one; nothing where the mask has gaps.
    init?(address: UInt128, mask: UInt128, _ family: AddressFamily) {
        let rest = family.mask(family.bits) ^ mask
        guard rest & (rest &+ 1) == 0 else { return nil }
        self.init(ranges: [(address & mask)...(address & mask | rest)])
    }

    init(ranges: [ClosedRange<UInt128>]) {
        self.ranges = ranges
    }
}

/// One of the two families of Internet addresses.
enum AddressFamily: Hashable, CaseIterable {
    case ipv4, ipv6

    var bits: Int { self == .ipv4 ? 32 : 128 }

    func mask(_ length: Int) -> UInt128 {
        let all: UInt128 = self == .ipv4 ? 0xFFFF_FFFF : .max
        return length == 0 ? 0 : (all << UInt128(bits - length)) & all
    }

    /// The number of an address in text; nothing where it is none of this family.
    func number(_ text: some StringProtocol) -> UInt128? {
        var bytes = [UInt8](repeating: 0, count: bits / 8)
        guard inet_pton(self == .ipv4 ? AF_INET : AF_INET6, String(text), &bytes) == 1 else { return nil }
        return bytes.reduce(0) { $0 << 8 | UInt128($1) }
    }

    /// The text of an address.
    func text(_ number: UInt128) -> String {
        let bytes = stride(from: bits - 8, through: 0, by: -8).map {
            UInt8(truncatingIfNeeded: number >> UInt128($0))
        }
        return self == .ipv4 ? bytes.map(String.init).joined(separator: ".") : InternetAddress.ipv6Text(bytes)
    }

    /// Addresses all over the Internet, of machines that are nobody's friends. A rule that lets in most of them lets in
    /// everybody.
    var strangers: [UInt128] {
        let texts =
            self == .ipv4
            ? [
                "5.9.17.33", "46.38.51.67", "77.81.93.107", "101.17.29.41", "151.23.37.53", "185.61.73.89",
                "203.97.109.13", "222.19.31.43",
            ]
            : [
                "2001:4b98::17", "2003:6a::29", "2400:cb00::31", "2600:1f18::43", "2804:14d::57",
                "2a01:4f8::61",
                "2c0f:fb50::73",
            ]
        return texts.compactMap(number)
    }
}
