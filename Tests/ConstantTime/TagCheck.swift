// Sources: Sources/Secrets/*.swift Sources/Crypto/*.swift Sources/Crypto/*/*.swift -I Sources/CShims/CGcrypt
//
// The tags of AEADs are compared by libgcrypt, which then branches on the outcome: that one branch is reported, since here a
// tag is a secret until it is checked. A comparison that stops at the first difference would branch more often, the later
// the difference comes. So each tag has to give as many reports as every other, wherever it is wrong.

@main
enum TagCheck {
    static func main() throws {
        let key = SecretBytes(copying: [UInt8](0..<32))
        for algorithm in [CipherHandle.Algorithm.aes256GCM, .chaCha20Poly1305] {
            let good = try sealed(key, algorithm)
            var counts: [Int] = []
            for place in [0, 1, 7, 8, 14, 15] {
                var changed = good
                changed[changed.count - 16 + place] ^= 1
                counts.append(try reports(changed, key, algorithm, isGood: false))
            }
            let right = try reports(good, key, algorithm, isGood: true)
            let isSteady = counts.allSatisfy { $0 == counts[0] } && right == counts[0] && right > 0
            print(
                isSteady
                    ? "ok: tags of \(algorithm)"
                    : "WRONG RESULT: \(algorithm): \(counts), \(right) where it is right")
        }
    }

    static func sealed(_ key: SecretBytes, _ algorithm: CipherHandle.Algorithm) throws -> [UInt8] {
        let cipher = try CipherHandle(algorithm, key: key)
        return try [UInt8](count: 48) { output throws(CryptoError) in
            try [UInt8](repeating: 7, count: 32).withContiguousBytes { message throws(CryptoError) in
                try [UInt8](repeating: 1, count: 12).withContiguousBytes { nonce throws(CryptoError) in
                    try cipher.seal(
                        message, nonce: nonce, authenticating: UnsafeRawBufferPointer(start: nil, count: 0),
                        into: output)
                }
            }
        }
    }

    /// How many reports valgrind makes while a message whose tag is secret is opened.
    static func reports(
        _ sealed: [UInt8], _ key: SecretBytes, _ algorithm: CipherHandle.Algorithm, isGood: Bool
    ) throws -> Int {
        let cipher = try CipherHandle(algorithm, key: key)
        var plain = [UInt8](repeating: 0, count: 32)
        var isOpened = true
        let before = pd_report_count()
        sealed.withUnsafeBytes { pd_mark_secret($0.baseAddress.map { $0 + 32 }, 16) }
        do {
            try sealed.withUnsafeBytes { sealed in
                try [UInt8](repeating: 1, count: 12).withUnsafeBytes { nonce in
                    try plain.withUnsafeMutableBytes { plain in
                        try cipher.open(
                            sealed, nonce: nonce,
                            authenticating: UnsafeRawBufferPointer(start: nil, count: 0), into: plain)
                    }
                }
            }
        } catch CryptoError.authenticationFailed {
            isOpened = false
        }
        let count = Int(pd_report_count() - before)
        sealed.withUnsafeBytes { pd_mark_public($0.baseAddress, $0.count) }
        if isOpened != isGood { print("WRONG RESULT: the tag decides otherwise") }
        return count
    }
}
