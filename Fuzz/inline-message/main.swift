// Sources: Sources/Secrets/*.swift Fuzz/Support/*.swift Sources/Crypto/*.swift Sources/Crypto/*/*.swift -I Sources/CShims/CGcrypt
// Modules: PDSecrets
//
// Messages that carry their document. Only a document that the key of the vectors signed may come out, by whatever way
// it is written.

private let documents = Set(Vectors.releaseFiles.map(\.document))

private let verifier: OpenPGP.Verifier = {
    guard let key = try? OpenPGP.Certificate(Vectors.file("release/ed25519/server_pub.asc")) else {
        fatalError("the key of the release")
    }
    return OpenPGP.Verifier(certificates: [key])
}()

private func open(_ message: [UInt8]) -> OpenPGP.InlineMessage? {
    try? OpenPGP.InlineMessage(verifying: message, with: verifier, for: nil, at: Vectors.now)
}

/// The message that holds a file and its detached signature (RFC 9580, section 10.3).
private func message(_ file: Vectors.Signed) -> [UInt8] {
    guard let packets = try? OpenPGP.Verifier.signaturePackets(file.signature), let first = packets.first,
        let signature = try? OpenPGP.SignaturePacket(first.body), let issuer = signature.issuers.first
    else { fatalError("a signature of the vectors does not read") }
    let keyID = OpenPGP.bigEndian(issuer.value >> 32) + OpenPGP.bigEndian(issuer.value)
    let hash = first.body[first.body.startIndex + 3]
    return OpenPGP.PacketReader.write(
        .onePassSignature, [3, signature.type, hash, signature.algorithm] + keyID + [1])
        + OpenPGP.PacketReader.write(.literalData, Array("b\u{1}f".utf8) + [0, 0, 0, 0] + file.document)
        + file.signature
}

/// The files of the release as messages, which are accepted, and its compressed message, which is not.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> Int32 {
    let messages = Vectors.releaseFiles.map(message)
    precondition(!messages.isEmpty && messages.allSatisfy { open($0) != nil }, "a vector is not accepted")
    let armored = Vectors.file("release/ed25519/1717286400.tar.asc")
    precondition(open(armored) == nil, "a compressed message is accepted")
    Vectors.seed(
        messages + messages.map { OpenPGP.Armor.wrap($0, kind: .message) }
            + [armored, Vectors.binary(armored, .message)])
    return 0
}

/// One input of libFuzzer.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzInlineMessage(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    guard let message = open(Array(UnsafeBufferPointer(start: data, count: size))) else { return 0 }
    precondition(documents.contains(message.document), "nobody signed this document")
    precondition(message.signature.certificate == verifier.certificates[0].fingerprint)
    return 0
}
