import Foundation
import PDCrypto
import PDProtocol
import PDTestSupport
import Testing

@Suite("pd-release, as release builders run it", .timeLimit(.minutes(5)))
struct ReleaseToolTests {
    /// A directory with a program, a key, and the folders of a server that trusts it.
    private func builder() throws -> ReleaseRunner {
        let builder = try ReleaseRunner()
        try builder.write("tree/bin/pd-agent", "#!/bin/sh\nexit 0\n", mode: 0o755)
        try builder.write("tree/collectors/uptime", "#!/bin/sh\necho 1\n", mode: 0o755)
        try builder.write("tree/README", "text\n")
        return builder
    }

    @Test("keygen, build, sign, verify: stock gpg accepts the signatures, of our key and of its own")
    func wholeWay() throws {
        let builder = try builder()
        try builder.release("keygen", "--out", "K")
        #expect(try builder.tools.mode("K/key.asc") == 0o600)
        #expect(try builder.tools.mode("K") == 0o700)
        let gpg = try GPGHome(algorithm: "rsa3072", tools: builder.tools)
        let imported = try gpg.gpg(["--import", builder.path("K/key.asc")])
        #expect(imported.status == 0, "\(imported.errors)")
        let fingerprint = try builder.fingerprint(of: gpg)
        try builder.tools.write("gpg.pub.asc", try gpg.gpg(["--armor", "--export", fingerprint]).text)

        for (number, signer, key) in [
            (1, ["--key", "K/key.asc"], "K/key.pub.asc"),
            (2, ["--gpg-key", fingerprint, "--gpg-home", gpg.directory.path], "gpg.pub.asc"),
        ] {
            try builder.release("build", "tree", "--number", "\(number)", "--out", "\(number).tar")
            try builder.release(["sign", "\(number).tar"] + signer)
            for file in ["\(number).tar", "\(number).manifest"] {
                let verified = try gpg.gpg(["--verify", builder.path("\(file).sig"), builder.path(file)])
                #expect(verified.status == 0, "\(verified.errors)")
            }
            let verified = try builder.release("verify", "\(number).tar", "--key", key)
            #expect(verified.text.contains("release \(number) of penguindome-agent"))
            // The other key's owner did not sign.
            let other = key.hasPrefix("K") ? "gpg.pub.asc" : "K/key.pub.asc"
            #expect(try builder.run("verify", "\(number).tar", "--key", other).status == 1)
        }
    }

    @Test("the same files make the same bytes, whenever and from wherever they are built")
    func reproducible() throws {
        let builder = try builder()
        try builder.release(
            "build", "tree", "--number", "3", "--out", "a.tar", "--created", "2026-01-31T00:00:00Z")
        try FileManager.default.copyItem(
            at: builder.tools.path("tree"), to: builder.tools.path("copy"))
        try builder.release(
            "build", "copy", "--number", "3", "--out", "b.tar", "--created", "2026-01-31T00:00:00Z")
        #expect(try builder.tools.read("a.tar") == builder.tools.read("b.tar"))
        #expect(try builder.tools.read("a.manifest") == builder.tools.read("b.manifest"))
    }

    @Test(
        "the standard release is made of what the package installed: the agent, its collectors, what plugins use, keys"
    )
    func fromInstalled() throws {
        let builder = try builder()
        try builder.release("keygen", "--out", "K")
        try builder.write("usr/bin/pd-agent", "#!/bin/sh\n", mode: 0o755)
        try builder.write("usr/bin/other", "x")
        try builder.write("usr/lib/penguindome/collectors/desk", "#!/bin/sh\n", mode: 0o755)
        try builder.write("usr/bin/pd-plugin", "#!/bin/sh\n", mode: 0o755)
        try builder.write("usr/share/penguindome/python/penguindome/__init__.py", "x = 1\n")
        try builder.write("usr/share/penguindome/python/penguindome/__pycache__/x.pyc", "x")
        let built = try builder.release(
            "build", "--from-installed", "--prefix", builder.path("usr"), "--trusted-key", "K/key.pub.asc",
            "--number", "1",
            "--out", "1.tar")
        #expect(built.text.contains("5 files"))
        let listed = try builder.tools.run(["-tf", "1.tar"], program: "/usr/bin/tar").text.split(
            separator: "\n")
        #expect(
            listed.filter { !$0.hasPrefix("keys/") } == [
                "bin/pd-agent", "bin/pd-plugin", "collectors/desk", "plugins/python/penguindome/__init__.py",
            ])
        #expect(listed.contains { $0.hasPrefix("keys/") && $0.hasSuffix(".pub.asc") })
        #expect(try builder.run("build", "--number", "1", "--out", "2.tar").status == 2)
    }

    @Test("p72_p74_a directory with links or pipes in it makes no release, and leaves no file")
    func links() throws {
        let builder = try builder()
        try FileManager.default.createSymbolicLink(
            atPath: builder.path("tree/link"), withDestinationPath: "/etc/passwd")
        let outcome = try builder.run("build", "tree", "--number", "1", "--out", "1.tar")
        #expect(outcome.status == 1 && outcome.errors.contains("neither a file nor a directory"))
        #expect(try builder.tools.names().filter { $0.contains("1.") }.isEmpty)
        try FileManager.default.removeItem(atPath: builder.path("tree/link"))
        #expect(mkfifo(builder.path("tree/pipe"), 0o600) == 0)
        #expect(try builder.run("build", "tree", "--number", "1", "--out", "1.tar").status == 1)
    }

    @Test(
        "p115_p137_a secret key makes no release, wherever it lies in it, and is named",
        arguments: [
            "id", "deep/below/it/all", "keys/backup.gpg", "collectors/desk", "bin/pd-agent",
            "signatures/a.sig",
        ], ["openpgp-ed25519.gpg", "openpgp.asc", "openssh-ed25519", "pkcs8-ec.der", "sec1.pem", "age.txt"])
    func secretKey(place: String, form: String) throws {
        let builder = try builder()
        let key = try Data(contentsOf: Self.secretKeys.appending(path: form))
        let file = builder.tools.path("tree/\(place)")
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try (Data("#!/bin/sh\n".utf8) + key).write(to: file)
        let outcome = try builder.run("build", "tree", "--number", "1", "--out", "1.tar")
        #expect(outcome.status == 1, "\(outcome.errors)")
        #expect(outcome.errors.contains("tree/\(place) is or holds"), "\(outcome.errors)")
        #expect(!builder.tools.exists("1.tar") && !builder.tools.exists("1.manifest"))
    }

    @Test("p115_p137_a secret key as settings, as a trusted key, or of keygen makes no release")
    func secretKeyByOption() throws {
        let builder = try builder()
        try builder.release("keygen", "--out", "K")
        for option in ["--settings", "--trusted-key", "--checks"] {
            let outcome = try builder.run(
                "build", "tree", "--number", "1", "--out", "1.tar", option, "K/key.asc")
            #expect(outcome.status == 1 && outcome.errors.contains("K/key.asc"), "\(outcome.errors)")
        }
        try builder.release("keygen", "--out", "tree/K")
        let outcome = try builder.run("build", "tree", "--number", "1", "--out", "1.tar")
        #expect(outcome.status == 1 && outcome.errors.contains("tree/K/key.asc"), "\(outcome.errors)")
        #expect(!builder.tools.exists("1.tar"))
    }

    @Test("a release takes the checks that pd-admin exported, and nothing else in their place")
    func checks() throws {
        let builder = try builder()
        try builder.tools.write(
            "checks.json", Data(#"{"checks": [{"name": "a", "title": "A", "query": {}}]}"#.utf8))
        try builder.release(
            "build", "tree", "--number", "1", "--out", "1.tar", "--checks",
            builder.tools.path("checks.json").path)
        #expect(try builder.tools.text("1.manifest").contains(#""path":"checks.json""#))
        try builder.tools.write("checks.json", Data(#"{"checks": [{"name": "a"}]}"#.utf8))
        let outcome = try builder.run(
            "build", "tree", "--number", "2", "--out", "2.tar", "--checks",
            builder.tools.path("checks.json").path)
        #expect(outcome.status == 1 && outcome.errors.contains("must have a name, a title and a query"))
        #expect(!builder.tools.exists("2.tar"))
    }

    private static let secretKeys = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../vectors/secret-keys/secret").standardized

    @Test("p137_what was built without a look at it is not published with a secret key in it")
    func publishedSecretKey() throws {
        let builder = try builder()
        try builder.release("keygen", "--out", "K")
        try builder.tools.makeFolder("S/keys/release")
        try builder.copy("K/key.pub.asc", "S/keys/release/K.asc")
        let key = Array(try Data(contentsOf: Self.secretKeys.appending(path: "openpgp-locked.gpg")))
        let (path, now) = (try RelativePath("keys/backup.gpg"), Int64(Date().timeIntervalSince1970))
        let archive = try TarWriter.archive([(path, 0o644, key)])
        let manifest = try Manifest(
            number: 1, channel: "stable", architecture: "any", created: now, expires: now + 86_400,
            minimumPrevious: 0, archive: .init(size: archive.count, digest: SHA256.hash(archive)),
            files: [SignedFile(path: path, mode: 0o644, content: key)])
        try Data(archive).write(to: builder.tools.path("1.tar"))
        try Data(manifest.json()).write(to: builder.tools.path("1.manifest"))
        let unsigned = try builder.run("sign", "1.tar", "--key", "K/key.asc")
        #expect(unsigned.status == 1 && !builder.tools.exists("1.manifest.sig"))
        // Signed by other means.
        let signer = try OpenPGP.SecretKey(Array(builder.tools.read("K/key.asc")))
        for (name, content, purpose) in [
            ("1.tar.sig", archive, Purpose.file), ("1.manifest.sig", manifest.json(), .manifest),
        ] {
            let signature = try signer.detachedSignature(of: content, for: purpose, at: .now())
            try Data(signature).write(to: builder.tools.path(name))
        }
        let outcome = try builder.run("publish", "1.tar", "--state", "S")
        #expect(outcome.status == 1, "\(outcome.errors)")
        for errors in [unsigned.errors, outcome.errors] {
            #expect(errors.contains("keys/backup.gpg in the release is or holds an OpenPGP secret key"))
        }
        #expect(!builder.tools.exists("S/releases/1.manifest.sig"))
    }

    @Test("p78_a directory with twins in it makes no release")
    func twins() throws {
        let builder = try builder()
        try builder.write("tree/readme", "other")
        let outcome = try builder.run("build", "tree", "--number", "1", "--out", "1.tar")
        #expect(outcome.status == 1 && outcome.errors.contains("differs from another path only by case"))
    }

    @Test("publish takes what a trusted key signed, whole, and refuses everything else")
    func publish() throws {
        let builder = try builder()
        try builder.release("keygen", "--out", "K")
        try builder.release("keygen", "--out", "other")
        try builder.makeRelease(5, key: "K/key.asc")
        func refused(_ words: String, _ file: String = "5.tar", _ line: SourceLocation = #_sourceLocation)
            throws
        {
            let outcome = try builder.run("publish", file, "--state", "S")
            #expect(
                outcome.status == 1 && outcome.errors.contains(words), "\(outcome.errors)",
                sourceLocation: line)
            #expect(!builder.tools.exists("S/releases/5.manifest.sig"), sourceLocation: line)
        }
        try refused("there is no server")
        try builder.tools.makeFolder("S/keys/release")
        try refused("no key may sign releases yet")
        try builder.copy("other/key.pub.asc", "S/keys/release/other.asc")
        try refused("which is not trusted here")
        try builder.copy("K/key.pub.asc", "S/keys/release/K.asc")

        let (archive, manifest) = (try builder.tools.read("5.tar"), try builder.tools.read("5.manifest"))
        var flipped = archive
        flipped[1000] ^= 1
        try builder.tools.write("5.tar", flipped)
        try refused("5.tar")
        try builder.tools.write("5.tar", archive + Data([0]))
        try refused("cannot read")
        try builder.tools.write("5.tar", archive)
        try builder.tools.write(
            "5.manifest",
            Data(
                String(decoding: manifest, as: UTF8.self).replacing("\"number\":5", with: "\"number\":6").utf8
            ))
        try refused("the signature does not fit the data")
        try builder.tools.write("5.manifest", manifest)

        // The manifest's signature under another release's manifest: mix and match.
        try builder.makeRelease(4, key: "K/key.asc")
        try builder.copy("4.manifest.sig", "5.manifest.sig")
        try refused("the signature does not fit the data")
        try builder.release("sign", "5.tar", "--key", "K/key.asc")
        try builder.copy("4.tar.sig", "5.tar.sig")
        try builder.write("tree/README", "text\n")
        try builder.release("sign", "5.tar", "--key", "K/key.asc")

        try builder.release(
            "build", "tree", "--number", "5", "--out", "old.tar", "--created", "2020-01-01T00:00:00Z")
        try builder.release("sign", "old.tar", "--key", "K/key.asc")
        try refused("expired", "old.tar")

        let published = try builder.release("publish", "5.tar", "--state", "S")
        #expect(published.text == "release 5: published\n")
        #expect(
            try builder.tools.names("S/releases") == [
                "5.manifest", "5.manifest.sig", "5.tar", "5.tar.sig", "lock",
            ])
        // Equal with other content, and lower, are refused.
        try builder.write("tree/README", "changed\n")
        for number in [5, 4] {
            try builder.makeRelease(number, key: "K/key.asc")
            let outcome = try builder.run("publish", "\(number).tar", "--state", "S")
            #expect(outcome.status == 1 && outcome.errors.contains("is not newer than 5"))
        }
        #expect(try builder.tools.read("S/releases/5.tar") == archive)
        let listed = try builder.release("list", "--state", "S", "--json")
        #expect(listed.text.contains("\"number\": 5") && listed.text.contains("\"problem\": null"))
    }

    @Test("of several publications at once each waits for those before it, and one number is given once")
    func publishAtOnce() async throws {
        let builder = try builder()
        try builder.release("keygen", "--out", "K")
        try builder.tools.makeFolder("S/keys/release")
        try builder.tools.makeFolder("S/releases")
        try builder.copy("K/key.pub.asc", "S/keys/release/K.asc")
        // Releases of one number, each with other content, that begin at the same moment.
        let names = ["a", "b", "c"]
        for name in names {
            try builder.write("tree/README", name)
            try builder.release("build", "tree", "--number", "1", "--out", "\(name).tar")
            try builder.release("sign", "\(name).tar", "--key", "K/key.asc")
        }
        let lock = open(builder.path("S/releases/lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        try #require(flock(lock, LOCK_EX) == 0)
        let running = try names.map { try builder.start("publish", "\($0).tar", "--state", "S") }
        try await Task.sleep(for: .seconds(1))
        #expect(!running.contains { !$0.process.isRunning }, "one of them did not wait")
        #expect(try builder.tools.names("S/releases") == ["lock"])
        #expect(flock(lock, LOCK_UN) == 0 && close(lock) == 0)
        let outcomes = try running.map { try $0.finish() }
        #expect(outcomes.filter { $0.status == 0 }.count == 1)
        #expect(outcomes.filter { $0.errors.contains("is not newer than 1") }.count == 2)
        let listed = try builder.release("list", "--state", "S", "--json")
        #expect(listed.text.contains("\"problem\": null"), "\(listed.text)")
    }

    @Test(
        "what root publishes belongs to the owner of the server's state",
        .enabled(if: geteuid() == 0, "only root can act as somebody else"))
    func publishAsOwner() throws {
        let builder = try builder()
        try builder.release("keygen", "--out", "K")
        try builder.makeRelease(1, key: "K/key.asc")
        try builder.tools.makeFolder("S/keys/release")
        try builder.copy("K/key.pub.asc", "S/keys/release/K.asc")
        // Whoever owns the state has to be able to come to it.
        #expect(chmod(builder.path("."), 0o711) == 0)
        let owner = 65_534
        #expect(chown(builder.path("S"), uid_t(owner), gid_t(owner)) == 0)
        try builder.release("publish", "1.tar", "--state", "S")
        for name in [""] + (try builder.tools.names("S/releases")) {
            let found = try FileManager.default.attributesOfItem(atPath: builder.path("S/releases/\(name)"))
            #expect(found[.ownerAccountID] as? Int == owner, "\(name)")
        }
    }

    @Test(
        "where they are asked for, agents of version 1 get their form: each file signed, all in one message"
    )
    func version1() throws {
        let builder = try builder()
        try builder.release("keygen", "--out", "K")
        try builder.makeRelease(1_717_286_401, key: "K/key.asc")
        try builder.tools.makeFolder("S/keys/release")
        try builder.copy("K/key.pub.asc", "S/keys/release/K.asc")
        try builder.copy("K/key.asc", "S/keys/server.key.asc")
        let published = try builder.release(
            "publish", "1717286401.tar", "--v1", "--replace-original-client", "--state", "S")
        #expect(published.text == "release 1717286401: published, also for agents of version 1\n")

        let gpg = try GPGHome(algorithm: "ed25519", tools: builder.tools)
        _ = try gpg.gpg(["--import", builder.path("K/key.pub.asc")])
        let message = try gpg.gpg(["--decrypt", builder.path("S/releases/1717286401.tar.asc")])
        #expect(message.status == 0, "\(message.errors)")
        try builder.tools.write("v1.tar", message.output)
        try builder.tools.makeFolder("v1")
        let unpacked = try builder.tools.run(["-C", "v1", "-xf", "v1.tar"], program: "/usr/bin/tar")
        #expect(unpacked.status == 0, "\(unpacked.errors)")
        #expect(try builder.tools.text("v1/client/release.txt") == "1717286401\n")
        for path in ["bin/pd-agent", "collectors/uptime", "README", "client/release.txt"] {
            let verified = try gpg.gpg(
                ["--verify", builder.path("v1/signatures/\(path).sig"), builder.path("v1/\(path)")])
            #expect(verified.status == 0, "\(path): \(verified.errors)")
        }
        // Where the owner left the server's key out, it signs nothing.
        try builder.release("keygen", "--out", "server")
        try FileManager.default.removeItem(atPath: builder.path("S/keys/server.key.asc"))
        try builder.copy("server/key.asc", "S/keys/server.key.asc")
        try builder.makeRelease(1_717_286_402, key: "K/key.asc")
        let refused = try builder.run("publish", "1717286402.tar", "--v1", "--state", "S")
        #expect(refused.status == 4 && refused.errors.contains("--v1-key"), "\(refused.errors)")
        #expect(!builder.tools.exists("S/releases/1717286402.manifest.sig"))
        try builder.release("publish", "1717286402.tar", "--v1-key", "K/key.asc", "--state", "S")
        #expect(builder.tools.exists("S/releases/1717286402.tar.asc"))
    }

    @Test("p131_for agents of version 1 nothing is signed unless they are asked for, and no statement at all")
    func version1OnlyOnRequest() throws {
        let builder = try builder()
        try builder.release("keygen", "--out", "K")
        try builder.tools.makeFolder("S/keys/release")
        try builder.copy("K/key.pub.asc", "S/keys/release/K.asc")
        try builder.copy("K/key.asc", "S/keys/server.key.asc")
        try builder.makeRelease(1, key: "K/key.asc")
        try builder.release("publish", "1.tar", "--state", "S")
        #expect(!builder.tools.exists("S/releases/1.tar.asc"))
        try builder.copy("1.manifest", "tree/collectors/note.json")
        try builder.makeRelease(2, key: "K/key.asc")
        let refused = try builder.run(
            "publish", "2.tar", "--v1", "--replace-original-client", "--state", "S")
        #expect(refused.status == 1, "\(refused.errors)")
        #expect(refused.errors.contains("collectors/note.json cannot be signed for version 1"))
        #expect(!builder.tools.exists("S/releases/2.manifest.sig"))
        try builder.release("publish", "2.tar", "--state", "S")
    }

    @Test(
        "p131_a manifest that was signed as a file, by ours or by gpg, makes no release; by hand with its purpose it does"
    )
    func manifestSignedAsFile() throws {
        let builder = try builder()
        let gpg = try GPGHome(algorithm: "ed25519", tools: builder.tools)
        let key = try builder.fingerprint(of: gpg)
        try builder.tools.write("gpg.pub.asc", try gpg.gpg(["--armor", "--export", key]).text)
        try builder.tools.makeFolder("S/keys/release")
        try builder.copy("gpg.pub.asc", "S/keys/release/gpg.asc")
        try builder.release("build", "tree", "--number", "9", "--out", "9.tar")
        /// As docs/releases.md says, but for the notations.
        func sign(_ file: String, _ notations: String...) throws {
            let options = notations.flatMap { ["--sig-notation", $0] }
            let signed = try gpg.gpg(
                ["--yes"] + options + [
                    "--output", builder.path("\(file).sig"), "--detach-sign", builder.path(file),
                ])
            #expect(signed.status == 0, "\(signed.errors)")
        }
        let (asFile, asManifest) = ("purpose@penguindome=file-1", "purpose@penguindome=manifest-1")
        try sign("9.tar", asFile)
        let refusals: [(notations: [String], reason: String)] = [
            ([], "does not say what it is for"), ([asFile], "made for file-1, not for manifest-1"),
            (["purpose@penguindome=order-1"], "made for order-1, not for manifest-1"),
            ([asManifest, asManifest], "more than once"), ([asManifest, asFile], "more than once"),
            (["!" + asManifest], "critical"), (["purpose@penguindome.example=manifest-1"], "does not say"),
        ]
        for (notations, reason) in refusals {
            switch notations.count {
            case 0: try sign("9.manifest")
            case 1: try sign("9.manifest", notations[0])
            default: try sign("9.manifest", notations[0], notations[1])
            }
            for arguments in [
                ["publish", "9.tar", "--state", "S"], ["verify", "9.tar", "--key", "gpg.pub.asc"],
            ] {
                let outcome = try builder.run(arguments)
                #expect(
                    outcome.status == 1 && outcome.errors.contains(reason), "\(notations): \(outcome.errors)")
            }
            // What lies on the shelf already is called bad as well.
            try builder.tools.makeFolder("S/releases")
            for name in ["9.tar", "9.tar.sig", "9.manifest", "9.manifest.sig"] {
                try builder.copy(name, "S/releases/\(name)")
            }
            #expect(try builder.release("list", "--state", "S").text.contains(reason))
            try FileManager.default.removeItem(at: builder.tools.path("S/releases"))
        }
        try sign("9.manifest", asManifest)
        for file in ["9.tar", "9.manifest"] {
            #expect(try gpg.gpg(["--verify", builder.path("\(file).sig"), builder.path(file)]).status == 0)
        }
        try builder.release("verify", "9.tar", "--key", "gpg.pub.asc")
        try builder.release("publish", "9.tar", "--state", "S")
    }

    @Test("keygen overwrites nothing, and a protected or damaged key says what it is")
    func keys() throws {
        let builder = try builder()
        try builder.release("keygen", "--out", "K")
        let key = try builder.tools.read("K/key.asc")
        #expect(try builder.run("keygen", "--out", "K").status == 1)
        #expect(try builder.tools.read("K/key.asc") == key)
        try builder.release("build", "tree", "--number", "1", "--out", "1.tar")
        let gpg = try GPGHome(algorithm: "ed25519", tools: builder.tools)
        _ = try gpg.gpg(["--passphrase", "word", "--quick-gen-key", "locked", "ed25519", "sign", "never"])
        let locked = try gpg.gpg(["--passphrase", "word", "--armor", "--export-secret-keys", "locked"])
        try builder.tools.write("locked.asc", locked.output)
        let refused = try builder.run("sign", "1.tar", "--key", "locked.asc")
        #expect(
            refused.status == 1 && refused.errors.contains("protected by a passphrase"), "\(refused.errors)")
        #expect(try builder.run("sign", "1.tar", "--key", "K/key.pub.asc").status == 1)
        #expect(try builder.run("sign", "1.tar").status == 2)
        #expect(!builder.tools.exists("1.tar.sig"))
    }

    @Test("p153_a key is whole under its name or not there, whenever keygen is killed")
    func p153_killedKeygen() throws {
        let builder = try builder()
        let program = SharesToolRunner.executable.deletingLastPathComponent().appending(path: "pd-release")
            .path
        var killed = 0
        for call in ["openat", "write", "fsync", "link", "unlink"] {
            for number in 1...8 {
                let folder = "K-\(call)-\(number)"
                let outcome = try builder.tools.run(
                    [
                        "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(call)", "-e",
                        "inject=\(call):signal=KILL:when=\(number)", program, "keygen", "--out", folder,
                    ], program: "/usr/bin/strace")
                guard outcome.status != 0 else { break }
                killed += 1
                for name in ["key.asc", "key.pub.asc"] where builder.tools.exists("\(folder)/\(name)") {
                    let text = String(decoding: try builder.tools.read("\(folder)/\(name)"), as: UTF8.self)
                    #expect(text.hasSuffix(" BLOCK-----\n"), "\(call) \(number) \(name)")
                    #expect(
                        try builder.tools.mode("\(folder)/\(name)") == (name == "key.asc" ? 0o600 : 0o644))
                }
            }
        }
        #expect(killed > 8)
    }

    @Test("several people sign one release after the other, and each signature counts")
    func severalSigners() throws {
        let builder = try builder()
        let gpg = try GPGHome(algorithm: "rsa3072", tools: builder.tools)
        let fingerprint = try builder.fingerprint(of: gpg)
        try builder.tools.write("gpg.pub.asc", try gpg.gpg(["--armor", "--export", fingerprint]).text)
        for name in ["A", "B"] { try builder.release("keygen", "--out", name) }
        try builder.release("build", "tree", "--number", "1", "--out", "1.tar")
        #expect(try !builder.release("sign", "1.tar", "--key", "A/key.asc").text.contains("beside"))
        #expect(try builder.release("sign", "1.tar", "--key", "B/key.asc").text.contains("beside 1 that"))
        // Once more by one of them: it counts once.
        #expect(try builder.release("sign", "1.tar", "--key", "A/key.asc").text.contains("beside 1 that"))
        let third = try builder.release(
            "sign", "1.tar", "--gpg-key", fingerprint, "--gpg-home", gpg.directory.path)
        #expect(third.text.contains("beside 2 that"))
        for key in ["A/key.pub.asc", "B/key.pub.asc", "gpg.pub.asc"] {
            try builder.release("verify", "1.tar", "--key", key)
        }
        for file in ["1.tar", "1.manifest"] {
            for name in ["A", "B"] {
                #expect(try gpg.gpg(["--import", builder.path("\(name)/key.pub.asc")]).status == 0)
            }
            let verified = try gpg.gpg(
                ["--status-fd", "1", "--verify", builder.path("\(file).sig"), builder.path(file)])
            #expect(verified.status == 0 && verified.text.components(separatedBy: "GOODSIG").count == 4)
        }
        // A release that was built anew is not signed by those who signed the one before.
        try builder.write("tree/README", "other\n")
        try builder.release("build", "tree", "--number", "1", "--out", "1.tar")
        #expect(try !builder.release("sign", "1.tar", "--key", "B/key.asc").text.contains("beside"))
        #expect(try builder.run("verify", "1.tar", "--key", "A/key.pub.asc").status == 1)
        try builder.release("verify", "1.tar", "--key", "B/key.pub.asc")
        // What is no signature is not overwritten without a word.
        try builder.tools.write("1.tar.sig", "notes")
        let refused = try builder.run("sign", "1.tar", "--key", "B/key.asc")
        #expect(refused.status == 1 && refused.errors.contains("1.tar.sig is there and no signature"))
    }

    @Test("p150_a release brings no key that could never sign, from build to publish")
    func p150_broughtKeys() throws {
        let builder = try builder()
        let gpg = try GPGHome(algorithm: "nistp384", tools: builder.tools)
        try builder.tools.write("bad.pub.asc", try gpg.gpg(["--armor", "--export", "peer"]).text)
        let built = try builder.run(
            "build", "tree", "--number", "1", "--out", "1.tar", "--trusted-key", "bad.pub.asc")
        #expect(built.status == 1 && built.errors.contains("NIST P-384 is not supported"), "\(built.errors)")
        try builder.release("keygen", "--out", "K")
        try builder.tools.makeFolder("S/keys/release")
        try builder.copy("K/key.pub.asc", "S/keys/release/K.asc")
        try builder.tools.makeFolder("tree/keys")
        try builder.copy("bad.pub.asc", "tree/keys/bad.pub.asc")
        try builder.makeRelease(2, key: "K/key.asc")
        let published = try builder.run("publish", "2.tar", "--state", "S")
        #expect(published.status == 1 && published.errors.contains("keys/bad.pub.asc"), "\(published.errors)")
        #expect(!builder.tools.exists("S/releases/2.manifest.sig"))
    }

    @Test("the state is found as by the other tools: --state, PENGUINDOME_STATE, the installed one")
    func stateByEnvironment() throws {
        let builder = try builder()
        try builder.release("keygen", "--out", "K")
        try builder.tools.makeFolder("S/keys/release")
        try builder.copy("K/key.pub.asc", "S/keys/release/K.asc")
        try builder.makeRelease(1, key: "K/key.asc")
        let program = SharesToolRunner.executable.deletingLastPathComponent().appending(path: "pd-release")
            .path
        func run(_ arguments: String...) throws -> SharesToolRunner.Outcome {
            try builder.tools.run(
                ["PENGUINDOME_STATE=\(builder.path("S"))", program] + arguments, program: "/usr/bin/env")
        }
        #expect(try run("publish", "1.tar").status == 0)
        #expect(try run("list").text.contains("good"))
        let other = try run("list", "--state", builder.path("elsewhere"))
        #expect(other.status == 1 && other.errors.contains("elsewhere"))
    }

    @Test("nothing is signed that is not what its manifest says")
    func blindSignature() throws {
        let builder = try builder()
        try builder.release("keygen", "--out", "K")
        try builder.release("build", "tree", "--number", "1", "--out", "1.tar")
        var archive = try builder.tools.read("1.tar")
        archive[513] ^= 1
        try builder.tools.write("1.tar", archive)
        let outcome = try builder.run("sign", "1.tar", "--key", "K/key.asc")
        #expect(
            outcome.status == 1 && outcome.errors.contains("not as the manifest says"), "\(outcome.errors)")
        #expect(!builder.tools.exists("1.tar.sig") && !builder.tools.exists("1.manifest.sig"))
    }
}

/// Runs `pd-release` in a directory of its own.
struct ReleaseRunner {
    let tools: SharesToolRunner

    init() throws {
        self.init(tools: try SharesToolRunner())
    }

    init(tools: SharesToolRunner) {
        self.tools = tools
    }

    func path(_ name: String) -> String { tools.path(name).path }

    func write(_ name: String, _ text: String, mode: Int = 0o644) throws {
        try FileManager.default.createDirectory(
            at: tools.path(name).deletingLastPathComponent(), withIntermediateDirectories: true)
        try tools.write(name, text)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path(name))
    }

    func copy(_ from: String, _ to: String) throws {
        if tools.exists(to) { try FileManager.default.removeItem(atPath: path(to)) }
        try FileManager.default.copyItem(atPath: path(from), toPath: path(to))
    }

    /// Runs it, however it ends.
    func run(_ arguments: String...) throws -> SharesToolRunner.Outcome { try run(arguments) }

    func run(_ arguments: [String]) throws -> SharesToolRunner.Outcome {
        let program = SharesToolRunner.executable.deletingLastPathComponent().appending(path: "pd-release")
        return try tools.run(arguments, program: program.path)
    }

    /// Starts it.
    func start(_ arguments: String...) throws -> SharesToolRunner.Running {
        let program = SharesToolRunner.executable.deletingLastPathComponent().appending(path: "pd-release")
        return try tools.start(command: [program.path] + arguments)
    }

    /// Runs it to a good end.
    @discardableResult
    func release(_ arguments: String...) throws -> SharesToolRunner.Outcome { try release(arguments) }

    @discardableResult
    func release(_ arguments: [String]) throws -> SharesToolRunner.Outcome {
        let outcome = try run(arguments)
        try #require(outcome.status == 0, "\(arguments): \(outcome.errors)")
        return outcome
    }

    /// Builds the tree and signs it.
    func makeRelease(_ number: Int, key: String, _ options: String...) throws {
        try release(["build", "tree", "--number", "\(number)", "--out", "\(number).tar"] + options)
        try release("sign", "\(number).tar", "--key", key)
    }

    func fingerprint(of home: GPGHome) throws -> String {
        let listed = try home.gpg(["--list-keys", "--with-colons", "peer"]).text
        let line = try #require(listed.split(separator: "\n").first { $0.hasPrefix("fpr:") })
        return String(try #require(line.split(separator: ":").last))
    }
}

extension SharesToolRunner {
    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(at: path(name), withIntermediateDirectories: true)
    }
}
