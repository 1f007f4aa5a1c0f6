import PDSecrets

/// What mail and editors make of a text on its way.
enum TransferCoding {
    /// The text in UTF-8 where it is UTF-16; nil where it is not.
    static func fromUTF16(_ text: UnsafeRawBufferPointer) -> SecretBytes? {
        guard text.count >= 4 else { return nil }
        let marked = text.starts(with: [0xff, 0xfe]) || text.starts(with: [0xfe, 0xff])
        guard marked || (text[0] == 0) != (text[1] == 0) else { return nil }
        let littleEndian = marked ? text[0] == 0xff : text[1] == 0
        let units = stride(from: marked ? 2 : 0, to: text.count - 1, by: 2).lazy.map { index -> UInt16 in
            let (a, b) = (UInt16(text[index]), UInt16(text[index + 1]))
            return littleEndian ? a | b << 8 : a << 8 | b
        }
        var memory = SecretBytes(count: text.count / 2 * 3)
        let used = memory.withUnsafeMutableBytes { memory in
            var count = 0
            _ = transcode(units.makeIterator(), from: UTF16.self, to: UTF8.self, stoppingOnError: false) {
                memory[count] = $0
                count += 1
            }
            return count
        }
        return prefix(memory, used)
    }

    /// Undoes quoted-printable (RFC 2045 section 6.7); nil where nothing looks like it.
    static func fromQuotedPrintable(_ text: UnsafeRawBufferPointer) -> SecretBytes? {
        guard text.contains(0x3d) else { return nil }
        var memory = SecretBytes(count: text.count)
        let used = memory.withUnsafeMutableBytes { memory in
            var (count, position) = (0, 0)
            while position < text.count {
                if text[position] == 0x3d {
                    // A soft line break: blanks may have been added before the line's end.
                    var next = position + 1
                    while next < text.count, [0x20, 0x09, 0x0d].contains(text[next]) { next += 1 }
                    if next < text.count, text[next] == 0x0a {
                        position = next + 1
                        continue
                    }
                    if position + 2 < text.count, let high = hex(text[position + 1]),
                        let low = hex(text[position + 2])
                    {
                        memory[count] = high << 4 | low
                        count += 1
                        position += 3
                        continue
                    }
                }
                memory[count] = text[position]
                count += 1
                position += 1
            }
            return count
        }
        return prefix(memory, used)
    }

    /// All that stands in base 64 (RFC 2045 section 6.8) in a text, decoded; nil where nothing does.
    static func fromBase64(_ text: UnsafeRawBufferPointer) -> SecretBytes? {
        var memory = SecretBytes(count: text.count)
        let used = memory.withUnsafeMutableBytes { memory in
            var count = 0
            var (buffer, bits): (UInt32, UInt32) = (0, 0)
            var start = 0
            while start < text.count {
                let end = text[start...].firstIndex(of: 0x0a) ?? text.count
                var line = text[start..<end]
                start = end + 1
                while let last = line.last, last <= 0x20 { line = line.dropLast() }
                while let first = line.first, first <= 0x20 || first == 0x3e { line = line.dropFirst() }
                guard line.count >= 4, line.allSatisfy({ sextet($0) != nil || $0 == 0x3d }) else {
                    if count > 0 {
                        memory[count] = 0x0a
                        count += 1
                    }
                    (buffer, bits) = (0, 0)
                    continue
                }
                for character in line {
                    guard let value = sextet(character) else { continue }
                    buffer = (buffer << 6 | UInt32(value)) & 0xffff
                    bits += 6
                    guard bits >= 8 else { continue }
                    bits -= 8
                    memory[count] = UInt8(truncatingIfNeeded: buffer >> bits)
                    count += 1
                }
            }
            return count
        }
        return used == 0 ? nil : prefix(memory, used)
    }

    private static func prefix(_ memory: SecretBytes, _ count: Int) -> SecretBytes {
        memory.withUnsafeBytes { SecretBytes(copying: $0[..<count]) }
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }

    private static func sextet(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x41...0x5a: byte - 0x41
        case 0x61...0x7a: byte - 0x47
        case 0x30...0x39: byte + 4
        case 0x2b: 62
        case 0x2f: 63
        default: nil
        }
    }
}
