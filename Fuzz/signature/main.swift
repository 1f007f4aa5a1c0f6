// Sources: Sources/Secrets/*.swift Fuzz/Support/*.swift Sources/Crypto/*.swift Sources/Crypto/*/*.swift -I Sources/CShims/CGcrypt
// Modules: PDSecrets
//
// Detached signatures of documents of the vectors. The first byte chooses the document. What is accepted must be what
// its maker signed: the same hashed part, by whatever way it is written.

/// The requests that are accepted here as well: the original server also took what it should have refused.
private let requests = Vectors.requests.filter { verify($0, $0.signature) != nil }

/// What was signed over each document.
private let signed: [[UInt8]: Set<[UInt8]>] = requests.reduce(into: [:]) { signed, request in
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
    guard (16...256).contains(requests.count) else { fatalError("\(requests.count) requests are accepted") }
    var inputs: [[UInt8]] = []
    for (index, request) in requests.enumerated() where index.isMultiple(of: 4) {
        let binary = Vectors.binary(request.signature, .signature)
        inputs += [request.signature, binary, binary + binary].map { [UInt8(index)] + $0 }
    }
    Vectors.seed(inputs)
    return 0
}

private func verify(_ request: Vectors.Signed, _ signature: [UInt8]) -> OpenPGP.VerifiedSignature? {
    try? Vectors.verifier.verifyWithoutPurpose(signature: signature, of: request.document, at: Vectors.now)
}

/// One input of libFuzzer.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSignature(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    guard size > 0, let data else { return 0 }
    let request = requests[Int(data[0]) % requests.count]
    let signature = Array(UnsafeBufferPointer(start: data + 1, count: size - 1))
    let release = try? Vectors.verifier.verifyAll(
        OpenPGP.Verifier.signaturePackets(signature), request.document, nil, threshold: 1, Vectors.now)
    if let release { precondition(!release.isEmpty, "accepted without a signer") }
    guard let verdict = verify(request, signature) else { return 0 }
    guard signed[request.document]?.contains(hashedPart(signature)) == true else {
        fatalError("nobody signed this document so")
    }
    guard release == [verdict] else { fatalError("one signature, two verdicts") }
    return 0
}
