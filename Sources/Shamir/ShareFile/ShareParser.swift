import PDSecrets

/// Reads a share line by line, as it is typed or from a file. See docs/share-format.md, "Lines".
///
/// A line that is refused leaves the parser as it was, so that it can be typed again.
public struct ShareParser {
    private enum Stage {
        case begin
        case header
        case body
        case ended
    }

    private static let keys = [
        "Format", "Set", "Label", "Created", "Threshold", "Shares", "Secret", "Share", "Holder",
    ]

    private var stage = Stage.begin
    private var line = 0
    private var values: [String] = []
    private var set: ShareSet?
    private var number = 0
    private var protection: Share.Protection?
    private var body = SecretBytes(count: 0)
    private var bodyPosition = 0

    /// Nothing has been read yet.
    public init() {}

    /// Whether the END line was read.
    public var isComplete: Bool { if case .ended = stage { true } else { false } }

    /// The number of the last line that was taken, from 1; 0 at the start.
    public var lineNumber: Int { line }

    /// What the next line has to begin with, for a prompt.
    public var expected: String {
        switch stage {
        case .begin: ShareText.beginLine
        case .header: values.count < Self.keys.count ? Self.keys[values.count] : "1"
        case .body:
            bodyPosition < body.count ? "\(bodyPosition / ShareText.bytesPerLine + 1)" : ShareText.endLine
        case .ended: ""
        }
    }

    /// Takes the next line.
    ///
    /// - Parameter text: without its line feed.
    /// - Throws: what is wrong with the line; then it does not count.
    public mutating func take(line text: UnsafeRawBufferPointer) throws(ShareFileError) {
        let number = line + 1
        guard text.count <= ShareText.maximumLineBytes else { throw .lineTooLong(line: number) }
        var text = text
        // Some editors put a byte order mark before the first line.
        if case .begin = stage, text.starts(with: [0xef, 0xbb, 0xbf]) {
            text = UnsafeRawBufferPointer(rebasing: text[3...])
        }
        var canonical = SecretBytes(count: text.count)
        let failure = canonical.withUnsafeMutableBytes { canonical -> ShareFileError? in
            do throws(ShareFileError) {
                try take(Line(collapsing: text, into: canonical), number)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        line = number
    }

    /// The share, after the END line.
    public func finish() throws(ShareFileError) -> Share {
        guard case .ended = stage, let set else {
            if case .begin = stage { throw .notAShare(line: max(line, 1)) }
            throw .unfinished(line: line)
        }
        do throws(ShareFileError) {
            return try Share(
                set: set, number: number, holder: values[8] == "-" ? nil : values[8], protection: protection,
                body: body)
        } catch {
            throw .invalidLine(line: line, field: "Share")
        }
    }

    private mutating func take(_ text: Line, _ number: Int) throws(ShareFileError) {
        if text.bytes.isEmpty { return }
        switch stage {
        case .begin:
            guard text.isFrame("BEGIN PENGUINDOME SHARE") else { throw .notAShare(line: number) }
            stage = .header
        case .header:
            try takeHeader(text, number)
        case .body:
            try takeBody(text, number)
        case .ended:
            throw .trailingText(line: number)
        }
    }

    private mutating func takeHeader(_ text: Line, _ number: Int) throws(ShareFileError) {
        guard let field = Field(text) else {
            throw text.isFrame("END PENGUINDOME SHARE")
                ? .unexpectedLine(line: number, expected: expected) : .malformedLine(line: number)
        }
        if values.count == Self.keys.count {
            if field.isKey("Protection"), protection == nil {
                guard field.checksumAgrees() else { throw .wrongChecksum(line: number) }
                protection = field.valueText.flatMap { Share.Protection(text: $0) }
                guard protection != nil else { throw .invalidLine(line: number, field: "Protection") }
                return
            }
            guard let set else { throw .malformedLine(line: number) }
            body = SecretBytes(count: ShareBody.bytes(of: set, protected: protection != nil))
            stage = .body
            do throws(ShareFileError) {
                try takeBody(text, number)
            } catch {
                stage = .header
                throw error
            }
            return
        }
        let key = Self.keys[values.count]
        guard field.checksumAgrees() else { throw .wrongChecksum(line: number) }
        guard field.isKey(key) else { throw .unexpectedLine(line: number, expected: key) }
        guard let value = field.valueText else { throw .invalidLine(line: number, field: key) }
        try check(value, of: key, line: number)
        values.append(value)
    }

    private mutating func check(_ value: String, of key: String, line: Int) throws(ShareFileError) {
        let invalid = ShareFileError.invalidLine(line: line, field: key)
        switch key {
        case "Format":
            guard Decimal.parse(value) != nil else { throw invalid }
            guard value == "\(ShareSet.format)" else { throw .unknownFormat(line: line, format: value) }
        case "Set":
            guard Self.identifier(value) != nil else { throw invalid }
        case "Label", "Holder":
            guard value == "-" || ShareName.isValid(value) else { throw invalid }
        case "Created":
            guard ShareSet.isDay(value) else { throw invalid }
        case "Threshold":
            guard let count = Decimal.parse(value), 2...255 ~= count else { throw invalid }
        case "Shares":
            guard let count = Decimal.parse(value), let threshold = Decimal.parse(values[4]),
                threshold...255 ~= count
            else { throw invalid }
        case "Secret":
            guard let content = Self.content(value) else { throw invalid }
            set = try makeSet(content, line: line)
        case "Share":
            guard let number = Decimal.parse(value), let set, 1...set.shares ~= number else { throw invalid }
            self.number = number
        default:
            break
        }
    }

    private func makeSet(_ content: ShareSet.Content, line: Int) throws(ShareFileError) -> ShareSet {
        do throws(ShareFileError) {
            return try ShareSet(
                identifier: Self.identifier(values[1]) ?? [], label: values[2] == "-" ? nil : values[2],
                created: values[3], threshold: Decimal.parse(values[4]) ?? 0,
                shares: Decimal.parse(values[5]) ?? 0,
                content: content)
        } catch {
            if case .invalidField(let field) = error { throw .invalidLine(line: line, field: field) }
            throw error
        }
    }

    private mutating func takeBody(_ text: Line, _ number: Int) throws(ShareFileError) {
        if bodyPosition == body.count {
            guard text.isFrame("END PENGUINDOME SHARE") else {
                throw .unexpectedLine(line: number, expected: ShareText.endLine)
            }
            stage = .ended
            return
        }
        guard !text.isFrame("END PENGUINDOME SHARE") else {
            throw .unexpectedLine(line: number, expected: expected)
        }
        guard let field = Field(text) else { throw .malformedLine(line: number) }
        let digits = Field.compact(field.value)
        guard field.checksumAgrees(body: digits) else { throw .wrongChecksum(line: number) }
        guard field.isKey(expected) else { throw .unexpectedLine(line: number, expected: expected) }
        let end = min(bodyPosition + ShareText.bytesPerLine, body.count)
        let decoded = body.withUnsafeMutableBytes { body in
            digits.withUnsafeBytes {
                BaseN.base32.decode(
                    $0, into: UnsafeMutableRawBufferPointer(rebasing: body[bodyPosition..<end]))
            }
        }
        guard decoded else { throw .invalidLine(line: number, field: expected) }
        bodyPosition = end
    }

    private static func identifier(_ text: String) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: ShareSet.identifierBytes)
        let digits = text.utf8.filter { $0 != 0x2d }
        let decoded = digits.withUnsafeBytes { digits in
            bytes.withUnsafeMutableBytes { BaseN.base32.decode(digits, into: $0) }
        }
        return decoded && ShareText.grouped(bytes) == text ? bytes : nil
    }

    private static func content(_ text: String) -> ShareSet.Content? {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard let first = parts.first, let bytes = Decimal.parse(first) else { return nil }
        return switch parts.dropFirst() {
        case ["bytes"]: .direct(bytes: bytes)
        case ["bytes,", "sealed"]: .sealed(bytes: bytes)
        default: nil
        }
    }
}

extension Share {
    /// Reads a share from a text that holds nothing else.
    public init(parsing text: UnsafeRawBufferPointer) throws(ShareFileError) {
        // A byte order mark, or an ASCII character in two bytes.
        if text.starts(with: [0xff, 0xfe]) || text.starts(with: [0xfe, 0xff])
            || (text.count > 1 && (text[0] == 0) != (text[1] == 0))
        {
            throw .utf16
        }
        var parser = ShareParser()
        var start = 0
        while start < text.count {
            let end = text[start...].firstIndex(of: 0x0a) ?? text.count
            try parser.take(line: UnsafeRawBufferPointer(rebasing: text[start..<end]))
            start = end + 1
        }
        self = try parser.finish()
    }
}

extension Share.Protection {
    /// The inverse of `text`; nil for anything else, also for other spellings of the same.
    init?(text: String) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0] == "argon2id",
            let memory = Decimal.parse(parts[1]), let passes = Decimal.parse(parts[2]),
            let lanes = Decimal.parse(parts[3]),
            let cost = PassphraseCost(memory: memory, passes: passes, lanes: lanes)
        else { return nil }
        var salt = [UInt8](repeating: 0, count: Self.saltBytes)
        let decoded = Array(parts[4].utf8).withUnsafeBytes { digits in
            salt.withUnsafeMutableBytes { BaseN.base32.decode(digits, into: $0) }
        }
        guard decoded else { return nil }
        self.init(cost: cost, salt: salt)
        guard self.text == text else { return nil }
    }
}
