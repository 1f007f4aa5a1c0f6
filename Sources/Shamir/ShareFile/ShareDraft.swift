import PDSecrets

/// A share while it is read: takes its lines in any order, as far as their checksums can be checked, and says of each
/// what is wrong. See docs/share-format.md, "Reading".
///
/// A line that is refused leaves the draft as it was, so that it can be typed again.
public struct ShareDraft {
    /// What became of a line.
    public enum Outcome: Equatable, Sendable {
        case accepted(key: String)
        /// The same line was there already.
        case repeated(key: String)
        case refused(ShareLineProblem)
        /// A line without anything to see.
        case blank
    }

    static let setKeys = ["Format", "Set", "Label", "Created", "Threshold", "Secret"]
    /// All header lines but `Protection`, in the order of the paper.
    static let headerKeys = [
        "Format", "Set", "Share", "Label", "Created", "Threshold", "Secret", "Holder",
    ]
    static let protectionKey = "Protection"
    static let wholeKey = "Check"

    /// A key as it is printed, of one as it was typed; nil where it is none, and for numbered lines.
    static func known(_ typed: String) -> String? {
        let compact = typed.filter { $0.isLetter }.lowercased()
        return (headerKeys + [protectionKey, wholeKey]).first { $0.lowercased() == compact }
    }

    private var values: [String: String] = [:]
    private var lines: [Int: SecretBytes] = [:]
    private var whole: [UInt8]?
    /// Whether a Protection line has been seen, readable or not.
    private var isProtected = false

    /// Nothing has been read yet.
    public init() {}

    /// Whether nothing has been read yet.
    public var isEmpty: Bool { values.isEmpty && lines.isEmpty }

    /// The set as it is printed, once it is known.
    public var setText: String? { values["Set"] }
    /// The share's number, once it is known.
    public var number: Int? { values["Share"].flatMap { Decimal.parse($0) } }
    /// Who keeps it, once it is known; `-` for nobody.
    public var holder: String? { values["Holder"] }
    /// Whether every line is there.
    public var isComplete: Bool { missing.isEmpty }

    var binding: ShareBinding { ShareBinding(set: setText, number: number) }

    /// What the next line has to begin with.
    var expected: String { missing.first ?? "" }

    /// The same for a prompt: whether the share is locked is not known before its next line.
    public var prompt: String {
        expected == "1" && !isProtected && lines.isEmpty ? "1, or \(Self.protectionKey)" : expected
    }

    /// The lines that are not there yet, in the order of the paper.
    public var missing: [String] {
        let headers = Self.headerKeys.filter { values[$0] == nil }
        let protection = isProtected && values[Self.protectionKey] == nil ? [Self.protectionKey] : []
        guard let count = bodyLines else { return headers + protection + ["1"] }
        let body = (1...count).filter { lines[$0] == nil }.map { "\($0)" }
        return headers + protection + body + (whole == nil ? [Self.wholeKey] : [])
    }

    private var bodyBytes: Int? {
        self.set.map { ShareBody.bytes(of: $0, protected: isProtected) }
    }

    /// How many numbered lines the share has, once its header tells.
    public var bodyLines: Int? {
        bodyBytes.map { ($0 + ShareText.bytesPerLine - 1) / ShareText.bytesPerLine }
    }

    private func bytes(ofLine number: Int) -> Int? { Self.bytes(ofLine: number, body: bodyBytes) }

    private static func bytes(ofLine number: Int, body: Int?) -> Int? {
        guard let body, number >= 1 else { return nil }
        let rest = body - (number - 1) * ShareText.bytesPerLine
        return rest > 0 ? min(ShareText.bytesPerLine, rest) : nil
    }

    /// The set, once all its lines are known.
    var set: ShareSet? {
        guard let identifier = values["Set"].flatMap({ ShareText.identifier($0) }),
            let label = values["Label"],
            let created = values["Created"],
            let (threshold, shares) = values["Threshold"].flatMap({ ShareText.threshold($0) }),
            let content = values["Secret"].flatMap({ ShareText.content($0) }), values["Format"] != nil
        else { return nil }
        return try? ShareSet(
            identifier: identifier, label: label == "-" ? nil : label, created: created, threshold: threshold,
            shares: shares, content: content)
    }

    /// Fills in what all shares of a set say, from one that was read whole. The closing line checks the result.
    ///
    /// - Returns: the keys of the lines that were not there.
    mutating func fill(from set: ShareSet) -> [String] {
        guard values["Set"] == nil || values["Set"] == set.identifierText else { return [] }
        let lost = ShareText.setFields(set).filter { values[$0.key] == nil }
        for (key, value) in lost { values[key] = value }
        return lost.map(\.key)
    }

    /// Supposes the share's number, to see whether its lines agree.
    mutating func suppose(number: Int) { if values["Share"] == nil { values["Share"] = "\(number)" } }

    /// Takes a line.
    ///
    /// - Parameters:
    ///   - raw: without its line feed.
    ///   - others: sets whose lines may have come among these.
    public mutating func take(
        line raw: UnsafeRawBufferPointer, others: [ShareSet] = []
    ) -> Outcome {
        take(line: raw, others: others, diagnosing: true)
    }

    /// - Parameter diagnosing: whether to look for what is wrong with a line that does not agree.
    mutating func take(
        line raw: UnsafeRawBufferPointer, others: [ShareSet] = [], diagnosing: Bool
    ) -> Outcome {
        guard raw.count <= ShareText.maximumLineBytes else {
            return .refused(ShareLineProblem(expected, .unreadable))
        }
        let text = LineText(raw, letters: true)
        return text.bytes.withUnsafeBytes { bytes -> Outcome in
            if bytes.isEmpty { return .blank }
            guard let line = TypedLine(bytes), let key = key(of: line) else {
                return .refused(ShareLineProblem(expected, .unreadable))
            }
            if key == Self.protectionKey { isProtected = true }
            guard binding.covers(key) else {
                return .refused(ShareLineProblem(key, .needs(setText == nil ? "Set" : "Share")))
            }
            var outcome = take(line, key: key, names: raw)
            if diagnosing, case .refused(var problem) = outcome, problem.reason == .mistyped {
                if let owner = owner(of: line, key: key, others: others) {
                    return .refused(ShareLineProblem(key, owner))
                }
                problem.invisible = LineText.invisible(in: raw)
                problem.correction = correction(of: line, key: key)
                outcome = .refused(problem)
            }
            return outcome
        }
    }

    /// Takes a correction that was offered.
    public mutating func mend(_ key: String, _ correction: ShareLineProblem.Correction) -> Outcome {
        let (start, end) = (Array("\(key): ".utf8), Array(" #".utf8) + correction.checksum)
        var text = SecretBytes(count: start.count + correction.content.count + end.count)
        text.withUnsafeMutableBytes { text in
            text.copyBytes(from: start)
            correction.content.withUnsafeBytes { text.copy($0, at: start.count) }
            end.withUnsafeBytes { text.copy($0, at: text.count - end.count) }
        }
        return text.withUnsafeBytes { bytes in
            guard let line = TypedLine(bytes) else { return .refused(ShareLineProblem(key, .mistyped)) }
            return take(line, key: key, names: bytes)
        }
    }

    /// The key as it is printed; nil where it is none.
    private func key(of line: TypedLine) -> String? {
        TypedLine.number(line.keyText).map { "\($0)" } ?? Self.known(line.keyText)
    }

    private mutating func take(_ line: TypedLine, key: String, names raw: UnsafeRawBufferPointer) -> Outcome {
        if let number = Int(key) { return takeBody(line, number) }
        if key == Self.wholeKey { return takeWhole(line) }
        let prefix = binding.prefix(of: key)
        for value in candidates(line, key: key, raw: raw) {
            guard line.agrees(prefix: prefix, content: Array("\(key): \(value)".utf8)) else { continue }
            if values[key] == value { return .repeated(key: key) }
            if let problem = problem(value, of: key) { return .refused(ShareLineProblem(key, problem)) }
            guard values[key] == nil else { return .refused(ShareLineProblem(key, .mistyped)) }
            values[key] = value
            return .accepted(key: key)
        }
        return .refused(ShareLineProblem(key, .mistyped))
    }

    /// What a header line may have said before it was typed in another letter case, or with letters that look alike.
    private func candidates(_ line: TypedLine, key: String, raw: UnsafeRawBufferPointer) -> [String] {
        let plain = line.valueText
        switch key {
        case "Set":
            let digits = TypedLine.compact(line.value).withUnsafeBytes { Array($0) }
            let groups = stride(from: 0, to: digits.count, by: 4).map {
                digits[$0..<min($0 + 4, digits.count)]
            }
            return [groups.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "-")]
        case "Label", "Holder":
            let exact =
                LineText(raw, letters: false).bytes.withUnsafeBytes { TypedLine($0)?.valueText } ?? plain
            return [exact, plain].flatMap { text -> [String] in
                let name = ShareName.normalised(text)
                let words = name.split(separator: " ", omittingEmptySubsequences: false)
                let capitals = words.map { $0.prefix(1).uppercased() + $0.dropFirst().lowercased() }
                return [name, name.lowercased(), name.uppercased(), capitals.joined(separator: " ")]
            }
        case Self.protectionKey:
            // The salt is in base 32; the rest has one letter case.
            let parts = plain.split(separator: " ").map { String($0) }
            guard parts.count > 4 else { return [plain] }
            let salt = parts[4...].joined().utf8.map { BaseN.folded($0) }
            let head = [parts[0].lowercased()] + parts[1..<4]
            return [(head + [String(decoding: salt, as: UTF8.self)]).joined(separator: " ")]
        default:
            return [plain, plain.lowercased()]
        }
    }

    private func problem(_ value: String, of key: String) -> ShareLineProblem.Reason? {
        let valid =
            switch key {
            case "Format": Decimal.parse(value) != nil
            case "Set": ShareText.identifier(value) != nil
            case "Label", "Holder": value == "-" || ShareName.isValid(value)
            case "Created": ShareSet.isDay(value)
            case "Threshold": ShareText.threshold(value) != nil
            case "Secret": ShareText.content(value) != nil
            case "Share": Decimal.parse(value).map { 1...255 ~= $0 } ?? false
            default: Share.Protection(text: value) != nil
            }
        guard valid else { return .invalid }
        return key == "Format" && value != "\(ShareSet.format)" ? .unknownFormat(value) : nil
    }

    private mutating func takeBody(_ line: TypedLine, _ number: Int) -> Outcome {
        let key = "\(number)"
        let digits = TypedLine.compact(line.value)
        let prefix = binding.prefix(of: key) + Array("\(key): ".utf8)
        guard digits.withUnsafeBytes({ line.agrees(prefix: prefix, content: $0) }) else {
            return .refused(ShareLineProblem(key, .mistyped))
        }
        if let already = lines[number] {
            return already == digits
                ? .repeated(key: key) : .refused(ShareLineProblem(key, .mistyped))
        }
        // A longer line than any can only be refused; whether it has the right length is known with the header.
        guard number >= 1, number <= ShareText.maximumBodyLines,
            digits.count <= BaseN.base32.length(ofBytes: ShareText.bytesPerLine),
            bytes(ofLine: number).map({ BaseN.base32.length(ofBytes: $0) == digits.count }) ?? (set == nil)
        else {
            // Right for a locked share, whose line about it was passed over.
            let locked = self.set.flatMap {
                Self.bytes(ofLine: number, body: ShareBody.bytes(of: $0, protected: true))
            }
            let isLocked = !isProtected && locked.map { BaseN.base32.length(ofBytes: $0) } == digits.count
            return .refused(ShareLineProblem(key, isLocked ? .needs(Self.protectionKey) : .invalid))
        }
        lines[number] = digits
        return .accepted(key: key)
    }

    private mutating func takeWhole(_ line: TypedLine) -> Outcome {
        let digits = TypedLine.compact(line.value).withUnsafeBytes { Array($0) }
        let content = Array("\(Self.wholeKey): ".utf8) + digits
        guard line.agrees(prefix: binding.prefix(of: Self.wholeKey), content: content) else {
            return .refused(ShareLineProblem(Self.wholeKey, .mistyped))
        }
        if whole == digits { return .repeated(key: Self.wholeKey) }
        guard whole == nil, digits.count == WholeChecksum.characters else {
            return .refused(ShareLineProblem(Self.wholeKey, .invalid))
        }
        whole = digits
        return .accepted(key: Self.wholeKey)
    }

    /// Whether a line without its key agrees with its checksum under one. It may be any line, one of the secret's too:
    /// no copy is made that is not wiped, so that a name in another letter case does not agree.
    ///
    /// - Parameter raw: the line with the key before it.
    func agrees(_ raw: UnsafeRawBufferPointer, as key: String) -> Bool {
        [true, false].contains { letters in
            LineText(raw, letters: letters).bytes.withUnsafeBytes { bytes in
                TypedLine(bytes).map { Self.agrees($0, as: key, binding) } ?? false
            }
        }
    }

    private static func agrees(_ line: TypedLine, as key: String, _ binding: ShareBinding) -> Bool {
        let start = binding.prefix(of: key) + Array("\(key): ".utf8)
        guard Int(key) != nil || key == wholeKey else {
            return line.agrees(prefix: start, content: line.value)
        }
        return TypedLine.compact(line.value).withUnsafeBytes { line.agrees(prefix: start, content: $0) }
    }

    /// Which other paper a line is from.
    private func owner(of line: TypedLine, key: String, others: [ShareSet]) -> ShareLineProblem.Reason? {
        guard key != "Format", key != "Set", key != "Share", let set = setText else { return nil }
        func agrees(_ binding: ShareBinding) -> Bool { Self.agrees(line, as: key, binding) }
        let shares = values["Threshold"].flatMap { ShareText.threshold($0)?.shares } ?? 255
        if let number = (1...shares).first(where: { agrees(ShareBinding(set: set, number: $0)) }) {
            return number == self.number ? nil : .ofShare(number)
        }
        let other = others.first { other in
            other.identifierText != set
                && (1...other.shares).contains { agrees(ShareBinding(set: other.identifierText, number: $0)) }
        }
        return other.map { .ofAnotherSet($0.identifierText) }
    }

    private func correction(of line: TypedLine, key: String) -> ShareLineProblem.Correction? {
        let start = binding.prefix(of: key) + Array("\(key): ".utf8)
        if Int(key) != nil || key == Self.wholeKey {
            let length =
                key == Self.wholeKey
                ? WholeChecksum.characters
                : Int(key).flatMap { bytes(ofLine: $0) }.map { BaseN.base32.length(ofBytes: $0) }
            if bodyLines != nil, length == nil { return nil }
            let corrector = LineCorrector(
                prefix: start, alphabet: LineCorrector.base32, length: length,
                group: key == Self.wholeKey ? 0 : 4)
            return TypedLine.compact(line.value).withUnsafeBytes {
                corrector.correction($0, checksum: line.checksum)
            }
        }
        let corrector = LineCorrector(
            prefix: start, alphabet: LineCorrector.printable, length: nil, group: 0)
        let found = Array(line.valueText.utf8).withUnsafeBytes {
            corrector.correction($0, checksum: line.checksum)
        }
        guard let found, let value = found.content.withUnsafeBytes({ String(validating: $0, as: UTF8.self) }),
            problem(value, of: key) == nil
        else { return nil }
        return found
    }

    /// The share, once nothing is missing.
    ///
    /// - Returns: nil where the closing line speaks against the lines together.
    public func finish() -> Share? {
        guard isComplete, let set, let number, set.shares >= number, let holder = values["Holder"],
            let count = bodyLines, let bodyBytes, lines.keys.allSatisfy({ $0 <= count })
        else { return nil }
        var body = SecretBytes(count: bodyBytes)
        for line in 1...count {
            guard let digits = lines[line], let length = bytes(ofLine: line) else { return nil }
            let start = (line - 1) * ShareText.bytesPerLine
            let decoded = body.withUnsafeMutableBytes { body in
                digits.withUnsafeBytes {
                    BaseN.base32.decode(
                        $0, into: UnsafeMutableRawBufferPointer(rebasing: body[start..<(start + length)]))
                }
            }
            guard decoded else { return nil }
        }
        let protection = values[Self.protectionKey].flatMap { Share.Protection(text: $0) }
        guard isProtected == (protection != nil),
            let share = try? Share(
                set: set, number: number, holder: holder == "-" ? nil : holder, protection: protection,
                body: body),
            share.wholeChecksum == whole
        else { return nil }
        return share
    }
}
