import Foundation
import Testing

@testable import PDCrypto

@Suite("Pitfalls 45 to 48: subpackets, packets and armor")
struct PitfallsFormatTests {
    // MARK: 45 and 46

    @Test("p45 An unknown critical subpacket in the hashed area is refused, an unknown plain one is not")
    func p45_critical() throws {
        let scene = try Scene()
        let area = scene.key.area(ForgedKey.born)
        func signed(_ extra: [UInt8]) throws -> [UInt8] {
            try scene.packet(scene.key.signature(over: scene.document, hashed: area + extra))
        }
        for type in [0, 1, 10, 23, 28, 31, 37, 60, 100, 127] as [UInt8] {
            try scene.refuses(
                signed(OpenPGP.Subpackets.write(0x80 | type, [0])), .unknownCriticalSubpacket(type))
            try scene.verify(signed(OpenPGP.Subpackets.write(type, [0])))
        }
        // One that is understood may be critical.
        let critical =
            [22, 0x80 | 33, 4] + scene.key.fingerprint.bytes + [5, 0x80 | 2]
            + OpenPGP.bigEndian(ForgedKey.born.seconds)
        try scene.verify(scene.packet(scene.key.signature(over: scene.document, hashed: critical)))
    }

    @Test("p45 A creation time must be there once, and signed")
    func p45_creationTime() throws {
        let scene = try Scene()
        let issuer = OpenPGP.Subpackets.issuer(scene.key.fingerprint)
        let time = OpenPGP.Subpackets.creation(ForgedKey.born)
        func signed(_ hashed: [UInt8], _ unhashed: [UInt8]) throws -> [UInt8] {
            try scene.packet(scene.key.signature(over: scene.document, hashed: hashed, unhashed: unhashed))
        }
        try scene.verify(signed(issuer + time, []))
        try scene.refuses(signed(issuer, []), .missingCreationTime)
        try scene.refuses(signed(issuer, time), .missingCreationTime)
        try scene.refusesAsMalformed(signed(issuer + time + time, []))
        try scene.refusesAsMalformed(signed(issuer + OpenPGP.Subpackets.write(2, [1, 2, 3]), []))
        try scene.refusesAsMalformed(signed(issuer + OpenPGP.Subpackets.write(2, [1, 2, 3, 4, 5]), []))
        // Expiration counts where it is signed only.
        let expiration = OpenPGP.Subpackets.write(3, OpenPGP.bigEndian(60))
        try scene.verify(signed(issuer + time, expiration))
        try scene.refuses(
            signed(issuer + time + expiration, []), .signatureExpired(ForgedKey.born.advanced(by: 60)))
        try scene.verify(signed(issuer + time + OpenPGP.Subpackets.write(3, [0, 0, 0, 0]), []))
        try scene.refusesAsMalformed(signed(issuer + time + expiration + expiration, []))
        // Nothing that names a key at all.
        try scene.refuses(signed(time, []), .missingIssuer)
    }

    @Test("p46 Subpacket lengths in one, two and five octets are read, and bounded by their area")
    func p46_lengths() throws {
        let scene = try Scene()
        let area = scene.key.area(ForgedKey.born)
        func signed(_ extra: [UInt8]) throws -> [UInt8] {
            try scene.packet(scene.key.signature(over: scene.document, hashed: area + extra))
        }
        // A private type, with bodies whose lengths sit at the borders of the three forms.
        for length in [1, 2, 190, 191, 192, 193, 8383, 8384, 60_000] {
            let body = [100] + [UInt8](repeating: 0, count: length - 1)
            var forms = [[0xff] + OpenPGP.bigEndian(length)]
            if length < 192 { forms.append([UInt8(length)]) }
            if (192..<16_320).contains(length) {
                forms.append([UInt8((length - 192) >> 8) + 192, UInt8((length - 192) & 0xff)])
            }
            for form in forms { try scene.verify(signed(form + body)) }
            // One more than there is.
            try scene.refusesAsMalformed(signed([0xff] + OpenPGP.bigEndian(length + 1) + body))
        }
        try scene.refusesAsMalformed(signed([0]))
        try scene.refusesAsMalformed(signed([0xff, 0, 0, 0, 0]))
        try scene.refusesAsMalformed(signed([0xff, 0xff, 0xff, 0xff, 0xff]))
        try scene.refusesAsMalformed(signed([0xff, 0x7f, 0xff, 0xff, 0xff, 100]))
        try scene.refusesAsMalformed(signed([0xff, 0, 0]))
        try scene.refusesAsMalformed(signed([192]))
        try scene.refusesAsMalformed(signed([254, 255, 100]))
        try scene.refusesAsMalformed(signed([2, 100]))
        try scene.refusesAsMalformed(signed([1]))
    }

    @Test("p46 An issuer, or an exportable flag, of wrong length is refused in either area, as by gpg")
    func p46_issuerLengths() throws {
        let scene = try Scene()
        let area = scene.key.area(ForgedKey.born)
        let fingerprint = scene.key.fingerprint.bytes
        for wrong in [
            OpenPGP.Subpackets.write(16, []), OpenPGP.Subpackets.write(16, fingerprint.suffix(7)),
            OpenPGP.Subpackets.write(16, fingerprint.suffix(9)), OpenPGP.Subpackets.write(33, [4]),
            OpenPGP.Subpackets.write(33, [4] + fingerprint.dropLast()),
            OpenPGP.Subpackets.write(33, [4] + fingerprint + [0]), OpenPGP.Subpackets.write(4, []),
            OpenPGP.Subpackets.write(5, [1]), OpenPGP.Subpackets.write(5, [1, 60, 0]),
            OpenPGP.Subpackets.write(7, []), OpenPGP.Subpackets.write(20, [0]),
            OpenPGP.Subpackets.write(20, [0x80, 0, 0, 0, 0, 3, 0, 1] + "a@b".utf8),
            OpenPGP.Subpackets.write(20, [0x80, 0, 0, 0, 0, 3, 0, 1] + "a@bcd".utf8),
        ] {
            try scene.refusesAsMalformed(
                scene.packet(scene.key.signature(over: scene.document, hashed: area + wrong)))
            try scene.refusesAsMalformed(
                scene.packet(scene.key.signature(over: scene.document, unhashed: wrong)))
        }
        let notation = OpenPGP.Subpackets.write(20, [0x80, 0, 0, 0, 0, 3, 0, 1] + "a@bc".utf8)
        try scene.verify(scene.packet(scene.key.signature(over: scene.document, hashed: area + notation)))
        // Fingerprints of other key versions say nothing.
        let other = OpenPGP.Subpackets.write(33, [6] + [UInt8](repeating: 1, count: 32))
        try scene.verify(scene.packet(scene.key.signature(over: scene.document, unhashed: other)))
    }

    // MARK: 47

    @Test("p47 A packet may have any header that states its length, and no other")
    func p47_headers() throws {
        let scene = try Scene()
        let body = try scene.key.signature(over: scene.document)
        let count = body.count
        for header in [
            [0x88, UInt8(count)], [0x89, 0, UInt8(count)], [0x8a] + OpenPGP.bigEndian(count),
            [0xc2, UInt8(count)],
            [0xc2, 0xff] + OpenPGP.bigEndian(count),
        ] { try scene.verify(header + body) }
        // A body of over 191 octets takes two for its length.
        let filler = OpenPGP.Subpackets.write(100, [UInt8](repeating: 0, count: 100))
        let long = try scene.key.signature(
            over: scene.document, hashed: scene.key.area(ForgedKey.born) + filler)
        try scene.verify([0xc2, 192, UInt8(long.count - 192)] + long)
        // Indeterminate, partial, beyond the end, and type 0 in both formats.
        scene.refusesAsMalformed([0x8b] + body)
        scene.refusesAsMalformed(
            [0xc2, 0xe6] + long.prefix(64) + [UInt8(long.count - 64)] + long.dropFirst(64))
        scene.refusesAsMalformed([0x88, UInt8(count + 1)] + body)
        scene.refusesAsMalformed([0x8a, 0xff, 0xff, 0xff, 0xff] + body)
        scene.refusesAsMalformed([0xc2, 0xff, 0xff, 0xff, 0xff, 0xff] + body)
        scene.refusesAsMalformed([0xc0, UInt8(count)] + body)
        scene.refusesAsMalformed([0x80, UInt8(count)] + body)
        scene.refusesAsMalformed([0x88])
        scene.refusesAsMalformed([0x89, 0])
        scene.refusesAsMalformed([0xc2, 0xff, 0])
        scene.refusesAsMalformed([0xc2, 0])
    }

    @Test("p47 Nothing comes in parts, and compressed and encrypted data are named where they do")
    func p47_parts() throws {
        for (tag, name) in [
            (2, "signature"), (4, "one-pass signature"), (11, "literal data"), (13, "user ID"),
        ]
            as [(UInt8, String)]
        {
            for header in [[0xc0 | tag, 0xe9], [0x83 | tag << 2]] {
                var reader = OpenPGP.PacketReader((header + [UInt8](repeating: 0x62, count: 512) + [0])[...])
                #expect(throws: OpenPGP.Error.malformedPacket("a \(name) packet of unstated length")) {
                    try reader.next()
                }
            }
        }
        for (tag, error) in [(8, .compressedMessage), (1, .encryptedMessage), (18, .encryptedMessage)]
            as [(UInt8, OpenPGP.Error)]
        {
            var reader = OpenPGP.PacketReader([0xc0 | tag, 0xe9, 1, 2, 3][...])
            #expect(throws: error) { try reader.next() }
        }
    }

    @Test("p47 Compressed and encrypted data are refused by name, whatever is in them")
    func p47_compressed() throws {
        let scene = try Scene()
        let good = try scene.good()
        scene.refuses(Forge.packet(.compressedData, [0] + good), .compressedMessage)
        scene.refuses(good + Forge.packet(.compressedData, [1, 2, 3]), .compressedMessage)
        for tag in [1, 3, 9, 18, 20] as [UInt8] {
            scene.refuses(Forge.packet(OpenPGP.PacketTag(rawValue: tag), good), .encryptedMessage)
        }
        for tag in [4, 6, 11, 13, 14, 17, 19, 22, 39] as [UInt8] {
            let tag = OpenPGP.PacketTag(rawValue: tag)
            scene.refuses(Forge.packet(tag, [1]) + good, .unexpectedPacket(tag))
        }
        // Those that say nothing are passed over (RFC 9580, section 4.3).
        for tag in [10, 12, 21, 40, 60, 63] as [UInt8] {
            let tag = OpenPGP.PacketTag(rawValue: tag)
            try scene.verify(Forge.packet(tag, [1]) + good)
            try scene.verify(good + Forge.packet(tag, [UInt8](repeating: 7, count: 300)))
            scene.refuses(good + Forge.packet(tag, [1]) + good, .notExactlyOneSignature(found: 2))
        }
    }

    @Test("p47 Ten thousand signatures, and as many packets of a certificate, are refused in little time")
    func p47_manyPackets() throws {
        let scene = try Scene()
        let good = try scene.good()
        let started = ContinuousClock.now
        let many = Array(repeatElement(good, count: 10_000).joined())
        scene.refuses(many, .tooLong(limit: OpenPGP.Verifier.sizeLimit))
        let fewer = Array(repeatElement(good, count: OpenPGP.Verifier.sizeLimit / good.count).joined())
        #expect(fewer.count / good.count > 2000)
        #expect(throws: OpenPGP.Error.self) { try scene.release(fewer) }
        let names = Array(repeatElement(try Forge.name(scene.key), count: 10_000).joined())
        #expect(throws: OpenPGP.Error.self) {
            try OpenPGP.Certificate(Forge.packet(.publicKey, scene.key.body) + names)
        }
        #expect(ContinuousClock.now - started < .seconds(20))
    }

    // MARK: 48

    /// Armor whose parts a test may spoil one by one.
    struct ArmorParts {
        var begin = "-----BEGIN PGP SIGNATURE-----\n"
        var headers = "\n"
        var body: String
        var checksum: String
        var end = "-----END PGP SIGNATURE-----\n"

        init(_ packet: [UInt8]) {
            let lines = String(decoding: OpenPGP.Armor.wrap(packet, kind: .signature), as: UTF8.self)
                .split(separator: "\n", omittingEmptySubsequences: false)
            body = lines[2..<(lines.count - 3)].joined(separator: "\n") + "\n"
            checksum = lines[lines.count - 3] + "\n"
        }

        var text: [UInt8] { Array((begin + headers + body + checksum + end).utf8) }

        func with(_ change: (inout ArmorParts) -> Void) -> [UInt8] {
            var copy = self
            change(&copy)
            return copy.text
        }
    }

    @Test("p48 Armor as peers write it is read: headers, CR LF, text before it, no checksum")
    func p48_goodArmor() throws {
        let scene = try Scene()
        let armor = try ArmorParts(scene.good())
        try scene.verify(armor.text)
        try scene.verify(armor.with { $0.checksum = "" })
        try scene.verify(armor.with { $0.headers = "Version: x\nComment: \u{e9}: y\n\n" })
        try scene.verify(armor.with { $0.begin = "hello\n- -----BEGIN PGP SIGNATURE-----\n\n" + $0.begin })
        try scene.verify(armor.with { $0.end.removeLast() })
        try scene.verify(armor.text + Array("\n\r\n\n".utf8))
        let crlf = String(decoding: armor.text, as: UTF8.self).replacingOccurrences(of: "\n", with: "\r\n")
        try scene.verify(Array(crlf.utf8))
    }

    @Test("p48 Armor as mail, editors and cat leave it is read, and stands for the same bytes")
    func p48_wornArmor() throws {
        let scene = try Scene()
        let good = try scene.good()
        let armor = ArmorParts(good)
        let body = armor.body.replacingOccurrences(of: "\n", with: "")
        let doubled = String(decoding: armor.text, as: UTF8.self).replacingOccurrences(
            of: "\n", with: "\r\r\n")
        let cases: [(String, [UInt8])] = [
            ("message", OpenPGP.Armor.wrap(good, kind: .message)),
            ("space after begin", armor.with { $0.begin = "-----BEGIN PGP SIGNATURE----- \t\n" }),
            ("space after end", armor.with { $0.end = "-----END PGP SIGNATURE-----  \n" }),
            ("wrong checksum", armor.with { $0.checksum = "=AAAA\n" }),
            ("short checksum", armor.with { $0.checksum = "=AAA\n" }),
            ("padded checksum", armor.with { $0.checksum = "=AAA=\n" }),
            ("empty checksum", armor.with { $0.checksum = "=\n" }),
            ("long checksum", armor.with { $0.checksum = "=AAAAAAAA\n" }),
            ("checksum of other characters", armor.with { $0.checksum = "=\u{e9} -\n" }),
            ("empty line after the checksum", armor.with { $0.checksum += " \n\n" }),
            ("text before and after", Array("Hello:\n\n".utf8) + armor.text + Array("-- \nJo, x:y\n".utf8)),
            ("spaces after", armor.text + Array("  \n".utf8)),
            ("no empty line", armor.with { $0.headers = "" }),
            ("no empty line after a header", armor.with { $0.headers = "Version: 1\n" }),
            ("blank line of spaces", armor.with { $0.headers = " \t \n" }),
            ("two blank lines", armor.with { $0.headers = "\n\n" }),
            ("header without value", armor.with { $0.headers = "Version:\nComment: \n\n" }),
            ("header without space", armor.with { $0.headers = "Version:x\n\n" }),
            ("header key with space", armor.with { $0.headers = "A b: x\n\n" }),
            ("tab in header", armor.with { $0.headers = "Comment: a\tb\n\n" }),
            ("empty line in the body", armor.with { $0.body = "\n" + $0.body + "\n" }),
            ("space after a line", armor.with { $0.body = String($0.body.dropLast()) + " \n" }),
            ("one line", armor.with { $0.body = body + "\n" }),
            ("lines of 77", armor.with { $0.body = body.prefix(77) + "\n" + body.dropFirst(77) + "\n" }),
            ("line ends converted twice", Array(doubled.utf8)),
        ]
        for (name, text) in cases {
            #expect(throws: Never.self, "\(name)") {
                #expect(try OpenPGP.Armor.blocks(text, kind: .signature, limit: 10_000) == [good], "\(name)")
                try scene.verify(text)
            }
        }
    }

    @Test("p48 Each of several blocks counts as one signature, and none begins in one and ends in the next")
    func p48_severalBlocks() throws {
        let scene = try Scene()
        let good = try scene.good()
        let armor = ArmorParts(good).text
        scene.refuses(armor + armor, .notExactlyOneSignature(found: 2))
        #expect(try scene.release(armor + Array("text\n".utf8) + armor).count == 1)
        let bad = try OpenPGP.Armor.wrap(
            scene.packet(scene.key.signature(over: scene.document + [0])), kind: .signature)
        for files in [armor + bad, bad + armor] {
            #expect(throws: OpenPGP.Error.badSignature) { try scene.release(files) }
        }
        let halves = [Array(good.prefix(20)), Array(good.dropFirst(20))].map {
            OpenPGP.Armor.wrap($0, kind: .signature)
        }
        #expect(throws: OpenPGP.Error.self) { try scene.release(halves[0] + halves[1]) }
        // What a signed message holds is not passed over as text.
        let clear = Array("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nthe document\n".utf8)
        for text in [clear + armor, armor + clear + armor] {
            #expect(throws: OpenPGP.Error.mistake(.clearSigned)) { try scene.release(text) }
        }
    }

    @Test("What people hand over by mistake is named, with what to do")
    func mistakes() throws {
        let key = try ForgedKey.ed25519()
        let certificate = try Forge.certificate(key)
        let secret = try key.secretPacket() + Forge.name(key)
        let wide: [UInt8] = certificate.armored().utf8.flatMap { [$0, 0] as [UInt8] }
        let cases: [(OpenPGP.Mistake, [UInt8])] = [
            (.secretKey, secret), (.secretKey, OpenPGP.Armor.wrap(secret, kind: .secretKey)),
            (.secretKey, OpenPGP.Armor.wrap(secret, kind: .publicKey)),
            (.secretKey, certificate.bytes + secret),
            (.utf16, [0xff, 0xfe] + wide), (.utf16, [0xfe, 0xff, 0] + wide),
            (.byteOrderMark, [0xef, 0xbb, 0xbf] + Array(certificate.armored().utf8)),
            (.signature, Array("-----BEGIN PGP SIGNED MESSAGE-----\n".utf8)),
            (.signature, OpenPGP.Armor.wrap([0x88, 1, 4], kind: .signature)),
            (.signature, [0x88, 1, 4]),
            (.foreignKey, Array("ssh-ed25519 AAAA me@here\n".utf8)),
            (.foreignKey, Array("-----BEGIN PRIVATE KEY-----\n".utf8)),
            (.keybox, [0, 0, 0, 32, 1, 1, 0, 2] + Array("KBXf".utf8) + [UInt8](repeating: 0, count: 20)),
        ]
        for (mistake, bytes) in cases {
            #expect(throws: OpenPGP.Error.mistake(mistake)) { try OpenPGP.Certificate(bytes) }
        }
        for bytes in [certificate.bytes, Array(certificate.armored().utf8)] {
            #expect(throws: OpenPGP.Error.mistake(.publicKey)) { try OpenPGP.SecretKey(bytes) }
        }
    }

    @Test("p48 Armor that is not exactly right is refused")
    func p48_badArmor() throws {
        let scene = try Scene()
        let good = try scene.good()
        let armor = ArmorParts(good)
        let body = armor.body.replacingOccurrences(of: "\n", with: "")
        var cases: [(String, [UInt8])] = [
            ("dash-escaped", armor.with { $0.begin = "- " + $0.begin }),
            ("message", armor.with { $0.begin = "-----BEGIN PGP MESSAGE-----\n" }),
            ("public key", OpenPGP.Armor.wrap(good, kind: .publicKey)),
            ("other end line", armor.with { $0.end = "-----END PGP MESSAGE-----\n" }),
            ("signed message", armor.with { $0.begin = "-----BEGIN PGP SIGNED MESSAGE-----\n" }),
            (
                "another begin line before",
                armor.with { $0.begin = "-----BEGIN PGP MESSAGE-----\n" + $0.begin }
            ),
            ("space before begin", armor.with { $0.begin = " " + $0.begin }),
            ("lower case", armor.with { $0.begin = $0.begin.lowercased() }),
            ("no begin line", armor.with { $0.begin = "" }),
            ("no end line", armor.with { $0.end = "" }),
            ("cut end line", armor.with { $0.end = "-----END PGP SIGNATURE----\n" }),
            ("checksum twice", armor.with { $0.checksum += $0.checksum }),
            (
                "checksum before the body",
                armor.with {
                    $0.body = $0.checksum + $0.body; $0.checksum = ""
                }
            ),
            ("body after the checksum", armor.with { $0.checksum += "AAAA\n" }),
            ("NUL in header", armor.with { $0.headers = "Comment: \u{0}\n\n" }),
            ("form feed in header", armor.with { $0.headers = "Comment: \u{c}\n\n" }),
            ("escape in header", armor.with { $0.headers = "Comment: \u{1b}[31m\n\n" }),
            (
                "no body",
                armor.with {
                    $0.body = ""; $0.checksum = "=twTO\n"
                }
            ),
            ("space in the body", armor.with { $0.body = " " + $0.body }),
            ("NUL in the body", armor.with { $0.body = "\u{0}" + $0.body }),
            ("url alphabet", armor.with { $0.body = "-_--" + $0.body.dropFirst(4) }),
            ("lone CR before the block", armor.with { $0.begin = "hello\rworld\n" + $0.begin }),
            ("lone CR", armor.with { $0.body = String($0.body.prefix(4)) + "\r" + $0.body.dropFirst(4) }),
            (
                "CR for LF",
                Array(
                    String(decoding: armor.text, as: UTF8.self)
                        .replacingOccurrences(of: "\n", with: "\r").utf8)
            ),
            ("byte order mark", [0xef, 0xbb, 0xbf] + armor.text),
            (
                "padding within",
                armor.with {
                    $0.body = "AA==" + $0.body; $0.checksum = ""
                }
            ),
            (
                "a group cut short",
                armor.with {
                    $0.body = body.prefix(62) + "\n"; $0.checksum = ""
                }
            ),
            ("empty", []),
            ("only line ends", Array("\n\n".utf8)),
        ]
        // The same octets with stray bits before the padding.
        for count in [1, 2] {
            let padded = ArmorParts(good + [UInt8](repeating: 0, count: (3 - good.count % 3) % 3 + count))
            var text = padded.body.replacingOccurrences(of: "\n", with: "")
            let last = text.index(text.endIndex, offsetBy: count == 1 ? -3 : -2)
            #expect(text[last] == "A")
            text.replaceSubrange(last...last, with: "B")
            var lines = ""
            while !text.isEmpty {
                lines += text.prefix(64) + "\n"
                text = String(text.dropFirst(64))
            }
            cases.append(
                (
                    "stray bits",
                    padded.with {
                        $0.body = lines; $0.checksum = ""
                    }
                ))
        }
        for (name, text) in cases {
            do throws(OpenPGP.Error) {
                try scene.verify(text)
                Issue.record("accepted: \(name)")
            } catch {
                switch error {
                case .malformedArmor: break
                case .mistake(.byteOrderMark) where name == "byte order mark": break
                case .mistake(.clearSigned) where name == "signed message": break
                default: Issue.record("\(name) refused for another reason: \(error)")
                }
            }
        }
    }

    @Test("p48 Base64 and the checksum agree with known answers, for every length")
    func p48_base64() throws {
        func armored(_ lines: [String]) -> [UInt8] {
            Array(
                "-----BEGIN PGP MESSAGE-----\n\n\(lines.joined(separator: "\n"))\n-----END PGP MESSAGE-----"
                    .utf8)
        }
        for (plain, lines) in [
            ("f", ["Zg=="]), ("fo", ["Zm8="]), ("foo", ["Zm9v"]), ("foobar", ["Zm9vYmFy"]),
            ("foobar", ["Zm9", "", "vYmFy"]),
        ] {
            let read = try OpenPGP.Armor.unwrap(armored(lines), kind: .message, limit: 1000)
            #expect(read == Array(plain.utf8))
        }
        for lines in [
            ["Zg==Zm8="], ["Zg==", "Zm8="], ["Z=g="], ["Zg="], ["Zg"], ["Zm9"], ["Zh=="], ["Zm9="],
            ["Zg==", "Zg"],
            ["Zg==="], ["Zm9v*"], ["Zm9-"], ["Zm9\u{e9}"],
        ] {
            #expect(throws: OpenPGP.Error.malformedArmor("not canonical base64"), "\(lines)") {
                try OpenPGP.Armor.unwrap(armored(lines), kind: .message, limit: 1000)
            }
        }
        #expect(OpenPGP.Armor.crc24([UInt8]()) == 0xb704ce)
        #expect(OpenPGP.Armor.crc24(Array("123456789".utf8)) == 0x21cf02)
        for count in 1..<200 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 73) | 0x80 }
            let text = OpenPGP.Armor.wrap(bytes, kind: .message)
            #expect(try OpenPGP.Armor.unwrap(text, kind: .message, limit: 1000) == bytes)
        }
    }
}
