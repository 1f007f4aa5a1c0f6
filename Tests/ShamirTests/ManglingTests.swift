import Foundation
import Testing

@testable import PDShamir

/// What happens to a text between a printer and a keyboard, five of each kind.
@Suite("Shares that mail, editors, cameras and people have changed")
struct ManglingTests {
    struct Mangling: CustomTestStringConvertible, Sendable {
        let name: String
        let change: @Sendable (String, Int) -> Data

        var testDescription: String { name }

        init(_ name: String, _ change: @escaping @Sendable (String, Int) -> String) {
            self.name = name
            self.change = { Data(change($0, $1).utf8) }
        }

        init(_ name: String, bytes change: @escaping @Sendable (String, Int) -> Data) {
            self.name = name
            self.change = change
        }
    }

    private static func lines(_ text: String, _ change: (Int, String) -> String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
            .map { change($0.offset, String($0.element)) }.joined(separator: "\n")
    }

    private static func wrapped(_ text: String, _ width: Int) -> String {
        lines(text) { _, line in
            var (rest, pieces) = (Substring(line), [String]())
            while rest.count > width, let space = rest.prefix(width).lastIndex(of: " ") {
                pieces.append(String(rest[..<space]))
                rest = rest[rest.index(after: space)...]
            }
            return (pieces + [String(rest)]).joined(separator: "\n")
        }
    }

    static let manglings: [Mangling] = [
        Mangling("mail quoting") { text, n in
            lines(text) { _, line in ["> ", ">", "> > ", ">> ", "| "][n] + line }
        },
        Mangling("mail header") { text, n in
            "From: a@example.org\nSubject: Re: share \(n)\nDate: Mon, 2 Nov 2026\n\nDear Bob,\nhere: \(n)\n\n"
                + text
        },
        Mangling("footer") { text, n in
            text + ["-- \nAlice", "\n\nsent from my phone", "--\nx: y", "***", "Format?"][n]
        },
        Mangling("fence") { text, n in
            let fence = ["```", "~~~", "<pre>", "'''", "````text"][n]
            return fence + "\n" + text + fence + "\n"
        },
        Mangling("quoted-printable") { text, n in
            lines(text) { _, line in
                let coded = line.utf8.map {
                    $0 >= 0x80 || $0 == 0x3d || n > 2 && $0 == 0x23
                        ? String(format: "=%02X", $0) : String(UnicodeScalar($0))
                }.joined()
                let width = 30 + n * 5
                return coded.count > width ? coded.prefix(width) + "=\n" + coded.dropFirst(width) : coded
            }
        },
        Mangling("base 64") { text, n in
            let options: Data.Base64EncodingOptions =
                n % 2 == 0 ? .lineLength76Characters : .lineLength64Characters
            return "Content-Transfer-Encoding: base64\n\n"
                + Data(String(repeating: "\n", count: n).appending(text).utf8).base64EncodedString(options: [
                    options, .endLineWithLineFeed,
                ]) + "\n"
        },
        Mangling("wrapped") { text, n in wrapped(text, [72, 60, 50, 45, 40][n]) },
        Mangling("em dash") { text, n in text.replacing("-----", with: ["—", "––", "—--", "–", "― ―"][n]) },
        Mangling("no-break space") { text, n in
            text.replacing(" ", with: ["\u{a0}", "\u{202f}", "\u{2009}", "\u{3000}", "\u{2007}"][n])
        },
        Mangling("zero-width space") { text, n in
            lines(text) { i, l in i % (n + 1) == 0 ? "\u{200b}" + l + "\u{feff}" : l }
        },
        Mangling("soft hyphen") { text, n in
            lines(text) { _, l in l.count > 20 + n ? l.prefix(15 + n) + "\u{ad}" + l.dropFirst(15 + n) : l }
        },
        Mangling("Cyrillic") { text, n in
            lines(text) { i, line in
                i < 9
                    ? line
                    : [("A", "А"), ("B", "В"), ("E", "Е"), ("H", "Н"), ("X", "Х")].prefix(n + 1).reduce(line)
                    { $0.replacing($1.0, with: $1.1) }
            }
        },
        Mangling("full width") { text, n in
            lines(text) { i, line in
                i < 9 + n || line.hasPrefix("-")
                    ? line
                    : String(
                        String.UnicodeScalarView(
                            line.unicodeScalars.map {
                                0x21...0x7e ~= $0.value ? Unicode.Scalar($0.value + 0xfee0) ?? $0 : $0
                            }))
            }
        },
        Mangling("lower case") { text, n in
            lines(text) { i, line in
                i > n && !line.hasPrefix("Label") && !line.hasPrefix("Holder") ? line.lowercased() : line
            }
        },
        Mangling("1 :") { text, n in text.replacing(": ", with: [" : ", " :", ":", ". ", "; "][n]) },
        Mangling("OCR") { text, n in
            lines(text) { i, line in
                guard i > 8, line.contains("#") else { return line }
                return line.replacing("0", with: "O").replacing("1", with: n % 2 == 0 ? "I" : "l")
                    + (n > 2 ? "\n" : "")
            }
        },
        Mangling("a foreign line") { text, n in
            lines(text) { i, l in i == 3 + n ? l + "\nremember to buy milk: 3" : l }
        },
        Mangling("a missing line") { text, n in lines(text) { i, l in i == [1, 4, 5, 6, 10][n] ? "" : l } },
        Mangling("a doubled line") { text, n in lines(text) { i, l in i == 2 + 2 * n ? l + "\n" + l : l } },
        Mangling(
            "UTF-16",
            bytes: { text, n in
                text.data(
                    using: [.utf16, .utf16LittleEndian, .utf16BigEndian, .utf16, .utf16LittleEndian][n])
                    ?? Data()
            }),
        Mangling("byte order mark") { text, n in String(repeating: "\n", count: n) + "\u{feff}" + text },
        Mangling("CR LF") { text, n in
            text.replacing("\n", with: ["\r\n", "\r", " \r\n", "\r\n\r\n", "\n\n"][n])
        },
        Mangling("columns") { text, n in
            let rows = text.split(separator: "\n").dropFirst().dropLast().map {
                line -> (String, String, String) in
                guard let colon = line.firstIndex(of: ":"), let hash = line.lastIndex(of: "#") else {
                    return (String(line), "", "")
                }
                return (
                    String(line[...colon]),
                    String(line[line.index(after: colon)..<hash]).trimmingCharacters(in: .whitespaces),
                    String(line[hash...])
                )
            }
            let body =
                n % 2 == 0
                ? rows.map(\.0) + rows.map(\.1) + rows.map(\.2)
                : rows.map(\.0) + rows.map { "\($0.1) \($0.2)" }
            return (["-----BEGIN PENGUINDOME SHARE-----"] + body + ["-----END PENGUINDOME SHARE-----"])
                .joined(separator: "\n")
        },
    ]

    /// The share of each name, with one of its set read before.
    @Test func noMangledShareReadsAsAnotherAndFourOfFiveAreRestored() throws {
        let sample = try Sample()
        var (restored, wrong, total) = (0, 0, 0)
        var failures: [String] = []
        for mangling in Self.manglings {
            for variant in 0..<5 {
                let share = sample.shares[variant]
                let bytes = Array(mangling.change(share.text, variant))
                let findings = bytes.withUnsafeBytes { ShareScanner(known: [share.set]).scan($0) }
                total += 1
                let shares = findings.compactMap(\.share)
                if shares.contains(where: { !$0.isSame(as: share) }) { wrong += 1 }
                if shares.contains(where: { $0.isSame(as: share) }) {
                    restored += 1
                } else {
                    failures.append("\(mangling.name) \(variant)")
                }
            }
        }
        #expect(wrong == 0)
        #expect(restored * 100 >= total * 80, "\(restored) of \(total); not: \(failures)")
        print("manglings: \(restored) of \(total) restored, \(wrong) wrong; not restored: \(failures)")
    }

    @Test func severalSharesInOneTextAreAllRead() throws {
        let sample = try Sample()
        let text = sample.shares.prefix(3).map(\.text).joined(separator: "\nand another:\n")
        let found = Array(text.utf8).withUnsafeBytes { ShareScanner().scan($0) }
        #expect(found.compactMap { $0.share?.number } == [1, 2, 3])
    }

    @Test(arguments: ["Format", "Label", "Created", "Threshold", "Secret", "Holder", "2", "Check"])
    func aLineThatLostItsKeyIsKnownByItsChecksum(key: String) throws {
        for share in try Sample().shares {
            let text = Self.lines(share.text) { _, line in
                line.hasPrefix("\(key): ") ? String(line.dropFirst(key.count + 2)) : line
            }
            let found = Array(text.utf8).withUnsafeBytes { ShareScanner().scan($0) }
            #expect(found.compactMap { $0.share?.isSame(as: share) } == [true])
        }
    }

    @Test func aBeginLineInsideAShareStartsAnew() throws {
        let sample = try Sample()
        let half = sample.text(0).split(separator: "\n").prefix(11).joined(separator: "\n")
        let found = Array((half + "\n" + sample.text(1)).utf8).withUnsafeBytes { ShareScanner().scan($0) }
        #expect(found.compactMap { $0.share?.number } == [2])
        #expect(found.count == 2)
    }
}
