import PDCrypto
import PDDocument
import Testing

@testable import PDProtocol

/// A release of two files.
struct SampleRelease {
    var files: [(path: RelativePath, mode: Int, content: [UInt8])]
    let archive: [UInt8]
    let manifest: Manifest

    init(number: Int = 7, content: String = "#!/bin/sh\nexit 0\n") throws {
        files = [
            (try RelativePath("bin/pd-agent"), 0o755, Array(content.utf8)),
            (try RelativePath("collectors/uptime"), 0o755, Array("#!/bin/sh\necho 1\n".utf8)),
        ]
        archive = try TarWriter.archive(files)
        manifest = try Manifest(
            number: number, channel: "stable", architecture: "x86_64", created: 1_700_000_000,
            expires: 1_710_000_000, minimumPrevious: 0,
            archive: .init(size: archive.count, digest: SHA256.hash(archive)),
            files: files.map { SignedFile(path: $0.path, mode: $0.mode, content: $0.content) })
    }
}

@Suite("Manifests of releases")
struct ManifestTests {
    private func text(_ manifest: Manifest) -> String { String(decoding: manifest.json(), as: UTF8.self) }

    @Test("what is written is read back the same, and is written the same again")
    func roundTrip() throws {
        let manifest = try SampleRelease().manifest
        let again = try Manifest(json: manifest.json())
        #expect(again == manifest && again.json() == manifest.json())
        #expect(again.file(try RelativePath("bin/pd-agent"))?.mode == 0o755)
        #expect(again.file(try RelativePath("bin/pd-agenT")) == nil)
    }

    @Test("a field that is not known is passed over, unless it says that it must be understood")
    func critical() throws {
        let text = text(try SampleRelease().manifest)
        let extended = text.dropLast() + #","hint":1}"#
        #expect(try Manifest(json: Array(extended.utf8)).number == 7)
        let critical = text.dropLast() + #","hint":1,"critical":["hint"]}"#
        #expect(throws: StatementError.unknownCriticalField("hint")) {
            try Manifest(json: Array(critical.utf8))
        }
        let understood = text.dropLast() + #","critical":["number"]}"#
        #expect(try Manifest(json: Array(understood.utf8)).number == 7)
    }

    @Test(
        "p67_p70_a manifest of something else, or with a value that is not allowed, is refused",
        arguments: [
            (#""format":"penguindome-release-1""#, #""format":"penguindome-release-2""#),
            (#""number":7"#, #""number":0"#), (#""number":7"#, #""number":-1"#),
            (#""number":7"#, #""number":"7""#),
            (#""number":7"#, #""number":7.0"#), (#""number":7"#, #""number":253402300800"#),
            (#""number":7"#, #""number":9223372036854775808"#),
            (#""minimum_previous":0"#, #""minimum_previous":7"#),
            (#""channel":"stable""#, #""channel":"""#), (#""channel":"stable""#, #""channel":null"#),
            (#""product":"penguindome-agent","#, ""), ("2024-03-09", "2023-01-01"),
            ("2024-03-09T", "2024-03-09 "),
            (#""path":"bin/pd-agent""#, #""path":"../pd-agent""#),
            (#""path":"bin/pd-agent""#, #""path":"/pd-agent""#),
            (#""path":"bin/pd-agent""#, #""path":"Collectors/uptime""#),
            (#""path":"bin/pd-agent""#, #""path":"collectors/uptime""#),
            (#""path":"bin/pd-agent""#, #""path":"zzz""#), (#""mode":493"#, #""mode":2541"#),
            (#""mode":493"#, #""mode":511"#), (#""mode":493"#, #""mode":0"#), (#""mode":493"#, #""mode":73"#),
            (#""size":17"#, #""size":-1"#), (#""size":17"#, #""size":1073741825"#),
            (#""path":"bin/pd-agent""#, #""path":"bin/pd-agent","owner":0"#),
        ])
    func badFields(old: String, new: String) throws {
        let text = text(try SampleRelease().manifest)
        let changed = text.replacing(old, with: new, maxReplacements: 1)
        #expect(changed != text)
        #expect(throws: StatementError.self, "\(new)") { try Manifest(json: Array(changed.utf8)) }
    }

    @Test("the digests have 64 digits in lower case")
    func digests() throws {
        let text = text(try SampleRelease().manifest)
        let digest = try #require(text.firstRange(of: #/"sha256":"[0-9a-f]{64}"/#))
        for bad in [
            "", "0", String(repeating: "A", count: 64), String(repeating: "g", count: 64),
            String(repeating: "é", count: 32),
        ] {
            let changed = text.replacingCharacters(digest, #""sha256":"\#(bad)""#)
            #expect(throws: StatementError.self, "\(bad)") { try Manifest(json: Array(changed.utf8)) }
        }
    }

    @Test(
        "only the one form of the text is read: no other spacing, order of digits, escapes or repeated names")
    func canonical() throws {
        let text = text(try SampleRelease().manifest)
        for changed in [
            text + " ", " " + text, text.replacing(":", with: ": ", maxReplacements: 1),
            text.replacing("stable", with: "st\\u0061ble"),
            text.replacing("\"number\":7", with: "\"number\":7e0"),
            text.replacing("/", with: "\\/"),
        ] {
            #expect(throws: StatementError.self) { try Manifest(json: Array(changed.utf8)) }
        }
        let twice = text.dropLast() + #","number":8}"#
        #expect(throws: StatementError.self) { try Manifest(json: Array(twice.utf8)) }
        #expect(throws: StatementError.self) { try Manifest(json: []) }
        #expect(throws: StatementError.tooLong(limit: Manifest.sizeLimit)) {
            try Manifest(json: [UInt8](repeating: 0x20, count: Manifest.sizeLimit + 1))
        }
    }

    @Test("p60_a manifest cut off or with a flipped bit anywhere is refused or reads as what it says")
    func sweeps() throws {
        let json = try SampleRelease().manifest.json()
        for length in 0..<json.count {
            #expect(throws: StatementError.self) { try Manifest(json: Array(json[..<length])) }
        }
        for bit in 0..<json.count * 8 {
            var changed = json
            changed[bit / 8] ^= 1 << (bit % 8)
            if let manifest = try? Manifest(json: changed) {
                #expect(manifest.json() == changed || manifest.files.count == 2)
            }
        }
    }

    // MARK: - Archives against manifests

    private func read(_ archive: [UInt8], _ manifest: Manifest) throws {
        var reader = ArchiveReader(manifest)
        for start in stride(from: 0, to: archive.count, by: 700) {
            try reader.append(archive[start..<min(start + 700, archive.count)])
            while try reader.next() != nil {}
        }
        try reader.finish()
    }

    @Test("the archive of a manifest reads whole")
    func archive() throws {
        let release = try SampleRelease()
        try read(release.archive, release.manifest)
    }

    @Test("p65_a file of one release under the manifest of another is refused")
    func mixAndMatch() throws {
        let (old, new) = (
            try SampleRelease(number: 7), try SampleRelease(number: 8, content: "#!/bin/sh\nexit 1\n")
        )
        #expect(throws: ArchiveError.differs(try RelativePath("bin/pd-agent"))) {
            try read(old.archive, new.manifest)
        }
    }

    @Test("p66_bytes beyond the size of the manifest are refused, whatever they are")
    func endlessData() throws {
        let release = try SampleRelease()
        #expect(throws: ArchiveError.tooLong) {
            try read(release.archive + [UInt8](repeating: 0, count: 512), release.manifest)
        }
    }

    @Test("files that are missing, unnamed, or of another mode or size are refused")
    func otherFiles() throws {
        let release = try SampleRelease()
        let (agent, uptime) = (release.files[0], release.files[1])
        func expect(_ error: ArchiveError, _ files: [(path: RelativePath, mode: Int, content: [UInt8])])
            throws
        {
            var archive = try TarWriter.archive(files)
            if archive.count < release.archive.count {
                archive += [UInt8](repeating: 0, count: release.archive.count - archive.count)
            }
            #expect(throws: error) { try read(archive, release.manifest) }
        }
        try expect(.missing(uptime.path, count: 1), [agent])
        try expect(.unnamed(try RelativePath("evil")), [agent, (try RelativePath("evil"), 0o755, [])])
        try expect(.differs(agent.path), [(agent.path, 0o644, agent.content), uptime])
        try expect(.differs(agent.path), [(agent.path, 0o755, agent.content.dropLast()), uptime])
        try expect(.differs(uptime.path), [agent, (uptime.path, 0o755, uptime.content.reversed())])
    }

    @Test("a directory with nothing of the release in it is refused, one on the way to a file is not")
    func directories() throws {
        let release = try SampleRelease()
        #expect(throws: ArchiveError.unnamed(try RelativePath("empty"))) {
            try read(forgedHeader("empty/", type: "5") + release.archive.dropFirst(512), release.manifest)
        }
        let archive = forgedHeader("bin/", type: "5") + release.archive
        let manifest = try Manifest(
            number: 9, channel: "stable", architecture: "any", created: 1, expires: 2, minimumPrevious: 0,
            archive: .init(size: archive.count, digest: SHA256.hash(archive)), files: release.manifest.files)
        try read(archive, manifest)
    }

    @Test("an archive of the same files in other bytes is refused at its end")
    func otherBytes() throws {
        let release = try SampleRelease()
        var archive = release.archive
        // The time of a file: nothing that is unpacked.
        archive.replaceSubrange(
            0..<512,
            with: forgedHeader("bin/pd-agent") {
                $0.replaceSubrange(100..<136, with: release.archive[100..<136])
                $0[146] ^= 1
            })
        #expect(throws: ArchiveError.otherArchive) { try read(archive, release.manifest) }
    }
}

extension String {
    fileprivate func replacingCharacters(_ range: Range<String.Index>, _ text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}
