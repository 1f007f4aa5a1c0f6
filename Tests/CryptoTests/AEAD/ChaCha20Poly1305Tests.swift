import Testing

@testable import PDCrypto

@Suite struct ChaCha20Poly1305Tests {
    private func seal(key: String, nonce: String, associated: String, message: [UInt8]) throws -> [UInt8] {
        let cipher = try CipherHandle(.chaCha20Poly1305, key: secret(hex: key))
        var sealed = [UInt8](repeating: 0, count: message.count + 16)
        try sealed.withUnsafeMutableBytes { sealed in
            try message.withUnsafeBytes { message in
                try bytes(hex: nonce).withUnsafeBytes { nonce in
                    try bytes(hex: associated).withUnsafeBytes {
                        try cipher.seal(message, nonce: nonce, authenticating: $0, into: sealed)
                    }
                }
            }
        }
        return sealed
    }

    private func open(key: String, nonce: String, associated: String, sealed: [UInt8]) throws -> [UInt8] {
        let cipher = try CipherHandle(.chaCha20Poly1305, key: secret(hex: key))
        var message = [UInt8](repeating: 0, count: sealed.count - 16)
        try message.withUnsafeMutableBytes { message in
            try sealed.withUnsafeBytes { sealed in
                try bytes(hex: nonce).withUnsafeBytes { nonce in
                    try bytes(hex: associated).withUnsafeBytes {
                        try cipher.open(sealed, nonce: nonce, authenticating: $0, into: message)
                    }
                }
            }
        }
        return message
    }

    @Test func `the tag is that of RFC 8439, section 2.8.2`() throws {
        let key = "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
        let (nonce, associated) = ("070000004041424344454647", "50515253c0c1c2c3c4c5c6c7")
        let message = """
            Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, \
            sunscreen would be it.
            """
        let sealed = try seal(key: key, nonce: nonce, associated: associated, message: Array(message.utf8))
        #expect(sealed.starts(with: bytes(hex: "d31a8d34648e60db7b86afbc53ef7ec2")))
        #expect(Array(sealed.suffix(16)) == bytes(hex: "1ae10b594f09e26a7e902ecbd0600691"))
        #expect(
            try open(key: key, nonce: nonce, associated: associated, sealed: sealed) == Array(message.utf8))
    }

    @Test(.enabled(if: ExternalVectors.isSet, ExternalVectors.comment))
    func `Wycheproof agrees about ChaCha20-Poly1305`() throws {
        let file = try ExternalVectors.decode(
            Wycheproof<AESGCMTests.Group>.self, "Cipher/wycheproof/chacha20_poly1305_test.json")
        var (opened, refused) = (0, 0)
        for group in file.testGroups where group.ivSize == 96 {
            for test in group.tests {
                let sealed = bytes(hex: test.ct) + bytes(hex: test.tag)
                let message = try? open(key: test.key, nonce: test.iv, associated: test.aad, sealed: sealed)
                #expect((message != nil) == (test.result == "valid"), "tcId \(test.tcId)")
                guard let message else {
                    refused += 1
                    continue
                }
                #expect(message == bytes(hex: test.msg), "tcId \(test.tcId)")
                #expect(
                    try seal(key: test.key, nonce: test.iv, associated: test.aad, message: message) == sealed,
                    "tcId \(test.tcId)")
                opened += 1
            }
        }
        #expect(opened > 100 && refused > 20)
    }
}
