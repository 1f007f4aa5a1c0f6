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
    func correction(_ content: [UInt8], checksum: [UInt8]) -> ShareLineProblem.Correction? {
        guard content.count <= 160, checksum.count <= 16 else { return nil }
        var found: (content: [UInt8], checksum: [UInt8], words: String)?
        var several = false
        func consider(_ content: [UInt8], _ checksum: [UInt8], _ words: @autoclosure () -> String) {
            guard length.map({ $0 == content.count }) ?? true else { return }
            guard let wanted = LineChecksum.parse(checksum) else { return }
            var computed = LineChecksum()
            computed.add(prefix)
            computed.add(content)
            guard computed.value == wanted else { return }
            // The same text can be reached in several ways.
            if let found, found.content != content || found.checksum != checksum { several = true }
            if found == nil { found = (content, checksum, words()) }
        }
        for index in content.indices {
            for character in alphabet where character != content[index] {
                var changed = content
                changed[index] = character
                consider(
                    changed, checksum, "\(place(index)) is \(show(character)), not \(show(content[index]))")
            }
            if index + 1 < content.count, content[index] != content[index + 1] {
                var changed = content
                changed.swapAt(index, index + 1)
                consider(changed, checksum, "\(place(index)) and the one after it are in the wrong order")
            }
            var changed = content
            changed.remove(at: index)
            consider(changed, checksum, "\(place(index)), \(show(content[index])), is one too many")
        }
        for index in 0...content.count {
            for character in alphabet {
                consider(
                    content[..<index] + [character] + content[index...], checksum,
                    "\(show(character)) is missing as \(place(index))")
            }
        }
        for index in checksum.indices {
            for character in Self.base32 where character != checksum[index] {
                var changed = checksum
                changed[index] = character
                consider(
                    content, changed,
                    "character \(index + 1) after # is \(show(character)), not \(show(checksum[index]))")
            }
        }
        if found == nil { pairs(content, checksum, consider) }
        guard let found, !several else { return nil }
        return ShareLineProblem.Correction(
            words: found.words, content: found.content, checksum: found.checksum)
    }

    private func pairs(
        _ content: [UInt8], _ checksum: [UInt8],
        _ consider: ([UInt8], [UInt8], @autoclosure () -> String) -> Void
    ) {
        let all = content + checksum
        for first in all.indices {
            for one in Self.alike[all[first]] ?? [] {
                for second in all.indices where second > first {
                    for other in Self.alike[all[second]] ?? [] {
                        var changed = all
                        changed[first] = one
                        changed[second] = other
                        consider(
                            Array(changed[..<content.count]), Array(changed[content.count...]),
                            "\(show(one)) for \(show(all[first])) and \(show(other)) for \(show(all[second]))"
                        )
                    }
                }
            }
        }
    }

    private func place(_ index: Int) -> String {
        group > 0 ? "character \(index % group + 1) of group \(index / group + 1)" : "character \(index + 1)"
    }

    private func show(_ character: UInt8) -> String { "\"\(Character(Unicode.Scalar(character)))\"" }
}
