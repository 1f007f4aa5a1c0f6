import Foundation
import PDLegacy
import Testing

@testable import PDCrypto

@Suite("Pitfalls 56 to 59: what a verified thing is")
struct PitfallsMessageTests {
    struct ReleaseFiles: Decodable {
        struct File: Decodable {
            var path: String
            var content_b64: String
            var signature_b64: String
        }
        var files: [File]
    }

    static func releaseVerifier() throws -> OpenPGP.Verifier {
        try OpenPGP.Verifier(certificates: [
            OpenPGP.Certificate(Vectors.bytes("v1/release/ed25519/server_pub.asc"))
        ])
    }

    static let now = OpenPGP.Timestamp(1_796_000_000)

    @Test("Every file of the recorded v1 release has a good detached signature, and a changed one has not")
    func releaseFiles() throws {
        let verifier = try Self.releaseVerifier()
        let release = try Vectors.json("v1/release/ed25519/files.json", as: ReleaseFiles.self)
        #expect(release.files.count >= 5)
        for file in release.files {
            let content = try Array(#require(Data(base64Encoded: file.content_b64)))
            let signature = try Array(#require(Data(base64Encoded: file.signature_b64)))
            #expect(
                try verifier.verifyRelease(signatures: signature, of: content, at: Self.now).map(
                    \.certificate)
                    == verifier.certificates.map(\.fingerprint))
            #expect(throws: OpenPGP.Error.badSignature) {
                try verifier.verifyRelease(signatures: signature, of: content + [0], at: Self.now)
            }
        }
    }

    @Test("p47 A compressed message is refused as that, and never unpacked")
    func p47_compressed() throws {
        let scene = try Scene()
        let recorded = try Vectors.bytes("v1/release/ed25519/1717286400.tar.asc")
        let (onePass, literal, signature) = try Self.message(scene)
        let compressed = Forge.packet(.compressedData, [0] + onePass + literal + signature)
        for message in [recorded, compressed, signature + compressed] {
            #expect(throws: OpenPGP.Error.compressedMessage) {
                try scene.verifier.verify(signature: message, of: scene.document, at: ForgedKey.now)
            }
        }
    }

    @Test("A file name of more than 255 bytes is refused, and one of 255 is not")
    func fileNames() throws {
        let now = OpenPGP.Timestamp.now()
        let key = try OpenPGP.SecretKey.generate(userID: "x", at: now, validity: nil)
        // In bytes, not in characters.
        let longest = String(repeating: "é", count: 127) + "x"
        #expect(throws: Never.self) { try InlineMessage.sign([1], fileName: longest, with: key, at: now) }
        #expect(throws: OpenPGP.Error.unsuitableTimeOrName) {
            try InlineMessage.sign([1], fileName: longest + "x", with: key, at: now)
        }
    }

    @Test(
        "An inline message that we make is what gpg reads, for every algorithm and length of length",
        arguments: ["rsa3072", "ed25519", "nistp256"])
    func inlineMessages(algorithm: String) throws {
        let home = try GnuPGHome()
        try home.gpg("--quick-generate-key", "release", algorithm, "sign", "1y")
        let key = try OpenPGP.SecretKey(home.gpg("--export-secret-keys"))
        let tar = try Vectors.bytes("v1/release/ed25519/1717286400.tar")
        for document in [tar, [], [1], [UInt8](repeating: 9, count: 100_000)] {
            let message = try InlineMessage.sign(
                document, fileName: "1.tar", with: key, at: OpenPGP.Timestamp.now())
            let read = try home.tryGpg(["--decrypt"], input: message)
            #expect(read.status == 0, "\(read.errors)")
            #expect(read.output == document)
            let packets = try home.gpg("--list-packets", input: message)
            #expect(String(decoding: packets, as: UTF8.self).contains("name=\"1.tar\""))
        }
    }

    /// A good inline message and its three packets.
    static func message(_ scene: Scene) throws -> (onePass: [UInt8], literal: [UInt8], signature: [UInt8]) {
        let issuer = scene.key.fingerprint.bytes.suffix(8)
        return try (
            Forge.packet(.onePassSignature, [3, 0, 8, 22] + issuer + [1]),
            Forge.packet(.literalData, [0x62, 1, 0x78, 0, 0, 0, 0] + scene.document), scene.good()
        )
    }

    @Test("p56 The verdict is on the very bytes that were given, in whatever form, and on none beside them")
    func p56_sameBytes() throws {
        let scene = try Scene()
        let signature = try scene.good()
        let padded = [9] + scene.document + [9]
        let slice = padded[1..<padded.count - 1]
        func verify(_ document: some Collection<UInt8>) throws {
            _ = try scene.verifier.verify(signature: signature, of: document, at: ForgedKey.now)
        }
        #expect(throws: Never.self) {
            try verify(slice)
            try verify(slice.lazy.map { $0 })
            try verify(slice.reversed().reversed())
            try slice.withUnsafeBytes { try verify($0) }
        }
        for wrong in [padded[...], padded[1...], padded.dropLast()] {
            #expect(throws: OpenPGP.Error.badSignature) { try verify(wrong) }
        }
    }

    @Test("p57 No program is started and no output of one is read in this module")
    func p57_noProcess() throws {
        let sources = Vectors.root.deletingLastPathComponent().appending(path: "Sources/Crypto")
        let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        var count = 0
        for case let file as URL in files where file.pathExtension == "swift" {
            count += 1
            let text = try String(contentsOf: file, encoding: .utf8)
            for call in ["Process(", "posix_spawn", "fork(", "vfork", "execv", "execl", "popen(", "system("] {
                #expect(!text.contains(call), "\(call) in \(file.lastPathComponent)")
            }
        }
        #expect(count > 15)
    }

    @Test("p58 The result tells who, when and with which digest; names are escaped")
    func p58_results() throws {
        let scene = try Scene()
        let result = try scene.verify(
            scene.packet(scene.key.signature(over: scene.document, hashID: 10, made: ForgedKey.born)))
        #expect(result.certificate == scene.key.fingerprint)
        #expect(result.signingKey == scene.key.fingerprint)
        #expect(result.creationTime == ForgedKey.born)
        #expect(result.hash == .sha512)
        let evil = "ok\u{1b}[2J\n[GNUPG:] GOODSIG\u{202e}\u{0}\u{9b}é漢"
        let certificate = try OpenPGP.Certificate(
            Forge.packet(.publicKey, scene.key.body) + Forge.name(scene.key, evil))
        #expect(certificate.userIDs == ["ok\\u{1b}[2J\\u{a}[GNUPG:] GOODSIG\\u{202e}\\u{0}\\u{9b}é漢"])
        #expect(throws: OpenPGP.Error.unsuitableTimeOrName) {
            try OpenPGP.SecretKey.generate(userID: evil, at: ForgedKey.now, validity: nil)
        }
    }

    @Test("p58 Every error is one line without control characters")
    func p58_errorLines() throws {
        let fingerprint = try ForgedKey.ed25519().fingerprint
        let time = ForgedKey.now
        let errors: [OpenPGP.Error] = [
            .tooLong(limit: 1), .malformedArmor("x"), .malformedPacket("x"), .unexpectedPacket(.literalData),
            .notExactlyOneSignature(found: 2), .notExactlyOneKey(found: 0), .compressedMessage,
            .encryptedMessage,
            .unsupportedSignatureVersion(3), .unsupportedKeyVersion(6), .unsupportedAlgorithm("DSA"),
            .missingPurpose(wanted: .order), .wrongPurpose(found: "file-1", wanted: .order),
            .wrongPurpose(found: "file-1", wanted: nil), .malformedPurpose("x"), .tooCostly,
            .mistake(.secretKey), .mistake(.publicKey), .mistake(.clearSigned), .mistake(.keybox),
            .mistake(.utf16), .mistake(.byteOrderMark), .mistake(.signature), .mistake(.foreignKey),
            .weakSelfSignature(fingerprint, hash: "SHA-1"),
            .brokenSelfSignature(fingerprint), .misplacedRevocation(fingerprint),
            .unsupportedHash(12), .weakHash("MD5"), .wrongSignatureType(1), .unknownCriticalSubpacket(9),
            .missingCreationTime, .missingIssuer, .signatureFromTheFuture(time), .signatureExpired(time),
            .signatureOlderThanKey(fingerprint), .badSignature, .thresholdNotReached(have: 0, need: 2),
            .unknownSigner(keyID: "00"), .keyExpired(fingerprint, at: time), .keyRevoked(fingerprint),
            .keyFromTheFuture(fingerprint), .keyCannotSign(fingerprint), .weakKey(fingerprint, reason: "x"),
            .noSelfSignature(fingerprint), .noSubkeyBinding(fingerprint), .noBackSignature(fingerprint),
            .passphraseProtected(fingerprint), .malformedSecretKey(fingerprint), .noSecretKey(fingerprint),
            .unsuitableTimeOrName, .library(.library(code: 1)),
        ]
        #expect(Set(errors.map(\.description)).count == errors.count)
        for error in errors {
            #expect(!error.description.isEmpty && error.description.escapingControls == error.description)
        }
    }

    @Test("p59 A message with its document in it is not a detached signature")
    func p59_embeddedDocument() throws {
        let scene = try Scene()
        let (onePass, literal, signature) = try Self.message(scene)
        scene.refuses(onePass + literal + signature, .unexpectedPacket(.onePassSignature))
        scene.refuses(literal + signature, .unexpectedPacket(.literalData))
    }

    @Test("A time that no signature can state makes none", arguments: [-1, 1 << 32, .max] as [Int64])
    func unstatableTimes(time: Int64) throws {
        let key = try OpenPGP.SecretKey.generate(userID: "x", at: OpenPGP.Timestamp(0), validity: nil)
        #expect(throws: Never.self) { try key.signDetached([1], at: OpenPGP.Timestamp(1 << 32 - 1)) }
        #expect(throws: OpenPGP.Error.unsuitableTimeOrName) {
            try key.signDetached([1], at: OpenPGP.Timestamp(time))
        }
    }

    @Test(
        "Weak requests for new keys are refused",
        arguments: [
            ("", 0, nil), ("a\nb", 0, nil), ("a", -1, nil), ("a", 1 << 32, nil), ("a", 0, 0), ("a", 0, -5),
            ("a", 0, 1 << 32),
        ] as [(String, Int64, Int64?)])
    func generation(name: String, time: Int64, validity: Int64?) {
        #expect(throws: OpenPGP.Error.unsuitableTimeOrName) {
            try OpenPGP.SecretKey.generate(userID: name, at: OpenPGP.Timestamp(time), validity: validity)
        }
    }
}
