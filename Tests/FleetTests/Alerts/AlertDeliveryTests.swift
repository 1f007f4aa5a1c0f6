import Foundation
import PDDocument
import PDStore
import Testing

@testable import PDFleet

/// Real receivers: a mail server with STARTTLS and authentication, and an independent implementation of Standard Webhooks.
@Suite(
    "Messages that go over the network",
    .enabled(if: ProcessInfo.processInfo.environment["PENGUINDOME_TEST_RECEIVERS"] != nil))
struct AlertDeliveryTests {
    /// As each tool does: a receiver that goes away ends a write, not the process.
    init() { signal(SIGPIPE, SIG_IGN) }

    private static let now = Int64(Date().timeIntervalSince1970) * 1000
    private static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    private static let other = "whsec_" + Data(repeating: 7, count: 24).base64EncodedString()

    /// The receivers, and what they got.
    private final class Receivers {
        let directory = FileManager.default.temporaryDirectory.appending(path: "alerts-\(UUID().uuidString)")
        private let process = Process()
        private let input = Pipe()
        private let output = Pipe()
        private var rest = Data()
        private(set) var smtp = 0
        private(set) var http = 0

        init() throws {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            let pair = try SelfSignedCertificate(host: "localhost", days: 2)
            try Data(pair.certificate).write(to: directory.appending(path: "c.pem"))
            try pair.key.withUnsafeBytes { Data($0) }.write(to: directory.appending(path: "k.pem"))
            try Data("correct horse\n".utf8).write(to: directory.appending(path: "smtp.password"))
            let python = try #require(ProcessInfo.processInfo.environment["PENGUINDOME_TEST_RECEIVERS"])
            process.executableURL = URL(filePath: python)
            let script = URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "../../Support/alert-receivers.py")
            process.arguments = [
                script.path, directory.appending(path: "c.pem").path, directory.appending(path: "k.pem").path,
                secret,
            ]
            process.standardInput = input
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            try process.run()
            let ports = try next()
            smtp = try #require(ports["smtp"]?.integer)
            http = try #require(ports["http"]?.integer)
        }

        deinit {
            try? input.fileHandleForWriting.close()
            process.waitUntilExit()
            try? FileManager.default.removeItem(at: directory)
        }

        /// The next line that it writes.
        func next() throws -> Document {
            while !rest.contains(0x0A) {
                let more = output.fileHandleForReading.availableData
                try #require(!more.isEmpty, "the receivers ended")
                rest += more
            }
            let line = rest.prefix { $0 != 0x0A }
            rest = Data(rest.dropFirst(line.count + 1))
            return try Document(json: Array(line))
        }

        func delivery(smtp: String = "", password: String = "smtp.password", trusts: Bool = true) throws
            -> NetworkDelivery
        {
            let yaml = """
                port: 1
                alerts:
                  from: pd@example.com
                  \(trusts ? "ca_path: \(directory.appending(path: "c.pem").path)" : "")
                  smtp: {host: localhost, port: \(self.smtp), username: penguindome, password_file: \(password)\(smtp)}
                """
            let settings = try ServerSettings(yaml: yaml, file: "server.yml").alerts
            return NetworkDelivery(settings: settings, directory: directory.appending(path: ""))
        }
    }

    private func message(hosts: Int = 1) -> OutboxMessage {
        let subjects = (0..<hosts).map {
            AlertMessage.Subject(
                name: "host-\($0)", openedAt: Self.now, evidence: "<b>ümläut</b>", flips: 0, isReminder: false
            )
        }
        let section = AlertMessage.Section(
            check: "bad", title: "Something is wrong – häßlich", why: "Because.", fix: "sudo fix --it",
            severity: .high,
            kind: .failing, subjects: subjects)
        return OutboxMessage(channel: "it", message: AlertMessage(sections: [section]), at: Self.now)
    }

    @Test(
        "a mail arrives whole over STARTTLS with a password, as text and as HTML, under the same identifier each time"
    )
    func mail() async throws {
        let receivers = try Receivers()
        let channel = AlertChannel(name: "it", kind: .mail(to: ["it@example.com", "boss@example.com"]))
        let message = message(hosts: 25)
        for _ in 1...2 {
            #expect(try await receivers.delivery().deliver(message, by: channel, at: Self.now) == .delivered)
        }
        let (first, second) = (try receivers.next(), try receivers.next())
        #expect(first["mail"]?.string == "[PenguinDome] Something is wrong – häßlich: 25 hosts")
        #expect(first["sender"]?.string == "pd@example.com" && first["tls"] == true)
        #expect(first["to"] == ["it@example.com", "boss@example.com"])
        #expect(first["text"]?.string?.contains("Fix: sudo fix --it") == true)
        #expect(first["text"]?.string?.contains("and 5 more: pd-admin issues list --check bad") == true)
        #expect(first["html"]?.string?.contains("&lt;b&gt;ümläut&lt;/b&gt;") == true)
        #expect(first["id"] == second["id"])
    }

    @Test("a mail server that cannot be believed, or that refuses, is a failure with its reason")
    func refusedMail() async throws {
        let receivers = try Receivers()
        let channel = AlertChannel(name: "it", kind: .mail(to: ["it@example.com"]))
        try Data("wrong".utf8).write(to: receivers.directory.appending(path: "wrong.password"))
        for delivery in [
            try receivers.delivery(trusts: false), try receivers.delivery(password: "wrong.password"),
            try receivers.delivery(password: "none"), try receivers.delivery(smtp: ", encryption: none"),
        ] {
            guard case .failed(let reason) = await delivery.deliver(message(), by: channel, at: Self.now)
            else {
                Issue.record("it was delivered")
                continue
            }
            #expect(!reason.isEmpty && !reason.contains("correct horse"))
        }
    }

    @Test("a webhook is verified by another implementation, also while its receiver changes secrets")
    func webhook() async throws {
        let receivers = try Receivers()
        let url = "http://127.0.0.1:\(receivers.http)/hook"
        for secrets in [[Self.secret], [Self.other, Self.secret]] {
            let channel = AlertChannel(
                name: "h", kind: .webhook(url: url, secrets: secrets, reachesPrivate: true))
            #expect(
                try await receivers.delivery().deliver(message(hosts: 300), by: channel, at: Self.now)
                    == .delivered)
            let got = try receivers.next()
            #expect(got[["hook", "type"]]?.string == "issues.changed")
            #expect(got[["hook", "data", "open"]]?.array?.first?.document?["count"]?.integer == 300)
            #expect(got["bytes"]?.integer ?? .max < 20_000)
        }
        let wrong = AlertChannel(
            name: "h", kind: .webhook(url: url, secrets: [Self.other], reachesPrivate: true))
        guard case .failed = try await receivers.delivery().deliver(message(), by: wrong, at: Self.now) else {
            Issue.record("a wrong signature was accepted")
            return
        }
    }

    @Test(
        "a redirection is a failure, 410 ends it, and nothing goes into the own network unless that is allowed"
    )
    func refusals() async throws {
        let receivers = try Receivers()
        func deliver(_ url: String, reachesPrivate: Bool) async throws -> DeliveryOutcome {
            try await receivers.delivery().deliver(
                message(),
                by: AlertChannel(
                    name: "h",
                    kind: .webhook(url: url, secrets: [Self.secret], reachesPrivate: reachesPrivate)),
                at: Self.now)
        }
        let base = "http://127.0.0.1:\(receivers.http)"
        #expect(
            try await deliver("\(base)/moved", reachesPrivate: true)
                == .failed("the receiver answered with status 302"))
        guard case .unwanted = try await deliver("\(base)/gone", reachesPrivate: true) else {
            Issue.record("410 did not end it")
            return
        }
        for url in [
            "\(base)/hook", "http://localhost:\(receivers.http)/hook", "http://[::1]:\(receivers.http)/hook",
            "http://169.254.169.254/", "http://[::ffff:127.0.0.1]:\(receivers.http)/hook",
            "http://0x7f.1:\(receivers.http)/hook",
        ] {
            guard case .failed(let reason) = try await deliver(url, reachesPrivate: false) else {
                Issue.record("\(url) was reached")
                continue
            }
            #expect(reason.contains("not a public address") || reason.contains("cannot be looked up"))
        }
    }

    @Test("a program gets the message on its standard input; one that fails is told with what it said")
    func program() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "program-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let file = directory.appending(path: "got").path
        let settings = try ServerSettings(yaml: "port: 1", file: "s").alerts
        let delivery = NetworkDelivery(settings: settings, directory: directory)
        let good = AlertChannel(name: "p", kind: .program(["/bin/sh", "-c", "cat > \(file)"]))
        #expect(await delivery.deliver(message(), by: good, at: Self.now) == .delivered)
        let got = try Document(json: Array(try Data(contentsOf: URL(filePath: file))))
        #expect(got["type"]?.string == "issues.changed")
        let bad = AlertChannel(name: "p", kind: .program(["/bin/sh", "-c", "echo no pager >&2; exit 7"]))
        #expect(
            await delivery.deliver(message(), by: bad, at: Self.now)
                == .failed("/bin/sh ended with exit code 7: no pager"))
    }
}
