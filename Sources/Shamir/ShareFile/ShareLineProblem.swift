import PDSecrets

/// What is wrong with one line of a share. No case carries what is printed on the line, but for the characters of a
/// correction that is offered.
public struct ShareLineProblem: Equatable, Sendable {
    /// A character that nobody sees, or that looks like another one.
    public struct Invisible: Equatable, Sendable {
        /// Counted from 1.
        public let place: Int
        /// The character.
        public let scalar: Unicode.Scalar
    }

    /// The only small change after which a line agrees with its checksum.
    public struct Correction: Equatable, Sendable {
        /// Where, in words for people.
        public let words: String
        /// The content of the line as it has to be.
        let content: SecretBytes
        /// The checksum as it has to be.
        let checksum: [UInt8]
    }

    /// What speaks against a line.
    public enum Reason: Equatable, Sendable {
        /// It is not there.
        case missing
        /// It does not agree with its checksum.
        case mistyped
        /// It is a line of another share of the set.
        case ofShare(Int)
        /// It is a line of a share of another set.
        case ofAnotherSet(String)
        /// It agrees with its checksum, but says nothing that is allowed.
        case invalid
        /// A newer version of the format.
        case unknownFormat(String)
        /// The line before it has to be typed first.
        case needs(String)
        /// It is no line of a share.
        case unreadable
        /// All lines are right by themselves, but not together.
        case whole
    }

    /// How the line begins: "Set", "3".
    public let key: String
    /// What is wrong.
    public let reason: Reason
    /// The line in the text, from 1, where it was found.
    public var line: Int?
    /// Characters in it that are not seen.
    public var invisible: [Invisible] = []
    /// The one that fits, where exactly one does.
    public var correction: Correction?

    init(_ key: String, _ reason: Reason, line: Int? = nil) {
        self.key = key
        self.reason = reason
        self.line = line
    }
}

extension ShareLineProblem: CustomStringConvertible {
    /// One line for people, in the words of the paper.
    public var description: String {
        let name = "the line that begins \"\(key):\""
        var text =
            switch reason {
            case .missing where ShareDraft.setKeys.contains(key):
                "\(name) is missing: all papers of the set have the same one there, so give another share too"
            case .missing: "\(name) is missing"
            case .mistyped: "\(name) is mistyped or damaged: it does not agree with its checksum"
            case .ofShare(let number): "\(name) belongs to share \(number): it is from another paper"
            case .ofAnotherSet(let set): "\(name) belongs to another set, \(set): it is from another paper"
            case .invalid: "\(name): its value is not valid"
            case .unknownFormat(let format):
                "share format \(format) is unknown: a newer version of this program is needed"
            case .needs(let other): "the line that begins \"\(other):\" has to come first"
            case .unreadable: "this is no line of a share: expected the line that begins \"\(key):\""
            case .whole:
                "every line agrees with its checksum, but not all of them together: compare each with the paper"
            }
        if reason == .mistyped, !invisible.isEmpty {
            let list = invisible.prefix(4).map {
                "character \($0.place) is not what it looks like (U+\(Self.hex($0.scalar)))"
            }
            text += "; " + list.joined(separator: ", ") + ": type the line by hand"
        }
        if reason == .mistyped, key == "Label" || key == "Holder" {
            text += "; capital and small letters count here"
        }
        if let correction { text += "; exactly one correction fits: \(correction.words)" }
        return text
    }

    private static func hex(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    }
}
