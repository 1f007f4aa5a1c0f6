extension OpenPGP {
    /// Detached signatures of one document in one file, as several people make them one after the other.
    public enum SignatureFile {
        /// A file with one more signature: in the place of one by the same key, and of what was made of another document,
        /// as far as the first two octets of a digest tell (RFC 9580, section 5.2.3). The others stay, whoever made them.
        ///
        /// - Parameters:
        ///   - signature: one binary signature packet.
        ///   - file: binary or armored; empty where there is none yet.
        ///   - document: what both are of.
        /// - Returns: binary packets, and how many of them were there before.
        public static func adding(
            _ signature: [UInt8], to file: [UInt8], of document: [UInt8]
        ) throws(OpenPGP.Error) -> (bytes: [UInt8], kept: Int) {
            let added = try Verifier.signaturePackets(signature)
            guard added.count == 1 else { throw .notExactlyOneSignature(found: added.count) }
            let issuers = try SignaturePacket(added[0].body).issuers
            let kept =
                try file.isEmpty
                ? []
                : Verifier.signaturePackets(file).filter { packet in
                    guard let known = try? SignaturePacket(packet.body) else { return false }
                    return known.issuers.allSatisfy { !issuers.contains($0) }
                        && known.mayBe(of: document, packet)
                }
            return (kept.flatMap(\.bytes) + signature, kept.count)
        }
    }
}

extension OpenPGP.SignaturePacket {
    /// Whether the two octets before the signature's value are those of its digest of a document.
    fileprivate func mayBe(of document: [UInt8], _ packet: OpenPGP.Packet) -> Bool {
        guard let hash = OpenPGP.HashAlgorithm(rawValue: hash.id) else { return false }
        return packet.body[..<value.startIndex].suffix(2).elementsEqual(
            digest(of: document, hash.digest).prefix(2))
    }
}
