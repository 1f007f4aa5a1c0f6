/// Internet addresses as the kernel's tables under /proc/net write them.
enum InternetAddress {
    /// 32 hexadecimal digits in the order of the network, as text by RFC 5952.
    static func ipv6Text(hexadecimal digits: Substring) -> String? {
        guard let bytes = bytes(digits), bytes.count == 16 else { return nil }
        return ipv6Text(bytes)
    }

    /// An address of `/proc/net/tcp` or `tcp6`, which prints each word of four bytes as a number of this machine.
    static func text(kernelWords digits: Substring) -> String? {
        guard var bytes = bytes(digits), bytes.count == 4 || bytes.count == 16 else { return nil }
        if Int(littleEndian: 1) == 1 {
            for start in stride(from: 0, to: bytes.count, by: 4) { bytes[start..<start + 4].reverse() }
        }
        return bytes.count == 4 ? bytes.map(String.init).joined(separator: ".") : ipv6Text(bytes)
    }

    private static func bytes(_ digits: Substring) -> [UInt8]? {
        let digits = Array(digits.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[start..<start + 2], as: UTF8.self), radix: 16)
            else {
                return nil
            }
            bytes.append(byte)
        }
        return bytes
    }

    static func ipv6Text(_ bytes: [UInt8]) -> String {
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        // The longest run of at least two zero groups, the first of several, is left out.
        var longest = 0..<0
        var start = 0
        while start < groups.count {
            let end = groups[start...].firstIndex { $0 != 0 } ?? groups.count
            if end - start > max(1, longest.count) { longest = start..<end }
            start = end + 1
        }
        let text = { (range: Range<Int>) in
            groups[range].map { String($0, radix: 16) }.joined(separator: ":")
        }
        return longest.isEmpty
            ? text(0..<8) : text(0..<longest.lowerBound) + "::" + text(longest.upperBound..<8)
    }
}
