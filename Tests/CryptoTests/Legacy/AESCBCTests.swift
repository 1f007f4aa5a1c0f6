import Foundation
import PDSecrets
import Testing

@testable import PDCrypto

@Suite struct AESCBCTests {
    enum Way { case encrypt, decrypt }

    private func run(_ way: Way, key: [UInt8], iv: [UInt8], _ pieces: [[UInt8]]) throws -> [UInt8] {
        let cipher = try CipherHandle(.aes256CBC, key: SecretBytes(copying: key))
        try iv.withUnsafeBytes { try cipher.setInitialVector($0) }
        return try pieces.flatMap { piece in
            var output = [UInt8](repeating: 0, count: piece.count)
            try output.withUnsafeMutableBytes { output in
                try piece.withUnsafeBytes { piece in
                    switch way {
                    case .encrypt: try cipher.encrypt(piece, into: output)
                    case .decrypt: try cipher.decrypt(piece, into: output)
                    }
                }
            }
            return output
        }
    }

    @Test func `blocks are those of NIST SP 800-38A, F.2.5 and F.2.6, in one piece or in several`() throws {
        let key = bytes(hex: "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
        let iv = Array(UInt8(0)...15)
        let plaintext = bytes(
            hex: """
                6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51
                30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710
                """)
        let ciphertext = bytes(
            hex: """
                f58c4c04d6e5f1ba779eabfb5f7bfbd6 9cfc4e967edb808d679f777bc6702c7d
                39f23369a9d9bacfa530e26304231461 b2eb05e2c39be9fcda6c19078c6a9d1b
                """)
        #expect(try run(.encrypt, key: key, iv: iv, [plaintext]) == ciphertext)
        #expect(try run(.decrypt, key: key, iv: iv, [ciphertext]) == plaintext)
        let pieces = [Array(plaintext[..<16]), Array(plaintext[16..<48]), Array(plaintext[48...])]
        #expect(try run(.encrypt, key: key, iv: iv, pieces) == ciphertext)
    }

    @Test func `ciphertexts are those of openssl`() throws {
        var random = TestRandom(state: 77)
        for count in [16, 160, 65_536] {
            let (key, iv, plaintext) = (random.bytes(32), random.bytes(16), random.bytes(count))
            let answer = try OpenSSL.run(
                ["enc", "-aes-256-cbc", "-nopad", "-K", OpenSSL.hex(key), "-iv", OpenSSL.hex(iv)],
                input: plaintext)
            #expect(try run(.encrypt, key: key, iv: iv, [plaintext]) == answer.output)
            #expect(try run(.decrypt, key: key, iv: iv, [answer.output]) == plaintext)
        }
    }

    @Test(
        .enabled(if: ExternalVectors.isSet, ExternalVectors.comment),
        arguments: ["GFSbox", "KeySbox", "VarKey", "VarTxt", "MMT"])
    func `NIST's known answers agree`(name: String) throws {
        let file = String(decoding: try ExternalVectors.data("Cipher/AES/CBC\(name)256.rsp"), as: UTF8.self)
        var (fields, way, count) = ([String: [UInt8]](), Way.encrypt, 0)
        for line in file.split(whereSeparator: \.isNewline) {
            if line.hasPrefix("[") {
                way = line == "[ENCRYPT]" ? .encrypt : .decrypt
                continue
            }
            let parts = line.components(separatedBy: " = ")
            guard parts.count == 2, parts[0] != "COUNT", !line.hasPrefix("#") else { continue }
            fields[parts[0]] = bytes(hex: parts[1])
            guard let key = fields["KEY"], let iv = fields["IV"], let plaintext = fields["PLAINTEXT"],
                let ciphertext = fields["CIPHERTEXT"]
            else { continue }
            switch way {
            case .encrypt: #expect(try run(.encrypt, key: key, iv: iv, [plaintext]) == ciphertext)
            case .decrypt: #expect(try run(.decrypt, key: key, iv: iv, [ciphertext]) == plaintext)
            }
            fields = [:]
            count += 1
        }
        #expect(count >= 10)
    }
}
