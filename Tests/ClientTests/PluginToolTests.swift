import Foundation
import PDDocument
import PDFiles
import PDPluginKit
import PDProtocol
import Testing

@testable import PDClient

@Suite("Tools for plugins")
struct PluginToolTests {
    private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// Runs a program as the agent runs plugins, with the Python package and this build's pd-plugin within reach.
    private static func run(
        _ script: String, in directory: TemporaryDirectory, settings: Document = [:], now: Int64 = 0
    ) throws -> (output: CommandOutput, value: Value?) {
        try directory.write(script, to: "/plugin")
        chmod(directory.path + "/plugin", 0o755)
        let context = CollectorContext(
            machine: .this(), memory: CollectorMemory(directory: directory.path), settings: settings)
        let environment = Plugin.environment(
            name: "mine", context,
            settings: ["logging": ["level": "notice"], "server_url": "http://127.0.0.1:1"],
            tools: PluginTools(program: PluginTests.agent)
        ).map { $0.hasPrefix("PYTHONPATH=") ? "PYTHONPATH=\(repository)/plugins/python" : $0 }
        let output = try ChildProcess(
            executable: directory.path + "/plugin", arguments: ["mine"], environment: environment,
            deadline: .now + .seconds(30), outputLimit: 1 << 20, directory: directory.path
        ).run()
        return (output, Plugin.value(output.stdout))
    }

    /// The blocks of that language in docs/plugins.md.
    private static func example(_ language: String) throws -> String {
        let text = try String(contentsOfFile: repository + "/docs/plugins.md", encoding: .utf8)
        return try #require(
            text.components(between: "```\(language)\n", and: "```").first.map(String.init))
    }

    @Test("do in a shell what the document shows")
    func shellExample() throws {
        let directory = try TemporaryDirectory()
        let found = try Self.run(try Self.example("sh"), in: directory, settings: ["level": "100"])
        #expect(found.output.returncode == 0, "\(String(decoding: found.output.stderr, as: UTF8.self))")
        #expect(found.value?.document?["good"] == true)
    }

    @Test("do in Python what the document shows: what was kept is there again, as a time")
    func pythonExample() throws {
        let directory = try TemporaryDirectory()
        let script = try Self.example("python").replacingOccurrences(
            of: "/usr/bin/env python3", with: "/usr/bin/python3")
        let first = try Self.run(script, in: directory)
        #expect(first.output.returncode == 0, "\(String(decoding: first.output.stderr, as: UTF8.self))")
        let seen = try #require(first.value?.document?["seen_at"]?.milliseconds)
        #expect(try Self.run(script, in: directory).value?.document?["seen_at"]?.milliseconds == seen)
    }

    /// Three plugins that use, between them, every tool of the original system, as its documents name them.
    private static let originals = [
        "client/plugins/cached.py": """
        #!/usr/bin/env python3
        from penguindome import cached_data, var_dir
        import penguindome.json as json
        import os
        results = {'enabled': False}
        results = cached_data('guest', results, add_timestamp=True)
        kept = cached_data('guest', None, raise_exception=False)
        try:
            cached_data('never')
        except FileNotFoundError:
            missing = True
        print(json.dumps({'result': results, 'kept': kept is None or kept['cached_at'].year > 2000,
                          'missing': missing, 'none': cached_data('never', raise_exception=False),
                          'own': os.path.isdir(var_dir)}))

        """,
        "client/plugins/set.py": """
        #!/usr/bin/env python3
        from penguindome.client import get_setting, get_logger
        import penguindome.json as json
        log = get_logger('mine')
        log.warn('level {} of {}', get_setting('logging:level'), 'mine')
        assert get_setting('nothing:at:all') is None and get_setting('x', default=3) == 3
        print(json.dumps({'url': get_setting('server_url'), 'level': get_setting('level')}))

        """,
        "client/plugins/desk.py": """
        #!/usr/bin/env python3
        from penguindome.plugin_tools import (DBusUser, find_who_x_users, find_xinit_users, find_x_users)
        import penguindome.json as json
        import pwd, os
        assert set(find_x_users()) == set(find_who_x_users()) | set(find_xinit_users())
        me = pwd.getpwuid(os.getuid()).pw_name
        found = {'display': DBusUser(me, ':4711').command('echo $DISPLAY $DBUS_SESSION_BUS_ADDRESS $SECRET')}
        try:
            DBusUser(me, ':4712')
        except KeyError:
            found['other'] = 'no session'
        print(json.dumps(found))

        """,
    ]

    @Test("let plugins that were written for the original system run unchanged in a release")
    func original() async throws {
        // A program of a session of ours. What the user told that program alone is nobody else's business.
        let session = Process()
        session.executableURL = URL(filePath: "/bin/sleep")
        session.arguments = ["600"]
        session.environment = [
            "DISPLAY": ":4711", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere", "SECRET": "s",
        ]
        session.standardOutput = FileHandle.nullDevice
        session.standardError = FileHandle.nullDevice
        try session.run()
        // Whatever signals this process has blocked, which its children inherit.
        defer { kill(session.processIdentifier, SIGKILL) }
        var files = Self.originals
        let package = Self.repository + "/plugins/python/penguindome"
        for name in try FileManager.default.contentsOfDirectory(atPath: package) where name.hasSuffix(".py") {
            files["plugins/python/penguindome/\(name)"] = try String(
                contentsOfFile: "\(package)/\(name)", encoding: .utf8)
        }
        let found = try await PluginTests.collect(
            files, settings: "collector_settings: {set: {level: 7}}")
        #expect(
            found["cached"] == [
                "result": ["enabled": false], "kept": true, "missing": true, "none": .null, "own": true,
            ], "\(found)")
        #expect(found["set"] == ["url": "http://127.0.0.1:1", "level": "7"], "\(found)")
        #expect(
            found["desk"] == ["display": ":4711 unix:path=/nowhere\n", "other": "no session"], "\(found)")
    }

    @Test("say what is missing where pd-plugin is not there")
    func noTool() throws {
        let directory = try TemporaryDirectory()
        let call = "from penguindome.plugin_tools import *\nprint(find_x_users())\n"
        let unset = "#!/usr/bin/python3\nimport os\nos.environ.pop('PENGUINDOME_PLUGIN_TOOL', None)\n\(call)"
        let wrong =
            "#!/usr/bin/python3\nimport os\nos.environ['PENGUINDOME_PLUGIN_TOOL'] = '/nowhere'\n\(call)"
        for (script, reason) in [
            (unset, "is not set"), (wrong, "/nowhere (PENGUINDOME_PLUGIN_TOOL) cannot be run"),
        ] {
            let output = try Self.run(script, in: directory).output
            #expect(
                output.returncode == 1 && String(decoding: output.stderr, as: UTF8.self).contains(reason))
        }
    }

    @Test(
        "find users of X in what who writes",
        arguments: [
            ("ada      :0           2026-01-02 09:14 (:0)", [XUser(user: "ada", display: ":0")]),
            ("ada      tty7         2026-01-02 09:14 (:1)", [XUser(user: "ada", display: ":1")]),
            ("ada      :0           2026-01-02 09:14", [XUser(user: "ada", display: ":0")]),
            ("ada      pts/1        2026-01-02 09:14 (192.0.2.7)", []),
            ("ada      pts/1        2026-01-02 09:14 (:0.0)", [XUser(user: "ada", display: ":0.0")]),
            ("ada      tty2         2026-01-02 09:14 (tty2)", []), ("", []), (":0", []), ("ada :", []),
        ] as [(String, [XUser])])
    func who(_ text: String, _ expected: [XUser]) {
        #expect(XUser.who(text) == expected)
    }

    @Test(
        "find who started X by xinit, also where the server runs as root and nobody's environment may be read"
    )
    func xinit() {
        func process(_ id: Int, _ parent: Int, _ uid: UInt32, _ arguments: String) -> RunningProcess {
            let words = arguments.split(separator: " ").map(String.init)
            return RunningProcess(
                id: "\(id)", uid: uid, parent: "\(parent)",
                name: words[0].split(separator: "/").last.map(String.init) ?? "", arguments: words)
        }
        let processes = [
            process(10, 9, 1000, "xinit /home/ada/.xinitrc -- /usr/bin/X :1 vt2"),
            process(11, 10, 0, "/usr/lib/xorg/Xorg :1 vt2"), process(12, 10, 1000, "i3"),
            process(20, 1, 0, "/usr/lib/xorg/Xorg :0 -seat seat0"), process(30, 1, 1001, "xinit"),
        ]
        for display in [":1", nil] {
            let found = XUser.xinit(processes) { _ in display }
            #expect(found.map(\.uid) == [1000] && found.map(\.display) == [":1"])
        }
    }

    @Test(
        "use the package and pd-plugin of a release only as they were signed",
        arguments: ["plugins/python/penguindome/__init__.py", "bin/pd-plugin"])
    func tampered(_ path: String) throws {
        let directory = try TemporaryDirectory()
        try directory.write("good", to: "/\(path)")
        chmod("\(directory.path)/\(path)", 0o755)
        let file = SignedFile(path: try RelativePath(path), mode: 0o755, content: Array("good".utf8))
        let make = { PluginTools([(directory.path, file)], program: "/nowhere/pd-agent") }
        #expect(make().tampering() == nil)
        #expect(
            make().environment.contains {
                $0.hasSuffix("\(directory.path)/\(path)")
                    || $0.contains(
                        "PYTHONPATH=\(directory.path)/plugins/python")
            })
        try directory.write("evil", to: "/\(path)")
        let tools = make()
        #expect(tools.tampering()?.contains(path) == true)
        try directory.write("#!/bin/sh\necho 1\n", to: "/collectors/x")
        chmod("\(directory.path)/collectors/x", 0o755)
        let plugin = Plugin(
            name: "x", root: directory.path,
            file: SignedFile(
                path: try RelativePath("collectors/x"), mode: 0o755,
                content: Array("#!/bin/sh\necho 1\n".utf8)),
            tools: tools)
        let value = try plugin.collect(CollectorContext(machine: .this()))
        #expect(value.document?["reason"]?.string?.contains("it was not run") == true)
    }

    @Test("keep and find the same values from a shell, from Python and from Swift")
    func cache() throws {
        let directory = try TemporaryDirectory()
        let script =
            "#!/bin/sh\npd-plugin cache k '{\"a\": 1}' >/dev/null\npd-plugin log warning hello\npd-plugin cache k\n"
        let found = try Self.run(script, in: directory)
        #expect(
            found.value == ["a": 1] && String(decoding: found.output.stderr, as: UTF8.self) == "mine: hello\n"
        )
        let kit = PluginEnvironment(["PENGUINDOME_VAR_DIR": directory.path])
        #expect(kit.cached("k") == ["a": 1] && kit.cached("../k") == nil)
        #expect(throws: PluginError.key("a/b")) { try kit.cache(1, as: "a/b") }
        let python = "#!/usr/bin/python3\nfrom penguindome import cached_data\nprint(cached_data('k')['a'])\n"
        #expect(try Self.run(python, in: directory).value == 1)
    }

    @Test(
        "say of a file what keeps it from being a plugin",
        arguments: [
            ("#!/bin/sh\necho 1\n", nil), ("#!/bin/sh\necho no\n", "did not write one JSON value"),
            ("#!/bin/sh\necho why >&2; exit 3\n", "it failed: why"),
            ("#!/bin/sh\necho $$\n", "changes from one run"),
            ("#!/bin/sh\necho \"{\\\"x_at\\\": $$}\"\n", nil),
            ("#!/bin/sh\necho '{\"a.b\": 1}'\n", "no check can ask for"),
        ] as [(String, String?)])
    func lint(_ script: String, _ problem: String?) throws {
        let directory = try TemporaryDirectory()
        try directory.write(script, to: "/files/mine.sh")
        try directory.makeDirectory("/own")
        let path = directory.path + "/files/mine.sh"
        #expect(
            PluginLint.problems(of: path, directory: directory.path + "/own").first?.contains(
                "not executable") == true)
        chmod(path, 0o755)
        let problems = PluginLint.problems(of: path, directory: directory.path + "/own")
        #expect(
            problem.map { problem in problems.contains { $0.contains(problem) } } ?? problems.isEmpty,
            "\(problems)")
    }
}
