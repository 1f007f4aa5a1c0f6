import Foundation
import PDBasics
import PDCrypto
import PDDocument
import PDFiles
import PDProtocol
import Testing

@testable import PDClient

@Suite("The agent")
struct AgentTests {
    /// A kit as a server's setup makes it, and a place for the state.
    private struct Fleet {
        let directory: TemporaryDirectory
        let client: OpenPGP.SecretKey
        let server: OpenPGP.SecretKey

        init(url: String = "http://127.0.0.1:1", extra: String = "") throws {
            directory = try TemporaryDirectory()
            client = try .generate(userID: "client", at: .init(1_700_000_000), validity: nil)
            server = try .generate(userID: "server", at: .init(1_700_000_000), validity: nil)
            try directory.write("server_url: \(url)\nhostname: laptop-1\n\(extra)", to: "/kit/agent.yml")
            try directory.write(
                String(decoding: client.armored().withUnsafeBytes { Array($0) }, as: UTF8.self),
                to: "/kit/client.key.asc")
            try directory.write(server.certificate.armored(), to: "/kit/server.pub.asc")
        }

        var state: StateDirectory { StateDirectory(directory.path + "/state/agent") }
        var kit: String { directory.path + "/kit" }

        @discardableResult
        func join(force: Bool = false) throws -> Membership.Result {
            try Membership.join(kit: kit, state: state, force: force, log: LogLines().logger()).0
        }

        func agent(signer: (any ReportSigner)? = nil) throws -> Agent {
            let loaded = try Agent.load(state: state, log: LogLines().logger())
            let key = try Files.readSecret(state.clientKey, limit: 1 << 20)
            return Agent(
                state: state, settings: loaded.settings, hostname: loaded.hostname,
                signer: try signer ?? OpenPGPSigner(key),
                machine: .this(), runner: CollectorRunner([OSInfoCollector()]), log: LogLines().logger())
        }
    }

    private let impatient: Submitter.Patience = {
        var patience = Submitter.Patience()
        patience.attempts = 2
        patience.firstPause = .milliseconds(5)
        return patience
    }()

    private func withTransport<R>(_ agent: Agent, _ body: (HTTPTransport) async throws -> R) async throws -> R
    {
        let transport = HTTPTransport(serverURL: agent.settings.serverURL, caPath: nil)
        let result: Result<R, any Error>
        do { result = .success(try await body(transport)) } catch { result = .failure(error) }
        await transport.close()
        return try result.get()
    }

    @Test("joins, collects, signs and delivers a report that verifies")
    func cycle() async throws {
        let server = try StubServer(.answer(200))
        defer { server.stop() }
        let fleet = try Fleet(url: server.url)
        defer { fleet.directory.remove() }
        #expect(try fleet.join() == .joined)
        let agent = try fleet.agent()
        #expect(try await withTransport(agent) { try await agent.cycle(over: $0, patience: impatient) } == 1)

        let envelope = try V1.Envelope(
            body: try #require(server.bodies.first), contentType: "application/x-www-form-urlencoded")
        let submission = try V1.Submission(json: envelope.data)
        #expect(submission.hostname.name == "laptop-1")
        #expect(submission.plugins?["os_info"]?.document?["kernel"] != nil)
        let age = Agent.currentTime() - (submission.collectedAt ?? 0)
        #expect((0..<60_000).contains(age))
        let verified = try OpenPGP.Verifier(certificates: [fleet.client.certificate])
            .verifyWithoutPurpose(
                signature: try #require(envelope.signature), of: envelope.data,
                at: OpenPGP.Timestamp(Moment.now().seconds))
        #expect(verified.certificate == fleet.client.certificate.fingerprint)

        let status = try agent.status()
        #expect(status["waiting"] == 0)
        #expect(status["error"] == .null)
        #expect(status["key"]?.string == "\(fleet.client.certificate.fingerprint)")
        #expect(status["delivered_at"]?.milliseconds != nil)
    }

    @Test("p200_does not start where others may write whom it obeys", arguments: ["", "/agent.yml"])
    func writable(_ part: String) throws {
        let fleet = try Fleet()
        try fleet.join()
        chmod(fleet.state.path + part, 0o777)
        #expect {
            try fleet.agent()
        } throws: { error in
            guard let error = error as? AgentError, case .writable(let path) = error else { return false }
            return path == fleet.state.path + part && error.exitCode == 1
        }
    }

    /// Finds the access points around as the built-in collector does, without a radio.
    private struct Surroundings: Collector {
        let name = "geolocation"
        func collect(_ context: CollectorContext) -> Value {
            [
                "status": "seen", "access_points": [["bssid": "02:00:00:00:00:01", "signal": 70]],
                "location": 1,
            ]
        }
    }

    @Test("p199_sends no private value, since it cannot seal it, nor keeps one in anything that it writes")
    func privateValues() async throws {
        let server = try StubServer(.answer(200))
        defer { server.stop() }
        let fleet = try Fleet(
            url: server.url,
            extra: """
                collectors: {geolocation: on}
                secret_keeping: {enabled: true, selectors: [plugins.geolocation.location]}
                """)
        try fleet.join()
        var agent = try fleet.agent()
        agent = Agent(
            state: agent.state, settings: agent.settings, hostname: agent.hostname, signer: agent.signer,
            machine: .this(), runner: CollectorRunner([Surroundings()]), log: LogLines().logger())
        #expect(try await withTransport(agent) { try await agent.cycle(over: $0, patience: impatient) } == 1)
        let sent = try V1.Submission(
            json: V1.Envelope(
                body: try #require(server.bodies.first), contentType: "application/x-www-form-urlencoded"
            ).data)
        #expect(sent.plugins?["geolocation"] == ["status": "seen"])
        #expect(
            agent.settings.withheld == ["plugins.geolocation.location", "plugins.geolocation.access_points"])
        let written = try #require(FileManager.default.enumerator(atPath: fleet.state.path))
        var count = 0
        for case let name as String in written {
            guard let content = try? Files.read("\(fleet.state.path)/\(name)") else { continue }
            count += 1
            #expect(!String(decoding: content, as: UTF8.self).contains("02:00:00"), "\(name)")
        }
        #expect(count > 4)
    }

    @Test("keeps reports while the server is away, and brings each once when it is back")
    func away() async throws {
        let fleet = try Fleet()
        defer { fleet.directory.remove() }
        try fleet.join()
        let agent = try fleet.agent()
        for round in 1...3 {
            await #expect {
                try await withTransport(agent) { try await agent.cycle(over: $0, patience: impatient) }
            } throws: { error in
                guard let error = error as? AgentError, case .notReached(_, _, let waiting) = error else {
                    return false
                }
                return waiting == round && error.exitCode == 3
            }
        }
        #expect(try agent.status()["waiting"] == 3)
        #expect(try agent.status()["error"]?.string?.contains("is not reached") == true)

        let server = try StubServer(.answer(200))
        defer { server.stop() }
        let transport = HTTPTransport(serverURL: server.url, caPath: nil)
        #expect(try await agent.submit(over: transport) == 3)
        #expect(try await agent.submit(over: transport) == 0)
        await transport.close()
        #expect(server.bodies.count == 3 && Set(server.bodies).count == 3)
        #expect(try agent.status()["error"] == .null)
    }

    /// Stands for whatever keeps a report from being made.
    private struct BrokenSigner: ReportSigner {
        struct NoSpace: Error {}
        let fingerprint = ""
        let armoredPublicKey = ""
        func sign(_ document: [UInt8], at seconds: Int64) throws -> String { throw NoSpace() }
    }

    @Test("delivers what waits also where there can be no new report, and says why there is none")
    func noNewReport() async throws {
        let server = try StubServer(.answer(200))
        defer { server.stop() }
        let fleet = try Fleet(url: server.url)
        defer { fleet.directory.remove() }
        try fleet.join()
        try await fleet.agent().collect()
        let agent = try fleet.agent(signer: BrokenSigner())
        await #expect {
            try await withTransport(agent) { try await agent.cycle(over: $0, patience: impatient) }
        } throws: { error in
            guard let error = error as? AgentError, case .signing = error else { return false }
            return error.exitCode == 1
        }
        #expect(server.bodies.count == 1)
        let status = try agent.status()
        #expect(status["waiting"] == 0)
        #expect(status["delivered_at"]?.milliseconds != nil)
        #expect(status["error"]?.string?.contains("cannot be signed") == true)
    }

    @Test("p140_leaves no trap behind when the clock was ahead, and says in a report that it was")
    func clockAhead() async throws {
        let server = try StubServer(.answer(200))
        defer { server.stop() }
        let fleet = try Fleet(url: server.url)
        defer { fleet.directory.remove() }
        try fleet.join()
        let loaded = try fleet.agent()
        func agent(at time: Int64) throws -> Agent {
            Agent(
                state: fleet.state, settings: loaded.settings, hostname: loaded.hostname,
                signer: try OpenPGPSigner(Files.readSecret(fleet.state.clientKey, limit: 1 << 20)),
                machine: .this(),
                runner: CollectorRunner([OSInfoCollector()]), log: LogLines().logger(), now: { time })
        }
        let now: Int64 = 1_800_000_000_000
        for month in 1...4 { try await agent(at: now + Int64(month) * 2_592_000_000).collect() }
        let right = try agent(at: now)
        for _ in 0..<3 {
            _ = try? await withTransport(right) { try await right.cycle(over: $0, patience: impatient) }
        }
        let status = try right.status()
        #expect(status["waiting"] == 0 && status["error"] == .null)
        // The four from the future were never sent.
        #expect(server.bodies.count == 3)
        let texts = try server.bodies.map { body in
            String(
                decoding: try V1.Envelope(body: body, contentType: "application/x-www-form-urlencoded").data,
                as: UTF8.self)
        }
        #expect(texts.contains { $0.contains("clock_problem") })
    }

    @Test("delivers what waits also where nothing can be written, and says where")
    func unwritable() async throws {
        let server = try StubServer(.answer(200))
        defer { server.stop() }
        let fleet = try Fleet(url: server.url)
        defer { fleet.directory.remove() }
        try fleet.join()
        let agent = try fleet.agent()
        try await agent.collect()
        // Cannot be replaced by a file, not even by root.
        try Files.remove(fleet.state.history)
        try FileManager.default.createDirectory(
            atPath: fleet.state.history + "/x", withIntermediateDirectories: true)
        await #expect {
            try await withTransport(agent) { try await agent.cycle(over: $0, patience: impatient) }
        } throws: { error in
            guard let error = error as? AgentError, case .file = error else { return false }
            return error.exitCode == 1
        }
        #expect(server.bodies.count == 2)
        #expect(try agent.status()["waiting"] == 0)
    }

    @Test("tells wrong settings from other failures by the exit code")
    func wrongSettings() throws {
        let fleet = try Fleet()
        defer { fleet.directory.remove() }
        try fleet.join()
        try fleet.directory.write("server: x\n", to: "/state/agent/agent.yml")
        #expect { try fleet.agent() } throws: { ($0 as? AgentError)?.exitCode == 2 }
    }

    @Test("says that the server refused, and shows the report that it could not read")
    func refused() async throws {
        let server = try StubServer(.answer(400), .answer(403))
        defer { server.stop() }
        let fleet = try Fleet(url: server.url)
        defer { fleet.directory.remove() }
        try fleet.join()
        let agent = try fleet.agent()
        for waiting in [0, 1] {
            await #expect {
                try await withTransport(agent) { try await agent.cycle(over: $0, patience: impatient) }
            } throws: { error in
                guard let error = error as? AgentError, case .refused(_, _, waiting) = error else {
                    return false
                }
                return error.exitCode == 4
            }
        }
        #expect(try agent.status()["bad"]?.array?.count == 1)
    }

    @Test("works in a state directory alone")
    func busy() async throws {
        let fleet = try Fleet()
        defer { fleet.directory.remove() }
        try fleet.join()
        let agent = try fleet.agent()
        let lock = try StateLock(fleet.state.path + "/lock")
        await #expect { try await agent.collect() } throws: { error in
            if case AgentError.busy = error { true } else { false }
        }
        withExtendedLifetime(lock) {}
    }

    @Test("leaves private values out of its reports")
    func privateFields() async throws {
        let fleet = try Fleet(
            extra: "secret_keeping: {enabled: true, selectors: [plugins.os_info.kernel, plugins.none.x]}\n")
        defer { fleet.directory.remove() }
        try fleet.join()
        let report = try await fleet.agent().report()
        #expect(report.plugins?["os_info"]?.document?["id"] != nil)
        #expect(report.plugins?["os_info"]?.document?["kernel"] == nil)

        let nested: Document = ["a": ["b": [["c": 1, "d": 2], ["c": 3], 4]]]
        #expect(
            PrivateFields(selectors: ["plugins.a.b.c", "commands.a"]).removed(from: nested)
                == ["a": ["b": [["d": 2], [:], 4]]])
    }

    // MARK: - Joining

    @Test("joins the same fleet again without a change, or with the kit's new settings")
    func again() throws {
        let fleet = try Fleet()
        defer { fleet.directory.remove() }
        #expect(try fleet.join() == .joined)
        #expect(try fleet.join() == .unchanged)
        try fleet.directory.write("server_url: http://h:2\n", to: "/kit/agent.yml")
        #expect(try fleet.join() == .settingsReplaced)
        #expect(
            try Agent.load(state: fleet.state, log: LogLines().logger()).settings.serverURL == "http://h:2")
        let old = try Files.read(fleet.state.path + "/agent.yml.old")
        #expect(String(decoding: old, as: UTF8.self).contains("laptop-1"))
    }

    @Test("keeps what this machine has of its own when it joins again, and takes all else from the kit")
    func merged() throws {
        let fleet = try Fleet()
        defer { fleet.directory.remove() }
        func settings() throws -> String {
            String(decoding: try Files.read(fleet.state.settings), as: UTF8.self)
        }
        func join(_ hostname: String? = nil) throws -> Membership.Result {
            try Membership.join(
                kit: fleet.kit, state: fleet.state, hostname: hostname, log: LogLines().logger()
            ).0
        }
        try fleet.directory.write(
            "server_url: http://h:1\nschedule: {collect_interval: 7}\n", to: "/kit/agent.yml")
        #expect(try join("laptop-3") == .joined)
        #expect(try settings().contains("hostname: laptop-3"))
        try Files.writeAtomically(
            Array((try settings() + "proxy: none\ncollectors: {usb: false}\n").utf8), to: fleet.state.settings
        )
        // The same kit again: there is nothing to take.
        #expect(try join() == .unchanged)
        try fleet.directory.write(
            "server_url: http://h:2\ntrust: {commands: []}\ncollectors: {usb: true}\n", to: "/kit/agent.yml")
        #expect(try join() == .settingsReplaced)
        let agent = try Agent.load(state: fleet.state, log: LogLines().logger())
        #expect(agent.settings.serverURL == "http://h:2" && agent.settings.collectInterval == 7)
        #expect(try settings().contains("hostname: laptop-3") && settings().contains("proxy: none"))
        // Where both say something, the kit counts.
        #expect(agent.settings.isOn("usb"))
        #expect(throws: AgentError.self) { try join("no name") }
    }

    @Test(
        "brings along the certificate of a server that vouches for itself, and a new one when it is renewed")
    func authority() throws {
        let fleet = try Fleet(url: "https://h:1", extra: "ssl: {ca_path: server.crt}")
        defer { fleet.directory.remove() }
        try fleet.directory.write("one", to: "/kit/server.crt")
        #expect(try fleet.join() == .joined)
        #expect(try Files.read(fleet.state.authority) == Array("one".utf8))
        #expect(try fleet.join() == .unchanged)
        #expect(
            try Agent.load(state: fleet.state, log: LogLines().logger()).settings.caPath
                == fleet.state.authority)
        try fleet.directory.write("two", to: "/kit/server.crt")
        #expect(try fleet.join() == .settingsReplaced)
        #expect(try Files.read(fleet.state.authority) == Array("two".utf8))
    }

    @Test("keeps what joining brought for its owner alone")
    func modes() throws {
        let fleet = try Fleet()
        defer { fleet.directory.remove() }
        try fleet.join()
        for (path, mode) in [("", 0o700)] + MembershipFiles.names.map({ ("/" + $0, 0o600) }) {
            let found = try FileManager.default.attributesOfItem(atPath: fleet.state.path + path)
            #expect(found[.posixPermissions] as? Int == mode, "\(path)")
        }
    }

    @Test("does not take over a directory that holds something else")
    func foreignDirectory() throws {
        let fleet = try Fleet()
        defer { fleet.directory.remove() }
        try fleet.directory.write("mine", to: "/state/agent/diary.txt")
        chmod(fleet.state.path, 0o755)
        #expect { try fleet.join() } throws: { error in
            if case AgentError.notOurs = error { true } else { false }
        }
        let found = try FileManager.default.attributesOfItem(atPath: fleet.state.path)
        #expect(found[.posixPermissions] as? Int == 0o755)
    }

    @Test("leaves another fleet only when told to, and takes nothing of it along")
    func otherFleet() async throws {
        let fleet = try Fleet()
        let other = try Fleet()
        defer {
            fleet.directory.remove()
            other.directory.remove()
        }
        try fleet.join()
        try await fleet.agent().collect()
        let join = { force in
            try Membership.join(kit: other.kit, state: fleet.state, force: force, log: LogLines().logger()).0
        }
        #expect { try join(false) } throws: { error in
            if case AgentError.otherFleet = error { true } else { false }
        }
        #expect(try fleet.agent().status()["waiting"] == 1)
        #expect(try join(true) == .joined)
        let status = try Agent.load(state: fleet.state, log: LogLines().logger()).status()
        #expect(status["waiting"] == 0)
        #expect(status["collected_at"] == .null)
        #expect(status["key"]?.string == "\(other.client.certificate.fingerprint)")
    }

    @Test(
        "refuses a kit that is not whole, and writes nothing of it",
        arguments: [
            ("agent.yml", "serverurl: http://h"), ("client.key.asc", "no key"), ("server.pub.asc", "no key"),
            ("client.key.asc", nil), ("agent.yml", nil), ("server.pub.asc", nil),
        ])
    func badKit(name: String, content: String?) throws {
        let fleet = try Fleet()
        defer { fleet.directory.remove() }
        if let content {
            try fleet.directory.write(content, to: "/kit/\(name)")
        } else {
            try Files.remove("\(fleet.kit)/\(name)")
        }
        #expect { try fleet.join() } throws: { ($0 as? AgentError)?.description.contains(name) == true }
        #expect(try Files.names(in: fleet.state.path) == ["lock"])
    }

    @Test("names a file of trusted certificates that is not there")
    func missingCertificates() throws {
        let fleet = try Fleet(extra: "ssl: {ca_path: none.pem}\n")
        defer { fleet.directory.remove() }
        try fleet.join()
        #expect { try fleet.agent() } throws: {
            ($0 as? AgentError)?.description
                == "\(fleet.state.settings): ssl:ca_path: there is no file \(fleet.state.path)/none.pem"
        }
    }

    @Test("says how to join where there is no membership")
    func notJoined() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        #expect {
            try Agent.load(state: StateDirectory(directory.path + "/none"), log: LogLines().logger())
        } throws: {
            ($0 as? AgentError)?.description.contains("run pd-agent join") == true
        }
    }
}
