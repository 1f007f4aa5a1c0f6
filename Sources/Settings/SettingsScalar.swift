/// A scalar of a YAML file: its text, and whether quotation marks say that it is text and nothing else.
public struct SettingsScalar: Sendable, Equatable {
    /// The text without its quotation marks.
    public let text: String
    /// Whether it stands in quotation marks or as a block, and so is text whatever it looks like.
    public let isQuoted: Bool

    /// A scalar as it is written.
    public init(_ text: String, isQuoted: Bool) {
        self.text = text
        self.isQuoted = isQuoted
    }

    /// Text: in quotation marks where it would be taken for something else without.
    public init(_ text: String) {
        self.init(text, isQuoted: !Self.readsAsText(text))
    }

    /// Whether both say the same: quotation marks around what is text anyway make no difference.
    public static func == (left: SettingsScalar, right: SettingsScalar) -> Bool {
        left.text == right.text && (left.isQuoted == right.isQuoted || readsAsText(left.text))
    }

    /// Whether all readers of YAML take it for text.
    public var isText: Bool { isQuoted || Self.readsAsText(text) }

    /// Whether it says that there is nothing.
    public var isNull: Bool { !isQuoted && Self.nullWords.contains(text) }

    /// True or false by YAML 1.1's words, in quotation marks or not.
    public var bool: Bool? {
        switch text.lowercased() {
        case "true", "yes", "on": true
        case "false", "no", "off": false
        default: nil
        }
    }

    /// A whole number in decimal, in quotation marks or not. One that begins with `0` is 8 to one reader and 10 to the
    /// next, and so no number.
    public var integer: Int? {
        let digits = text.utf8.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
        guard digits.first != UInt8(ascii: "0") || digits.count == 1 else { return nil }
        return Int(text)
    }

    // MARK: - Types

    private static let nullWords: Set<String> = ["", "~", "null", "Null", "NULL"]

    /// `null`, booleans, merge and default value of YAML 1.1 (<https://yaml.org/type/>).
    private static let words: Set<String> = nullWords.union([
        "true", "True", "TRUE", "false", "False", "FALSE", "yes", "Yes", "YES", "no", "No", "NO", "on", "On",
        "ON", "off", "Off", "OFF", "<<", "=",
    ])

    /// Whether text without quotation marks is text by YAML 1.1 as well as 1.2: no word with a meaning of its own, no
    /// number in any base, no time.
    static func readsAsText(_ text: String) -> Bool {
        !words.contains(text) && !isNumber(text) && !isTime(text)
    }

    private static func isNumber(_ text: String) -> Bool {
        var rest = Substring(text)
        if rest.first == "-" || rest.first == "+" { rest.removeFirst() }
        if [".inf", ".nan"].contains(rest.lowercased()) { return true }
        for (prefix, digits) in [("0b", "01_"), ("0o", "01234567_"), ("0x", "0123456789abcdefABCDEF_")]
        where rest.hasPrefix(prefix) && rest.count > 2 {
            return rest.dropFirst(2).allSatisfy(digits.contains)
        }
        var hasDigits = false
        while let digit = rest.first, isDigit(digit) || hasDigits && digit == "_" {
            hasDigits = true
            rest.removeFirst()
        }
        // Sexagesimal: 1:30:00.
        while hasDigits, rest.first == ":" {
            let digits = rest.dropFirst().prefix(while: isDigit)
            guard (1...2).contains(digits.count) else { return false }
            rest = rest[digits.endIndex...]
        }
        if rest.first == "." {
            rest.removeFirst()
            let digits = rest.prefix { isDigit($0) || $0 == "_" }
            guard hasDigits || !digits.isEmpty else { return false }
            hasDigits = true
            rest = rest[digits.endIndex...]
        }
        guard hasDigits else { return false }
        if rest.first == "e" || rest.first == "E" {
            rest.removeFirst()
            if rest.first == "-" || rest.first == "+" { rest.removeFirst() }
            return !rest.isEmpty && rest.allSatisfy(isDigit)
        }
        return rest.isEmpty
    }

    /// `2026-01-31`, alone or with a time of day.
    private static func isTime(_ text: String) -> Bool {
        let date = text.prefix { isDigit($0) || $0 == "-" }
        let parts = date.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].count == 4, parts[1...].allSatisfy({ (1...2).contains($0.count) })
        else { return false }
        return text.count == date.count || "Tt \t".contains(text[date.endIndex])
    }

    private static func isDigit(_ character: Character) -> Bool { ("0"..."9").contains(character) }
}
