import Foundation

/// What the vectors in `vectors/v1` give to the fuzz targets: inputs to start from, and the truth to compare with.
enum Vectors {
    /// A document with its detached signature.
    struct Signed {
        let document: [UInt8]
        let signature: [UInt8]
    }

    /// A moment at which the keys and signatures of the vectors hold.
    static let now = OpenPGP.Timestamp(1_717_300_000)

    /// Fuzz/run.sh starts all targets at the root of the project.
    private static let folder = URL(filePath: "vectors/v1")

    /// The bytes of a file of the vectors.
    static func file(_ path: String) -> [UInt8] {
        guard let data = try? Data(contentsOf: folder.appending(path: path)) else {
            fatalError("vectors/v1/\(path) cannot be read")
        }
        return Array(data)
    }

    /// All public keys, armored.
    static let publicKeys: [[UInt8]] = {
        let names = ["client", "server", "other", "expired", "revoked"]
        let wire = ["ed25519", "rsa3072"].flatMap { kind in names.map { "wire/\(kind)/\($0)_pub.asc" } }
        return (wire + ["wire/ed25519/subkey_pub.asc", "secret_keeping/public_key.asc"]).map(file)
    }()

    /// A secret key, armored.
    static let secretKey = file("secret_keeping/private_key.asc")

    /// The requests of version 1 clients that their server accepted, of both kinds of key, each document once.
    static let requests: [Signed] = ["ed25519", "rsa3072"].flatMap { kind -> [Signed] in
        let content = Data(file("wire/\(kind)/requests.json"))
        guard let rows = (try? JSONSerialization.jsonObject(with: content)) as? [[String: Any]] else {
            fatalError("the requests of \(kind) cannot be read")
        }
        var seen = Set<String>()
        return rows.compactMap { row in
            guard row["original_accepted"] as? Bool == true, let document = row["data"] as? String,
                let signature = row["signature"] as? String, seen.insert(document).inserted
            else { return nil }
            return Signed(document: Array(document.utf8), signature: Array(signature.utf8))
        }
    }

    /// The files of a release with their signatures.
    static let releaseFiles: [Signed] = {
        let content = Data(file("release/ed25519/files.json"))
        guard let object = (try? JSONSerialization.jsonObject(with: content)) as? [String: Any],
            let rows = object["files"] as? [[String: Any]]
        else { fatalError("the files of the release cannot be read") }
        return rows.compactMap { row in
            guard let document = (row["content_b64"] as? String).flatMap({ Data(base64Encoded: $0) }),
                let signature = (row["signature_b64"] as? String).flatMap({ Data(base64Encoded: $0) })
            else { return nil }
            return Signed(document: Array(document), signature: Array(signature))
        }
    }()

    /// A verifier that trusts all keys of the vectors.
    static let verifier = OpenPGP.Verifier(
        certificates: publicKeys.flatMap { key in
            guard let found = try? OpenPGP.Certificate.all(in: key) else {
                fatalError("a key of the vectors")
            }
            return found
        })

    /// The packets in an armored text.
    static func binary(_ armored: [UInt8], _ kind: OpenPGP.Armor.Kind) -> [UInt8] {
        guard
            let blocks = try? OpenPGP.Armor.blocks(armored, kind: kind, limit: 1 << 20)
        else { fatalError("armor of the vectors") }
        return blocks.flatMap { $0 }
    }

    /// Writes the inputs to start from.
    static func seed(_ inputs: [[UInt8]]) { Seeds.write(inputs) }
}
