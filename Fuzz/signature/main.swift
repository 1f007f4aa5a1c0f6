// Sources: Fuzz/Support/*.swift Sources/Crypto/*.swift Sources/Crypto/*/*.swift -I Sources/CShims/CGcrypt
//
// Detached signatures of documents of the vectors. The first byte chooses the document. What is accepted must be what
// its maker signed: the same hashed part, by whatever way it is written.

/// What was signed over each document, by anyone.
private let signed: [[UInt8]: Set<[UInt8]>] = Vectors.requests.reduce(into: [:]) { signed, request in
    signed[request.document, default: []].insert(hashedPart(request.signature))
}

private func hashedPart(_ signature: [UInt8]) -> [UInt8] {
    guard let packets = try? OpenPGP.Verifier.signaturePackets(signature), let first = packets.first,
        let parsed = try? OpenPGP.SignaturePacket(first.body)
    else { fatalError("a signature that was accepted does not read") }
    return Array(parsed.hashedPart)
}

/// The vectors as inputs to start from.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> Int32 {
    precondition((8...256).contains(Vectors.requests.count), "the first byte cannot choose all documents")
    var inputs: [[UInt8]] = []
    for (index, request) in Vectors.requests.enumerated() where index.isMultiple(of: 4) {
        precondition(verify(request, request.signature) != nil, "the vector \(index) is not accepted")
        let binary = Vectors.binary(request.signature, .signature)
        inputs += [
            [UInt8(index)] + request.signature, [UInt8(index)] + binary, [UInt8(index)] + binary + binary,
        ]
    }
    Vectors.seed(inputs)
    return 0
}

private func verify(_ request: Vectors.Signed, _ signature: [UInt8]) -> OpenPGP.VerifiedSignature? {
    try? Vectors.verifier.verify(signature: signature, of: request.document, at: Vectors.now)
}

/// One input of libFuzzer.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSignature(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    guard size > 0, let data else { return 0 }
    let request = Vectors.requests[Int(data[0]) % Vectors.requests.count]
    let signature = Array(UnsafeBufferPointer(start: data + 1, count: size - 1))
    let release = try? Vectors.verifier.verifyRelease(
        signatures: signature, of: request.document, at: Vectors.now)
    if let release { precondition(!release.isEmpty, "accepted without a signer") }
    guard let verdict = verify(request, signature) else { return 0 }
    precondition(
        signed[request.document]?.contains(hashedPart(signature)) == true, "nobody signed this document so")
    precondition(release == [verdict], "one signature, two verdicts")
    return 0
}
