import PDSecrets

/// A line of a share as it was typed, printed, mailed or recognised, made plain: what people and programs do to text on
/// its way is undone where that changes no meaning. Checksums decide whether it was right.
struct LineText {
    /// UTF-8 without invisible characters, spaces of every kind as one U+0020, dashes as hyphens; none at the ends.
    let bytes: SecretBytes

    /// - Parameter letters: whether letters that look like Latin ones become these: right for all lines but names.
    init(_ raw: UnsafeRawBufferPointer, letters: Bool) {
        var memory = SecretBytes(count: raw.count)
        let used = memory.withUnsafeMutableBytes { memory -> Int in
            var writer = Writer(memory: memory)
            var position = 0
            while position < raw.count {
                let (scalar, length) = Self.decode(raw, at: position)
                if let scalar {
                    switch Self.plain(scalar, letters: letters) {
                    case .some(let replacement): writer.put(replacement)
                    case .none: break
                    }
                } else {
                    writer.putByte(raw[position])
                }
                position += length
            }
            return writer.count
        }
        bytes = memory.withUnsafeBytes {
            SecretBytes(copying: $0[..<used])
        }
    }

    /// What somebody who sees the line cannot see: the place of each invisible character, counted from 1.
    static func invisible(in raw: UnsafeRawBufferPointer) -> [ShareLineProblem.Invisible] {
        var result: [ShareLineProblem.Invisible] = []
        var (position, place) = (0, 0)
        while position < raw.count {
            let (scalar, length) = decode(raw, at: position)
            position += length
            place += 1
            guard let scalar, !scalar.isASCII else { continue }
            let replacement = plain(scalar, letters: true)
            if replacement == nil
                || replacement != scalar && (replacement == " " || replacement?.isASCII == true)
            {
                result.append(ShareLineProblem.Invisible(place: place, scalar: scalar))
            }
        }
        return result
    }

    private struct Writer {
        let memory: UnsafeMutableRawBufferPointer
        var count = 0
        private var pendingSpace = false

        init(memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

        mutating func put(_ scalar: Unicode.Scalar) {
            if scalar == " " {
                pendingSpace = count > 0
            } else {
                for byte in UTF8.encode(scalar) ?? .init() { putByte(byte) }
            }
        }

        mutating func putByte(_ byte: UInt8) {
            if pendingSpace {
                memory[count] = 0x20
                count += 1
                pendingSpace = false
            }
            memory[count] = byte
            count += 1
        }
    }

    /// The scalar at a place and how many bytes it has; nil for a byte that is no UTF-8.
    private static func decode(
        _ raw: UnsafeRawBufferPointer, at start: Int
    ) -> (scalar: Unicode.Scalar?, length: Int) {
        let first = raw[start]
        if first < 0x80 { return (Unicode.Scalar(first), 1) }
        let length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
        guard first >= 0xc2, first < 0xf5, start + length <= raw.count else { return (nil, 1) }
        var value = UInt32(first) & (0xff >> UInt32(length + 1))
        for byte in raw[(start + 1)..<(start + length)] {
            guard byte & 0xc0 == 0x80 else { return (nil, 1) }
            value = value << 6 | UInt32(byte & 0x3f)
        }
        // Overlong forms come out smaller than their length allows.
        guard let scalar = Unicode.Scalar(value), UTF8.width(scalar) == length else { return (nil, 1) }
        return (scalar, length)
    }

    /// What a character stands for; nil for one that is not seen.
    private static func plain(_ scalar: Unicode.Scalar, letters: Bool) -> Unicode.Scalar? {
        if scalar == "\t" || scalar == "\r" || scalar == "\u{0b}" || scalar == "\u{0c}" { return " " }
        if scalar.isASCII { return scalar }
        switch scalar.value {
        case 0x2010...0x2015, 0x2212, 0xfe58, 0xfe63: return "-"
        case 0xff01...0xff5e where letters: return Unicode.Scalar(scalar.value - 0xfee0)
        default: break
        }
        if letters, let latin = lookAlikes[scalar] { return latin }
        switch scalar.properties.generalCategory {
        case .spaceSeparator, .lineSeparator, .paragraphSeparator: return " "
        // The joiners of names are seen.
        case .format: return letters || !(scalar == "\u{200c}" || scalar == "\u{200d}") ? nil : scalar
        default: return scalar
        }
    }

    /// Cyrillic and Greek letters that look like Latin ones.
    private static let lookAlikes: [Unicode.Scalar: Unicode.Scalar] = {
        let pairs: [(String, String)] = [
            ("АВСЕНІЈКМОРЅТХҮԌԚԜ", "ABCEHIJKMOPSTXYGQW"), ("асеіјорѕхуһԁԛԝ", "aceijopsxyhdqw"),
            ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX"), ("ονϲ", "ovc"),
        ]
        var table: [Unicode.Scalar: Unicode.Scalar] = [:]
        for (foreign, latin) in pairs {
            for (from, to) in zip(foreign.unicodeScalars, latin.unicodeScalars) { table[from] = to }
        }
        return table
    }()
}
