import PDDocument
import PDSecrets

/// The fields of a request's `data`, read by name and type. Fields that nobody asks for are left alone: peers may add
/// some.
struct RequestFields {
    private let document: Document

    /// Reads the JSON text.
    init(json: [UInt8]) throws(ProtocolError) {
        do {
            document = try Document(json: json)
        } catch {
            throw .malformedJSON(error)
        }
    }

    /// Text; an object or a number in its place is refused, so that none ever reaches a query.
    func text(_ name: String) throws(ProtocolError) -> String {
        guard let value = document[name] else { throw .missingField(name) }
        guard let text = value.string else { throw .badField(name, reason: "is not text") }
        return text
    }

    /// Text, or nothing where the field is not there.
    func optionalText(_ name: String) throws(ProtocolError) -> String? {
        document[name] == nil ? nil : try text(name)
    }

    /// A whole number, or nothing where the field is not there.
    func optionalInteger(_ name: String) throws(ProtocolError) -> Int? {
        guard let value = document[name] else { return nil }
        guard let number = value.integer else { throw .badField(name, reason: "is not a whole number") }
        return number
    }

    /// Text that must not be empty.
    func words(_ name: String) throws(ProtocolError) -> String {
        let text = try text(name)
        guard !text.isEmpty else { throw .badField(name, reason: "is empty") }
        return text
    }

    func hostname(_ name: String = "hostname") throws(ProtocolError) -> Hostname {
        guard let hostname = Hostname(try text(name)) else {
            throw .badField(name, reason: "is not a host name")
        }
        return hostname
    }

    /// A whole number that is not negative; digits in text count as one, since some old agents send them so.
    func count(_ name: String) throws(ProtocolError) -> Int64 {
        guard let value = document[name] else { throw .missingField(name) }
        let number: Int64?
        switch value {
        case .string(let text):
            let isDigits = !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
            number = isDigits ? Int64(text) : nil
        default: number = value.integer.map(Int64.init)
        }
        guard let number, number >= 0 else {
            throw .badField(name, reason: "is not a whole number from 0 on")
        }
        return number
    }

    /// So many hexadecimal digits, in lower case.
    func hexadecimal(_ name: String, digits: Int) throws(ProtocolError) -> String {
        let text = try text(name).lowercased()
        guard text.utf8.count == digits,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { throw .badField(name, reason: "is not \(digits) hexadecimal digits") }
        return text
    }

    func base64(_ name: String) throws(ProtocolError) -> [UInt8] {
        guard let bytes = BaseN.base64.decode(try text(name).utf8) else {
            throw .badField(name, reason: "is not base64")
        }
        return bytes
    }
}
