// Sources: Sources/Secrets/*.swift Fuzz/Support/*.swift Sources/Crypto/*.swift Sources/Crypto/*/*.swift -I Sources/CShims/CGcrypt
// Modules: PDSecrets
//
// Any bytes are either refused with a named error or are packets that cover the input without a gap and, written
// again, read as the same. Whatever is a signature or a key is taken apart, too.

/// The vectors as inputs to start from.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_: UnsafeMutableRawPointer?, _: UnsafeMutableRawPointer?) -> Int32 {
    Vectors.seed(
        Vectors.requests.prefix(8).map { Vectors.binary($0.signature, .signature) }
            + [Vectors.binary(Vectors.file("release/ed25519/1717286400.tar.asc"), .message)]
            + Vectors.publicKeys.map { Vectors.binary($0, .publicKey) }
            + [Vectors.binary(Vectors.secretKey, .secretKey)])
    return 0
}

/// One input of libFuzzer.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPackets(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
    let input = Array(UnsafeBufferPointer(start: data, count: size))
    var reader = OpenPGP.PacketReader(input[...])
    var end = 0
    do {
        while let packet = try reader.next() {
            precondition(packet.bytes.startIndex == end, "a gap between packets")
            precondition(packet.body.count < packet.bytes.count, "a packet without header")
            end = packet.bytes.endIndex
            check(packet)
        }
        precondition(end == input.count, "something after the last packet")
    } catch {
        // Refused: the only other answer.
        return 0
    }
    return 0
}

private func check(_ packet: OpenPGP.Packet) {
    let written = OpenPGP.packet(packet.tag, packet.body)
    var reader = OpenPGP.PacketReader(written[...])
    guard let again = try? reader.next() else { fatalError("what was written does not read") }
    precondition(again.bytes.endIndex == written.count, "something is left of what was written")
    precondition(again.tag == packet.tag && again.body == packet.body, "it reads as something else")
    if let signature = try? OpenPGP.SignaturePacket(packet.body) {
        precondition(
            signature.hashedPart.count >= 6 && signature.hashedPart.startIndex == packet.body.startIndex)
        precondition(signature.value.endIndex == packet.body.endIndex)
        precondition(signature.issuers.count <= 4 && signature.subpackets.embedded.count <= 4)
    }
    if let key = try? OpenPGP.PublicKey(packet.body) {
        precondition(key.body.startIndex == packet.body.startIndex && key.body.count <= 0xffff)
    }
}
