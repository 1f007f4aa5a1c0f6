extension V1 {
    /// A request's body: the two fields of a form, as bytes, since the signature covers bytes.
    public struct Envelope: Sendable, Equatable {
        /// The JSON text, exactly as it was signed.
        public let data: [UInt8]
        /// The ASCII-armored detached signature over ``data``; nothing where the endpoint is not signed.
        public let signature: [UInt8]?

        /// An envelope to send.
        public init(data: [UInt8], signature: [UInt8]?) {
            self.data = data
            self.signature = signature
        }

        /// Opens a request's body.
        ///
        /// - Parameters:
        ///   - body: the whole body.
        ///   - contentType: the `Content-Type` header: `application/x-www-form-urlencoded` (WHATWG URL, section 5) or
        ///     `multipart/form-data` (RFC 7578).
        /// - Throws: ``ProtocolError`` where the body is no form, or lacks `data`, or has a field twice.
        public init(body: [UInt8], contentType: String?) throws(ProtocolError) {
            let type = MediaType(contentType ?? "")
            let fields: [String: [UInt8]]
            switch type.essence {
            case "application/x-www-form-urlencoded": fields = try URLEncodedForm.fields(body)
            case "multipart/form-data":
                guard let boundary = type.parameters["boundary"] else {
                    throw .malformedForm(reason: "multipart without a boundary")
                }
                fields = try MultipartForm.fields(body, boundary: boundary)
            default: throw .notAForm
            }
            guard let data = fields["data"] else { throw .missingField("data") }
            self.data = data
            signature = fields["signature"]
        }

        /// The body to send, as `application/x-www-form-urlencoded`.
        public func formBody() -> [UInt8] {
            var body: [UInt8] = Array("data=".utf8)
            URLEncodedForm.append(data, to: &body)
            if let signature {
                body += Array("&signature=".utf8)
                URLEncodedForm.append(signature, to: &body)
            }
            return body
        }
    }
}

/// A `Content-Type` (RFC 9110, section 8.3.1).
struct MediaType {
    /// Type and subtype in lower case.
    let essence: String
    /// Parameters by their lower-case name, quotation marks removed.
    let parameters: [String: String]

    init(_ header: String) {
        let parts = header.split(separator: ";", omittingEmptySubsequences: false).map(Self.trim)
        essence = (parts.first ?? "").lowercased()
        var parameters: [String: String] = [:]
        for part in parts.dropFirst() {
            guard let equals = part.firstIndex(of: "=") else { continue }
            var value = part[part.index(after: equals)...]
            if value.count >= 2, value.first == "\"", value.last == "\"" {
                value = value.dropFirst().dropLast()
            }
            parameters[part[..<equals].lowercased()] = String(value)
        }
        self.parameters = parameters
    }

    static func trim(_ text: some StringProtocol) -> String {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        let front = text.drop(while: isSpace)
        let kept = front.reversed().drop(while: isSpace).count
        return String(front.prefix(kept))
    }
}

/// `application/x-www-form-urlencoded` on bytes, in one pass.
enum URLEncodedForm {
    static func fields(_ body: [UInt8]) throws(ProtocolError) -> [String: [UInt8]] {
        var fields: [String: [UInt8]] = [:]
        var rest = body[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "&")) ?? rest.endIndex
            let pair = rest[..<end]
            rest = rest[end...].dropFirst()
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            let name = String(decoding: try decode(pair[..<equals]), as: UTF8.self)
            // The two fields of the protocol; anything else a peer may add is not looked at.
            guard name == "data" || name == "signature" else { continue }
            guard fields[name] == nil else { throw .repeatedField(name) }
            fields[name] = equals == pair.endIndex ? [] : try decode(pair[(equals + 1)...])
        }
        return fields
    }

    private static func decode(_ text: ArraySlice<UInt8>) throws(ProtocolError) -> [UInt8] {
        var wellFormed = true
        let result = text.withUnsafeBufferPointer { source in
            [UInt8](unsafeUninitializedCapacity: source.count) { target, count in
                var index = 0
                while index < source.count {
                    var byte = source[index]
                    index += 1
                    if byte == UInt8(ascii: "+") {
                        byte = 0x20
                    } else if byte == UInt8(ascii: "%") {
                        guard index + 1 < source.count, let high = digit(source[index]),
                            let low = digit(source[index + 1])
                        else {
                            wellFormed = false
                            return
                        }
                        byte = high << 4 | low
                        index += 2
                    }
                    target[count] = byte
                    count += 1
                }
            }
        }
        guard wellFormed else {
            throw .malformedForm(reason: "a percent sign without two hexadecimal digits")
        }
        return result
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    static func append(_ text: [UInt8], to body: inout [UInt8]) {
        let hexadecimal = Array("0123456789ABCDEF".utf8)
        for byte in text {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"),
                UInt8(ascii: "*"):
                body.append(byte)
            case 0x20: body.append(UInt8(ascii: "+"))
            default: body += [UInt8(ascii: "%"), hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]]
            }
        }
    }
}

/// `multipart/form-data` (RFC 7578) for the few fields of this protocol. Files and transfer encodings are refused.
enum MultipartForm {
    static func fields(_ body: [UInt8], boundary: String) throws(ProtocolError) -> [String: [UInt8]] {
        guard (1...70).contains(boundary.utf8.count) else {
            throw .malformedForm(reason: "bad multipart boundary")
        }
        let delimiter = Array("\r\n--\(boundary)".utf8)
        // The first delimiter may stand at the very start, without the line end before it.
        var rest = ArraySlice(Array("\r\n".utf8) + body)
        guard let first = find(delimiter, in: rest) else {
            throw .malformedForm(reason: "multipart without parts")
        }
        rest = rest[(first + delimiter.count)...]
        var fields: [String: [UInt8]] = [:]
        while true {
            if rest.starts(with: "--".utf8) { return fields }
            guard rest.starts(with: "\r\n".utf8) else {
                throw .malformedForm(reason: "bad multipart delimiter")
            }
            guard let next = find(delimiter, in: rest) else {
                throw .malformedForm(reason: "multipart ends early")
            }
            let part = rest[rest.startIndex..<next]
            rest = rest[(next + delimiter.count)...]
            guard let blank = find(Array("\r\n\r\n".utf8), in: part) else {
                throw .malformedForm(reason: "multipart part without headers")
            }
            let name = try fieldName(String(decoding: part[part.startIndex..<blank], as: UTF8.self))
            guard name == "data" || name == "signature" else { continue }
            guard fields[name] == nil else { throw .repeatedField(name) }
            fields[name] = Array(part[(blank + 4)...])
        }
    }

    private static func fieldName(_ headers: String) throws(ProtocolError) -> String {
        var name: String?
        for line in headers.split(separator: "\r\n") {
            let lower = line.lowercased()
            if lower.hasPrefix("content-transfer-encoding:") {
                throw .malformedForm(reason: "multipart part with a transfer encoding")
            }
            guard lower.hasPrefix("content-disposition:") else { continue }
            let disposition = MediaType(String(line.dropFirst("content-disposition:".count)))
            guard MediaType.trim(disposition.essence) == "form-data", name == nil else {
                throw .malformedForm(reason: "bad multipart part")
            }
            name = disposition.parameters["name"]
        }
        guard let name else { throw .malformedForm(reason: "multipart part without a name") }
        return name
    }

    private static func find(_ needle: [UInt8], in haystack: ArraySlice<UInt8>) -> Int? {
        guard haystack.count >= needle.count else { return nil }
        return haystack.withUnsafeBufferPointer { bytes in
            var index = 0
            while index <= bytes.count - needle.count {
                if bytes[index] == needle[0],
                    (1..<needle.count).allSatisfy({ bytes[index + $0] == needle[$0] })
                {
                    return haystack.startIndex + index
                }
                index += 1
            }
            return nil
        }
    }
}
