/// Follows the bytes of a connection through its requests, and tells where they stop to be HTTP/1.1 as RFC 9112 wants it.
///
/// NIO's decoder forgives much that it does not show afterwards: several blanks in a request line, `RTSP/1.0` in place of
/// a version, lines that end without CR. What one reader forgives and another does not is how two of them come to see
/// different requests in the same bytes, so nothing is forgiven here. Nothing is decoded either: bytes that pass are for
/// the decoder, which has the last word.
struct RequestFraming {
    /// The longest head, and the longest trailer section, in bytes; more than the decoder takes of names and values.
    static let maximumHeadBytes = 48 << 10
    /// The longest line before a chunk, in bytes.
    static let maximumChunkLineBytes = 256

    /// What comes next.
    private enum Expected {
        // Section 2.2: one empty line before a request is ignored.
        case request, emptyLineEnd
        // Section 3.
        case method, target, version, requestLineEnd, requestLineFeed
        // Section 5, and section 7.1.2 for trailers.
        case field, name, value, fieldLineFeed, headLineFeed
        // Section 6.
        case body
        // Section 7.1.
        case chunkSize, chunkLineFeed, chunk, chunkEnd, chunkEndLineFeed
        // Section 7.1.1: `;`, a name, and perhaps `=` and a token or a quoted string, with blanks between them.
        case extensionName, extensionNameRest, extensionSign, extensionValue, extensionToken, extensionQuoted
        case extensionEscape, extensionEnd
        // Bytes that nobody will hear.
        case nothing
    }

    private var expected = Expected.request
    /// Bytes of the head, of the trailers or of the line before a chunk.
    private var lineBytes = 0
    /// Whether an empty line has come before this request.
    private var hasEmptyLine = false
    /// The place in the version, or how many digits a chunk's length has.
    private var position = 0
    /// Bytes that are left of a body or a chunk.
    private var remaining = 0
    private var isVersion10 = false
    private var isTrailer = false
    /// The method, or the name of a field in lower case, as far as it may be one that matters here.
    private var name: [UInt8] = []
    /// The value of one that does, in lower case.
    private var value: [UInt8] = []
    private var keepsValue = false
    private var framing = Framing()

    /// What a head says about where its request ends.
    private struct Framing {
        var length: Int?
        var isChunked = false
        /// Whether another protocol is asked for. The decoder hears nothing after such a request, and keeps it all.
        var isUpgrade = false
    }

    /// Whether the last byte was the last one of a request, or none has come.
    var isBetweenRequests: Bool { lineBytes == 0 && (expected == .request || expected == .nothing) }

    /// What has been made of some bytes.
    struct Outcome: Equatable {
        /// How many of them, from the first one, are for the decoder.
        var accepted: Int
        /// Whether the next one breaks a rule.
        var isBroken: Bool
    }

    /// Goes on with the next bytes of the connection. After a broken byte none may follow.
    mutating func take(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        var at = 0
        while at < bytes.count {
            switch expected {
            case .body, .chunk:
                let step = min(remaining, bytes.count - at)
                remaining -= step
                at += step
                guard remaining == 0 else { continue }
                if expected == .chunk { expected = .chunkEnd } else { endRequest() }
            case .nothing:
                return Outcome(accepted: at, isBroken: false)
            default:
                guard accepts(bytes[at]) else { return Outcome(accepted: at, isBroken: true) }
                at += 1
            }
        }
        return Outcome(accepted: at, isBroken: false)
    }

    /// One byte that is not of a body.
    private mutating func accepts(_ byte: UInt8) -> Bool {
        lineBytes += 1
        switch expected {
        case .request:
            if byte == .carriageReturn, !hasEmptyLine {
                expected = .emptyLineEnd
                return true
            }
            expected = .method
            name.removeAll(keepingCapacity: true)
            name.append(byte)
            return byte.isToken
        case .emptyLineEnd:
            hasEmptyLine = true
            expected = .request
            return byte == .lineFeed
        case .method:
            if byte == .space {
                position = 0
                expected = .target
                // This is no proxy; and the decoder hears nothing after such a request, and keeps it all.
                return !name.elementsEqual("CONNECT".utf8)
            }
            if name.count <= FieldName.longest { name.append(byte) }
            return byte.isToken && isShort
        case .target:
            if byte == .space, position > 0 {
                position = 0
                expected = .version
                return true
            }
            position = 1
            return byte.isVisible && isShort
        case .version: return acceptsVersion(byte)
        case .requestLineEnd:
            expected = .requestLineFeed
            return byte == .carriageReturn
        case .requestLineFeed, .fieldLineFeed:
            expected = .field
            return byte == .lineFeed
        case .field:
            if byte == .carriageReturn {
                expected = .headLineFeed
                return true
            }
            name.removeAll(keepingCapacity: true)
            value.removeAll(keepingCapacity: true)
            expected = .name
            return acceptsName(byte)
        case .name:
            guard byte == UInt8(ascii: ":") else { return acceptsName(byte) }
            keepsValue = !isTrailer && FieldName.hasLength(name)
            expected = .value
            return true
        case .value: return acceptsValue(byte)
        case .headLineFeed:
            guard byte == .lineFeed else { return false }
            endHead()
            return true
        case .chunkSize: return acceptsChunkSize(byte)
        case .extensionName, .extensionNameRest, .extensionSign, .extensionValue, .extensionToken,
            .extensionQuoted, .extensionEscape, .extensionEnd:
            return lineBytes <= Self.maximumChunkLineBytes && acceptsExtension(byte)
        case .chunkLineFeed:
            guard byte == .lineFeed else { return false }
            isTrailer = remaining == 0
            expected = isTrailer ? .field : .chunk
            lineBytes = 0
            return true
        case .chunkEnd:
            expected = .chunkEndLineFeed
            return byte == .carriageReturn
        case .chunkEndLineFeed:
            beginChunk()
            return byte == .lineFeed
        case .body, .chunk, .nothing: return false
        }
    }

    private var isShort: Bool { lineBytes <= Self.maximumHeadBytes }

    /// Section 2.3: `HTTP/1.0` or `HTTP/1.1`, in capitals.
    private mutating func acceptsVersion(_ byte: UInt8) -> Bool {
        let start: StaticString = "HTTP/1."
        guard position == start.utf8CodeUnitCount else {
            position += 1
            return byte == start.utf8Start[position - 1]
        }
        isVersion10 = byte == UInt8(ascii: "0")
        expected = .requestLineEnd
        return isVersion10 || byte == UInt8(ascii: "1")
    }

    /// A name is a token, without blanks before its colon and without a line that goes on with the one before.
    private mutating func acceptsName(_ byte: UInt8) -> Bool {
        // One more than the longest that matters, so that longer ones are no match.
        if name.count <= FieldName.longest { name.append(byte.lowercased) }
        return byte.isToken && isShort
    }

    private mutating func acceptsValue(_ byte: UInt8) -> Bool {
        if byte == .carriageReturn {
            expected = .fieldLineFeed
            return isTrailer || acceptsFraming()
        }
        if keepsValue {
            // No value that is accepted is as long as this, blanks included.
            guard value.count < 64 else { return false }
            value.append(byte.lowercased)
        }
        return byte.isText && isShort
    }

    /// Section 6.3: one length or one coding, and never both.
    private mutating func acceptsFraming() -> Bool {
        switch name {
        case FieldName.upgrade: framing.isUpgrade = true
        case FieldName.contentLength:
            let digits = Self.trimmed(value)
            // 18 digits fit in 64 bits.
            guard framing.length == nil, !framing.isChunked, (1...18).contains(digits.count),
                digits.allSatisfy(\.isDigit)
            else { return false }
            framing.length = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        case FieldName.transferEncoding:
            guard framing.length == nil, !framing.isChunked, !isVersion10,
                Self.trimmed(value).elementsEqual("chunked".utf8)
            else { return false }
            framing.isChunked = true
        default: break
        }
        return true
    }

    /// Without the blanks around it (section 5.1).
    private static func trimmed(_ value: [UInt8]) -> ArraySlice<UInt8> {
        let start = value.firstIndex { !$0.isBlank } ?? value.endIndex
        let end = value.lastIndex { !$0.isBlank } ?? start
        return start < value.endIndex ? value[start...end] : []
    }

    private mutating func acceptsChunkSize(_ byte: UInt8) -> Bool {
        if let digit = byte.hexadecimalValue {
            position += 1
            remaining = remaining << 4 | digit
            // Eight digits are more than any body may have.
            return position <= 8
        }
        guard position > 0 else { return false }
        switch byte {
        case .carriageReturn: expected = .chunkLineFeed
        case UInt8(ascii: ";"): expected = .extensionName
        default: return false
        }
        return true
    }

    /// A byte of what stands between the size of a chunk and the end of its line. Nothing is made of it.
    private mutating func acceptsExtension(_ byte: UInt8) -> Bool {
        let isBlank = byte == .space || byte == UInt8(ascii: "\t")
        switch expected {
        case .extensionName:
            if isBlank { return true }
            expected = .extensionNameRest
            return byte.isToken
        case .extensionValue:
            if isBlank { return true }
            expected = byte == UInt8(ascii: "\"") ? .extensionQuoted : .extensionToken
            return expected == .extensionQuoted || byte.isToken
        case .extensionQuoted:
            if byte == UInt8(ascii: "\"") { expected = .extensionEnd }
            if byte == UInt8(ascii: "\\") { expected = .extensionEscape }
            return byte.isText
        case .extensionEscape:
            expected = .extensionQuoted
            return byte.isText
        default: break
        }
        // Behind a name or a value.
        switch byte {
        case .carriageReturn:
            expected = .chunkLineFeed
        case UInt8(ascii: ";"): expected = .extensionName
        case UInt8(ascii: "=") where expected == .extensionNameRest || expected == .extensionSign:
            expected = .extensionValue
        case _ where isBlank:
            if expected == .extensionNameRest { expected = .extensionSign }
            if expected == .extensionToken { expected = .extensionEnd }
        case _ where byte.isToken: return expected == .extensionNameRest || expected == .extensionToken
        default: return false
        }
        return true
    }

    /// The empty line after a head or after trailers has come.
    private mutating func endHead() {
        if isTrailer || !framing.isChunked && framing.length ?? 0 == 0 {
            endRequest()
        } else if framing.isChunked {
            beginChunk()
        } else {
            remaining = framing.length ?? 0
            expected = .body
        }
    }

    private mutating func beginChunk() {
        expected = .chunkSize
        position = 0
        remaining = 0
        lineBytes = 0
    }

    private mutating func endRequest() {
        expected = framing.isUpgrade ? .nothing : .request
        framing = Framing()
        hasEmptyLine = false
        isTrailer = false
        lineBytes = 0
    }
}

/// The names of fields that say where a request ends.
private enum FieldName {
    static let contentLength = Array("content-length".utf8)
    static let transferEncoding = Array("transfer-encoding".utf8)
    static let upgrade = Array("upgrade".utf8)
    static let longest = 17

    static func hasLength(_ name: [UInt8]) -> Bool {
        name == contentLength || name == transferEncoding
    }
}
