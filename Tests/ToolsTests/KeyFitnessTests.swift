import Foundation
import PDTestSupport
import Testing

/// Which keys `pd-admin keys` takes, with keys that gpg makes.
@Suite struct KeyFitnessTests {
    private let fleet: FleetRunner
    private let home: GPGHome

    init() throws {
        fleet = try FleetRunner()
        try fleet.setUp()
        home = try GPGHome(algorithm: "ed25519", tools: fleet.tools)
    }

    /// Makes a key beside that of the home, and gives what gpg exports of it.
    private func export(_ name: String, _ algorithm: String, usage: String = "sign", _ more: [String] = [])
        throws -> Data
    {
        let made = try home.gpg(
            more + ["--passphrase", "", "--quick-gen-key", name, algorithm, usage]
                + (more.isEmpty ? ["never"] : ["1d"]))
        try #require(made.status == 0, "\(made.errors)")
        return try home.gpg(["--export", name]).output
    }

    private func file(_ content: Data) throws -> String {
        let file = fleet.tools.path("\(UUID().uuidString).gpg")
        try content.write(to: file)
        return file.path
    }

    private func add(_ file: String, _ flags: String...) throws -> SharesToolRunner.Outcome {
        try fleet.run(
            "pd-admin", ["keys", "add", file, "--role", "release", "--state", fleet.serverState] + flags)
    }

    /// Every file of the state with its content, but for the lock.
    private func state() throws -> [String: Data] {
        var files: [String: Data] = [:]
        let names = try FileManager.default.subpathsOfDirectory(atPath: fleet.serverState)
        for name in names where !name.hasSuffix("lock") {
            files[name] = FileManager.default.contents(atPath: "\(fleet.serverState)/\(name)")
        }
        return files
    }

    /// The key is refused with one line that says this, and nothing of the state changes.
    private func expectRefusal(_ content: Data, _ reason: String, _ flags: String..., line: Int = #line)
        throws
    {
        let before = try state()
        let outcome = try fleet.run(
            "pd-admin",
            ["keys", "add", try file(content), "--role", "release", "--state", fleet.serverState] + flags)
        #expect(
            outcome.status == 1 && outcome.errors.contains(reason) && outcome.text.isEmpty
                && outcome.errors.split(separator: "\n").count == 1,
            "line \(line): \(outcome.status) \(outcome.text)\(outcome.errors)")
        #expect(try state() == before, "line \(line)")
    }

    @Test("p150_a key that can never sign is refused and nothing is written, forced or not")
    func p150_neverSigns() throws {
        for (algorithm, reason) in [
            ("nistp384", "ECDSA on NIST P-384 is not supported"), ("dsa2048", "DSA is not supported"),
            ("brainpoolP256r1", "Brainpool P-256 is not supported"), ("rsa1024", "RSA of 1024 bits"),
        ] {
            let key = try export(algorithm, algorithm)
            try expectRefusal(key, reason)
            try expectRefusal(key, "can never sign", "--force")
        }
        try expectRefusal(export("certifier", "ed25519", usage: "cert"), "not allowed to sign", "--force")
        var damaged = try home.gpg(["--export", "peer"]).output
        damaged[damaged.count - 1] ^= 1
        try expectRefusal(damaged, "damaged or changed", "--force")
        // Nor does it hide behind a whole copy that is known.
        try #require(try add(file(home.gpg(["--export", "peer"]).output)).status == 0)
        try expectRefusal(damaged, "damaged or changed", "--force")
    }

    @Test("p150_keys that have expired or are revoked are taken where that is asked for")
    func p150_signsNoMore() throws {
        let past = try export("past", "ed25519", ["--faked-system-time", "20200101T000000"])
        let coming = try export("coming", "ed25519", ["--faked-system-time", "20900101T000000"])
        try expectRefusal(past, "expired (2020-01-02T00:00:00Z); --force adds it")
        try expectRefusal(coming, "is dated in the future; --force adds it")
        for key in [past, coming] {
            let added = try add(file(key), "--force")
            #expect(added.status == 0 && added.text.contains("its signatures will be refused"))
        }
        let good = try home.gpg(["--export", "peer"]).output
        let fingerprint = try #require(
            home.gpg(["--with-colons", "--list-keys", "peer"]).text.split(separator: "\n")
                .first { $0.hasPrefix("fpr:") }?.split(separator: ":")[1])
        let revocation = home.directory.appending(path: "openpgp-revocs.d/\(fingerprint).rev")
        let text = try String(contentsOf: revocation, encoding: .utf8)
        try #require(
            home.gpg(["--import"], input: Data(text.replacing(":-----BEGIN", with: "-----BEGIN").utf8)).status
                == 0)
        let revoked = try home.gpg(["--export", "peer"]).output
        try expectRefusal(revoked, "is revoked; --force adds it")
        // News of a key that is trusted here is never kept out.
        #expect(try add(file(good)).status == 0)
        let news = try add(file(revoked))
        #expect(news.status == 0 && news.text.contains("is revoked"), "\(news.errors)")
        // The copy from before does not bring it back.
        #expect(try add(file(good)).text.contains("is revoked"))
    }

    @Test("what is no public key is refused by what it is, with what to do")
    func otherFiles() throws {
        let armored = try home.gpg(["--armor", "--export", "peer"])
        let wide = try #require(armored.text.data(using: .utf16))
        let secret = try home.gpg(["--passphrase", "", "--export-secret-keys", "peer"]).output
        let keybox = try Data(contentsOf: home.directory.appending(path: "pubring.kbx"))
        let message = Data("text".utf8)
        for (content, reason) in try [
            (secret, "a secret key where a public one is wanted: give the output of gpg --armor --export"),
            (Data([0xef, 0xbb, 0xbf]) + armored.output, "byte order mark"), (wide, "UTF-16"),
            (keybox, "a keybox of GnuPG"),
            (home.gpg(["--clear-sign"], input: message).output, "a signature or a message where a key is"),
            (home.gpg(["--detach-sign"], input: message).output, "a signature or a message where a key is"),
            (Data("ssh-ed25519 AAAA me\n".utf8), "not of OpenPGP, but of OpenSSH"),
            (armored.output.prefix(200), "no end line"), (Data(), "empty"),
            (
                export("second", "ed25519") + home.gpg(["--export", "peer"]).output,
                "2 keys where exactly one"
            ),
            (Data(count: 5 << 20), "longer than the 4194304 bytes that are read"),
        ] {
            try expectRefusal(content, reason)
        }
    }

    @Test("p150_of a keyring that has been in use for years, what signs is taken and the rest is named")
    func p150_keyring() throws {
        _ = try export("past", "ed25519", ["--faked-system-time", "20200101T000000"])
        _ = try export("curve", "nistp384")
        let gone = "for k in \"$0\"/private-keys-v1.d/*; do rm \"$k\"; done"
        try #require(
            fleet.tools.run(["-c", gone, home.directory.path], program: "/bin/sh").status == 0)
        func importing(_ flags: String...) throws -> SharesToolRunner.Outcome {
            try fleet.run(
                "pd-admin",
                ["keys", "import-keyring", home.directory.path, "--state", fleet.serverState] + flags)
        }
        let outcome = try importing()
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.text.split(separator: "\n").count == 1)
        #expect(outcome.errors.contains("NIST P-384") && outcome.errors.contains("expired (2020-01-02"))
        let forced = try importing("--force")
        #expect(forced.status == 0 && forced.text.split(separator: "\n").count == 2)
        #expect(forced.errors.contains("NIST P-384") && !forced.errors.contains("expired ("))
        let keys = try FileManager.default.contentsOfDirectory(atPath: fleet.serverState + "/keys/client")
        #expect(keys.count == 3)
    }
}
