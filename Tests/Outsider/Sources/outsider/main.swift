import Foundation
import PDCrypto
import PDSecrets
import PDShamir

// Runs the examples of the documentation on the vectors of the repository, whose folder is the only argument.

struct Shares: Decodable {
    var texts: [String]
    var passphrases: [String?]
    var threshold: Int
    var sealed: Bool
    var secret_b64: String?
}

struct Release: Decodable {
    struct File: Decodable {
        var content_b64: String
        var signature_b64: String
    }
    var files: [File]
}

struct Wrong: Error {
    var what: String
}

func check(_ isRight: Bool, _ what: String) throws {
    guard isRight else { throw Wrong(what: what) }
    print("ok: \(what)")
}

func decode<Value: Decodable>(_ type: Value.Type, _ path: String) throws -> Value {
    try JSONDecoder().decode(type, from: Data(contentsOf: vectors.appending(path: path)))
}

func bytes(base64 text: String) throws -> [UInt8] {
    guard let data = Data(base64Encoded: text) else { throw Wrong(what: "base64") }
    return Array(data)
}

let vectors = URL(filePath: CommandLine.arguments[1])

let secret = SecretBytes(copying: "correct horse".utf8)
try check(splitAndRestore(secret) == secret, "a secret is split and restored")

var combined = 0
for set in try decode([Shares].self, "shamir/vectors.json") {
    guard !set.sealed, let base64 = set.secret_b64 else { continue }
    let places = 0..<set.threshold
    let passphrases = places.compactMap { place in
        set.passphrases[place].map { (place, SecretBytes(copying: $0.utf8)) }
    }
    let found = try combine(
        places.map { Array(set.texts[$0].utf8) }, passphrases: Dictionary(uniqueKeysWithValues: passphrases))
    let expected = SecretBytes(copying: try bytes(base64: base64))
    guard found.secret == expected, found.changed.isEmpty else { throw Wrong(what: "a set of shares") }
    combined += 1
}
try check(combined > 3, "\(combined) sets of share files are combined")

let keys = try Array(Data(contentsOf: vectors.appending(path: "v1/release/ed25519/server_pub.asc")))
let files = try decode(Release.self, "v1/release/ed25519/files.json").files
for file in files {
    let content = try bytes(base64: file.content_b64)
    let signature = try bytes(base64: file.signature_b64)
    let line = try signer(of: content, signature: signature, trusting: keys, at: 1_796_000_000)
    guard line.contains("2024-") else { throw Wrong(what: line) }
    do {
        _ = try signer(of: content + [0], signature: signature, trusting: keys, at: 1_796_000_000)
        throw Wrong(what: "a changed document is accepted")
    } catch let error as OpenPGP.Error {
        guard error == .badSignature else { throw error }
    }
}
try check(files.count > 3, "\(files.count) detached signatures are verified, and changed documents refused")
