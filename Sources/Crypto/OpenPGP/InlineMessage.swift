extension OpenPGP {
    /// A signed message that carries its document: a one-pass signature packet, the document as literal data, and the
    /// signature (RFC 9580, section 10.3), as the tar of a v1 release is sent.
    ///
    /// Compressed messages, which `gpg --sign` makes unless told otherwise, are refused by name: what is unpacked
    /// before it is verified is an open door.
    public struct InlineMessage: Sendable {
        /// The document, every byte of which the signature covers.
        public let document: [UInt8]
        /// The file name beside the document, with control characters escaped. No signature covers it.
        public let unsignedFileName: String
        /// Who signed.
        public let signature: VerifiedSignature

        /// The most bytes that are read as a message.
        public static let sizeLimit = 1 << 28

        /// Verifies a message, armored or binary, with exactly one signature.
        ///
        /// - Parameters:
        ///   - purpose: what the signature must have been made for; nil: for nothing in particular.
        ///   - now: the time at which key and signature must hold.
        /// - Throws: the first reason to refuse; nothing of the document is given out then.
        public init(
            verifying message: [UInt8], with verifier: Verifier, for purpose: Purpose?, at now: Timestamp
        ) throws(OpenPGP.Error) {
            let binary = try Armor.unwrap(message, kind: .message, limit: Self.sizeLimit)
            var reader = PacketReader(binary[...])
            let announced = try Self.expect(.onePassSignature, try reader.next())
            let literal = try Self.expect(.literalData, try reader.next(allowingPartialLiteral: true))
            let packet = try Self.expect(.signature, try reader.next())
            if let extra = try reader.next() {
                throw extra.tag == .signature
                    ? .notExactlyOneSignature(found: 2) : .unexpectedPacket(extra.tag)
            }
            let signature = try SignaturePacket(packet.body)
            try Self.checkAnnouncement(announced.body, of: signature)

            var body = ByteReader(literal.body)
            guard try body.byte() == UInt8(ascii: "b") else {
                throw .malformedPacket("a document that is not binary")
            }
            let name = try body.bytes(Int(body.byte()))
            _ = try body.bytes(4)
            var digests = DocumentDigests(body.rest, signatures: 1)
            self.signature = try verifier.verify(signature, &digests, for: purpose, at: now)
            unsignedFileName = String(decoding: name, as: UTF8.self).escapingControls
            document = Array(body.rest)
        }

        /// A message of `document`, signed by `key` for the purpose ``Purpose/file``, binary.
        ///
        /// - Parameters:
        ///   - fileName: goes with the document, unsigned; at most 255 bytes of UTF-8.
        ///   - time: what the signature gives as its creation time; the key must be valid then.
        ///   - hash: SHA-512 with RSA and SHA-256 with other keys, unless stated.
        public static func sign(
            _ document: some Collection<UInt8>, fileName: String, with key: SecretKey, at time: Timestamp,
            hash: HashAlgorithm? = nil
        ) throws(OpenPGP.Error) -> [UInt8] {
            let signature = try key.signDetached(document, for: .file, at: time, hash: hash)
            let name = Array(fileName.utf8)
            guard name.count <= 255 else { throw .unsuitableTimeOrName }
            var reader = PacketReader(signature[...])
            guard let packet = try reader.next() else { throw .notExactlyOneSignature(found: 0) }
            let parsed = try SignaturePacket(packet.body)
            let hashByte = packet.body[packet.body.startIndex + 3]
            let issuer = parsed.issuers.first.map { bigEndian($0.value >> 32) + bigEndian($0.value) } ?? []
            return PacketReader.write(
                .onePassSignature, [3, parsed.type, hashByte, parsed.algorithm] + issuer + [1])
                + PacketReader.write(
                    .literalData,
                    [UInt8(ascii: "b"), UInt8(name.count)] + name + bigEndian(time.seconds) + document)
                + signature
        }

        /// As ``sign(_:fileName:with:at:hash:)``, in ASCII armor.
        public static func signArmored(
            _ document: some Collection<UInt8>, fileName: String, with key: SecretKey, at time: Timestamp,
            hash: HashAlgorithm? = nil
        ) throws(OpenPGP.Error) -> String {
            let message = try sign(document, fileName: fileName, with: key, at: time, hash: hash)
            return String(decoding: Armor.wrap(message, kind: .message), as: UTF8.self)
        }

        private static func expect(_ tag: PacketTag, _ packet: Packet?) throws(OpenPGP.Error) -> Packet {
            guard let packet else { throw .malformedPacket("no \(tag) packet") }
            guard packet.tag == tag else {
                if packet.tag == .compressedData { throw .compressedMessage }
                throw packet.tag.isEncryption ? .encryptedMessage : .unexpectedPacket(packet.tag)
            }
            return packet
        }

        /// What the one-pass packet announces must be what comes (RFC 9580, section 5.4).
        private static func checkAnnouncement(
            _ body: ArraySlice<UInt8>, of signature: SignaturePacket
        ) throws(OpenPGP.Error) {
            var reader = ByteReader(body)
            let version = try reader.byte()
            guard version == 3 else { throw .unsupportedSignatureVersion(version) }
            let (type, hash, algorithm) = try (reader.byte(), reader.byte(), reader.byte())
            let issuer = try KeyID(reader.bytes(8))
            guard try reader.byte() == 1, reader.isAtEnd else {
                throw .malformedPacket("a one-pass signature that is not the last")
            }
            guard type == signature.type, StatedHash(hash) == signature.hash,
                algorithm == signature.algorithm,
                signature.issuers.contains(issuer)
            else { throw .malformedPacket("a one-pass signature that is not of the signature") }
        }
    }
}
