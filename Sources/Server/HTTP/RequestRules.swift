import NIOHTTP1
import PDFleet

/// What the decoded head of a request must keep of RFC 9112 and RFC 3986 so that no two readers see different requests in
/// it. Where a request begins and ends has been seen to by ``RequestFraming``.
enum RequestRules {
    /// The head as handlers may see it: its target is a path, and whoever wants the connection closed says so in one way.
    ///
    /// - Returns: nothing where the head breaks a rule.
    static func checked(_ head: HTTPRequestHead) -> HTTPRequestHead? {
        var head = head
        let hosts = head.headers["host"]
        // RFC 9112, section 3.2.
        guard hosts.count == 1 || hosts.isEmpty && head.version == .http1_0,
            hosts.allSatisfy({ isHost($0.utf8[...]) })
        else { return nil }
        if head.uri.lowercased().hasPrefix("http://") {
            // Section 3.2.2: the target's host replaces that of the header.
            let rest = head.uri.dropFirst("http://".count)
            let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
            guard isHost(rest[..<end].utf8) else { return nil }
            head.headers.replaceOrAdd(name: "host", value: String(rest[..<end]))
            let path = String(rest[end...])
            head.uri = path.hasPrefix("/") ? path : "/" + path
        }
        guard head.uri.utf8.first == UInt8(ascii: "/"), isText(head.uri.utf8[...], besides: ":@/?") else {
            return nil
        }
        // Nobody hears what comes after a request for another protocol, which is answered as if it had not been one.
        if head.version == .http1_0 || !head.isKeepAlive || head.headers.contains(name: "upgrade") {
            head.headers.replaceOrAdd(name: "connection", value: "close")
        }
        return head
    }

    /// Whether it is a host with or without a port (RFC 3986, section 3.2).
    static func isHost(_ text: Substring.UTF8View) -> Bool {
        let port: Substring.UTF8View
        if text.first == UInt8(ascii: "[") {
            guard let end = text.firstIndex(of: UInt8(ascii: "]")),
                IPAddress(String(Substring(text[text.index(after: text.startIndex)..<end]))) != nil
            else { return false }
            port = text[text.index(after: end)...]
        } else {
            let end = text.firstIndex(of: UInt8(ascii: ":")) ?? text.endIndex
            guard end != text.startIndex, isText(text[..<end], besides: "") else { return false }
            port = text[end...]
        }
        guard let colon = port.first else { return true }
        return colon == UInt8(ascii: ":") && port.count <= 6
            && port.dropFirst().allSatisfy(\.isDigit)
    }

    /// Whether it has only unreserved characters, sub-delims, percent signs before two hexadecimal digits (RFC 3986,
    /// section 2), and what the place allows besides.
    private static func isText(_ text: Substring.UTF8View, besides: String) -> Bool {
        var digits = 0
        for byte in text {
            if digits > 0 {
                guard byte.hexadecimalValue != nil else { return false }
                digits -= 1
            } else if byte == UInt8(ascii: "%") {
                digits = 2
            } else {
                guard byte.isUnreserved || "!$&'()*+,;=".utf8.contains(byte) || besides.utf8.contains(byte)
                else { return false }
            }
        }
        return digits == 0
    }
}
