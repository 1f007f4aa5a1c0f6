/// The lines around a share, known by their letters alone: dashes, quoting, letter case and a misread letter or two do
/// not matter.
public enum ShareFrame {
    case begin
    case end

    private static let beginLetters = Array("BEGINPENGUINDOMESHARE".utf8)
    private static let endLetters = Array("ENDPENGUINDOMESHARE".utf8)

    /// - Parameter raw: a line; nil for any that is neither BEGIN nor END.
    public init?(_ raw: UnsafeRawBufferPointer) {
        guard 18...120 ~= raw.count, !raw.contains(0x23) else { return nil }
        let letters = LineText(raw, letters: true).bytes.withUnsafeBytes { bytes in
            bytes.compactMap { byte -> UInt8? in
                let upper = 0x61...0x7a ~= byte ? byte - 0x20 : byte
                return 0x41...0x5a ~= upper || 0x30...0x39 ~= upper ? upper : nil
            }
        }
        if Self.distance(letters, Self.beginLetters) <= 2 {
            self = .begin
        } else if Self.distance(letters, Self.endLetters) <= 2 {
            self = .end
        } else {
            return nil
        }
    }

    /// Letters that have to be changed, added or removed; 9 for many.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        guard abs(a.count - b.count) <= 2 else { return 9 }
        var row = Array(0...b.count)
        for (i, letter) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in b.enumerated() {
                let change = diagonal + (letter == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(change, diagonal + 1, row[j] + 1)
            }
        }
        return row[b.count]
    }
}
