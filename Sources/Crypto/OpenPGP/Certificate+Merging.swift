extension OpenPGP.Certificate {
    /// This certificate with everything that another copy of it says besides: a revocation that either of them knows
    /// stays, and so does a later end of the key.
    ///
    /// - Throws: ``OpenPGP/Error/notExactlyOneKey(found:)`` where `copy` is another certificate, or
    ///   ``OpenPGP/Error/tooCostly`` where both together have too many self-signatures.
    public func merging(_ copy: OpenPGP.Certificate) throws(OpenPGP.Error) -> OpenPGP.Certificate {
        guard copy.fingerprint == fingerprint else { throw .notExactlyOneKey(found: 2) }
        var parts = try Part.all(of: self)
        for part in try Part.all(of: copy) {
            guard let place = parts.firstIndex(where: { $0.isAbout(part) }) else {
                parts.append(part)
                continue
            }
            for packet in part.signatures
            where !parts[place].signatures.contains(where: { $0.body == packet.body }) {
                parts[place].signatures.append(packet)
            }
        }
        // Names stand before subkeys (RFC 9580, section 10.1).
        parts =
            parts.filter { $0.subject.tag != .publicSubkey }
            + parts.filter { $0.subject.tag == .publicSubkey }
        let bytes = parts.flatMap { $0.subject.bytes + $0.signatures.flatMap(\.bytes) }
        return try OpenPGP.Certificate(bytes)
    }

    /// A key, a name or another thing that is signed for, with the signatures that follow it.
    private struct Part {
        let subject: OpenPGP.Packet
        var signatures: [OpenPGP.Packet] = []

        func isAbout(_ other: Part) -> Bool {
            subject.tag == other.subject.tag && subject.body == other.subject.body
        }

        static func all(of certificate: OpenPGP.Certificate) throws(OpenPGP.Error) -> [Part] {
            var reader = OpenPGP.PacketReader(certificate.bytes[...])
            var parts: [Part] = []
            while let packet = try reader.next() {
                if packet.tag == .signature, !parts.isEmpty {
                    parts[parts.count - 1].signatures.append(packet)
                } else if packet.tag != .trust {
                    // What a keyring notes about trust (RFC 9580, section 5.10) is of no account here.
                    parts.append(Part(subject: packet))
                }
            }
            return parts
        }
    }
}
