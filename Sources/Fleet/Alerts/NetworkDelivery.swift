import CCurl
import Dispatch
import Foundation
import PDBasics
import PDSecrets

/// Delivers messages over the network, or by a program of this machine.
package struct NetworkDelivery: AlertDelivery {
    /// How long one delivery may take, in milliseconds.
    private static let timeout = 20_000

    private let settings: AlertSettings
    /// What files in the settings are relative to.
    private let directory: URL

    package init(_ fleet: Fleet) {
        self.init(
            settings: fleet.settings.alerts, directory: fleet.state.settingsFile.deletingLastPathComponent())
    }

    package init(settings: AlertSettings, directory: URL) {
        self.settings = settings
        self.directory = directory
    }

    package func deliver(_ message: OutboxMessage, by channel: AlertChannel, at now: Int64) async
        -> DeliveryOutcome
    {
        await withCheckedContinuation { continuation in
            // libcurl and programs block.
            DispatchQueue.global().async {
                do {
                    continuation.resume(returning: try send(message, by: channel, at: now))
                } catch {
                    continuation.resume(returning: .failed("\(error)"))
                }
            }
        }
    }

    private func send(_ message: OutboxMessage, by channel: AlertChannel, at now: Int64) throws
        -> DeliveryOutcome
    {
        let text = AlertText(
            message.message, createdAt: message.createdAt, sentAt: now, toOwner: channel.group == Check.owner)
        switch channel.kind {
        case .mail(let to):
            let mail = MailMessage(from: settings.sender, to: to, text: text, id: message.id, sentAt: now)
            return try send(mail)
        case .slack(let url, let reachesPrivate), .matrix(let url, let reachesPrivate):
            return try post(.chat(text), to: url, reachesPrivate: reachesPrivate)
        case .webhook(let url, let secrets, let reachesPrivate):
            let keys = secrets.compactMap(AlertSettings.secret).map { SecretBytes(copying: $0) }
            let request = try WebhookRequest.signed(
                message.message, id: message.id, createdAt: message.createdAt, sentAt: now, secrets: keys)
            return try post(request, to: url, reachesPrivate: reachesPrivate)
        case .program(let command):
            let payload = WebhookRequest.payload(message.message, createdAt: message.createdAt).json()
            return try run(command, input: Array((payload + "\n").utf8))
        }
    }

    // MARK: Requests

    private func post(_ request: WebhookRequest, to url: String, reachesPrivate: Bool) throws
        -> DeliveryOutcome
    {
        let transfer = try CurlTransfer(timeout: Self.timeout, certificates: settings.certificates)
        try transfer.set(CURLOPT_URL, url)
        try transfer.set(CURLOPT_PROTOCOLS_STR, "http,https")
        // A redirection is a failure: it would lead around the addresses that are looked at here.
        try transfer.set(CURLOPT_FOLLOWLOCATION, 0)
        try transfer.set(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
        if !reachesPrivate {
            // The name is looked up once, and the connection goes to what was looked at: a name that answers differently
            // the next time (DNS rebinding) leads nowhere else.
            try transfer.setList(CURLOPT_RESOLVE, [try PublicAddress.pin(url)])
            try transfer.set(CURLOPT_PROXY, "")
        }
        try transfer.setList(
            CURLOPT_HTTPHEADER, request.headers.map { "\($0.name): \($0.value)" } + ["Expect:"])
        let status = try transfer.post(request.body)
        switch status {
        case 200...299: return .delivered
        case 410: return .unwanted("the receiver answered 410: it wants no more messages")
        default: return .failed("the receiver answered with status \(status)")
        }
    }

    // MARK: Mail

    private func send(_ mail: MailMessage) throws -> DeliveryOutcome {
        switch settings.route {
        case .sendmail(let program):
            return try run(
                [program, "-i", "-f", mail.from, "--"] + mail.to,
                input: Array(mail.content.utf8).filter { $0 != 0x0D })
        case .smtp(let host, let port, let isEncrypted, let allowsPlain, let username, let passwordFile):
            let transfer = try CurlTransfer(timeout: Self.timeout, certificates: settings.certificates)
            let bracketed = host.contains(":") ? "[\(host)]" : host
            try transfer.set(CURLOPT_URL, "\(isEncrypted ? "smtps" : "smtp")://\(bracketed):\(port)")
            try transfer.set(CURLOPT_PROTOCOLS_STR, "smtp,smtps")
            try transfer.set(
                CURLOPT_USE_SSL, Int(allowsPlain ? CURLUSESSL_NONE.rawValue : CURLUSESSL_ALL.rawValue))
            try transfer.set(CURLOPT_MAIL_FROM, "<\(mail.from)>")
            try transfer.setList(CURLOPT_MAIL_RCPT, mail.to.map { "<\($0)>" })
            if let username, let passwordFile {
                let file = URL(filePath: passwordFile, relativeTo: directory)
                let password = try PrivateFiles.readSecret(file, limit: 4096)
                try transfer.set(CURLOPT_USERNAME, username)
                try transfer.setSecret(CURLOPT_PASSWORD, password)
            }
            try transfer.upload(Array(mail.content.utf8))
            return .delivered
        }
    }

    // MARK: Programs

    private func run(_ command: [String], input: [UInt8]) throws -> DeliveryOutcome {
        // The settings belong to the service user. Where root's tool works with his effective ids, a program that he named
        // would have root's real id, and could take it.
        guard getuid() == geteuid() else {
            return .failed(
                "a program is not run with root's ids: let the server deliver, or run this as the owner of its state"
            )
        }
        let process = Process()
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"]
        let stdin = Pipe()
        let stderr = Pipe()
        process.standardInput = stdin
        process.standardOutput = FileHandle.nullDevice
        process.standardError = stderr
        try process.run()
        let timer = DispatchSource.makeTimerSource(queue: .global())
        timer.schedule(deadline: .now() + .milliseconds(Self.timeout))
        timer.setEventHandler { kill(process.processIdentifier, SIGKILL) }
        timer.resume()
        defer { timer.cancel() }
        let errors = DispatchQueue(label: "PDFleet.program")
        nonisolated(unsafe) var said = Data()
        errors.async { said = (try? stderr.fileHandleForReading.readToEnd()) ?? Data() }
        // A program that does not read ends the write, not this process: SIGPIPE is ignored by the tools.
        try? stdin.fileHandleForWriting.write(contentsOf: input)
        try? stdin.fileHandleForWriting.close()
        process.waitUntilExit()
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            let line =
                errors.sync { String(decoding: said.prefix(300), as: UTF8.self) }
                .split(whereSeparator: \.isNewline).first.map { ": \(String($0).printable)" } ?? ""
            let how =
                process.terminationReason == .exit
                ? "exit code \(process.terminationStatus)" : "signal \(process.terminationStatus)"
            return .failed("\(command[0]) ended with \(how)\(line)")
        }
        return .delivered
    }
}
