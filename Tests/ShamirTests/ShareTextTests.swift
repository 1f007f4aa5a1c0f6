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

    /// Why a text is refused; empty where it is not.
    private func problems(_ text: String) -> [ShareLineProblem] {
        do throws(ShareFileError) {
            _ = try Share(text: text)
            return []
        } catch .damaged(let problems) {
            return problems
        } catch {
            Issue.record("\(error)")
            return []
        }
    }

    /// A line of this share with the checksum that belongs to it.
    private func bound(_ key: String, _ value: String) -> String {
        checked("\(key): \(value)", on: sample.shares[1])
    }

    @Test(arguments: ["", "x", "\n", "-----BEGIN\n"])
    func p11_whatIsNoShareIsNamedAsSuch(text: String) {
        #expect(throws: ShareFileError.notAShare) { _ = try Share(text: text) }
    }

    @Test func p11_aShareCutOffAnywhereIsRefused() throws {
        // The END line may be missing: the closing line before it checks the whole share.
        let bytes = Array(text.utf8)
        let end = try #require(text.range(of: "\n-----END")).lowerBound
        let needed = text.utf8.distance(from: text.startIndex, to: end)
        for length in 0..<needed where (try? Share(bytes: Array(bytes[..<length]))) != nil {
            Issue.record("cut off after \(length) bytes")
        }
        #expect(throws: Never.self) { _ = try Share(bytes: Array(bytes[..<needed])) }
    }

    @Test(arguments: [
        ("Threshold", "0 of 5"), ("Threshold", "1 of 5"), ("Threshold", "256 of 256"),
        ("Threshold", "3 of 2"),
        ("Threshold", "03 of 5"), ("Threshold", "3 of 05"), ("Threshold", "3"), ("Threshold", "3 of 256"),
        ("Secret", "0 bytes"), ("Secret", "33"),
        ("Secret", "65537 bytes"), ("Secret", "9223372036854775807 bytes"), ("Secret", "033 bytes"),
        ("Secret", "999999999999999999999 bytes, sealed"), ("Secret", "0 bytes, sealed"), ("Format", "01"),
        ("Created", "2026-02-29"), ("Created", "2026-13-01"), ("Created", "26-11-23"), ("Set", "0101-0101"),
    ])
    func p12_fieldsOutOfRangeAreRefusedWithTheirLine(field: String, value: String) throws {
        let found = problems(text.replacingLine(field, with: bound(field, value)))
        #expect(found.contains { $0.key == field && $0.reason == .invalid }, "\(found)")
    }

    @Test(arguments: ["0", "2", "10", "99999"])
    func p30_anUnknownFormatIsNamedAndNotGuessed(format: String) {
        let found = problems(text.replacingLine("Format", with: bound("Format", format)))
        #expect(found.map(\.reason) == [.unknownFormat(format)])
    }

    @Test func p143_aLineOfAnotherPaperIsKnownByOneShareAlone() throws {
        for key in ["1", "3", "Holder", "Created", "Check"] {
            let other = try #require(sample.text(0).split(separator: "\n").first { $0.hasPrefix(key + ":") })
            let found = problems(text.replacingLine(key, with: String(other)))
            #expect(found.map(\.key) == [key])
            #expect(found.map(\.reason) == [.ofShare(1)])
        }
    }

    @Test func p143_linesThatAreRightOneByOneAreCheckedTogether() throws {
        // Another value, with a checksum that belongs to it: only the closing line speaks against it.
        let changed = text.replacingLine("Created", with: bound("Created", "2026-11-24"))
        #expect(problems(changed).map(\.reason) == [.whole])
    }

    @Test func p31_allBadLinesAreNamedAtOnceByWhatIsPrintedOnThem() throws {
        var typed = lines
        for key in ["Created", "1", "3"] {
            let index = try #require(lines.firstIndex { $0.hasPrefix(key + ":") })
            // Too many errors for a correction.
            typed[index] = lines[index].replacing("A", with: "B").replacing("7", with: "8").replacing(
                "2", with: "3"
            )
            .replacing("K", with: "Q").replacing("5", with: "9")
        }
        let found = problems(typed.joined(separator: "\n"))
        #expect(found.map(\.key) == ["Created", "1", "3"])
        #expect(found.allSatisfy { $0.description.contains("the line that begins \"\($0.key):\"") })
    }

    @Test func p31_everySingleMistypedCharacterIsFoundAndItsOnlyCorrectionOffered() throws {
        let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        let index = try #require(lines.firstIndex { $0.hasPrefix("2:") })
        let characters = Array(lines[index])
        for place in characters.indices.dropFirst(3)
        where characters[place] != " " && characters[place] != "#" {
            let wrong = alphabet[(place * 7) % 32]
            guard wrong != characters[place] else { continue }
            var typed = characters
            typed[place] = wrong
            var all = lines
            all[index] = String(typed)
            let found = problems(all.joined(separator: "\n"))
            #expect(found.map(\.reason) == [.mistyped])
            let correction = try #require(found.first?.correction)
            var draft = ShareDraft()
            for line in lines.dropFirst() where !line.hasPrefix("2:") {
                _ = Array(line.utf8).withUnsafeBytes { draft.take(line: $0) }
            }
            #expect(draft.mend("2", correction) == .accepted(key: "2"))
            #expect(draft.finish()?.text == text)
        }
    }

    @Test(arguments: [(0, 1), (4, 5), (6, 7)])
    func p31_swappedAndMissingAndSurplusCharactersAreOfferedBack(_ places: (Int, Int)) throws {
        let index = try #require(lines.firstIndex { $0.hasPrefix("1:") })
        let value = Array(lines[index].dropFirst(3).prefix(49))
        var swapped = value.filter { $0 != " " }
        swapped.swapAt(places.0, places.1)
        var short = value.filter { $0 != " " }
        short.remove(at: places.0)
        let long = ["Z"] + value
        for typed in [swapped, short, long] {
            var all = lines
            all[index] = "1: " + String(typed) + lines[index].suffix(9)
            let found = problems(all.joined(separator: "\n"))
            guard !found.isEmpty else { continue }  // two equal neighbours
            #expect(found.count == 1 && found[0].correction != nil, "\(found)")
        }
    }

    @Test func invisibleCharactersAreNamedByPlaceWhereALineIsMistypedToo() throws {
        let index = try #require(lines.firstIndex { $0.hasPrefix("1:") })
        var all = lines
        all[index] = "1:\u{200b}" + String(repeating: "Z", count: 40) + " #1234567"
        let found = problems(all.joined(separator: "\n"))
        #expect(found.first?.invisible.map(\.place) == [3])
        #expect(found.first?.description.contains("character 3 is not what it looks like (U+200B)") == true)
    }

    @Test func namesAreWrittenInOneSpellingThatPeopleCanType() throws {
        for name in ["a\u{a0}b", "a\u{2009}b", "u\u{308}", "\u{212b}"] {
            #expect(!ShareName.isValid(name), "\(Array(name.unicodeScalars))")
        }
        #expect(ShareName.isValid(ShareName.normalised("mu\u{308}ller")))
    }

    @Test func noShareOfAPassphraseAnd128BytesHasMoreThanTwentyLines() throws {
        let set = try ShareSet.sample(content: .direct(bytes: 128))
        let share = try set.split(
            SecretBytes(copying: [UInt8](repeating: 7, count: 128)), randomness: CountingRandomness(seed: 4),
            cryptography: TestCryptography())[0]
        let cost = try #require(PassphraseCost(memory: 8, passes: 1, lanes: 1))
        let locked = try share.locked(
            passphrase: SecretBytes(copying: Array("x".utf8)), cost: cost,
            randomness: CountingRandomness(seed: 5),
            cryptography: TestCryptography())
        #expect(locked.text.split(separator: "\n").count <= 20)
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
