extension OpenPGP.Certificate {
    /// This certificate with everything that another copy of it says besides: a revocation that either of them knows
    /// stays, and so does a later end of the key.
    ///
    /// - Throws: ``OpenPGP/Error/notExactlyOneKey(found:)`` where `copy` is another certificate, or
    ///   ``OpenPGP/Error/tooCostly`` where both together have too many self-signatures.
    public func merging(_ copy: OpenPGP.Certificate) throws(OpenPGP.Error) -> OpenPGP.Certificate {
        guard copy.fingerprint == fingerprint else { throw .notExactlyOneKey(found: 2) }
        // Keys, names and other things that are signed for, each with the signatures that follow it.
        var parts: [(subject: OpenPGP.Packet, signatures: [OpenPGP.Packet])] = []
        for bytes in [bytes, copy.bytes] {
            var reader = OpenPGP.PacketReader(bytes[...])
            var place = 0
            while let packet = try reader.next() {
                switch packet.tag {
                case .signature:
                    let known = parts[place].signatures
                    if !known.contains(where: { $0.body == packet.body }) {
                        parts[place].signatures.append(packet)
                    }
                // What a keyring notes about trust (RFC 9580, section 5.10) is of no account here.
                case .trust: break
                default:
                    let known = parts.firstIndex {
                        $0.subject.tag == packet.tag && $0.subject.body == packet.body
                    }
                    place = known ?? parts.count
                    if known == nil { parts.append((packet, [])) }
                }
            }
        }
        // Names stand before subkeys (RFC 9580, section 10.1).
        let subkeys = parts.filter { $0.subject.tag == .publicSubkey }
        let ordered = parts.filter { $0.subject.tag != .publicSubkey } + subkeys
        return try OpenPGP.Certificate(ordered.flatMap { $0.subject.bytes + $0.signatures.flatMap(\.bytes) })
    }
}
