// Sources: Sources/Secrets/*.swift Sources/Shamir/*.swift Sources/Shamir/ShareFile/*.swift
//
// Everything that touches secrets, coefficients or shares, run once under valgrind with those bytes marked undefined:
// memcheck then reports each branch and each address that depends on them.

@main
enum ShamirConstantTime {
    /// Coefficients that valgrind counts as secret too.
    final class SecretRandomness: ShareRandomness {
        var state: UInt8 = 1

        func fill(_ buffer: UnsafeMutableRawBufferPointer) {
            for index in buffer.indices {
                state = state &* 5 &+ 17
                buffer[index] = state
            }
            pd_mark_secret(buffer.baseAddress, buffer.count)
        }
    }

    static func main() throws {
        // Small and large secrets, small and large numbers: all kernels and their tails.
        for (count, points) in [(1, [1, 2, 3]), (1000, [1, 2, 3, 4, 5]), (5000, [67, 70, 141, 233, 236])]
            as [(Int, [UInt8])]
        {
            let secret = secretBytes(count)
            for threshold in 2...points.count {
                let splitter = try Splitter(
                    threshold: threshold, points: points, randomness: SecretRandomness())
                var shares = points.map { _ in SecretBytes(count: count) }
                try secret.withUnsafeBytes { secret in
                    try SecretBytes.withUnsafeMutableBytes(of: &shares) {
                        try splitter.split(secret, into: $0)
                    }
                }
                var restored = SecretBytes(count: count)
                try SecretBytes.withUnsafeBytes(of: Array(shares[..<threshold])) { shares in
                    try restored.withUnsafeMutableBytes {
                        try Combiner(points: Array(points[..<threshold])).combine(shares, into: $0)
                    }
                }
                report(
                    declassified(restored == secret),
                    "split and combine, \(threshold) of \(points.count), \(count) bytes")
            }
        }
        field()
        try text()
    }

    /// The field's own operations.
    static func field() {
        let operands = secretBytes(64)
        var product: UInt8 = 1
        operands.withUnsafeBytes {
            for byte in $0 { product = GF256.multiply(product ^ 1, GF256.inverse(byte)) }
        }
        withUnsafeBytes(of: &product) { pd_mark_public($0.baseAddress, 1) }
        report(true, "multiply and invert, result \(product)")
    }

    /// What turns shares into text and back.
    static func text() throws {
        for count in [1, 19, 20, 500] {
            let bytes = secretBytes(count)
            var encoded = SecretBytes(count: BaseN.base32.length(ofBytes: count))
            var checksum = LineChecksum()
            bytes.withUnsafeBytes { bytes in
                encoded.withUnsafeMutableBytes { BaseN.base32.encode(bytes, into: $0) }
            }
            encoded.withUnsafeBytes { checksum.add($0) }
            let line = LineChecksum.text(checksum.value)
            line.withUnsafeBytes { pd_mark_public($0.baseAddress, $0.count) }
            var decoded = SecretBytes(count: count)
            let valid = encoded.withUnsafeBytes { text in
                decoded.withUnsafeMutableBytes { BaseN.base32.decode(text, into: $0) }
            }
            let same = declassified(decoded == bytes)
            report(declassified(valid) && same, "base 32 and checksum, \(count) bytes")
        }
    }

    static func secretBytes(_ count: Int) -> SecretBytes {
        let bytes = SecretBytes(copying: (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 11 &+ 3) })
        bytes.withUnsafeBytes { pd_mark_secret($0.baseAddress, $0.count) }
        return bytes
    }

    /// Whether a comparison came out right is public; the comparison itself must not branch before its end.
    static func declassified(_ outcome: Bool) -> Bool {
        var outcome = outcome
        withUnsafeBytes(of: &outcome) { pd_mark_public($0.baseAddress, $0.count) }
        return outcome
    }

    static func report(_ right: Bool, _ what: String) {
        print(right ? "ok: \(what)" : "WRONG RESULT: \(what)")
    }
}
