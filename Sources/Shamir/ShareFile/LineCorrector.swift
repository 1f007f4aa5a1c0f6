import PDSecrets

/// Looks for the one small change after which a line agrees with its checksum: a wrong, missing or surplus character,
/// two neighbours in the wrong order, or two characters that look like others.
///
/// A line has some fifteen hundred such neighbours and a checksum of 32 bits, so that a wrong one fits with a
/// probability below one in a million; the share's own checksum over all lines stands behind it.
struct LineCorrector {
    /// What stands before the content in the checksum: the binding, and of a numbered line its key.
    let prefix: [UInt8]
    /// The characters that may stand in the content.
    let alphabet: [UInt8]
    /// Characters of the right content, where that is known.
    let length: Int?
    /// How many characters a printed group has; 0 for text that is not grouped.
    let group: Int

    static let base32 = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
    static let printable = Array(UInt8(0x20)...0x7e)

    /// Characters that a person or a camera takes for each other, besides those that mean the same.
    private static let alike: [UInt8: [UInt8]] = {
        var table: [UInt8: [UInt8]] = [:]
        for pair in [
            "8B", "5S", "2Z", "6G", "17", "0D", "0Q", "9R", "4A", "VY", "MN", "CG", "EF", "KX", "PR", "38",
            "9P", "HN", "6B", "08", "9G", "VW", "TY", "17", "7T", "0C", "96",
        ] {
            let both = Array(pair.utf8)
            table[both[0], default: []].append(both[1])
            table[both[1], default: []].append(both[0])
        }
        return table
    }()

    /// - Parameters:
    ///   - content: as it was read.
    ///   - checksum: as it was read, seven characters where it is whole.
    /// - Returns: nil where no change fits, or more than one.
    func correction(_ content: UnsafeRawBufferPointer, checksum: [UInt8]) -> ShareLineProblem.Correction? {
        guard 1...160 ~= content.count, checksum.count <= 16 else { return nil }
        var found = Found(content: content, checksum: checksum)
        let read = value(of: content[...])
        if fits(content.count) {
            if let wanted = LineChecksum.parse(checksum) {
                replaceOrSwap(content, difference: read ^ wanted, &found)
            }
            replaceInChecksum(right: LineChecksum.text(read), &found)
        }
        if let wanted = LineChecksum.parse(checksum) {
            if fits(content.count - 1) { remove(content, wanted: wanted, &found) }
            if fits(content.count + 1) { insert(content, wanted: wanted, &found) }
        }
        if found.isEmpty, fits(content.count) { pairs(content, read: read, &found) }
        return found.only
    }

    private func fits(_ count: Int) -> Bool { length.map { $0 == count } ?? true }

    /// The checksum of a line of these parts.
    private func value(of parts: Slice<UnsafeRawBufferPointer>...) -> UInt32 {
        var checksum = LineChecksum()
        checksum.add(prefix)
        for part in parts { checksum.add(part) }
        return checksum.value
    }

    /// By how much a checksum changes with a byte that so many others follow: CRCs are linear, so that a change need not
    /// be made to know what it does.
    private static func change(_ bits: UInt8, followers: Int) -> UInt32 {
        (0..<8).reduce(0) { bits >> $1 & 1 == 0 ? $0 : $0 ^ changes[followers * 8 + $1] }
    }

    /// For each number of bytes that follow, and each bit of a byte.
    private static let changes: [UInt32] = {
        let zeros = [UInt8](repeating: 0, count: 162)
        return (0..<161).flatMap { followers in
            var none = LineChecksum()
            none.add(zeros[...followers])
            return (0..<8).map { bit in
                var one = LineChecksum()
                one.add([1 << UInt8(bit)] + zeros[..<followers])
                return one.value ^ none.value
            }
        }
    }()

    /// A wrong character, or two neighbours in the wrong order.
    private func replaceOrSwap(_ line: UnsafeRawBufferPointer, difference: UInt32, _ found: inout Found) {
        for index in line.indices {
            let (read, followers) = (line[index], line.count - 1 - index)
            for character in alphabet
            where character != read && Self.change(read ^ character, followers: followers) == difference {
                found.keep("\(place(index)) is \(show(character)), not \(show(read))") {
                    $0[index] = character
                }
            }
            guard followers > 0, line[index + 1] != read else { continue }
            let bits = read ^ line[index + 1]
            if Self.change(bits, followers: followers) ^ Self.change(bits, followers: followers - 1)
                == difference
            {
                found.keep("\(place(index)) and the one after it are in the wrong order") {
                    $0.swapAt(index, index + 1)
                }
            }
        }
    }

    /// A wrong character in the checksum of a line that is right.
    private func replaceInChecksum(right: [UInt8], _ found: inout Found) {
        let read = found.checksum
        guard read.count == right.count else { return }
        let wrong = read.indices.filter { read[$0] != right[$0] }
        guard let index = wrong.first, wrong.count == 1 else { return }
        found.keep(
            "character \(index + 1) after # is \(show(right[index])), not \(show(read[index]))",
            checksum: right)
    }

    private func remove(_ line: UnsafeRawBufferPointer, wanted: UInt32, _ found: inout Found) {
        for index in line.indices where value(of: line[..<index], line[(index + 1)...]) == wanted {
            found.keep("\(place(index)), \(show(line[index])), is one too many", removing: index)
        }
    }

    private func insert(_ line: UnsafeRawBufferPointer, wanted: UInt32, _ found: inout Found) {
        for index in 0...line.count {
            let zero = [UInt8(0)].withUnsafeBytes { value(of: line[..<index], $0[...], line[index...]) }
            for character in alphabet
            where zero ^ Self.change(character, followers: line.count - index) == wanted {
                found.keep("\(show(character)) is missing as \(place(index))", inserting: index) {
                    $0[index] = character
                }
            }
        }
    }

    /// Two characters of the line or its checksum, each of which looks like the one that was read.
    private func pairs(_ line: UnsafeRawBufferPointer, read: UInt32, _ found: inout Found) {
        func words(_ a: (UInt8, UInt8), _ b: (UInt8, UInt8)) -> String {
            "\(show(a.1)) for \(show(a.0)) and \(show(b.1)) for \(show(b.0))"
        }
        let checksum = found.checksum
        for first in line.indices {
            for one in Self.alike[line[first]] ?? [] {
                let changed = read ^ Self.change(line[first] ^ one, followers: line.count - 1 - first)
                if let wanted = LineChecksum.parse(checksum) {
                    for second in (first + 1)..<max(line.count, first + 1) {
                        for other in Self.alike[line[second]] ?? []
                        where changed
                            ^ Self.change(line[second] ^ other, followers: line.count - 1 - second) == wanted
                        {
                            found.keep(words((line[first], one), (line[second], other))) {
                                ($0[first], $0[second]) = (one, other)
                            }
                        }
                    }
                }
                // The other one in the checksum.
                let right = LineChecksum.text(changed)
                guard right.count == checksum.count else { continue }
                let wrong = right.indices.filter { right[$0] != checksum[$0] }
                guard let second = wrong.first, wrong.count == 1,
                    Self.alike[checksum[second]]?.contains(right[second]) == true
                else { continue }
                found.keep(
                    words((line[first], one), (checksum[second], right[second])), checksum: right
                ) { $0[first] = one }
            }
        }
        // Both in the checksum.
        let right = LineChecksum.text(read)
        guard right.count == checksum.count else { return }
        let wrong = right.indices.filter { right[$0] != checksum[$0] }
        guard wrong.count == 2, wrong.allSatisfy({ Self.alike[checksum[$0]]?.contains(right[$0]) == true })
        else { return }
        found.keep(
            words((checksum[wrong[0]], right[wrong[0]]), (checksum[wrong[1]], right[wrong[1]])),
            checksum: right)
    }

    /// The lines that fit so far.
    private struct Found {
        let content: UnsafeRawBufferPointer
        let checksum: [UInt8]
        private var first: ShareLineProblem.Correction?
        private var several = false

        init(content: UnsafeRawBufferPointer, checksum: [UInt8]) {
            self.content = content
            self.checksum = checksum
        }

        var isEmpty: Bool { first == nil }
        var only: ShareLineProblem.Correction? { several ? nil : first }

        /// - Parameters:
        ///   - right: the checksum, where that is what changes.
        ///   - removed: the place of a character that goes.
        ///   - inserted: the place of a character that comes.
        ///   - change: what else changes in the line.
        mutating func keep(
            _ words: String, checksum right: [UInt8]? = nil, removing removed: Int? = nil,
            inserting inserted: Int? = nil, change: (UnsafeMutableRawBufferPointer) -> Void = { _ in }
        ) {
            let count = content.count + (inserted == nil ? 0 : 1) - (removed == nil ? 0 : 1)
            let line = SecretBytes(count: count) { line in
                for index in line.indices {
                    let from =
                        index
                        + (removed.map { index >= $0 ? 1 : 0 } ?? 0)
                        - (inserted.map { index > $0 ? 1 : 0 } ?? 0)
                    line[index] = from < content.count ? content[from] : 0
                }
                change(line)
            }
            let new = ShareLineProblem.Correction(words: words, content: line, checksum: right ?? checksum)
            guard let first else {
                self.first = new
                return
            }
            // The same text can be reached in several ways.
            if first.content != new.content || first.checksum != new.checksum { several = true }
        }
    }

    private func place(_ index: Int) -> String {
        group > 0 ? "character \(index % group + 1) of group \(index / group + 1)" : "character \(index + 1)"
    }

    private func show(_ character: UInt8) -> String { "\"\(Character(Unicode.Scalar(character)))\"" }
}
