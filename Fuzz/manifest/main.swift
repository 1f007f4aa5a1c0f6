// Sources: Sources/Secrets/*.swift Fuzz/Support/*.swift Sources/Protocol/Release/*.swift Sources/Protocol/Keys/*.swift Sources/Protocol/Orders/*.swift Sources/Protocol/Hostname.swift Sources/Protocol/V1/V1.swift Sources/Protocol/V1/Submission.swift Sources/Document/*.swift Sources/Crypto/*.swift Sources/Crypto/*/*.swift -I Sources/CShims/CGcrypt
// Modules: PDSecrets PDDocument PDCrypto
//
// Any bytes are refused with a named error, or are a manifest or an order. What reads is written again as something that
// reads the same; its paths stay below their directory and can lie side by side; and no text is both.

import Foundation

/// A manifest, a patch and a command to start from.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> Int32 {
    do {
        let file = SignedFile(path: try RelativePath("client/commands/c"), mode: 0o755, content: [1])
        let other = SignedFile(path: try RelativePath("bin/pd-agent"), mode: 0o644, content: [])
        guard let host = Hostname("h"), let fleet = OpenPGP.Fingerprint([UInt8](0..<20)) else { return 1 }
        let id = "0123456789abcdef01234567"
        Vectors.seed([
            try Manifest(
                number: 7, channel: "stable", architecture: "any", created: 1, expires: 2, minimumPrevious: 0,
                archive: .init(size: 1024, digest: file.digest), files: [file, other]
            ).json(),
            try OrderStatement(
                id: id, kind: .files, fleet: fleet, hosts: [host], created: 1, expires: 2,
                files: [file, other]
            ).json(),
            try OrderStatement(
                id: id, kind: .command(.init(name: "c", timeLimit: 1, attempts: 1, outputLimit: 1)),
                fleet: fleet,
                hosts: [host], created: 1, expires: 2, files: [file]
            ).json(),
        ])
    } catch { fatalError("\(error)") }
    return 0
}

/// One input of libFuzzer.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzManifest(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    let input = Array(UnsafeBufferPointer(start: data, count: size))
    let manifest = try? Manifest(json: input)
    let order = try? OrderStatement(json: input)
    precondition(manifest == nil || order == nil, "a manifest that is an order")
    if let manifest {
        precondition((try? Manifest(json: manifest.json())) == manifest, "a manifest that reads as another")
        check(manifest.files)
        precondition(manifest.files.allSatisfy { manifest.file($0.path) == $0 }, "a file that is not found")
    }
    if let order {
        precondition((try? OrderStatement(json: order.json())) == order, "an order that reads as another")
        precondition(order.hosts.allSatisfy(order.names))
        check(order.files)
    }
    return 0
}

private func check(_ files: [SignedFile]) {
    var paths = PathSet()
    for file in files {
        precondition(!file.path.components.contains { $0.isEmpty || $0 == "." || $0 == ".." })
        precondition(file.mode & ~0o755 == 0 && file.digest.count == 32)
        guard (try? paths.insert(file: file.path)) != nil else { fatalError("two paths that are one") }
    }
}
