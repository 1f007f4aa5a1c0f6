import Foundation
import Testing

@testable import PDCrypto

/// The certificates in the keyrings that distributions package, judged here, by gpg and by Sequoia.
///
/// `Tests/Support/keyrings.sh` prepares the verdicts of the others and puts the table that this prints into
/// `docs/security/openpgp.md`.
@Suite("Keyrings of distributions")
struct KeyringTests {
    static let folder = "/usr/share/keyrings"
    static let verdicts = ProcessInfo.processInfo.environment["PENGUINDOME_KEYRING_VERDICTS"]

    struct Row {
        var certificates = 0
        var byBoth = 0
        var here = 0
        var hereAlone = 0
        /// Why certificates that both others take are refused here.
        var reasons: [String: Int] = [:]
    }

    /// Reasons for which a certificate may be refused that both others take, with what stands behind them.
    static let reasons = [
        "a user ID revoked": "all names of the key are revoked, and it vouches for itself in no other way",
        "a broken hash":
            "every signature of the key over itself, or of the signing subkey over it, is over SHA-1 or another"
            + " broken hash",
        "a use that is forbidden": "of declarations in one second, or in two places, one forbids signing",
        "an expired subkey":
            "the signing subkey has expired; that the primary key signs is said by some of its names, and"
            + " denied by the last one of the same second, which decides here",
        "another algorithm": "no signing key is RSA of 2048 bits or more, Ed25519 or ECDSA on NIST P-256",
    ]

    private static func reason(_ error: OpenPGP.Error, _ certificate: String) -> String {
        switch error {
        case .keyExpired(let key, _) where key.description != certificate: "an expired subkey"
        case .noSelfSignature: "a user ID revoked"
        case .weakSelfSignature: "a broken hash"
        case .keyCannotSign: "a use that is forbidden"
        case .unsupportedAlgorithm, .weakKey: "another algorithm"
        default: error.description
        }
    }

    /// The certificates in a keyring, as bytes.
    private static func split(_ keyring: [UInt8]) throws -> [[UInt8]] {
        var reader = OpenPGP.PacketReader(keyring[...])
        var certificates: [[UInt8]] = []
        while let packet = try reader.next() {
            if packet.tag == .publicKey { certificates.append([]) }
            certificates[certificates.count - 1] += packet.bytes
        }
        return certificates
    }

    @Test(
        "What both gpg and Sequoia take for signing is taken here, or the table says why not",
        .enabled(if: verdicts != nil))
    func keyrings() throws {
        let text = try String(contentsOfFile: #require(Self.verdicts), encoding: .utf8)
        var others: [String: [String: Bool]] = [:]
        var taken: [String: [String: Bool]] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ").map(String.init)
            others[fields[0], default: [:]][fields[1]] = fields[2] == "yes" && fields[3] == "yes"
            taken[fields[0], default: [:]][fields[1]] = fields[2] == "yes"
        }
        #expect(others.count > 4)
        var lines = [
            "| keyring | certificates | taken by gpg and Sequoia | of these here | why not |",
            "| --- | --- | --- | --- | --- |",
        ]
        var explained: Set<String> = []
        for (name, verdicts) in others.sorted(by: { $0.key < $1.key }) {
            var row = Row()
            let bytes = try Array(Data(contentsOf: URL(filePath: Self.folder).appending(path: name)))
            for certificate in try Self.split(
                OpenPGP.Armor.blocks(bytes, kind: .publicKey, limit: 64 << 20).flatMap { $0 })
            {
                row.certificates += 1
                let fingerprint = OpenPGP.Fingerprint(
                    ofKeyPacket: try #require(try Self.first(certificate)).body
                ).description
                var fault: OpenPGP.Error?
                do throws(OpenPGP.Error) {
                    fault = try OpenPGP.Certificate(certificate).problem(at: .now())
                } catch { fault = error }
                if fault == nil, taken[name]?[fingerprint] != true {
                    Issue.record("\(name): \(fingerprint) is taken here, and not by gpg")
                }
                guard verdicts[fingerprint] == true else { continue }
                row.byBoth += 1
                guard let fault else {
                    row.here += 1
                    continue
                }
                let reason = Self.reason(fault, fingerprint)
                row.reasons[reason, default: 0] += 1
                explained.insert(reason)
                if Self.reasons[reason] == nil { Issue.record("\(name): \(fingerprint): \(fault)") }
            }
            let why = row.reasons.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(
                separator: ", ")
            lines.append(
                "| `\(name)` | \(row.certificates) | \(row.byBoth) | \(row.here) | \(why.isEmpty ? "–" : why) |"
            )
        }
        lines.append("")
        for reason in explained.sorted() {
            lines.append("- *\(reason)*: \(Self.reasons[reason] ?? "not explained").")
        }
        if let path = ProcessInfo.processInfo.environment["PENGUINDOME_KEYRING_TABLE"] {
            try Data(lines.joined(separator: "\n").appending("\n").utf8).write(to: URL(filePath: path))
        }
    }

    private static func first(_ certificate: [UInt8]) throws -> OpenPGP.Packet? {
        var reader = OpenPGP.PacketReader(certificate[...])
        return try reader.next()
    }
}
