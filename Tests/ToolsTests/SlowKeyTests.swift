import Foundation
import PDCrypto
import PDTestSupport
import Testing

/// Keys and requests that are dear to verify, at a server that runs.
@Suite struct SlowKeyTests {
    /// A key file of 8192-bit RSA with a long exponent and that many signatures of itself, all of them junk.
    private func slowKey(signatures: Int) throws -> Data {
        func packet(_ tag: UInt8, _ body: [UInt8]) -> [UInt8] {
            [0xc0 | tag, 0xff] + (0..<4).map { UInt8(truncatingIfNeeded: body.count >> (24 - 8 * $0)) } + body
        }
        func number(_ bytes: [UInt8]) -> [UInt8] {
            let bits = bytes.count * 8 - bytes[0].leadingZeroBitCount
            return [UInt8(bits >> 8), UInt8(truncatingIfNeeded: bits)] + bytes
        }
        let modulus = [0xff] + (0..<1022).map { _ in UInt8.random(in: 0...255) } + [0xfd]
        let body: [UInt8] =
            [4, 0x5f, 0, 0, 0, 1] + number(modulus) + number([0xff, 0xff, 0xff, 0xff])
        // Type 0x1f over the key itself, SHA-256, made with the key, which may certify and sign by it, and which it names.
        let hashed: [UInt8] = [5, 2, 0x5f, 0, 0, 1, 2, 27, 3]
        let name = try "\(OpenPGP.Certificate(packet(6, body)).fingerprint)".suffix(16)
        let id = stride(from: 0, to: 16, by: 2).compactMap {
            UInt8(name.dropFirst($0).prefix(2), radix: 16)
        }
        let unhashed: [UInt8] = [9, 16] + id
        let signature: [UInt8] =
            [4, 0x1f, 1, 8, 0, UInt8(hashed.count)] + hashed + [0, UInt8(unhashed.count)] + unhashed + [0, 0]
            + number([1] + [UInt8](repeating: 7, count: 31))
        return Data(packet(6, body) + repeatElement(packet(2, signature), count: signatures).joined())
    }

    @Test("p152_a key that is dear to verify, put among the trusted ones, slows nobody's answer")
    func p152_slowKeyFile() async throws {
        let fleet = try FleetRunner()
        try fleet.setUp()
        let home = try GPGHome(algorithm: "ed25519", tools: fleet.tools)
        try fleet.tools.write("peer.asc", try home.gpg(["--armor", "--export", "peer"]).text)
        let added = try fleet.run(
            "pd-admin", "keys", "add", fleet.tools.path("peer.asc").path, "--role", "client", "--state",
            fleet.serverState)
        try #require(added.status == 0, "\(added.errors)")
        try await fleet.start()
        let data = #"{"hostname": "h", "plugins": {}}"#
        let signature = try home.sign(data)
        for round in 0..<3 {
            try slowKey(signatures: 3000).write(
                to: URL(filePath: "\(fleet.serverState)/keys/client/slow\(round).gpg"))
            // Longer than the server goes without looking at the directory.
            for _ in 0..<8 {
                let start = ContinuousClock.now
                #expect(try fleet.post(data: data, signature: signature) == "200")
                // It would take ten times as long on this build, and stop all requests meanwhile.
                #expect(start.duration(to: .now) < .seconds(3))
                try await Task.sleep(for: .milliseconds(150))
            }
        }
        #expect(try fleet.log().contains("slow0.gpg is not a public key: the key has so many signatures"))
    }

    @Test("p152_whoever sends bad signatures without end gets 429, and another address is answered")
    func p152_flood() async throws {
        let fleet = try FleetRunner()
        try fleet.setUp()
        let home = try GPGHome(algorithm: "ed25519", tools: fleet.tools)
        try fleet.tools.write("peer.asc", try home.gpg(["--armor", "--export", "peer"]).text)
        let added = try fleet.run(
            "pd-admin", "keys", "add", fleet.tools.path("peer.asc").path, "--role", "client", "--state",
            fleet.serverState)
        try #require(added.status == 0, "\(added.errors)")
        try await fleet.start()
        func post(_ data: String, _ signature: String, from address: String) throws -> String {
            try fleet.tools.write("data", data)
            try fleet.tools.write("signature", signature)
            return try fleet.tools.run(
                [
                    "-s", "-D", "-", "-o", "/dev/null", "--interface", address, "--data-urlencode",
                    "data@data", "--data-urlencode", "signature@signature",
                    fleet.url("/penguindome/v1/submit"),
                ], program: "/usr/bin/curl"
            ).text
        }
        let data = #"{"hostname": "h", "plugins": {}}"#
        let signature = try home.sign(data)
        let forged = String(repeating: "x", count: 12 << 20)
        var answers: [String] = []
        for _ in 0..<200 where answers.last?.contains(" 429 ") != true {
            answers.append(try post(forged, signature, from: "127.0.0.2"))
        }
        #expect(answers.first?.contains(" 403 ") == true)
        #expect(answers.last?.contains(" 429 ") == true && answers.last?.contains("Retry-After: ") == true)
        #expect(try post(data, signature, from: "127.0.0.3").contains(" 200 "))
    }
}
