import Foundation
import PDCrypto

/// A mail as it travels: RFC 5322 headers, a text and an HTML part (RFC 2046, multipart/alternative) in base64.
package struct MailMessage: Sendable, Equatable {
    /// The sender's address.
    package let from: String
    /// The recipients' addresses.
    package let to: [String]
    /// Everything, with CR LF at the end of each line.
    package let content: String

    /// - Parameters:
    ///   - id: the same at each attempt, so that mail programs know a second copy.
    ///   - sentAt: in milliseconds since 1970-01-01 UTC.
    package init(from: String, to: [String], text: AlertText, id: String, sentAt: Int64) {
        self.from = from
        self.to = to
        let domain = from.split(separator: "@").last.map(String.init) ?? "localhost"
        let token = MessageToken.token(id)
        let boundary = "=_\(token)"
        var lines = [
            "From: PenguinDome <\(from)>",
            "To: \(to.joined(separator: ",\r\n "))",
            "Subject: \(Self.encodedWord("[PenguinDome] \(text.subject)"))",
            "Date: \(Self.date(sentAt))",
            "Message-ID: <\(token)@\(domain)>",
            "MIME-Version: 1.0",
            "Auto-Submitted: auto-generated",
            "Content-Type: multipart/alternative; boundary=\"\(boundary)\"",
            "",
        ]
        for (type, body) in [("plain", text.text), ("html", text.html)] {
            lines += [
                "--\(boundary)", "Content-Type: text/\(type); charset=utf-8",
                "Content-Transfer-Encoding: base64", "",
            ]
            lines += Self.base64(Array(body.utf8))
        }
        lines += ["--\(boundary)--", ""]
        content = lines.joined(separator: "\r\n")
    }

    /// Lines of 76 characters (RFC 2045, section 6.8).
    private static func base64(_ bytes: [UInt8]) -> [String] {
        let text = Array(Data(bytes).base64EncodedString().utf8)
        return stride(from: 0, to: text.count, by: 76).map {
            String(decoding: text[$0..<min($0 + 76, text.count)], as: UTF8.self)
        }
    }

    /// A header in the words of RFC 2047, each short enough, where it is more than printable ASCII.
    private static func encodedWord(_ text: String) -> String {
        if text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }), !text.contains("=?") {
            // Header lines are folded at blanks (RFC 5322, section 2.2.3).
            var lines = [""]
            for word in text.split(separator: " ", omittingEmptySubsequences: false) {
                if let last = lines.last, !last.isEmpty, last.utf8.count + word.utf8.count > 60 {
                    lines.append(String(word))
                } else {
                    lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
                }
            }
            return lines.joined(separator: "\r\n ")
        }
        var words: [String] = []
        var part: [UInt8] = []
        for character in text {
            if part.count + character.utf8.count > 42 {
                words.append(Data(part).base64EncodedString())
                part = []
            }
            part += character.utf8
        }
        words.append(Data(part).base64EncodedString())
        return words.map { "=?utf-8?B?\($0)?=" }.joined(separator: "\r\n ")
    }

    /// `Mon, 02 Nov 2026 10:00:00 +0000`.
    private static func date(_ milliseconds: Int64) -> String {
        let seconds = milliseconds / 1000
        let day = CivilDate(number: Int(seconds / 86_400))
        let (year, month, number) = day.parts
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        func two(_ number: Int64) -> String { (number < 10 ? "0" : "") + String(number) }
        let clock = [seconds % 86_400 / 3600, seconds % 3600 / 60, seconds % 60].map(two).joined(
            separator: ":")
        let weekday = day.weekday.rawValue.prefix(3).capitalized
        return "\(weekday), \(two(Int64(number))) \(months[month - 1]) \(year) \(clock) +0000"
    }
}
