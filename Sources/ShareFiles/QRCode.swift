/// A QR code (ISO/IEC 18004:2015) in byte mode, error correction level M, with the smallest version that fits.
///
/// Our own, because the program has to be one file without any library.
package struct QRCode {
    /// Modules on a side, without the quiet zone of four modules that has to surround them.
    package let size: Int
    private var modules: [Bool]
    private var isFunction: [Bool]

    /// Codewords for error correction in each block at level M, for versions 1 to 40 (table 9).
    private static let correctionCodewords = [
        10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, 28, 28, 28, 28,
        28, 28, 28,
        28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    ]
    /// Blocks at level M (table 9).
    private static let blocks = [
        1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21, 23, 25, 26, 28,
        29, 31,
        33, 35, 37, 38, 40, 43, 45, 47, 49,
    ]

    /// - Returns: nil where the bytes are too many for any version (2,331 at level M).
    package init?(_ bytes: [UInt8]) {
        let isASCII = bytes.allSatisfy { $0 < 0x80 }
        guard
            let version = (1...40).first(where: { version in
                let countBits = version < 10 ? 8 : 16
                return (isASCII ? 0 : 12) + 4 + countBits + bytes.count * 8 <= Self.dataCodewords(version) * 8
            })
        else { return nil }
        size = version * 4 + 17
        modules = Array(repeating: false, count: size * size)
        isFunction = modules
        drawFunctionPatterns(version)
        draw(Self.codewords(bytes, isASCII: isASCII, version: version))
        var best: (penalty: Int, mask: Int) = (.max, 0)
        for mask in 0..<8 {
            apply(mask)
            drawFormat(mask)
            let penalty = self.penalty
            if penalty < best.penalty { best = (penalty, mask) }
            apply(mask)
        }
        apply(best.mask)
        drawFormat(best.mask)
    }

    /// Whether a module is dark.
    package func isDark(_ x: Int, _ y: Int) -> Bool { modules[y * size + x] }

    // MARK: Codewords

    private static func rawModules(_ version: Int) -> Int {
        var result = (16 * version + 128) * version + 64
        if version >= 2 {
            let alignments = version / 7 + 2
            result -= (25 * alignments - 10) * alignments - 55
            if version >= 7 { result -= 36 }
        }
        return result
    }

    private static func dataCodewords(_ version: Int) -> Int {
        rawModules(version) / 8 - correctionCodewords[version - 1] * blocks[version - 1]
    }

    private static func codewords(_ bytes: [UInt8], isASCII: Bool, version: Int) -> [UInt8] {
        var bits: [Bool] = []
        func put(_ value: Int, _ count: Int) {
            for bit in (0..<count).reversed() { bits.append(value >> bit & 1 == 1) }
        }
        if !isASCII {
            // Extended channel interpretation 26: UTF-8.
            put(7, 4)
            put(26, 8)
        }
        put(4, 4)
        put(bytes.count, version < 10 ? 8 : 16)
        for byte in bytes { put(Int(byte), 8) }
        let capacity = dataCodewords(version) * 8
        put(0, min(4, capacity - bits.count))
        put(0, (8 - bits.count % 8) % 8)
        var pad = 0xec
        while bits.count < capacity {
            put(pad, 8)
            pad ^= 0xec ^ 0x11
        }
        let data = stride(from: 0, to: bits.count, by: 8).map { start in
            bits[start..<(start + 8)].reduce(UInt8(0)) { $0 << 1 | ($1 ? 1 : 0) }
        }
        return interleaved(data, version)
    }

    private static func interleaved(_ data: [UInt8], _ version: Int) -> [UInt8] {
        let count = blocks[version - 1]
        let correction = correctionCodewords[version - 1]
        let raw = rawModules(version) / 8
        let short = raw / count - correction
        let divisor = generator(correction)
        var pieces: [ArraySlice<UInt8>] = []
        var checks: [[UInt8]] = []
        var position = 0
        for block in 0..<count {
            let length = short + (block < count - raw % count ? 0 : 1)
            pieces.append(data[position..<(position + length)])
            checks.append(remainder(data[position..<(position + length)], divisor))
            position += length
        }
        var result: [UInt8] = []
        for index in 0...short {
            for piece in pieces where index < piece.count { result.append(piece[piece.startIndex + index]) }
        }
        for index in 0..<correction { for check in checks { result.append(check[index]) } }
        return result
    }

    /// Multiplication modulo x⁸ + x⁴ + x³ + x² + 1.
    private static func multiply(_ a: UInt8, _ b: UInt8) -> UInt8 {
        var result = 0
        for bit in (0..<8).reversed() {
            result = result << 1 ^ (result >> 7) * 0x11d
            result ^= (Int(b) >> bit & 1) * Int(a)
        }
        return UInt8(truncatingIfNeeded: result)
    }

    private static func generator(_ degree: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: degree - 1) + [1]
        var root: UInt8 = 1
        for _ in 0..<degree {
            for index in result.indices {
                result[index] = multiply(result[index], root)
                if index + 1 < degree { result[index] ^= result[index + 1] }
            }
            root = multiply(root, 2)
        }
        return result
    }

    private static func remainder(_ data: ArraySlice<UInt8>, _ divisor: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: divisor.count)
        for byte in data {
            let factor = byte ^ result.removeFirst()
            result.append(0)
            for index in result.indices { result[index] ^= multiply(divisor[index], factor) }
        }
        return result
    }

    // MARK: Drawing

    private mutating func set(_ x: Int, _ y: Int, _ dark: Bool) {
        modules[y * size + x] = dark
        isFunction[y * size + x] = true
    }

    private mutating func drawFunctionPatterns(_ version: Int) {
        for index in 0..<size {
            set(6, index, index % 2 == 0)
            set(index, 6, index % 2 == 0)
        }
        for (x, y) in [(3, 3), (size - 4, 3), (3, size - 4)] {
            for dy in -4...4 {
                for dx in -4...4 where 0..<size ~= x + dx && 0..<size ~= y + dy {
                    let distance = max(abs(dx), abs(dy))
                    set(x + dx, y + dy, distance != 2 && distance != 4)
                }
            }
        }
        let places = alignmentPlaces(version)
        for (i, x) in places.enumerated() {
            for (j, y) in places.enumerated() {
                let last = places.count - 1
                if (i, j) == (0, 0) || (i, j) == (0, last) || (i, j) == (last, 0) { continue }
                for dy in -2...2 { for dx in -2...2 { set(x + dx, y + dy, max(abs(dx), abs(dy)) != 1) } }
            }
        }
        // Reserved now, drawn with each mask.
        drawFormat(0)
        guard version >= 7 else { return }
        var remainder = version
        for _ in 0..<12 { remainder = remainder << 1 ^ (remainder >> 11) * 0x1f25 }
        let bits = version << 12 | remainder
        for bit in 0..<18 {
            let dark = bits >> bit & 1 == 1
            set(size - 11 + bit % 3, bit / 3, dark)
            set(bit / 3, size - 11 + bit % 3, dark)
        }
    }

    private func alignmentPlaces(_ version: Int) -> [Int] {
        guard version > 1 else { return [] }
        let count = version / 7 + 2
        let step = (version * 8 + count * 3 + 5) / (count * 4 - 4) * 2
        return [6] + (0..<(count - 1)).map { size - 7 - $0 * step }.reversed()
    }

    /// Level M is 00 (table 12).
    private mutating func drawFormat(_ mask: Int) {
        var remainder = mask
        for _ in 0..<10 { remainder = remainder << 1 ^ (remainder >> 9) * 0x537 }
        let bits = (mask << 10 | remainder) ^ 0x5412
        func dark(_ bit: Int) -> Bool { bits >> bit & 1 == 1 }
        for bit in 0...5 { set(8, bit, dark(bit)) }
        set(8, 7, dark(6))
        set(8, 8, dark(7))
        set(7, 8, dark(8))
        for bit in 9..<15 { set(14 - bit, 8, dark(bit)) }
        for bit in 0..<8 { set(size - 1 - bit, 8, dark(bit)) }
        for bit in 8..<15 { set(8, size - 15 + bit, dark(bit)) }
        set(8, size - 8, true)
    }

    /// Two columns at a time from the right, up and down in turn.
    private mutating func draw(_ codewords: [UInt8]) {
        var bit = 0
        var right = size - 1
        while right >= 1 {
            if right == 6 { right = 5 }
            for vertical in 0..<size {
                for column in 0..<2 {
                    let x = right - column
                    let upward = (right + 1) & 2 == 0
                    let y = upward ? size - 1 - vertical : vertical
                    guard !isFunction[y * size + x], bit < codewords.count * 8 else { continue }
                    modules[y * size + x] = codewords[bit / 8] >> UInt8(7 - bit % 8) & 1 == 1
                    bit += 1
                }
            }
            right -= 2
        }
    }

    private mutating func apply(_ mask: Int) {
        for y in 0..<size {
            for x in 0..<size where !isFunction[y * size + x] {
                let invert =
                    switch mask {
                    case 0: (x + y) % 2 == 0
                    case 1: y % 2 == 0
                    case 2: x % 3 == 0
                    case 3: (x + y) % 3 == 0
                    case 4: (x / 3 + y / 2) % 2 == 0
                    case 5: x * y % 2 + x * y % 3 == 0
                    case 6: (x * y % 2 + x * y % 3) % 2 == 0
                    default: ((x + y) % 2 + x * y % 3) % 2 == 0
                    }
                if invert { modules[y * size + x].toggle() }
            }
        }
    }

    /// How hard the pattern is to read: runs, blocks and balance (section 7.8.3, without its pattern of a finder).
    private var penalty: Int {
        var result = 0
        for line in 0..<size {
            for isRow in [true, false] {
                var (run, color) = (0, false)
                for index in 0..<size {
                    let dark = isRow ? isDark(index, line) : isDark(line, index)
                    run = dark == color && index > 0 ? run + 1 : 1
                    color = dark
                    if run == 5 { result += 3 } else if run > 5 { result += 1 }
                }
            }
        }
        for y in 0..<(size - 1) {
            for x in 0..<(size - 1) {
                let dark = isDark(x, y)
                if dark == isDark(x + 1, y), dark == isDark(x, y + 1), dark == isDark(x + 1, y + 1) {
                    result += 3
                }
            }
        }
        let dark = modules.count { $0 }
        return result + abs(dark * 20 - modules.count * 10) / modules.count * 10
    }
}
