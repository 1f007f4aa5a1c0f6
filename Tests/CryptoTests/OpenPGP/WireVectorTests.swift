import Foundation
import PDCrypto
import Testing

/// One request that the original system's server was sent.
struct WireRequest: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var alg: String
    var data: String?
    var signature: String?
    var must_refuse: Bool?

    var testDescription: String { "\(alg) \(name)" }

    /// The name without the endpoint before it.
    var variant: String {
        for endpoint in ["submit_", "update_"] where name.hasPrefix(endpoint) {
            return String(name.dropFirst(endpoint.count))
        }
        return name
    }

    static let algorithms = ["rsa3072", "ed25519"]

    static func all() throws -> [WireRequest] {
        try algorithms.flatMap { try Vectors.json("v1/wire/\($0)/requests.json", as: [WireRequest].self) }
    }

    /// Those with a signature field to judge.
    static func signed() throws -> [WireRequest] {
        try all().filter { $0.data != nil && $0.signature.map { $0.count > 1 } ?? false }
    }
}

@Suite("Recorded v1 requests")
struct WireVectorTests {
    /// A week after the vectors were recorded.
    static let now = OpenPGP.Timestamp(1_796_000_000)

    static func certificate(_ algorithm: String, _ role: String) throws -> OpenPGP.Certificate {
        try OpenPGP.Certificate(Vectors.bytes("v1/wire/\(algorithm)/\(role)_pub.asc"))
    }

    static func clientVerifier(_ algorithm: String) throws -> OpenPGP.Verifier {
        try OpenPGP.Verifier(
            certificates: ["client", "expired", "revoked"].map { try certificate(algorithm, $0) })
    }

    /// What the signature of each variant is refused for. Everything else carries a good one.
    static func refusal(_ request: WireRequest) throws -> ((OpenPGP.Error) -> Bool)? {
        let algorithm = request.alg
        func key(_ role: String) throws -> OpenPGP.Certificate { try certificate(algorithm, role) }
        func unknown(_ role: String) throws -> (OpenPGP.Error) -> Bool {
            let keyID = try String(key(role).fingerprint.description.suffix(16))
            return { $0 == .unknownSigner(keyID: keyID) }
        }
        switch request.variant {
        case "flip_data", "append_newline", "space_added", "flip_signature_good_crc", "invalid_utf8":
            return { $0 == .badSignature }
        case "flip_signature": return { $0 == .badSignature }
        case "other_key": return try unknown("other")
        case "server_key": return try unknown("server")
        case "signing_subkey": return { if case .unknownSigner = $0 { true } else { false } }
        case "expired_key":
            let fingerprint = try key("expired").fingerprint
            return { if case .keyExpired(fingerprint, _) = $0 { true } else { false } }
        case "revoked_key":
            let fingerprint = try key("revoked").fingerprint
            return { $0 == .keyRevoked(fingerprint) }
        case "expired_signature": return { if case .signatureExpired = $0 { true } else { false } }
        case "future_signature": return { if case .signatureFromTheFuture = $0 { true } else { false } }
        case "sha1": return { $0 == .weakHash("SHA-1") }
        case "ripemd160": return { $0 == .weakHash("RIPEMD-160") }
        case "md5": return { $0 == .weakHash("MD5") }
        case "textmode", "textmode_crlf": return { $0 == .wrongSignatureType(0x01) }
        case "garbage_signature": return { if case .malformedArmor = $0 { true } else { false } }
        case "inline_signed", "inline_other_data": return { $0 == .compressedMessage }
        case "inline_clearsigned": return { $0 == .mistake(.clearSigned) }
        case _ where request.variant.hasPrefix("two_signatures"):
            return { $0 == .notExactlyOneSignature(found: 2) }
        default: return nil
        }
    }

    /// Requests whose signature is good and which are refused for what they say.
    static let refusedForOtherReasons: Set<String> = [
        "submit_bad_json", "submit_no_hostname", "submit_plugins_not_object", "submit_json_array",
        "acknowledge_patch_bad_id",
        "pipe_create_no_auth", "pipe_create_wrong_password", "pipe_create_unknown_user",
        "pipe_create_unknown_client", "pipe_open_twice", "pipe_close_unknown",
    ]

    @Test("Each signature gets the verdict that the vectors demand", arguments: try WireRequest.signed())
    func verdicts(_ request: WireRequest) throws {
        let verifier = try Self.clientVerifier(request.alg)
        let data = try Array(#require(request.data).utf8)
        let signature = try Array(#require(request.signature).utf8)
        if let isExpected = try Self.refusal(request) {
            #expect(request.must_refuse != false, "the table of this test contradicts the vectors")
            let error = #expect(throws: OpenPGP.Error.self) {
                try verifier.verify(signature: signature, of: data, at: Self.now)
            }
            if let error { #expect(isExpected(error), "refused for another reason: \(error)") }
        } else {
            #expect(request.must_refuse != true || Self.refusedForOtherReasons.contains(request.name))
            let result = try verifier.verify(signature: signature, of: data, at: Self.now)
            #expect(try result.certificate == Self.certificate(request.alg, "client").fingerprint)
            #expect(result.creationTime == OpenPGP.Timestamp(1_717_286_400))
        }
    }

    @Test("All of the signed requests are looked at")
    func count() throws {
        let signed = try WireRequest.signed()
        #expect(signed.count > 190)
        #expect(try signed.filter { try Self.refusal($0) != nil }.count > 80)
        // What is left out has no signature to judge.
        for request in try WireRequest.all() where request.variant == "empty_signature" {
            #expect(throws: OpenPGP.Error.malformedArmor("empty")) {
                try Self.clientVerifier(request.alg).verify(
                    signature: Array(#require(request.signature).utf8), of: [], at: Self.now)
            }
        }
    }

    @Test("A signing subkey signs for its certificate once the certificate is trusted")
    func signingSubkey() throws {
        let certificate = try Self.certificate("ed25519", "subkey")
        let request = try #require(try WireRequest.signed().first { $0.name == "submit_signing_subkey" })
        let result = try OpenPGP.Verifier(certificates: [certificate]).verify(
            signature: Array(#require(request.signature).utf8), of: Array(#require(request.data).utf8),
            at: Self.now)
        #expect(result.certificate == certificate.fingerprint)
        #expect(result.signingKey.description.hasSuffix("211C6B5F7B98A814"))
        #expect(result.hash == .sha256)
    }

    @Test("Recorded keys tell their owner, their life and what is wrong with them")
    func keys() throws {
        for algorithm in WireRequest.algorithms {
            let client = try Self.certificate(algorithm, "client")
            #expect(client.userIDs == ["penguindome-client"])
            #expect(client.creationTime == OpenPGP.Timestamp(1_717_200_000))
            #expect(client.problem(at: Self.now) == nil)
            #expect(client.weakness == nil)
            let end = try #require(client.expirationTime(at: Self.now))
            #expect(end.seconds - client.creationTime.seconds == 20 * 365 * 86_400)
            #expect(client.problem(at: end) == .keyExpired(client.fingerprint, at: end))
            let revoked = try Self.certificate(algorithm, "revoked")
            #expect(revoked.isRevoked)
            #expect(revoked.problem(at: Self.now) == .keyRevoked(revoked.fingerprint))
            #expect(try OpenPGP.Certificate(client.bytes).fingerprint == client.fingerprint)
            #expect(try OpenPGP.Certificate(Array(client.armored().utf8)).bytes == client.bytes)
            let tooEarly = OpenPGP.Timestamp(1_700_000_000)
            #expect(client.problem(at: tooEarly) == .keyFromTheFuture(client.fingerprint))
        }
    }

    @Test("One verifier serves many threads at once")
    func concurrentUse() async throws {
        let requests = try WireRequest.signed().filter { $0.alg == "rsa3072" }
        let verifier = try Self.clientVerifier("rsa3072")
        let expected = try requests.map { try Self.refusal($0) == nil }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    zip(requests, expected).allSatisfy { request, isGood in
                        let result = try? verifier.verify(
                            signature: Array((request.signature ?? "").utf8),
                            of: Array((request.data ?? "").utf8),
                            at: Self.now)
                        return (result != nil) == isGood
                    }
                }
            }
            for try await allAsExpected in group { #expect(allAsExpected) }
        }
    }
}
