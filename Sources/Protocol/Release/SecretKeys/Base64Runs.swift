/// Base64 (RFC 4648, or with `-` and `_`) in the midst of other text.
enum Base64Runs {
    /// Fewer characters hold no key.
    private static let shortest = 60

    /// The first thing that `look` finds in what some run of base64 means.
    ///
    /// A run goes over line breaks, blanks and their escapes. Where its first character stands in a group of four is not
    /// known, since words before it may belong to it by chance: all four are tried.
    static func first<Found>(
        in bytes: UnsafeRawBufferPointer, _ look: (UnsafeRawBufferPointer) -> Found?
    ) -> Found? {
        var run: [UInt8] = []
        var place = 0
        while place < bytes.count {
            let value = values[Int(bytes[place])]
            if value < 64 {
                run.append(value)
            } else if value == blank {
                // Goes on behind it.
            } else if bytes[place] == UInt8(ascii: "\\"), let next = bytes.byte(place + 1),
                "nrt".utf8.contains(next)
            {
                place += 1
            } else {
                if run.count >= shortest, let found = first(of: run, look) { return found }
                run.removeAll(keepingCapacity: true)
            }
            place += 1
        }
        return run.count >= shortest ? first(of: run, look) : nil
    }

    private static func first<Found>(of run: [UInt8], _ look: (UnsafeRawBufferPointer) -> Found?) -> Found? {
        for start in 0..<4 {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(run.count * 3 / 4 + 3)
            var bits: UInt32 = 0
            var count = 0
            for value in run[start...] {
                bits = bits << 6 | UInt32(value)
                count += 6
                if count >= 8 {
                    count -= 8
                    bytes.append(UInt8(truncatingIfNeeded: bits >> count))
                }
            }
            if let found = bytes.withUnsafeBytes(look) { return found }
        }
        return nil
    }

    private static let blank: UInt8 = 64
    private static let other: UInt8 = 65

    /// What each byte means.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: other, count: 256)
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        for (value, byte) in alphabet.enumerated() { values[Int(byte)] = UInt8(value) }
        values[Int(UInt8(ascii: "-"))] = 62
        values[Int(UInt8(ascii: "_"))] = 63
        for byte in " \t\r\n".utf8 { values[Int(byte)] = blank }
        return values
    }()
}
