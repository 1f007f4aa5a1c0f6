import Foundation
import PDTestSupport
import Testing

@Suite(
    "What root does below a directory of an unprivileged user", .timeLimit(.minutes(10)),
    .enabled(if: geteuid() == 0, "only root can act as somebody else"))
struct RootToolsTests {
    private static let service: uid_t = 65_534

    /// A server's state that belongs to the service user, a key to add, a release to publish, and a directory of root.
    private struct World {
        let fleet: FleetRunner
        let builder: ReleaseRunner
        var state: String { fleet.serverState }
        var precious: String { fleet.tools.path("precious").path }

        init() throws {
            fleet = try FleetRunner()
            builder = ReleaseRunner(tools: fleet.tools)
            try fleet.setUp()
            try builder.release("keygen", "--out", "K")
            try builder.write("tree/README", "text\n")
            try builder.makeRelease(1, key: "K/key.asc")
            let added = try fleet.run(
                "pd-admin", "keys", "add", builder.path("K/key.pub.asc"), "--role", "release", "--state",
                state)
            try #require(added.status == 0, "\(added.errors)")
            let backup = try fleet.run("pd-admin", "backup", fleet.tools.path("whole").path, "--state", state)
            try #require(backup.status == 0, "\(backup.errors)")
            try #require(chmod(builder.path("."), 0o711) == 0)
            let given = try fleet.tools.run(["-R", "65534:65534", state], program: "/bin/chown")
            try #require(given.status == 0)
        }

        /// Everything that root's tools write in a state, whether it works or not.
        @discardableResult
        func everything() throws -> [SharesToolRunner.Outcome] {
            let key = builder.path("K/key.pub.asc")
            var outcomes = try [
                ["pd-admin", "keys", "add", key, "--role", "patch"],
                ["pd-admin", "ports", "configure", "\(fleet.port)", "--self-signed", "localhost"],
                ["pd-admin", "ports", "client", "\(fleet.port)", "--host", "localhost"],
                ["pd-admin", "ports", "add", "20001"],
                ["pd-admin", "keys", "remove", try fingerprint(), "--role", "patch"],
                ["pd-admin", "issues", "audit"],
                ["pd-admin", "backup", fleet.tools.path("backup-\(UUID().uuidString)").path],
                ["pd-admin", "checks", "export"],
                ["pd-server", "setup", "--yes"],
            ].map { try fleet.run($0[0], Array($0.dropFirst()) + ["--state", state]) }
            let backup = fleet.tools.path("whole").path
            outcomes.append(try fleet.run("pd-admin", "restore", backup, "--yes", "--state", state))
            outcomes.append(
                try builder.run(
                    "publish", "1.tar", "--v1-key", "K/key.asc", "--replace-original-client", "--state", state
                ))
            return outcomes
        }

        private func fingerprint() throws -> String {
            let shown = try fleet.tools.run(
                ["--show-keys", "--with-colons", builder.path("K/key.pub.asc")], program: "/usr/bin/gpg"
            ).text
            let line = try #require(shown.split(separator: "\n").first { $0.hasPrefix("fpr:") })
            return String(try #require(line.split(separator: ":").last))
        }

        /// What is in root's directory: every name with its owner, mode, size and the time of its last change.
        func inventory() throws -> [String] {
            let below = (try? FileManager.default.subpathsOfDirectory(atPath: precious)) ?? []
            return try ([""] + below.map { "/\($0)" }).sorted().map {
                var info = stat()
                try #require(lstat("\(precious)\($0)", &info) == 0)
                return
                    "\($0) \(info.st_uid) \(info.st_mode) \(info.st_size) \(info.st_ctim.tv_sec).\(info.st_ctim.tv_nsec)"
            }
        }

        /// Gives root a directory that looks like a part of the state, readable by all.
        func makePrecious(like path: String) throws {
            if FileManager.default.fileExists(atPath: path) {
                try FileManager.default.copyItem(atPath: path, toPath: precious)
            } else {
                try FileManager.default.createDirectory(atPath: precious, withIntermediateDirectories: false)
            }
            for command in [["/bin/chown", "-R", "0:0"], ["/bin/chmod", "-R", "u=rwX,go=rX"]] {
                let done = try fleet.tools.run(Array(command.dropFirst()) + [precious], program: command[0])
                try #require(done.status == 0)
            }
        }

        /// Does something with the rights of the service user.
        func asService(_ script: String) throws -> SharesToolRunner.Outcome {
            try fleet.tools.run(
                ["--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c", script],
                program: "/usr/bin/setpriv")
        }
    }

    @Test("what root's tools make belongs to the owner of the state, and all of them work")
    func owner() throws {
        let world = try World()
        for outcome in try world.everything() { #expect(outcome.status == 0, "\(outcome.errors)") }
        for name in try FileManager.default.subpathsOfDirectory(atPath: world.state) {
            var info = stat()
            try #require(lstat("\(world.state)/\(name)", &info) == 0)
            #expect(info.st_uid == Self.service && info.st_gid == Self.service, "\(name)")
        }
        // A backup and a restoration, whose files only root reaches.
        let backup = world.fleet.tools.path("mine/backup").path
        try FileManager.default.createDirectory(
            atPath: world.fleet.tools.path("mine").path, withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700])
        for command in [["backup"], ["restore", "--yes"]] {
            let outcome = try world.fleet.run("pd-admin", command + [backup, "--state", world.state])
            #expect(outcome.status == 0, "\(command): \(outcome.errors)")
        }
        for name in try FileManager.default.subpathsOfDirectory(atPath: world.state) {
            var info = stat()
            try #require(lstat("\(world.state)/\(name)", &info) == 0)
            #expect(info.st_uid == Self.service && info.st_gid == Self.service, "\(name)")
        }
        var info = stat()
        #expect(lstat(backup, &info) == 0 && info.st_uid == 0 && info.st_mode & 0o777 == 0o600)
        #expect(
            try !FileManager.default.contentsOfDirectory(atPath: world.state).contains {
                $0.hasSuffix(".part")
            })
    }

    @Test(
        "p133_a link in the place of any part of the state leads root's tools nowhere",
        arguments: [
            "agent-kit", "agent-kit/keys", "keys", "keys/client", "keys/release", "keys/patch",
            "keys/retired",
            "tls", "releases", "server.yml", "checks.yml", "fleet.sqlite", "lock", "serving", "restoring",
            "replaced", "agent-kit/agent.yml",
            "agent-kit/server.crt", "agent-kit/server.pub.asc", "agent-kit/checks.json",
            "keys/server.pub.asc", "keys/server.key.asc",
        ])
    func links(name: String) throws {
        let world = try World()
        let path = "\(world.state)/\(name)"
        try world.makePrecious(like: path)
        let before = try world.inventory()
        let placed = try world.asService(
            "import os\nos.path.lexists('\(path)') and os.rename('\(path)', '\(path).old')\nos.symlink('\(world.precious)', '\(path)')"
        )
        try #require(placed.status == 0, "\(placed.errors)")
        try world.everything()
        #expect(try world.inventory() == before)
    }

    @Test(
        "p133_a link to a file that is not there makes none of root's", arguments: ["database", "settings"])
    func missingTarget(kind: String) throws {
        let world = try World()
        let target = world.fleet.tools.path("mine").path
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: false)
        if kind == "database" {
            let file = "\(world.state)/server.yml"
            let text = try String(contentsOfFile: file, encoding: .utf8)
            let handle = try #require(FileHandle(forWritingAtPath: file))
            try handle.truncate(atOffset: 0)
            try handle.write(contentsOf: Data("\(text)database:\n  file: \(target)/nologin\n".utf8))
            try handle.close()
        } else {
            let made = try world.asService(
                "import os\nos.remove('\(world.state)/server.yml')\nos.symlink('\(target)/nologin', '\(world.state)/server.yml')"
            )
            try #require(made.status == 0, "\(made.errors)")
        }
        try world.everything()
        #expect(try FileManager.default.contentsOfDirectory(atPath: target).isEmpty)
    }

    @Test("p133_directories that are swapped while root's tool runs lead it nowhere either")
    func race() throws {
        let world = try World()
        try world.makePrecious(like: "\(world.state)/agent-kit")
        let before = try world.inventory()
        // Swaps the directory and a link to root's by renameat2(RENAME_EXCHANGE), as fast as it can.
        let script = """
            import ctypes, os
            libc = ctypes.CDLL(None, use_errno=True)
            os.chdir('\(world.state)')
            os.symlink('\(world.precious)', 'trap')
            open('ready', 'w').close()
            while os.path.exists('ready'):
                libc.syscall(316, -100, b'agent-kit', -100, b'trap', 2)
            """
        let swapping = try world.fleet.tools.start(command: [
            "/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c",
            script,
        ])
        defer { _ = try? swapping.finish() }
        let ready = "\(world.state)/ready"
        let end = ContinuousClock.now + .seconds(30)
        while !FileManager.default.fileExists(atPath: ready), .now < end { usleep(1000) }
        defer { unlink(ready) }
        for _ in 0..<12 {
            _ = try world.fleet.run(
                "pd-admin", "ports", "client", "\(world.fleet.port)", "--host", "localhost", "--state",
                world.state)
        }
        _ = try world.fleet.run("pd-server", "setup", "--yes", "--state", world.state)
        #expect(try world.inventory() == before)
    }

    @Test(
        "p133_a state that somebody else could replace ends each of root's tools with one line, which says what to do",
        arguments: ["chown root", "chmod go-w"])
    func unsafePath(remedy: String) throws {
        let world = try World()
        let middle = world.fleet.tools.path("middle").path
        try FileManager.default.createDirectory(atPath: middle, withIntermediateDirectories: false)
        try FileManager.default.moveItem(atPath: world.state, toPath: "\(middle)/server")
        if remedy == "chown root" {
            try #require(chown(middle, 65_533, 65_533) == 0)
        } else {
            try #require(chmod(middle, 0o775) == 0)
        }
        let (state, key) = ("\(middle)/server", world.builder.path("K/key.pub.asc"))
        let before = try FileManager.default.subpathsOfDirectory(atPath: state)
        for command in [
            ["pd-admin", "keys", "add", key, "--role", "patch"], ["pd-admin", "hosts", "list"],
            ["pd-admin", "passwords", "list"], ["pd-server", "setup", "--yes"],
            ["pd-release", "publish", world.builder.path("1.tar")], ["pd-release", "list"],
        ] {
            let outcome = try world.fleet.run(command[0], Array(command.dropFirst()) + ["--state", state])
            #expect(outcome.status == 1, "\(command): \(outcome.errors)")
            #expect(outcome.errors.contains("\(remedy) \(middle)"), "\(command): \(outcome.errors)")
            #expect(outcome.errors.split(separator: "\n").count == 1)
        }
        #expect(try FileManager.default.subpathsOfDirectory(atPath: state) == before)
        // By its remedy, and through a link of root's, it works.
        try #require(chown(middle, 0, 0) == 0 && chmod(middle, 0o755) == 0)
        try FileManager.default.createSymbolicLink(atPath: world.state, withDestinationPath: state)
        let good = try world.fleet.run("pd-admin", "hosts", "list", "--state", world.state)
        #expect(good.status == 0, "\(good.errors)")
        // But not through one that is another user's.
        try #require(lchown(world.state, 65_533, 65_533) == 0)
        let bad = try world.fleet.run("pd-admin", "hosts", "list", "--state", world.state)
        #expect(bad.status == 1 && bad.errors.contains("belongs to the user 65533"), "\(bad.errors)")
    }

    @Test("p133_the service user can neither stop, trace nor read a tool of root's that works in its state")
    func tracing() throws {
        let world = try World()
        // The tool waits for the right to change the state, as the state's owner.
        let lock = open("\(world.state)/lock", O_RDWR | O_CLOEXEC)
        try #require(lock >= 0 && flock(lock, LOCK_EX) == 0)
        let admin = SharesToolRunner.executable.deletingLastPathComponent().appending(path: "pd-admin").path
        let running = try world.fleet.tools.start(command: [
            admin, "keys", "add", world.builder.path("K/key.pub.asc"), "--role", "patch", "--state",
            world.state,
        ])
        let process = running.process.processIdentifier
        /// The user ids of all threads that work. The first one has handed over to the others and sleeps for good, out of
        /// reach of seteuid(2); no file is opened by it, and what the kernel asks of it is asked of root's ids.
        func ids() throws -> [pid_t: String] {
            let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")
            var ids: [pid_t: String] = [:]
            for task in tasks {
                let file = "/proc/\(process)/task/\(task)/status"
                guard task != "\(process)",
                    let lines = try? String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
                else { continue }
                ids[try #require(pid_t(task))] = lines.first { $0.hasPrefix("Uid:") }.map(String.init)
            }
            return ids
        }
        let wanted = "Uid:\t0\t65534\t0\t65534"
        let end = ContinuousClock.now + .seconds(20)
        while try !ids().values.contains(wanted), .now < end { usleep(1000) }
        let threads = try ids()
        #expect(threads.values.allSatisfy { $0 == wanted } && !threads.isEmpty, "\(threads)")
        let attempts = try world.asService(
            """
            import ctypes, errno, os
            libc = ctypes.CDLL(None, use_errno=True)
            def outcome(result):
                return errno.errorcode[ctypes.get_errno()] if result == -1 else 'done'
            print('kill', outcome(libc.kill(\(process), 15)))
            for thread in \([process] + threads.keys.sorted()):
                if outcome(libc.ptrace(16, thread, None, None)) != 'EPERM':
                    print('traced', thread)
            class Part(ctypes.Structure):
                _fields_ = [('base', ctypes.c_void_p), ('size', ctypes.c_size_t)]
            buffer = ctypes.create_string_buffer(8)
            here, there = Part(ctypes.addressof(buffer), 8), Part(0x400000, 8)
            print('read', outcome(libc.process_vm_readv(\(process), ctypes.byref(here), 1, ctypes.byref(there), 1, 0)))
            try:
                open('/proc/\(process)/mem', 'rb')
                print('mem done')
            except PermissionError:
                print('mem EACCES')
            """)
        #expect(attempts.text == "kill EPERM\nread EPERM\nmem EACCES\n", "\(attempts)")
        #expect(flock(lock, LOCK_UN) == 0 && close(lock) == 0)
        let outcome = try running.finish()
        #expect(outcome.status == 0, "\(outcome.errors)")
    }
}
