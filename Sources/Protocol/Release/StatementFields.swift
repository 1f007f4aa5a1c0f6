import PDCrypto
import PDDocument
import PDSecrets

/// Why signed bytes are no manifest or order. Checked after the signature: what is wrong here was signed so.
public enum StatementError: Error, Equatable, Sendable, CustomStringConvertible {
    /// More bytes than it may have.
    case tooLong(limit: Int)
    /// Not JSON.
    case malformedJSON(JSONError)
    /// JSON, but not in the one form in which it is signed.
    case notCanonical
    /// Something else, or a later version of it.
    case otherFormat(wanted: String)
    /// It says that this field must be understood, and it is not.
    case unknownCriticalField(String)
    /// A field that must be there is not.
    case missingField(String)
    /// A field, or a list's element, that is not allowed.
    case badField(String, reason: String)
    /// A path that is none.
    case badPath(PathError)
    /// Paths that cannot lie side by side.
    case collision(PathCollision)

    /// One line for people.
    public var description: String {
        switch self {
        case .tooLong(let limit): "longer than the \(limit) bytes that are read"
        case .malformedJSON(let error): "\(error)"
        case .notCanonical: "not in canonical form"
        case .otherFormat(let wanted): "not of the format \(wanted)"
        case .unknownCriticalField(let name):
            "the field '\(StatementFields.printable(name))' must be understood, and is not: a newer version is needed"
        case .missingField(let name): "\(name) is missing"
        case .badField(let name, let reason): "\(name) \(reason)"
        case .badPath(let error): "\(error)"
        case .collision(let collision): "\(collision)"
        }
    }
}

/// The fields of a JSON object that somebody signed, read strictly.
///
/// The text must be what ``Document/json(pretty:)`` writes of it, so that one content has one form. Fields that are not
/// known are passed over, unless the list `critical` names them.
struct StatementFields {
    private let document: Document

    init(_ document: Document) {
        self.document = document
    }

    init(
        json: [UInt8], limit: Int, format: String, known: Set<String>
    ) throws(StatementError) {
        guard json.count <= limit else { throw .tooLong(limit: limit) }
        do {
            document = try Document(json: json)
        } catch {
            throw .malformedJSON(error)
        }
        guard document.json().utf8.elementsEqual(json) else { throw .notCanonical }
        guard try string("format") == format else { throw .otherFormat(wanted: format) }
        if has("critical") {
            let names = try texts("critical", count: 1...100)
            if let name = names.first(where: { !known.contains($0) }) { throw .unknownCriticalField(name) }
        }
    }

    func has(_ name: String) -> Bool { document[name] != nil }

    /// Throws where there is a field of another name.
    func refuseUnknown(_ known: Set<String>) throws(StatementError) {
        for name in document.keys where !known.contains(name) {
            throw .badField(Self.printable(name), reason: "is not known")
        }
    }

    private func value(_ name: String) throws(StatementError) -> Value {
        guard let value = document[name] else { throw .missingField(name) }
        return value
    }

    /// Printable text of at most 255 bytes.
    func string(_ name: String) throws(StatementError) -> String {
        guard let text = try value(name).string, Self.isPlain(text) else {
            throw .badField(name, reason: "is not a short text")
        }
        return text
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(StatementError) -> Int {
        guard let number = try value(name).integer, range.contains(number) else {
            throw .badField(name, reason: "is not a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A number, or nothing for the word that stands for no end.
    func attempts(_ name: String, in range: ClosedRange<Int>) throws(StatementError) -> Int? {
        try value(name).string == OrderStatement.Command.forever ? nil : integer(name, in: range)
    }

    /// A moment, whole seconds since 1970-01-01 UTC, in the years 1970 to 9999.
    func time(_ name: String) throws(StatementError) -> Int64 {
        let text = try string(name)
        guard let milliseconds = Timestamp.milliseconds(text.utf8), milliseconds >= 0,
            Timestamp.text(milliseconds: milliseconds) == text, milliseconds % 1000 == 0
        else { throw .badField(name, reason: "is not a time such as 2024-06-02T00:00:00.000Z") }
        return milliseconds / 1000
    }

    func digest(_ name: String) throws(StatementError) -> [UInt8] {
        let text = Array(try string(name).utf8)
        let digits = text.compactMap { byte -> UInt8? in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
            default: nil
            }
        }
        guard text.count == 64, digits.count == 64 else {
            throw .badField(name, reason: "is not 64 hexadecimal digits in lower case")
        }
        return stride(from: 0, to: 64, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// Bytes in base64 (RFC 4648, section 4), 1 to `limit` of them.
    func base64(_ name: String, limit: Int) throws(StatementError) -> [UInt8] {
        guard let bytes = try value(name).string.flatMap({ BaseN.base64.decode($0.utf8) }),
            (1...limit).contains(bytes.count)
        else { throw .badField(name, reason: "is not base64 of 1 to \(limit) bytes") }
        return bytes
    }

    func fingerprint(_ name: String) throws(StatementError) -> OpenPGP.Fingerprint {
        guard let fingerprint = OpenPGP.Fingerprint(hex: try string(name)) else {
            throw .badField(name, reason: "is not a fingerprint")
        }
        return fingerprint
    }

    func path(_ name: String) throws(StatementError) -> RelativePath {
        guard let text = try value(name).string else { throw .badField(name, reason: "is not text") }
        do throws(PathError) {
            return try RelativePath(text)
        } catch { throw .badPath(error) }
    }

    func fields(_ name: String) throws(StatementError) -> StatementFields {
        guard let inner = try value(name).document else { throw .badField(name, reason: "is not an object") }
        return StatementFields(inner)
    }

    func texts(_ name: String, count: ClosedRange<Int>) throws(StatementError) -> [String] {
        guard let values = try value(name).array, count.contains(values.count) else {
            throw .badField(name, reason: "is not a list of \(count.lowerBound) to \(count.upperBound)")
        }
        let texts = values.compactMap(\.string)
        guard texts.count == values.count, texts.allSatisfy(Self.isPlain) else {
            throw .badField(name, reason: "is not a list of short texts")
        }
        return texts
    }

    /// The files in ascending order of their paths, which can lie side by side.
    func files(
        _ name: String, count: ClosedRange<Int>, allowingRemoval: Bool = false
    ) throws(StatementError) -> [SignedFile] {
        guard let values = try value(name).array, count.contains(values.count) else {
            throw .badField(name, reason: "is not a list of \(count.lowerBound) to \(count.upperBound) files")
        }
        var files: [SignedFile] = []
        files.reserveCapacity(values.count)
        var paths = PathSet()
        for value in values {
            guard let entry = value.document else {
                throw .badField(name, reason: "has an element that is no object")
            }
            let file = try SignedFile(StatementFields(entry), allowingRemoval: allowingRemoval)
            do throws(PathCollision) {
                try paths.insert(file: file.path)
            } catch { throw .collision(error) }
            if let last = files.last, file.path < last.path {
                throw .badField(name, reason: "is not in the order of the paths")
            }
            files.append(file)
        }
        return files
    }

    // MARK: - Forms

    static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    static func time(_ seconds: Int64) -> Value { .string(Timestamp.text(milliseconds: seconds * 1000)) }

    /// Whether a text has 1 to 255 bytes and nothing that a terminal would obey.
    static func isPlain(_ text: String) -> Bool {
        (1...255).contains(text.utf8.count)
            && text.unicodeScalars.allSatisfy {
                $0.properties.generalCategory != .control && $0.properties.generalCategory != .format
            }
    }

    static func printable(_ text: String) -> String { isPlain(text) ? text : "?" }
}
