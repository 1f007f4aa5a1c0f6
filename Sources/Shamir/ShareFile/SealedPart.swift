import PDSecrets

/// A part of a sealed file as text, to be printed as a QR code. See docs/share-format.md, "A printed sealed file".
public struct SealedPart: Equatable, Sendable {
    /// The set that the file belongs to, as it is printed.
    public let set: String
    /// From 1.
    public let number: Int
    /// How many parts the file has.
    public let count: Int
    /// What this part holds of the file.
    public let bytes: [UInt8]

    /// Bytes of the file in each part but the last: a code of them is read from a photograph of a page with four.
    public static let maximumBytes = 750
    /// The most parts that a file may have.
    public static let maximumCount = 99

    private static let begin = "BEGIN PENGUINDOME SEALED FILE"
    private static let end = "END PENGUINDOME SEALED FILE"

    /// The parts of a file, in their order; none where it is too long, or no sealed file.
    public static func parts(of file: [UInt8]) -> [SealedPart] {
        guard let set = SealedFormat.set(fromHeader: file.prefix(SealedFormat.headerBytes)),
            file.count <= maximumBytes * maximumCount
        else { return [] }
        let starts = Array(stride(from: 0, to: file.count, by: maximumBytes))
        return starts.enumerated().map { index, start in
            SealedPart(
                set: ShareSet.text(ofIdentifier: set), number: index + 1, count: starts.count,
                bytes: Array(file[start..<min(start + maximumBytes, file.count)]))
        }
    }

    private var checksum: String {
        var whole = WholeChecksum()
        whole.add("\(set)\n\(number) of \(count)\n".utf8)
        whole.add(bytes)
        return String(decoding: whole.text, as: UTF8.self)
    }

    /// The lines of the part.
    public var text: String {
        let code = BaseN.base64.encode(bytes)
        let lines = stride(from: 0, to: code.count, by: 76).map {
            String(decoding: code[$0..<min($0 + 76, code.count)], as: UTF8.self)
        }
        return
            (["-----\(Self.begin)-----", "Set: \(set)", "Part: \(number) of \(count)"] + lines
            + ["Check: \(checksum)", "-----\(Self.end)-----"]).joined(separator: "\n") + "\n"
    }

    /// All parts in a text that are whole, and how many are not.
    public static func scan(_ text: UnsafeRawBufferPointer) -> (parts: [SealedPart], damaged: Int) {
        var (parts, damaged): ([SealedPart], Int) = ([], 0)
        var block: [String]?
        for line in text.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }) {
            // What holds no part may be a share, and is not made a string.
            guard block != nil || line.count < 80 && line.contains(0x2d) else { continue }
            let plain = String(decoding: line, as: UTF8.self).drop { " >|".contains($0) }
            if plain.contains(end) {
                if let lines = block {
                    if let part = SealedPart(lines) { parts.append(part) } else { damaged += 1 }
                }
                block = nil
            } else if plain.contains(begin) {
                if block != nil { damaged += 1 }
                block = []
            } else {
                block?.append(String(plain))
            }
        }
        return (parts, damaged + (block == nil ? 0 : 1))
    }

    private init?(_ lines: [String]) {
        var values: [String: String] = [:]
        var code: [UInt8] = []
        for line in lines {
            if let colon = line.firstIndex(of: ":") {
                values[String(line[..<colon])] = String(
                    line[line.index(after: colon)...].filter { $0 != " " })
            } else {
                code += line.utf8.filter { $0 > 0x20 }
            }
        }
        let numbers = (values["Part"] ?? "").split(separator: "of").map { Decimal.parse(String($0)) }
        guard let set = values["Set"], numbers.count == 2, let number = numbers[0], let count = numbers[1],
            1...Self.maximumCount ~= count, 1...count ~= number, let bytes = BaseN.base64.decode(code)
        else { return nil }
        (self.set, self.number, self.count, self.bytes) = (set, number, count, bytes)
        guard values["Check"] == checksum else { return nil }
    }

    private init(set: String, number: Int, count: Int, bytes: [UInt8]) {
        (self.set, self.number, self.count, self.bytes) = (set, number, count, bytes)
    }

    /// Puts parts of one file together.
    ///
    /// - Returns: the file, or the numbers of the parts that are not there.
    public static func joined(_ parts: [SealedPart]) -> (file: [UInt8]?, missing: [Int]) {
        let count = parts.map(\.count).max() ?? 0
        var pieces: [Int: [UInt8]] = [:]
        for part in parts where part.count == count { pieces[part.number] = part.bytes }
        let missing = (1...max(1, count)).filter { pieces[$0] == nil }
        return (missing.isEmpty ? (1...count).flatMap { pieces[$0] ?? [] } : nil, missing)
    }
}
