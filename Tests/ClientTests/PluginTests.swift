import Foundation
import PDCrypto
import PDDocument
import PDFiles
import PDProtocol
import Testing

@testable import PDClient

/// Plugins as a release brings them, run by the real program.
@Suite("Plugins")
struct PluginTests {
    /// Beside the test runner, where the build put it.
    static let agent = URL(
        filePath: Files.realPath("/proc/self/exe") ?? "", relativeTo: nil
    ).deletingLastPathComponent().appendingPathComponent("pd-agent").path

    /// What `pd-agent collect --print` reports with these files in its release.
    static func collect(
        _ files: [String: String], settings: String = "", machine: ReleaseMachine? = nil
    ) async throws -> Document {
        let machine = try machine ?? ReleaseMachine()
        #expect(try await machine.updater().run(machine.release(1) { $0.files = files }) == .installed(1))
        return try print(machine, settings)
    }

    /// - Parameter trusting: the whole of the settings, instead of the usual ones.
    static func print(
        _ machine: ReleaseMachine, _ settings: String, keeps: Bool = false, trusting: String? = nil
    ) throws -> Document {
        let switches = (try BuiltInCollectors.all.map { "  \($0.name): off\n" }).joined()
        try machine.directory.write(
            trusting ?? """
                server_url: http://127.0.0.1:1
                hostname: laptop
                trust:
                  releases: [\(machine.key.certificate.fingerprint)]
                \(settings.contains("collectors:") ? "" : "collectors:\n\(switches)")
                \(settings)
                """, to: "/state/agent.yml")
        try machine.directory.write(
            String(decoding: machine.other.armored().withUnsafeBytes { Array($0) }, as: UTF8.self),
            to: "/state/client.key.asc")
        let process = Process()
        process.executableURL = URL(filePath: agent)
        process.arguments =
            ["collect"] + (keeps ? [] : ["--print"]) + ["--state", machine.state.path]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let bytes = Array(output.fileHandleForReading.readDataToEndOfFile())
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return keeps
            ? [:] : try #require(try Document(json: bytes, timestamps: .atSuffix)["plugins"]?.document)
    }

    private static func living(_ words: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { process in
            (try? Files.read("/proc/\(process)/cmdline")).map {
                String(decoding: $0, as: UTF8.self).replacingOccurrences(of: "\0", with: " ").hasPrefix(words)
            } == true
        }
    }

    @Test(
        "that hang, crash, flood, fork or write no JSON cost their own result in one cycle, and leave nothing running",
        .timeLimit(.minutes(3)))
    func hostile() async throws {
        let found = try await Self.collect([
            "collectors/a-good": "#!/bin/sh\necho '{\"status\": \"on\"}'\n",
            "collectors/crashing": "#!/bin/sh\necho part; echo boom >&2; kill -SEGV $$\n",
            "collectors/failing.sh": "#!/bin/sh\necho one; echo first >&2; echo last >&2; exit 4\n",
            "collectors/flooding": "#!/bin/sh\nhead -c 1073741824 /dev/zero\n",
            "collectors/forking":
                "#!/bin/sh\ni=0; while [ $i -lt 500 ]; do setsid sleep 86417 & i=$((i + 1)); done; wait\n",
            "collectors/hanging": "#!/bin/sh\nsetsid sleep 86418 & sleep 86419\n",
            "collectors/leaving": "#!/bin/sh\nsetsid sleep 86420 >/dev/null 2>&1 & echo 1\n",
            "collectors/talking": "#!/bin/sh\necho this is no JSON\n",
            "collectors/z-good.py": "#!/bin/sh\necho '[1, {\"seen_at\": \"2026-01-01T00:00:00Z\"}]'\n",
        ])
        #expect(found["a-good"] == ["status": "on"])
        #expect(found["z-good"] == [1, ["seen_at": .date(milliseconds: 1_767_225_600_000)]])
        #expect(found["leaving"] == 1)
        func failure(_ name: String) -> Document { found[name]?.document ?? [:] }
        for name in ["crashing", "failing", "flooding", "forking", "hanging", "talking"] {
            #expect(failure(name)["status"] == "unknown", "\(name): \(failure(name))")
        }
        #expect(failure("crashing")["returncode"] == -11)
        #expect(failure("crashing")["stdout"] == "part\n" && failure("crashing")["stderr"] == "boom\n")
        #expect(failure("failing")["returncode"] == 4)
        #expect(failure("failing")["stdout"] == "one\n" && failure("failing")["stderr"] == "first\nlast\n")
        #expect(failure("flooding")["reason"]?.string?.contains("wrote too much") == true)
        #expect(failure("flooding")["stdout"]?.string?.utf8.count == Plugin.reportedOutput)
        #expect(failure("forking")["reason"]?.string?.contains("too many processes") == true)
        #expect(failure("hanging")["reason"]?.string?.contains("did not finish in time") == true)
        #expect(failure("talking")["reason"]?.string?.contains("did not write one JSON value") == true)
        #expect(failure("talking")["stdout"] == "this is no JSON\n")
        for seconds in 86417...86420 { #expect(try Self.living("sleep \(seconds)").isEmpty) }
    }

    @Test("run from the place of the original system as well, and may take a built-in collector's place")
    func places() async throws {
        let found = try await Self.collect(
            [
                "client/plugins/mine.py": "#!/bin/sh\necho '\"mine\"'\n",
                "client/plugins/firewall.py": "#!/bin/sh\necho '{\"status\": \"ours\"}'\n",
                "client/plugins/notes.txt": "no plugin",
            ], settings: "collectors: {os_info: off}")
        #expect(found["mine"] == "mine")
        #expect(found["firewall"] == ["status": "ours"])
        #expect(found["notes"] == nil && found["os_info"] == nil && found["kernel"] != nil)
    }

    @Test(
        "of a local directory run as a key signed them that may sign patches, and give way to those of a release"
    )
    func local() async throws {
        let machine = try ReleaseMachine()
        let trusting = """
            server_url: http://127.0.0.1:1
            hostname: laptop
            trust:
              releases: [\(machine.key.certificate.fingerprint)]
              patches: [\(machine.other.certificate.fingerprint)]
            collectors:
            \(BuiltInCollectors.all.map { "  \($0.name): off\n" }.joined())
            """
        let own = try machine.release(1) {
            $0.files = [
                "collectors/mine": "#!/bin/sh\necho '\"local\"'\n",
                "collectors/both": "#!/bin/sh\necho '\"local\"'\n",
            ]
            $0.channel = "plugins"
            $0.signer = machine.other
        }
        func place(_ statement: SignedStatement, _ mine: String = "#!/bin/sh\necho '\"local\"'\n") throws {
            for name in ["mine", "both"] {
                let path = "\(machine.state.plugins)/collectors/\(name)"
                try machine.directory.write(
                    name == "mine" ? mine : "#!/bin/sh\necho '\"local\"'\n",
                    to: "/state/plugins/collectors/\(name)")
                chmod(path, 0o755)
            }
            try Data(statement.bytes).write(to: URL(filePath: "\(machine.state.plugins).manifest"))
            try Data(statement.signature).write(to: URL(filePath: "\(machine.state.plugins).manifest.sig"))
        }
        func found() throws -> Document { try Self.print(machine, "", trusting: trusting) }

        try place(own.statement)
        #expect(try found()["mine"] == "local" && found()["both"] == "local")
        #expect(
            try await machine.updater().run(
                machine.release(1) { $0.files = ["collectors/both": "#!/bin/sh\necho '\"released\"'\n"] })
                == .installed(1))
        #expect(try found()["mine"] == "local" && found()["both"] == "released")

        try place(own.statement, "#!/bin/sh\necho '\"changed\"'\n")
        #expect(
            try found()["mine"]?.document?["reason"]?.string?.contains("not as it was signed") == true)
        for (channel, signer) in [("stable", machine.other), ("plugins", machine.key)] {
            try place(
                machine.release(1) {
                    $0.files = ["collectors/mine": "#!/bin/sh\necho '\"local\"'\n"]
                    $0.channel = channel
                    $0.signer = signer
                }.statement)
            #expect(try found()["mine"] == nil && found()["both"] == "released", "\(channel)")
        }
    }

    @Test("that are not executable say so instead of never running")
    func mode() async throws {
        // Of the tests' releases, only files that begin with README are not executable; a link stands for one here.
        let directory = try TemporaryDirectory()
        try directory.write("#!/bin/sh\necho 1\n", to: "/collectors/x")
        let file = SignedFile(path: try RelativePath("collectors/x"), mode: 0o644, content: [])
        let value = try Plugin(name: "x", root: directory.path, file: file, tools: PluginTools(program: ""))
            .collect(CollectorContext(machine: .this()))
        #expect(value.document?["reason"]?.string?.contains("not executable: sign it with mode 755") == true)
    }

    @Test("have a home that stays, their settings and nothing else of ours in their environment")
    func environment() async throws {
        let machine = try ReleaseMachine()
        let script = """
            #!/bin/sh
            pwd >&2
            [ -f seen ] && again=true || again=false
            touch seen
            names=$(env | cut -d= -f1 | sort | tr '\\n' ' ')
            printf '{"names": "%s", "again": %s, "home": "%s", "settings": %s}' "$names" $again "$HOME" \
            "$PENGUINDOME_SETTINGS"
            """
        let settings = "collector_settings: {mine: {level: 3, names: [a, b]}}"
        let first = try await Self.collect(["collectors/mine": script], settings: settings, machine: machine)
        let home = "\(machine.state.path)/collectors/mine"
        let mine = try #require(first["mine"]?.document)
        #expect(mine["home"] == .string(home) && mine["again"] == false)
        #expect(
            mine["names"]
                == .string(
                    "HOME LC_ALL PATH PENGUINDOME_PLUGIN PENGUINDOME_PLUGIN_TOOL PENGUINDOME_READ_ONLY PENGUINDOME_SETTINGS "
                        + "PENGUINDOME_VAR_DIR PWD PYTHONDONTWRITEBYTECODE PYTHONPATH "))
        #expect(mine["settings"]?.document?["plugin"] == ["level": "3", "names": ["a", "b"]])
        #expect(mine["settings"]?.document?["server_url"] == "http://127.0.0.1:1")
        #expect(try Self.print(machine, settings)["mine"]?.document?["again"] == true)
    }

    @Test(
        "and collectors that are switched off are absent; those that are off by standard can be switched on")
    func switches() async throws {
        let found = try await Self.collect(
            ["collectors/mine": "#!/bin/sh\necho 1\n", "collectors/other": "#!/bin/sh\necho 2\n"],
            settings: "collectors: {mine: off, prey: on, usb: off}")
        #expect(found["mine"] == nil && found["other"] == 2)
        #expect(found["prey"]?.document?["installed"] == false && found["usb"] == nil)
        #expect(found["geolocation"] == nil && found["packages"] == nil && found["eraagent"] == nil)
        #expect(found["users"] != nil)
    }
}
