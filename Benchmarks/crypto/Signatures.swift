import CGcrypt
import Foundation
import PDCrypto

/// Verification of a detached signature over 15 kB, SHA-256.
struct Signatures {
    struct Kind {
        var name: String
        var gnupgName: String
        var generate: String
        var data: String
    }

    static let kinds = [
        Kind(
            name: "RSA-3072", gnupgName: "rsa3072", generate: "(genkey(rsa(nbits 4:3072)))",
            data: "(data(flags pkcs1)(hash sha256 %b))"),
        Kind(
            name: "Ed25519", gnupgName: "ed25519", generate: "(genkey(ecc(curve Ed25519)(flags eddsa)))",
            data: "(data(flags eddsa)(hash-algo sha512)(value %b))"),
        Kind(
            name: "P-256", gnupgName: "nistp256", generate: "(genkey(ecc(curve \"NIST P-256\")))",
            data: "(data(flags raw)(value %b))"),
    ]

    let home: URL
    let document = (0..<15_000).map { UInt8(truncatingIfNeeded: $0 &* 167 >> 3) }

    func measure(_ kind: Kind) throws -> (rows: [Comparison.Row], gpgv: [Comparison.Row]) {
        let folder = home.appending(path: kind.gnupgName)
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        // Left running, the agent would end by itself when its folder is gone.
        defer { try? Child.run(["gpgconf", "--homedir", folder.path, "--kill", "all"]) }
        let path = { (name: String) in folder.appending(path: name).path }
        try Data(document).write(to: URL(filePath: path("document")))
        try gpg(folder, ["--quick-generate-key", "benchmark", kind.gnupgName, "sign", "1y"])
        try gpg(folder, ["--output", path("key"), "--export"])
        for (form, name) in [("--no-armor", "signature"), ("--armor", "signature.asc")] {
            try gpg(
                folder,
                ["--digest-algo", "SHA256", form, "--output", path(name), "--detach-sign", path("document")])
        }
        let certificate = try OpenPGP.Certificate(Array(Data(contentsOf: URL(filePath: path("key")))))
        let verifier = OpenPGP.Verifier(certificates: [certificate])
        let binary = try Array(Data(contentsOf: URL(filePath: path("signature"))))
        let armored = try Array(Data(contentsOf: URL(filePath: path("signature.asc"))))
        let now = OpenPGP.Timestamp(Int64(time(nil)))

        var comparison = Comparison()
        comparison.add("libgcrypt alone", try bare(kind))
        comparison.add("binary") {
            _ = try verifier.verifyWithoutPurpose(signature: binary, of: document, at: now)
        }
        comparison.add("armored") {
            _ = try verifier.verifyWithoutPurpose(signature: armored, of: document, at: now)
        }
        var processes = Comparison()
        processes.add("binary") {
            _ = try verifier.verifyWithoutPurpose(signature: binary, of: document, at: now)
        }
        processes.add("gpgv") {
            try Child.run(["gpgv", "--quiet", "--keyring", path("key"), path("signature"), path("document")])
        }
        return try (comparison.measure(), processes.measure(rounds: 21, milliseconds: 10))
    }

    /// Hash and mathematics, with key and signature in libgcrypt's form beforehand.
    private func bare(_ kind: Kind) throws -> () throws -> Void {
        var pair: gcry_sexp_t?
        try Library.check(gcry_pk_genkey(&pair, Library.expression(kind.generate)))
        let publicKey = gcry_sexp_find_token(pair, "public-key", 0)
        var digest = [UInt8](repeating: 0, count: 32)
        Library.sha256(document, into: &digest)
        var signature: gcry_sexp_t?
        let privateKey = gcry_sexp_find_token(pair, "private-key", 0)
        try Library.check(gcry_pk_sign(&signature, Library.data(kind.data, &digest), privateKey))
        return {
            Library.sha256(document, into: &digest)
            let data = try Library.data(kind.data, &digest)
            defer { gcry_sexp_release(data) }
            try Library.check(gcry_pk_verify(signature, data, publicKey))
        }
    }

    private func gpg(_ folder: URL, _ arguments: [String]) throws {
        try Child.run(
            [
                "gpg", "--homedir", folder.path, "--batch", "--quiet", "--no-tty", "--pinentry-mode",
                "loopback",
                "--passphrase", "",
            ] + arguments)
    }
}
