// Sources: Sources/Secrets/*.swift Sources/Crypto/*.swift Sources/Crypto/*/*.swift Sources/Legacy/*.swift -I Sources/CShims/CGcrypt
//
// What compares secrets, codes and passwords, run once under valgrind with those bytes marked undefined. Only whether
// two are equal may come out. What libgcrypt computes them from is its own affair.

@main
enum CryptoConstantTime {
    struct Zeros: RandomSource {
        func fill(_ buffer: UnsafeMutableRawBufferPointer) { buffer.wipe() }
    }

    static func main() throws {
        for count in [1, 16, 31, 32, 64, 1000] { compare(count) }
        try code()
        try password()
        for coder in [BaseN.hexadecimal, .upperHexadecimal, .base64] { text(coder) }
    }

    /// Equal ones, and ones that differ in their first and in their last byte.
    static func compare(_ count: Int) {
        let one = secret((0..<count).map { UInt8(truncatingIfNeeded: $0) })
        for place in [-1, 0, count - 1] {
            var other = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
            if place >= 0 { other[place] ^= 1 }
            let equal = declassified(secret(other) == one)
            report(equal == (place < 0), "comparison of \(count) bytes")
        }
    }

    static func code() throws {
        let key = SecretBytes(copying: [UInt8](0..<32))
        var code = try HMAC.authenticationCode(for: [1, 2, 3], using: key, hash: .sha256)
        for change in [UInt8(0), 1] {
            code[31] ^= change
            code.withUnsafeBytes { pd_mark_secret($0.baseAddress, $0.count) }
            let valid = declassified(try HMAC.isValid(code, for: [1, 2, 3], using: key, hash: .sha256))
            code.withUnsafeBytes { pd_mark_public($0.baseAddress, $0.count) }
            report(valid == (change == 0), "message authentication code")
        }
    }

    static func password() throws {
        let right = Array("correct horse".utf8)
        let hash = try PasswordHash(password: SecretBytes(copying: right), rounds: 3, random: Zeros())
        for typed in [right, Array("wrong horse!!".utf8)] {
            report(
                declassified(try hash.matches(secret(typed))) == (typed == right), "password")
        }
    }

    static func text(_ coder: BaseN) {
        let bytes = (0..<60).map { UInt8(truncatingIfNeeded: $0 &* 41) }
        let plain = secret(bytes)
        var text = SecretBytes(count: coder.length(ofBytes: 60))
        plain.withUnsafeBytes { plain in text.withUnsafeMutableBytes { coder.encode(plain, into: $0) } }
        // Whether there is padding tells the length, which is public.
        text.withUnsafeBytes { pd_mark_public($0.baseAddress.map { $0 + text.count - 2 }, 2) }
        var again = SecretBytes(count: 60)
        let valid = text.withUnsafeBytes { text in
            again.withUnsafeMutableBytes { coder.decode(text, into: $0) }
        }
        report(declassified(valid) && declassified(again == plain), "text, \(text.count) characters")
    }

    static func secret(_ bytes: [UInt8]) -> SecretBytes {
        let secret = SecretBytes(copying: bytes)
        secret.withUnsafeBytes { pd_mark_secret($0.baseAddress, $0.count) }
        return secret
    }

    /// Whether two are equal is public, once it is known.
    static func declassified(_ outcome: Bool) -> Bool {
        var outcome = outcome
        withUnsafeBytes(of: &outcome) { pd_mark_public($0.baseAddress, $0.count) }
        return outcome
    }

    static func report(_ right: Bool, _ what: String) {
        print(right ? "ok: \(what)" : "WRONG RESULT: \(what)")
    }
}
