import PDCrypto

/// Signatures over the content of single files, as agents of version 1 verify them.
///
/// Such a signature goes out to whoever gets the file. Its purpose says that it is one of a file, and of nothing that
/// agents of this software carry out; what is a statement of ours by its form gets none at all, so that no verifier that
/// looks at no purpose is misled either.
public enum FileSignature {
    /// A statement where the content of a file is wanted.
    public struct Refusal: Error, Equatable, CustomStringConvertible {
        /// One line for people.
        public let description =
            "it has the form of an order or a manifest, which is never signed as a file for agents of version 1"
    }

    /// A binary detached signature of a file's content, for ``Purpose/file``.
    ///
    /// - Throws: ``Refusal``, or what the signer throws.
    public static func make(
        of content: [UInt8], by signer: some OpenPGP.DetachedSigner, at now: OpenPGP.Timestamp
    ) throws -> [UInt8] {
        guard !isStatement(content) else { throw Refusal() }
        return try signer.detachedSignature(of: content, for: .file, at: now)
    }

    /// Whether some bytes can be read as a statement of ours: JSON, an object, with a format that is one. White space,
    /// escapes, the order of the fields and the encoding (UTF-8, UTF-16 or UTF-32, with or without a mark) do not matter.
    static func isStatement(_ content: [UInt8]) -> Bool {
        guard content.first(where: { !ignored.contains($0) }) == UInt8(ascii: "{") else { return false }
        let bare = content.filter { !ignored.contains($0) }
        return contains(unescaped(bare), Array("\"format\":\"penguindome-".utf8))
    }

    /// White space, the zeros of ASCII in wider encodings, and byte-order marks.
    private static let ignored: Set<UInt8> = [0, 0x09, 0x0a, 0x0d, 0x20, 0xef, 0xbb, 0xbf, 0xfe, 0xff]

    /// JSON's escapes of ASCII resolved (RFC 8259, section 7).
    private static func unescaped(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var place = 0
        while place < text.count {
            if text[place] == UInt8(ascii: "\\"), place + 5 < text.count,
                text[place + 1] == UInt8(ascii: "u"),
                let value = UInt8(String(decoding: text[place + 2..<place + 6], as: UTF8.self), radix: 16)
            {
                result.append(value)
                place += 6
            } else {
                result.append(text[place])
                place += 1
            }
        }
        return result
    }

    private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        text.indices.contains { text[$0] == part[0] && text[$0...].starts(with: part) }
    }
}
