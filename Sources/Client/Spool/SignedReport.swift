/// A report as it will be sent, byte for byte, however often it takes.
public struct SignedReport: Sendable, Equatable {
    /// The JSON text that is signed.
    public let data: [UInt8]
    /// The armored detached signature over it.
    public let signature: [UInt8]

    /// A report with its signature.
    public init(data: [UInt8], signature: [UInt8]) {
        self.data = data
        self.signature = signature
    }

    private static let magic = "penguindome-report 1 "

    /// The content of a spool file: one line `penguindome-report 1 DATA SIGNATURE` with the two lengths in bytes, then
    /// the data, then the signature.
    var fileContent: [UInt8] {
        Array("\(Self.magic)\(data.count) \(signature.count)\n".utf8) + data + signature
    }

    /// Reads a spool file; nothing where it is not exactly one.
    init?(fileContent: [UInt8]) {
        guard let newline = fileContent.prefix(80).firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let header = String(decoding: fileContent[..<newline], as: UTF8.self)
        guard header.hasPrefix(Self.magic) else { return nil }
        let lengths = header.dropFirst(Self.magic.count).split(separator: " ").map { Int($0) ?? -1 }
        let body = fileContent[(newline + 1)...]
        guard lengths.count == 2, lengths[0] >= 0, lengths[1] >= 0, lengths[0] <= body.count,
            lengths[1] == body.count - lengths[0]
        else { return nil }
        data = Array(body.prefix(lengths[0]))
        signature = Array(body.suffix(lengths[1]))
    }
}
