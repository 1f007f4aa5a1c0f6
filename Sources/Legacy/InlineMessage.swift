import PDCrypto

/// A signed message that carries its document: a one-pass signature packet, the document as literal data, and the
/// signature (RFC 9580, section 10.3), as version 1 sends the tar of a release.
///
/// They are made here and nowhere read: agents of version 1 give them to gpg.
public enum InlineMessage {
    /// A message of `document`, signed by `key` for the purpose ``PDCrypto/Purpose/file``, in ASCII armor.
    ///
    /// - Parameters:
    ///   - fileName: goes with the document, unsigned; at most 255 bytes of UTF-8.
    ///   - time: what the signature gives as its creation time; the key must be valid then.
    public static func sign(
        _ document: some Collection<UInt8>, fileName: String, with key: OpenPGP.SecretKey,
        at time: OpenPGP.Timestamp
    ) throws(OpenPGP.Error) -> [UInt8] {
        let name = Array(fileName.utf8)
        guard name.count <= 255 else { throw .unsuitableTimeOrName }
        let signature = try key.detachedSignature(of: document, for: .file, at: time)
        let signed = try OpenPGP.Verifier(certificates: [key.certificate])
            .verify(signature: signature, of: document, for: .file, at: time)
        // Of the signature's own first octets (section 5.2.3) after the packet's header, whose first two bits say how long
        // the length is (section 4.2.2).
        let (type, algorithm) = (UInt8(0x00), signature[(signature[0] & 3 == 0 ? 2 : 3) + 2])
        let onePass = [3, type, signed.hash.rawValue, algorithm] + signed.signingKey.bytes.suffix(8) + [1]
        let literal = [UInt8(ascii: "b"), UInt8(name.count)] + name + OpenPGP.bigEndian(time.seconds)
        let message =
            OpenPGP.packet(.onePassSignature, onePass) + OpenPGP.packet(.literalData, literal + document)
            + signature
        return OpenPGP.Armor.wrap(message, kind: .message)
    }
}
