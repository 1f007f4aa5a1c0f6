import Foundation
import PDDocument
import PDFiles
import PDPluginKit
import Testing

@testable import PDClient

@Suite("Tools for plugins")
struct PluginToolTests {
    private static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path
    private static let tool = URL(filePath: PluginTests.agent).deletingLastPathComponent().path + "/pd-plugin"

    /// Runs a program as the agent runs plugins, with the Python package and this build's pd-plugin within reach.
    private static func run(
        _ script: String, in directory: TemporaryDirectory, settings: Document = [:], now: Int64 = 0
    ) throws -> (output: CommandOutput, value: Value?) {
        try directory.write(script, to: "/plugin")
        chmod(directory.path + "/plugin", 0o755)
        let context = CollectorContext(
            machine: .this(), memory: CollectorMemory(directory: directory.path), settings: settings)
        var environment = Plugin.environment(
            name: "mine", context,
            settings: ["logging": ["level": "notice"], "server_url": "http://127.0.0.1:1"],
            python: [repository + "/plugins/python"])
        let folder = URL(filePath: tool).deletingLastPathComponent().path
        environment = environment.map { $0.hasPrefix("PATH=") ? "\($0):\(folder)" : $0 }
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

    @Test(
        "let plugins that were written for the original system run unchanged",
        arguments: [
            """
            from penguindome import cached_data, var_dir
            import penguindome.json as json
            import os
            results = {'enabled': False}
            results = cached_data('guest', results, add_timestamp=True)
            kept = cached_data('guest', None)
            try:
                cached_data('never')
            except FileNotFoundError:
                missing = True
            print(json.dumps({'result': results, 'kept': kept['cached_at'].year > 2000, 'missing': missing,
                              'none': cached_data('never', raise_exception=False), 'own': os.path.isdir(var_dir)}))
            """,
            """
            from penguindome.client import get_setting, get_logger
            import penguindome.json as json
            log = get_logger('mine')
            log.warn('level {} of {}', get_setting('logging:level'), 'mine')
            assert get_setting('nothing:at:all') is None and get_setting('x', default=3) == 3
            print(json.dumps(get_setting('server_url')))
            """,
            """
            from penguindome.plugin_tools import (DBusUser, find_who_x_users, find_xinit_users, find_x_users)
            import penguindome.json as json
            assert set(find_x_users()) == set(find_who_x_users()) | set(find_xinit_users())
            found = []
            for user, display in find_x_users():
                found.append(DBusUser(user, display).command('echo $DISPLAY'))
            try:
                DBusUser('nobody', ':4711')
            except KeyError:
                found.append('no session')
            print(json.dumps(found))
            """,
        ])
    func original(_ body: String) throws {
        let directory = try TemporaryDirectory()
        let found = try Self.run("#!/usr/bin/python3\n" + body + "\n", in: directory)
        #expect(found.output.returncode == 0, "\(String(decoding: found.output.stderr, as: UTF8.self))")
        #expect(found.value != nil)
        if let result = found.value?.document {
            #expect(result["kept"] == true && result["missing"] == true && result["own"] == true)
            #expect(result["none"] == .null && result["result"] == ["enabled": false])
        }
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
