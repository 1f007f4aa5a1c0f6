import Foundation
import PDCrypto
import PDFiles
import PDProtocol
import Testing

@testable import PDClient

@Suite("Releases on a machine")
struct UpdateTests {
    /// Runs an update that must be refused, and holds the release in use against what was there before.
    private func refused(
        _ machine: ReleaseMachine, _ release: ReleaseInMemory, asked: Int? = nil,
        architecture: String = "x86_64",
        now: Int64 = ReleaseMachine.now, location: SourceLocation = #_sourceLocation,
        because isReason: (ReleaseError) -> Bool
    ) async throws {
        let before = (try machine.folder().current, machine.installed("README"))
        do throws(ReleaseError) {
            _ = try await machine.updater(architecture: architecture, now: now).run(release, asked: asked)
            Issue.record("it was installed", sourceLocation: location)
        } catch {
            #expect(isReason(error), "\(error)", sourceLocation: location)
        }
        let after = (try machine.folder().current, machine.installed("README"))
        #expect(before == after, sourceLocation: location)
        if before.0 != nil { #expect(machine.integrity(now: now).isIntact, sourceLocation: location) }
    }

    @Test("a release is installed, then the next one; what is no longer in it goes, the one before stays")
    func install() async throws {
        let machine = try ReleaseMachine()
        #expect(machine.integrity() == Integrity())
        #expect(
            try await machine.updater().run(machine.release(1) { $0.files["old"] = "x" }) == .installed(1))
        #expect(machine.installed("old") == "x" && machine.integrity().isIntact)
        #expect(
            try await machine.updater().run(machine.release(2) { $0.files["README"] = "new" })
                == .installed(2))
        #expect(machine.installed("README") == "new" && machine.installed("old") == nil)
        #expect(
            try await machine.updater().run(machine.release(2) { $0.files["README"] = "new" })
                == .unchanged(2))
        _ = try await machine.updater().run(machine.release(3))
        #expect(
            try machine.folder().directory.names() == [
                "2", "2.manifest", "2.manifest.sig", "3", "3.manifest", "3.manifest.sig", "current",
                "highest.json",
                "lock",
            ])
        #expect(try Files.mode("\(machine.state.releases)/3/collectors/uptime") == 0o755)
        #expect(try Files.mode("\(machine.state.releases)/3/README") == 0o644)
    }

    @Test("p111_p113_a release that an untrusted key signed, or nobody, is refused, though its key lies here")
    func signer() async throws {
        let machine = try ReleaseMachine()
        try await refused(machine, machine.release(1) { $0.signer = machine.other }) {
            if case .statement(.signature(.unknownSigner)) = $0 { true } else { false }
        }
        var unsigned = try machine.release(1)
        unsigned.statement = SignedStatement(bytes: unsigned.statement.bytes, signature: [])
        try await refused(machine, unsigned) { if case .statement(.signature) = $0 { true } else { false } }
        var flipped = try machine.release(1)
        var bytes = flipped.statement.bytes
        bytes[100] ^= 1
        flipped.statement = SignedStatement(bytes: bytes, signature: flipped.statement.signature)
        try await refused(machine, flipped) {
            if case .statement(.signature(.badSignature)) = $0 { true } else { false }
        }
        #expect(try machine.folder().directory.names() == ["lock"])
    }

    /// Nil: no purpose, as gpg signs a file where nobody tells it one.
    @Test(
        "p131_a trusted key's signature that was made for anything else is none of a release, also of one in use",
        arguments: [nil] + Purpose.allCases.filter { $0 != .manifest })
    func otherPurpose(made: Purpose?) async throws {
        let machine = try ReleaseMachine()
        var stolen = try machine.release(1)
        let (bytes, time) = (stolen.statement.bytes, OpenPGP.Timestamp(ReleaseMachine.now - 10))
        let signature =
            try made.map { try machine.key.detachedSignature(of: bytes, for: $0, at: time) }
            ?? machine.key.signDetachedWithoutPurpose(bytes, at: time)
        stolen.statement = SignedStatement(bytes: bytes, signature: signature)
        let error = made.map { OpenPGP.Error.wrongPurpose(found: $0.rawValue, wanted: .manifest) }
        try await refused(machine, stolen) {
            guard case .statement(.signature(let found)) = $0 else { return false }
            return found == error ?? .missingPurpose(wanted: .manifest)
        }
        // Nor does one that lies there already run, or count as intact.
        _ = try await machine.updater().run(machine.release(1))
        try Files.writeAtomically(signature, to: "\(machine.state.releases)/1.manifest.sig")
        #expect(machine.integrity().problem != nil)
    }

    @Test("p137_a release that holds a secret key is not put into use, and not asked for again")
    func p137_secretKey() async throws {
        let machine = try ReleaseMachine()
        _ = try await machine.updater().run(machine.release(1))
        let openSSH = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../vectors/secret-keys/secret/openssh-ed25519").standardized
        let secret = String(decoding: machine.key.armored().withUnsafeBytes { Array($0) }, as: UTF8.self)
        for (number, path, content) in [
            (2, "notes/a.txt", "before\n" + secret + "after\n"), (3, "private-keys-v1.d/x.key", "x"),
            (4, "id", try String(contentsOf: openSSH, encoding: .utf8)),
        ] {
            let bad = try machine.release(number) { $0.files[path] = content }
            try await refused(machine, bad) {
                guard case .secretKey(number, let place) = $0 else { return false }
                return place.contains(path)
            }
            #expect(machine.installed("README") == "text\n" && machine.integrity().isIntact)
            try await refused(machine, bad) { if case .failedBefore(number, _) = $0 { true } else { false } }
            #expect(try !machine.folder().directory.names().contains { $0.hasPrefix("\(number)") })
        }
        _ = try await machine.updater().run(machine.release(5))
        #expect(try machine.folder().current == 5)
    }

    @Test(
        "p61_p112_an older release is refused after a newer one, also after a restart and a crash before its download"
    )
    func rollback() async throws {
        let machine = try ReleaseMachine()
        _ = try await machine.updater().run(machine.release(5))
        try await refused(machine, machine.release(4)) {
            if case .rollback(offered: 4, highest: 5) = $0 { true } else { false }
        }
        // 7 is accepted, but never arrives: 6 is old from then on.
        var broken = try machine.release(7)
        broken.breaksAt = 0
        try await refused(machine, broken) { if case .notReached = $0 { true } else { false } }
        try await refused(machine, machine.release(6)) {
            if case .rollback(offered: 6, highest: 7) = $0 { true } else { false }
        }
        #expect(try await machine.updater().run(machine.release(7)) == .installed(7))
    }

    @Test("p61_a damaged memory of the highest release refuses all, instead of forgetting")
    func damagedMemory() async throws {
        let machine = try ReleaseMachine()
        _ = try await machine.updater().run(machine.release(5))
        for damage in ["", "{", "{}", #"{"number":"5"}"#] {
            try Files.writeAtomically(Array(damage.utf8), to: "\(machine.state.releases)/highest.json")
            try await refused(machine, machine.release(4)) { if case .damaged = $0 { true } else { false } }
        }
    }

    @Test("p61_the release in use is the lowest that is accepted only if its manifest is what was signed")
    func plantedCurrent() async throws {
        let machine = try ReleaseMachine()
        _ = try await machine.updater().run(machine.release(5))
        let (folder, releases) = (try machine.folder(), machine.state.releases)
        try folder.directory.remove("highest.json")
        try await refused(machine, machine.release(4)) {
            if case .rollback(offered: 4, highest: 5) = $0 { true } else { false }
        }
        // A number that nobody signed keeps no release out.
        try folder.switchTo(999_999)
        #expect(try await machine.updater().run(machine.release(6)) == .installed(6))
        // A link that leads nowhere is repaired by the same release.
        for name in ["6", "6.manifest", "6.manifest.sig"] { try folder.directory.remove(name) }
        #expect(folder.current == 6 && !Files.exists("\(releases)/current"))
        #expect(try await machine.updater().run(machine.release(6)) == .installed(6))
        #expect(machine.integrity().isIntact)
    }

    @Test(
        "p64_a person at the machine goes back: from those that lie here, or from a file; and is not updated against that"
    )
    func downgrade() async throws {
        let machine = try ReleaseMachine()
        _ = try await machine.updater().run(machine.release(1) { $0.files["README"] = "one" })
        _ = try await machine.updater().run(machine.release(2) { $0.files["README"] = "two" })
        #expect(try await machine.updater().run(machine.release(2), asked: 1) == .installed(1))
        #expect(machine.installed("README") == "one" && machine.integrity().isIntact)
        try await refused(machine, machine.release(2) { $0.files["README"] = "two" }) {
            if case .failedBefore = $0 { true } else { false }
        }
        #expect(try await machine.updater().run(machine.release(3)) == .installed(3))
        #expect(try await machine.updater().run(machine.release(2), asked: 2) == .installed(2))
        try await refused(machine, machine.release(9), asked: 8) {
            if case .notTheOneAsked(8, offered: 9) = $0 { true } else { false }
        }
    }

    @Test("p64_going back takes the file that the person named, though that number lies here")
    func chosenDowngrade() async throws {
        let machine = try ReleaseMachine()
        _ = try await machine.updater().run(machine.release(1) { $0.files["README"] = "lies here" })
        _ = try await machine.updater().run(machine.release(2))
        let named = try machine.release(1) { $0.files["README"] = "named" }
        #expect(try await machine.updater().run(named, asked: 1, isChosen: true) == .installed(1))
        #expect(machine.installed("README") == "named" && machine.integrity().isIntact)
    }

    @Test("p62_another release of a number that was accepted is refused")
    func equalNumber() async throws {
        let machine = try ReleaseMachine()
        _ = try await machine.updater().run(machine.release(5))
        let other = try machine.release(5) { $0.files["README"] = "other" }
        try await refused(machine, other) { if case .otherContent(5) = $0 { true } else { false } }
        try await refused(machine, other, asked: 5) { if case .otherContent(5) = $0 { true } else { false } }
    }

    @Test("p63_an expired release is not installed; one that expires while in use stays, and says so")
    func expiry() async throws {
        let machine = try ReleaseMachine()
        try await refused(machine, machine.release(1), now: 1_760_000_000) {
            if case .expired(1, _) = $0 { true } else { false }
        }
        _ = try await machine.updater().run(machine.release(1))
        let late = machine.integrity(now: 1_760_000_000)
        #expect(late.isIntact && late.isExpired && late.report["expired"]?.bool == true)
        #expect(machine.integrity().isExpired == false)
    }

    @Test("p67_a release of other software, another channel or another architecture is refused")
    func wrongSoftware() async throws {
        let machine = try ReleaseMachine()
        for change in [
            { $0.product = "penguindome-server" }, { $0.channel = "nightly" },
            { $0.architecture = "aarch64" },
        ] as [(inout ReleaseMachine.Parts) -> Void] {
            try await refused(machine, machine.release(1, change)) {
                if case .notForUs = $0 { true } else { false }
            }
        }
        #expect(
            try await machine.updater().run(machine.release(1) { $0.architecture = "any" }) == .installed(1))
    }

    @Test(
        "a release that may not replace one as old as the one in use is refused; a machine with none takes it"
    )
    func minimumPrevious() async throws {
        let machine = try ReleaseMachine()
        _ = try await machine.updater().run(machine.release(3))
        try await refused(machine, machine.release(9) { $0.minimumPrevious = 5 }) {
            if case .tooBigAStep(9, minimum: 5, current: 3) = $0 { true } else { false }
        }
        let fresh = try ReleaseMachine()
        #expect(try await fresh.updater().run(fresh.release(9) { $0.minimumPrevious = 5 }) == .installed(9))
    }

    @Test("p65_the archive of one release under the manifest of another is refused")
    func mixAndMatch() async throws {
        let machine = try ReleaseMachine()
        let (one, two) = (try machine.release(1) { $0.files["README"] = "one!\n" }, try machine.release(2))
        #expect(one.archive.count == two.archive.count)
        try await refused(machine, ReleaseInMemory(statement: two.statement, archive: one.archive)) {
            if case .archive(.otherArchive) = $0 { true } else { false }
        }
        // What was wrong is not gone on with.
        #expect(try await machine.updater().run(two) == .installed(2))
    }

    @Test("p66_an archive that does not end is refused at its declared size")
    func endlessData() async throws {
        let machine = try ReleaseMachine()
        var release = try machine.release(1)
        release.archive += [UInt8](repeating: 0, count: 100_000)
        try await refused(machine, release) { if case .archive(.tooLong) = $0 { true } else { false } }
        release.archive = Array(release.archive.prefix(2000))
        try await refused(machine, release) { if case .notReached = $0 { true } else { false } }
    }

    @Test("a download that broke goes on where it stopped; a wrong beginning is thrown away")
    func resume() async throws {
        let machine = try ReleaseMachine()
        var release = try machine.release(1)
        release.breaksAt = 2000
        try await refused(machine, release) { if case .notReached = $0 { true } else { false } }
        #expect(Files.size("\(machine.state.releases)/1.part") == 2000)
        // Only what is missing is asked for: what comes before offset 2000 is not looked at any more.
        release.breaksAt = .max
        release.archive.replaceSubrange(0..<2000, with: [UInt8](repeating: 0xee, count: 2000))
        #expect(try await machine.updater().run(release) == .installed(1))

        var next = try machine.release(2)
        try Files.writeAtomically(
            [UInt8](repeating: 0xee, count: 1000), to: "\(machine.state.releases)/2.part")
        try await refused(machine, next) { if case .archive(.otherArchive) = $0 { true } else { false } }
        next.pieceSize = 1 << 20
        #expect(try await machine.updater().run(next) == .installed(2))
    }

    @Test(
        "p71_p72_p74_p76_an archive with anything but the manifest's files is refused, and leaves nothing",
        arguments: ["link", "setuid", "extra", "twin", "outside"])
    func badArchive(kind: String) async throws {
        let machine = try ReleaseMachine()
        let marker = machine.directory.path + "/outside"
        let release = try machine.release(1) { parts in
            parts.change = { archive in
                var header = (try? TarWriter.header(path: RelativePath("zz"), mode: 0o644, size: 0)) ?? []
                switch kind {
                case "link":
                    header[156] = UInt8(ascii: "2")
                    header.replaceSubrange(157..<157 + 4, with: Array("/etc".utf8))
                case "setuid": header.replaceSubrange(100..<107, with: Array("0004755".utf8))
                case "twin": header.replaceSubrange(0..<6, with: Array("readme".utf8))
                case "outside": header.replaceSubrange(0..<10, with: Array("../outside".utf8))
                default: break
                }
                header.replaceSubrange(148..<156, with: [UInt8](repeating: 0x20, count: 8))
                let digits = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
                header.replaceSubrange(
                    148..<156,
                    with: Array((String(repeating: "0", count: 6 - digits.count) + digits).utf8) + [0, 0x20])
                return header + archive
            }
        }
        try await refused(machine, release) { if case .archive = $0 { true } else { false } }
        #expect(!Files.exists(marker))
        #expect(try machine.folder().directory.names() == ["highest.json", "lock"])
    }

    @Test("p73_links that somebody put where a release goes are not followed")
    func plantedLinks() async throws {
        let machine = try ReleaseMachine()
        let outside = machine.directory.path + "/outside"
        try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: true)
        try machine.directory.write("keep", to: "/outside/README")
        _ = try machine.folder()
        for name in ["1.tmp", "1"] {
            try FileManager.default.createSymbolicLink(
                atPath: "\(machine.state.releases)/\(name)", withDestinationPath: outside)
        }
        #expect(try await machine.updater().run(machine.release(1)) == .installed(1))
        #expect(try String(contentsOfFile: outside + "/README", encoding: .utf8) == "keep")
        #expect(FileManager.default.fileExists(atPath: outside + "/collectors") == false)

        // A link where the download is written is replaced, and what it leads to is left alone.
        try FileManager.default.createSymbolicLink(
            atPath: "\(machine.state.releases)/2.part", withDestinationPath: outside + "/README")
        #expect(try await machine.updater().run(machine.release(2)) == .installed(2))
        #expect(try String(contentsOfFile: outside + "/README", encoding: .utf8) == "keep")
    }

    @Test(
        "p73_a pipe or a directory where a download is written is removed, and holds nothing up",
        .timeLimit(.minutes(1)), arguments: ["pipe", "directory"])
    func plantedPipe(kind: String) async throws {
        let machine = try ReleaseMachine()
        _ = try machine.folder()
        let part = "\(machine.state.releases)/1.part"
        #expect((kind == "pipe" ? mkfifo(part, 0o600) : mkdir(part, 0o700)) == 0)
        #expect(try await machine.updater().run(machine.release(1)) == .installed(1))
    }

    @Test("names that are no UTF-8 are removed like all others, and hold nothing up")
    func undecodableNames() async throws {
        let machine = try ReleaseMachine()
        let folder = try machine.folder()
        let inner = Array("\(machine.state.releases)/1.tmp/a".utf8CString.dropLast()) + [-1, 0]
        _ = try folder.directory.makeDirectory("1.tmp")
        #expect(mkdir(inner, 0o700) == 0)
        let file = open(
            inner.dropLast() + Array("/x".utf8CString.dropLast()) + [-2, 0], O_CREAT | O_WRONLY, 0o600)
        #expect(file >= 0 && close(file) == 0)
        #expect(try await machine.updater().run(machine.release(1)) == .installed(1))
        #expect(machine.integrity().isIntact)
    }

    // MARK: - Trials

    @Test(
        "a release whose agent does not work is taken out of use, and not tried again; the next one is",
        arguments: ["verify", "cycle"])
    func brokenAgent(command: String) async throws {
        let machine = try ReleaseMachine()
        _ = try await machine.updater().run(machine.release(1))
        let broken = try machine.release(2) {
            $0.files["bin/pd-agent"] = "#!/bin/sh\n[ $1 != \(command) ] || { echo broken >&2; exit 1; }\n"
        }
        try await refused(machine, broken) {
            if case .failed(2, let reason, previous: 1) = $0 { reason.contains("broken") } else { false }
        }
        try await refused(machine, broken) { if case .failedBefore(2, _) = $0 { true } else { false } }
        let mended = try machine.release(3) {
            $0.files["bin/pd-agent"] = "#!/bin/sh\n[ $1 = verify ] || exit 3\n"
        }
        #expect(try await machine.updater().run(mended) == .installed(3))
    }

    @Test("the first release of a machine that does not work leaves none in use")
    func brokenFirst() async throws {
        let machine = try ReleaseMachine()
        let broken = try machine.release(1) { $0.files["bin/pd-agent"] = "#!/bin/sh\nexit 1\n" }
        try await refused(machine, broken) { if case .failed(1, _, previous: 0) = $0 { true } else { false } }
    }

    @Test("a trial that was cut short is taken up again, and given up after the second time")
    func cutShort() async throws {
        let machine = try ReleaseMachine()
        _ = try await machine.updater().run(machine.release(1))
        let (release, folder) = (try machine.release(2), try machine.folder())
        _ = try await machine.updater().run(release)
        let identity = ReleaseFolder.Identity(2, manifest: release.statement.bytes)
        try folder.setTrial(.init(release: identity, previous: 1, attempts: 1))
        #expect(try await machine.updater().run(release) == .installed(2))
        #expect(try folder.trial() == nil)
        try folder.setTrial(.init(release: identity, previous: 1, attempts: 2))
        do throws(ReleaseError) {
            _ = try await machine.updater().run(release)
            Issue.record("it is still in use")
        } catch {
            guard case .failed(2, _, previous: 1) = error else { Issue.record("\(error)"); return }
        }
        #expect(folder.current == 1 && machine.integrity().isIntact)
    }

    @Test("two updates at once: the second says so")
    func busy() async throws {
        let machine = try ReleaseMachine()
        _ = try machine.folder()
        let lock = try StateLock("\(machine.state.releases)/lock")
        try await refused(machine, machine.release(1)) { if case .busy = $0 { true } else { false } }
        withExtendedLifetime(lock) {}
    }

    // MARK: - Integrity

    @Test("p114_a changed, missing or additional file, another mode, a link in a file's place: all are seen")
    func tampering() async throws {
        let machine = try ReleaseMachine()
        _ = try await machine.updater().run(machine.release(1) { $0.files["a/b/c"] = "deep" })
        let root = "\(machine.state.releases)/1"
        func expect(
            _ changed: [String], _ missing: [String], _ extra: [String],
            _ line: SourceLocation = #_sourceLocation
        ) {
            let found = machine.integrity()
            #expect(
                found.changed == changed && found.missing == missing && found.extra == extra, "\(found)",
                sourceLocation: line)
            #expect(!found.isIntact && found.report["status"]?.string == "changed", sourceLocation: line)
        }
        try Data("evil".utf8).write(to: URL(filePath: "\(root)/README"))
        expect(["README"], [], [])
        #expect(chmod("\(root)/collectors/uptime", 0o777) == 0)
        expect(["README", "collectors/uptime"], [], [])
        #expect(unlink("\(root)/README") == 0)
        expect(["collectors/uptime"], ["README"], [])
        #expect(symlink("/etc/passwd", "\(root)/README") == 0)
        try Data().write(to: URL(filePath: "\(root)/collectors/evil"))
        #expect(mkdir("\(root)/empty", 0o755) == 0)
        expect(["README", "collectors/uptime"], [], ["collectors/evil", "empty/"])
        // A directory on the way that became a link to a copy of itself.
        #expect(rename("\(root)/a", machine.directory.path + "/moved") == 0)
        #expect(symlink(machine.directory.path + "/moved", "\(root)/a") == 0)
        #expect(
            machine.integrity().extra.contains("a")
                && machine.integrity().missing + machine.integrity().changed != [])
        // The next release repairs it all.
        #expect(try await machine.updater().run(machine.release(2)) == .installed(2))
        #expect(machine.integrity().isIntact)
    }

    @Test(
        "p114_a name that a signed one equals as text, but not byte by byte, is seen where nobody signed it")
    func twinNames() async throws {
        let machine = try ReleaseMachine()
        let (composed, decomposed, replacement) = ("\u{e9}", "e\u{301}", "\u{fffd}")
        _ = try await machine.updater().run(
            machine.release(1) {
                $0.files = [composed: "", "d/\(composed)/x": "", "s/\u{301}x": "", replacement: ""]
            })
        #expect(machine.integrity().isIntact, "\(machine.integrity())")
        let root = "\(machine.state.releases)/1"
        #expect(close(open("\(root)/\(decomposed)", O_CREAT | O_WRONLY, 0o600)) == 0)
        #expect(mkdir("\(root)/d/\(decomposed)", 0o755) == 0)
        // No UTF-8: in a string it becomes the one that was signed.
        let repaired = Array("\(root)/".utf8CString.dropLast()) + [CChar(bitPattern: 0xff), 0]
        #expect(close(open(repaired, O_CREAT | O_WRONLY, 0o600)) == 0)
        let extra = machine.integrity().extra.map { Array($0.utf8) }
        #expect(extra == ["d/\(decomposed)/", decomposed, replacement].map { Array($0.utf8) }, "\(extra)")
    }

    @Test("a manifest that was changed, or a link to another release, verifies nothing")
    func changedManifest() async throws {
        let machine = try ReleaseMachine()
        _ = try await machine.updater().run(machine.release(1))
        _ = try await machine.updater().run(machine.release(2))
        let releases = machine.state.releases
        for suffix in ["manifest", "manifest.sig"] {
            try Files.writeAtomically(
                try Files.read("\(releases)/1.\(suffix)"), to: "\(releases)/2.\(suffix)")
        }
        #expect(machine.integrity().problem != nil)
        try Files.writeAtomically([], to: "\(releases)/2.manifest")
        #expect(
            machine.integrity().problem != nil && machine.integrity().report["status"]?.string == "unknown")
        try machine.folder().directory.remove("current")
        #expect(symlink("/etc", "\(releases)/current") == 0)
        #expect(machine.integrity().problem != nil && !machine.integrity().isIntact)
    }

    @Test(
        "what was signed while its key held stays signed after the key ran out; a revoked or untrusted key's does not"
    )
    func keyRanOut() async throws {
        let machine = try ReleaseMachine()
        let brief = try OpenPGP.SecretKey.generate(
            userID: "brief", at: .init(1_700_000_000), validity: ReleaseMachine.now + 1000 - 1_700_000_000)
        let release = try machine.release(1) { $0.signer = brief }
        _ = try machine.folder()
        try machine.directory.write(brief.certificate.armored(), to: "/state/keys/brief.asc")
        var settings = machine.settings
        settings.trust = try AgentSettings(
            yaml: "server_url: http://h\ntrust: {releases: [\(brief.certificate.fingerprint)]}", file: "f"
        ).trust
        let updater = Updater(
            state: machine.state, settings: settings, architecture: "x86_64", log: LogLines().logger(),
            now: { ReleaseMachine.now * 1000 })
        #expect(try await updater.run(release) == .installed(1))
        let late = Agent.integrity(
            state: machine.state, settings: settings, log: LogLines().logger(),
            now: (ReleaseMachine.now + 5000) * 1000)
        #expect(late.isIntact)
        #expect(machine.integrity().problem != nil)
    }

    @Test("a key that a release brought signs the next one, if the settings name it, and not otherwise")
    func broughtKey() async throws {
        let machine = try ReleaseMachine()
        let next = try OpenPGP.SecretKey.generate(userID: "next", at: .init(1_700_000_000), validity: nil)
        _ = try await machine.updater().run(
            machine.release(1) { $0.files["keys/next.pub.asc"] = next.certificate.armored() })
        let signed = try machine.release(2) { $0.signer = next }
        try await refused(machine, signed) { if case .statement(.signature) = $0 { true } else { false } }
        var settings = machine.settings
        let names = [machine.key, next].map { "\($0.certificate.fingerprint)" }.joined(separator: ", ")
        settings.trust = try AgentSettings(
            yaml: "server_url: http://h\ntrust: {releases: [\(names)]}", file: "f"
        ).trust
        let updater = Updater(
            state: machine.state, settings: settings, architecture: "x86_64", log: LogLines().logger(),
            now: { ReleaseMachine.now * 1000 })
        #expect(try await updater.run(signed) == .installed(2))
    }

    @Test(
        "settings of a release hold where the machine's own say nothing, as long as they are what was signed")
    func releasedSettings() async throws {
        let machine = try ReleaseMachine()
        func load() throws -> AgentSettings {
            let own = """
                server_url: http://127.0.0.1:1
                schedule: {collect_interval: 7}
                trust: {releases: [\(machine.key.certificate.fingerprint)]}
                """
            return try ReleasedSettings(
                state: machine.state, trust: machine.settings.trust, now: ReleaseMachine.now * 1000
            ).filling(AgentSettings(yaml: own, file: "agent.yml"), yaml: own, file: "agent.yml")
        }
        #expect(try load().submitInterval == 1 && load().notes.isEmpty)
        _ = try await machine.updater().run(
            machine.release(1) {
                $0.files["agent.yml"] =
                    "schedule: {collect_interval: 9, submit_interval: 4}\nlogging: {level: debug}"
            })
        let filled = try load()
        #expect(filled.collectInterval == 7 && filled.submitInterval == 4 && filled.logging.level == .debug)
        #expect(filled.notes.isEmpty && filled.trust == machine.settings.trust)

        // Whoever can write the file is not whoever could sign it.
        try machine.directory.write("schedule: {submit_interval: 60}", to: "/state/releases/1/agent.yml")
        #expect(try load().submitInterval == 1)
        #expect(
            try load().notes == ["the settings of release 1 are not as they were signed, and have no effect"])

        for (number, wrong) in [
            "trust: {releases: []}", "server_url: http://other:1", "schedule: {submit_interval: never}",
            "schedul: {}",
        ].enumerated() {
            _ = try await machine.updater().run(machine.release(number + 2) { $0.files["agent.yml"] = wrong })
            #expect(try load().submitInterval == 1 && load().serverURL == "http://127.0.0.1:1")
            #expect(try load().notes.count == 1, "\(wrong)")
        }
    }

    @Test("nobody is trusted unless the settings name the fingerprint")
    func trust() throws {
        func read(_ yaml: String) throws -> Trust {
            try AgentSettings(yaml: "server_url: http://h\n\(yaml)", file: "f").trust
        }
        #expect(try read("") == Trust())
        let fingerprint = String(repeating: "AB", count: 20)
        #expect(try read("trust: {commands: [\(fingerprint)]}").fingerprints(.commands).count == 1)
        #expect(try read("trust: {commands: [\(fingerprint)]}").fingerprints(.patches).isEmpty)
        for bad in ["trust: {releases: [ABCD]}", "trust: {release: []}", "trust: yes"] {
            #expect(throws: (any Error).self, "\(bad)") { try read(bad) }
        }
    }
}

extension Files {
    /// The permission bits of a file.
    fileprivate static func mode(_ path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }
}
