// Sources: Sources/Secrets/*.swift Fuzz/Support/*.swift Sources/Crypto/*.swift Sources/Crypto/*/*.swift -I Sources/CShims/CGcrypt
// Modules: PDSecrets
//
// Any bytes are either refused with a named error or hold packets which, put into armor again, come out as they were.
// The first byte chooses the kind of armor that is expected.

private let kinds: [OpenPGP.Armor.Kind] = [.signature, .message, .publicKey, .secretKey]

/// The vectors as inputs to start from.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> Int32 {
    Vectors.seed(
        Vectors.requests.prefix(8).map { [0] + $0.signature }
            + [[1] + Vectors.file("release/ed25519/1717286400.tar.asc")]
            + Vectors.publicKeys.map { [6] + $0 } + [[3] + Vectors.secretKey])
    return 0
}

/// One input of libFuzzer.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzArmor(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    guard size > 0, let data else { return 0 }
    let kind = kinds[Int(data[0] & 3)]
    let input = Array(UnsafeBufferPointer(start: data + 1, count: size - 1))
    guard let blocks = try? OpenPGP.Armor.blocks(input, kind: kind, limit: 1 << 20) else { return 0 }
    precondition(blocks.allSatisfy { !$0.isEmpty } && blocks.joined().count <= input.count)
    let armored = blocks.flatMap { OpenPGP.Armor.wrap($0, kind: kind) }
    // What begins like text is not taken for packets, so only armor can hold it.
    guard let again = try? OpenPGP.Armor.blocks(armored, kind: kind, limit: 1 << 22) else {
        fatalError("what was written does not read")
    }
    precondition(again == blocks, "what was written reads as something else")
    return 0
}
