import Foundation
import PDSecrets
import Testing

@testable import PDShamir

@Suite("The text of a native share")
struct ShareTextTests {
    private let sample: Sample
    private let text: String
    private let lines: [String]

    init() throws {
        sample = try Sample()
        text = sample.text(1)
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    private func number(ofLine key: String) throws -> Int {
        try #require(lines.firstIndex { $0.hasPrefix(key + ":") }) + 1
    }

    @Test func aShareReadsBackAsItWasWritten() throws {
        for share in sample.shares {
            let read = try Share(text: share.text)
            #expect(read.set == share.set)
            #expect(read.number == share.number)
            #expect(read.holder == share.holder)
            #expect(read.body == share.body)
            #expect(read.text == share.text)
        }
    }

    @Test func linesAreShortEnoughForPaper() {
        #expect(lines.allSatisfy { $0.utf8.count <= 80 })
    }

    @Test func p07_everySingleFlippedBitOfAShareFileIsRefusedOrMeansTheSame() throws {
        let bytes = Array(text.utf8)
        for index in bytes.indices {
            for bit in 0..<8 {
                var flipped = bytes
                flipped[index] ^= 1 << bit
                guard let read = try? Share(bytes: flipped) else { continue }  // refused: as it should be
                // Letter case in numbered lines, checksums and the frame, kinds of blanks: the share is the same.
                if read.text != text { Issue.record("byte \(index), bit \(bit)") }
            }
        }
    }

    @Test func p11_emptyAndTinyTextsAreRefused() {
        #expect(throws: ShareFileError.notAShare(line: 1)) { _ = try Share(text: "") }
        #expect(throws: ShareFileError.notAShare(line: 1)) { _ = try Share(text: "x") }
        #expect(throws: ShareFileError.notAShare(line: 1)) { _ = try Share(text: "\n") }
    }

    @Test func p11_aShareCutOffAnywhereIsRefused() {
        // Only the line feed at the very end may be missing.
        let bytes = Array(text.utf8)
        for length in 0..<(bytes.count - 1) where (try? Share(bytes: Array(bytes[..<length]))) != nil {
            // Dashes after the last word of the END line may be missing too.
            #expect(bytes[length...].allSatisfy { $0 == 0x2d || $0 == 0x0a })
        }
        #expect(throws: Never.self) { _ = try Share(bytes: bytes.dropLast()) }
    }

    @Test func p11_aBodyLongerOrShorterThanDeclaredIsRefused() throws {
        let last = try #require(lines.lastIndex { $0.first?.isNumber == true })
        var longer = lines
        longer.insert(checked("6: 00"), at: last + 1)
        let error = #expect(throws: ShareFileError.self) {
            _ = try Share(text: longer.joined(separator: "\n"))
        }
        #expect(error == .unexpectedLine(line: last + 2, expected: "-----END PENGUINDOME SHARE-----"))
        var shorter = lines
        shorter.remove(at: last)
        #expect(throws: ShareFileError.unexpectedLine(line: last + 1, expected: "5")) {
            _ = try Share(text: shorter.joined(separator: "\n"))
        }
    }

    @Test(arguments: [
        ("Threshold", "0"), ("Threshold", "1"), ("Threshold", "256"), ("Threshold", "-3"),
        ("Threshold", "03"),
        ("Threshold", ""), ("Threshold", "99999999999999999999"), ("Shares", "0"), ("Shares", "2"),
        ("Shares", "256"),
        ("Share", "0"), ("Share", "6"), ("Share", "256"), ("Share", "1 "), ("Secret", "0 bytes"),
        ("Secret", "33"), ("Secret", "33 Bytes"), ("Secret", "65537 bytes"),
        ("Secret", "9223372036854775807 bytes"), ("Secret", "033 bytes"), ("Threshold", "03"),
        ("Shares", "05"),
        ("Share", "02"), ("Format", "01"),
        ("Secret", "999999999999999999999 bytes, sealed"), ("Secret", "0 bytes, sealed"),
        ("Created", "2026-02-29"),
        ("Created", "2026-13-01"), ("Created", "26-11-23"), ("Set", "0101-0101"),
        ("Set", "ABCD-EFGH-JKMN-PQR!"),
        ("Set", "abcd-efgh-jkmn-pqrs"), ("Label", ""), ("Holder", "x\u{1b}[31m"), ("Holder", "a\u{202e}b"),
    ])
    func p12_fieldsOutOfRangeAreRefusedWithTheirLine(field: String, value: String) throws {
        let line = try number(ofLine: field)
        let changed = text.replacingLine(field, with: checked("\(field): \(value)"))
        let error = #expect(throws: ShareFileError.self) { _ = try Share(text: changed) }
        if value == "1 " || value == "" {
            // A blank at the end does not count, so the checksum over it is wrong; and no value is no value.
            #expect(error == .wrongChecksum(line: line) || error == .invalidLine(line: line, field: field))
        } else {
            #expect(error == .invalidLine(line: line, field: field))
        }
    }

    @Test func p28_controlCharactersInNamesAreRefusedOnTheWayInAndOut() throws {
        let bad = [
            "\u{1b}[2J", "a\nb", "a\u{7f}", "\u{9b}31m", "a\u{202e}b", "a\u{200b}b", " a", "a ", "a  b", "",
            "-",
        ]
        for name in bad + [String(repeating: "x", count: 101)] {
            #expect(throws: ShareFileError.invalidField("Holder")) {
                _ = try sample.shares[0].rewritten(holder: name)
            }
            #expect(throws: ShareFileError.invalidField("Label")) { _ = try ShareSet.sample(label: name) }
        }
        #expect(ShareName.isValid("Åsa Öberg-Ñandú 3"))
    }

    @Test func p28_zeroWidthJoinersMayStandWhereTheyShowAndNowhereElse() throws {
        for name in ["علی\u{200c}رضا", "क्\u{200d}ष", "👩\u{200d}💻 key", "❤\u{fe0f}\u{200d}🔥"] {
            #expect(ShareName.isValid(name))
            let named = try ShareSet.sample(label: name).split(
                SecretBytes(copying: Sample.secret), holders: [name], randomness: CountingRandomness(seed: 3),
                cryptography: TestCryptography())[0]
            let read = try Share(text: named.text)
            #expect(read.holder.map { Array($0.utf8) } == Array(name.utf8))
            #expect(read.set.label.map { Array($0.utf8) } == Array(name.utf8))
        }
        for name in [
            "Ali\u{200d}ce", "Ali\u{200c}ce", "é\u{200d}e", "e\u{200d}é", "é\u{200d}", "\u{200d}é",
            "\u{200c}",
            "é\u{200d}\u{200d}é", "é\u{200d}\u{200c}é", "é\u{200b}é", "é\u{2060}é", "é\u{ad}é", "é\u{202e}é",
        ] {
            #expect(!ShareName.isValid(name), "\(Array(name.unicodeScalars))")
        }
    }

    @Test func p31_aTextInUTF16IsNamedAsSuch() throws {
        for encoding in [String.Encoding.utf16, .utf16LittleEndian, .utf16BigEndian] {
            let bytes = try #require(text.data(using: encoding))
            #expect(throws: ShareFileError.utf16) { _ = try Share(bytes: Array(bytes)) }
        }
        #expect(ShareFileError.utf16.description == "the text is UTF-16: save it as UTF-8, or as plain text")
    }

    @Test func p29_everyLineIsUnderItsChecksum() throws {
        for (index, line) in lines.enumerated() where line.contains("#") {
            // The first character of the value, replaced by another of the same kind.
            let start = try #require(line.firstIndex(of: ":"))
            let place = line.index(start, offsetBy: 2)
            var changed = line
            changed.replaceSubrange(place...place, with: line[place] == "3" ? "4" : "3")
            var all = lines
            all[index] = changed
            #expect(throws: ShareFileError.wrongChecksum(line: index + 1)) {
                _ = try Share(text: all.joined(separator: "\n"))
            }
        }
    }

    @Test(arguments: ["0", "2", "10", "99999"])
    func p30_anUnknownFormatIsNamedAndNotGuessed(format: String) {
        let changed = text.replacingLine("Format", with: checked("Format: \(format)"))
        #expect(throws: ShareFileError.unknownFormat(line: 2, format: format)) {
            _ = try Share(text: changed)
        }
    }

    @Test func p31_everySingleMistypedCharacterIsFoundInItsLine() throws {
        let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        for (index, line) in lines.enumerated() where line.first?.isNumber == true {
            let characters = Array(line)
            for place in characters.indices where characters[place] != " " && characters[place] != "#" {
                let wrong = alphabet[(place * 7 + index) % 32]
                guard wrong != characters[place], characters[place] != ":" else { continue }
                var typed = characters
                typed[place] = wrong
                var all = lines
                all[index] = String(typed)
                let error = #expect(throws: ShareFileError.self) {
                    _ = try Share(text: all.joined(separator: "\n"))
                }
                #expect(error == .wrongChecksum(line: index + 1))
            }
        }
    }

    @Test func p31_twoNeighbouringCharactersSwappedAreFoundInTheirLine() throws {
        for (index, line) in lines.enumerated() where line.contains(": ") {
            let characters = Array(line)
            for place in characters.indices.dropLast() where characters[place] != characters[place + 1] {
                let pair = [characters[place], characters[place + 1]]
                guard !pair.contains(" "), !pair.contains("#"), !pair.contains(":") else { continue }
                var typed = characters
                typed.swapAt(place, place + 1)
                var all = lines
                all[index] = String(typed)
                #expect(throws: ShareFileError.wrongChecksum(line: index + 1)) {
                    _ = try Share(text: all.joined(separator: "\n"))
                }
            }
        }
    }

    @Test func p31_linesInTheWrongOrderAreFound() throws {
        var swapped = lines
        let first = try number(ofLine: "1") - 1
        swapped.swapAt(first, first + 1)
        #expect(throws: ShareFileError.unexpectedLine(line: first + 1, expected: "1")) {
            _ = try Share(text: swapped.joined(separator: "\n"))
        }
    }

    @Test func p31_whatPeopleTypeDifferentlyIsTolerated() throws {
        let typed = lines.map { line -> String in
            guard line.first?.isNumber == true else {
                return "  " + line.replacing(": ", with: ":   ").replacing(" #", with: "\t#") + " \r"
            }
            // Numbered lines: lower case, o for 0, l for 1, other groups.
            let colon = line.firstIndex(of: ":")!
            let value = line[colon...].lowercased().replacing("0", with: "o").replacing("1", with: "l")
            return line[..<colon] + value.replacing(" ", with: "-").replacing(":-", with: ": ") + "\r"
        }
        let read = try Share(text: "\r\n\n" + typed.joined(separator: "\n") + "\n\n")
        #expect(read.text == text)
        let bare = text.replacing("-----BEGIN PENGUINDOME SHARE-----", with: "begin penguindome share")
            .replacing("-----END PENGUINDOME SHARE-----", with: "- End PenguinDome Share")
        #expect(try Share(text: bare).text == text)
        #expect(try Share(text: "\u{feff}" + text).text == text)
        #expect(throws: ShareFileError.wrongChecksum(line: 2)) {
            _ = try Share(text: text.replacing("\nFormat", with: "\n\u{feff}Format"))
        }
    }

    @Test func p31_trailingTextIsRefused() {
        let end = lines.count
        #expect(throws: ShareFileError.trailingText(line: end)) { _ = try Share(text: text + "x") }
        #expect(throws: ShareFileError.trailingText(line: end)) { _ = try Share(text: text + text) }
        #expect(throws: ShareFileError.notAShare(line: 1)) { _ = try Share(text: "Dear Bob,\n" + text) }
    }

    @Test func p31_fillingBitsThatAreNotZeroAreRefused() throws {
        // 81 bytes of body: the last line holds one byte in two characters, two bits of which are filling.
        let last = try #require(lines.last { $0.first?.isNumber == true })
        let value = try #require(last.split(separator: " ").dropFirst().first)
        #expect(value.count == 2)
        let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        let digit = try #require(alphabet.firstIndex { $0 == value.last })
        let changed = "5: " + String(value.dropLast()) + String(alphabet[digit | 1])
        #expect(throws: ShareFileError.invalidLine(line: 16, field: "5")) {
            _ = try Share(text: text.replacingLine("5", with: checked(changed)))
        }
    }

    @Test func p31_charactersOutsideTheAlphabetAreRefused() {
        for character in ["U", "!", "Ä", "\u{0}"] {
            let changed = "1: " + String(repeating: character, count: 32)
            #expect(throws: ShareFileError.self) {
                _ = try Share(text: text.replacingLine("1", with: checked(changed)))
            }
        }
    }

    @Test func linesOfAbsurdLengthAreRefusedBeforeTheyAreRead() {
        #expect(throws: ShareFileError.lineTooLong(line: 1)) {
            _ = try Share(text: String(repeating: "-", count: 10_000) + "\n" + text)
        }
    }

    @Test func aLineThatWasRefusedCanBeTypedAgain() throws {
        var parser = ShareParser()
        for line in lines.dropLast() {
            let wrong = Array(line.replacing("#", with: "#0").utf8)
            if line.contains("#") {
                #expect(throws: ShareFileError.self) {
                    try wrong.withUnsafeBytes { try parser.take(line: $0) }
                }
            }
            try Array(line.utf8).withUnsafeBytes { try parser.take(line: $0) }
        }
        #expect(parser.isComplete)
        #expect(try parser.finish().text == text)
    }

    @Test func theCheckKeyNeverShowsInAText() throws {
        // What inspect shows comes from these fields alone; the body is reached by no public name.
        let generator = CountingRandomness(seed: 20)
        let checkKey = (0..<16).map { _ in generator.nextByte() }
        for share in sample.shares {
            #expect(
                share.body.array.indices.dropLast(15).allSatisfy {
                    Array(share.body.array[$0..<($0 + 16)]) != checkKey
                })
        }
    }
}
