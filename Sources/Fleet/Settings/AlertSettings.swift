import Foundation
import PDBasics
import PDSettings
import PDStore

/// How people are told: `alerts` in `server.yml`.
///
/// ```
/// alerts:
///   from: penguindome@example.com
///   smtp: {host: mail.example.com, port: 587, username: penguindome, password_file: smtp.password}
///   owners: true
///   channels:
///     admins: {mail: [it@example.com], calendar: working, every: 1d}
///     chat: {slack: "https://hooks.slack.com/services/…"}
///     siem: {webhook: "https://siem.example.com/hook", secrets: [whsec_…]}
/// ```
package struct AlertSettings: Sendable, Equatable {
    /// How mail leaves this machine.
    package enum MailRoute: Sendable, Equatable {
        /// A mail server. `isEncrypted`: TLS from the start on (465), otherwise STARTTLS, which must be had unless
        /// `allowsPlain`.
        case smtp(
            host: String, port: Int, isEncrypted: Bool, allowsPlain: Bool, username: String?,
            passwordFile: String?)
        /// The program that takes mail on this machine.
        case sendmail(String)
    }

    /// A channel as it stands in the file; its calendar is one of the checks' file.
    package struct Channel: Sendable, Equatable {
        package let name: String
        package let kind: AlertChannel.Kind
        package let group: String
        package let calendar: String?
        package let every: TimeSpan
        package let from: Check.Severity
    }

    /// The sender of mails.
    package var sender: String
    package var route: MailRoute
    /// Whether owners of machines get a mail about them, and when.
    package var owners: Channel?
    /// By name.
    package var channels: [Channel]
    /// The certificates that TLS is verified with; the system's unless set.
    package var certificates: String?

    /// Whether anybody is told anything.
    package var isEmpty: Bool { channels.isEmpty && owners == nil }

    /// - Parameter auditAddress: `audit_cron:email`, a channel by that name.
    init(_ top: inout SettingsMapping, auditAddress: String?) throws(SettingsError) {
        var alerts = try top.mapping("alerts")
        let from = try alerts.string("from")
        sender = from ?? "penguindome@localhost"
        guard Self.isAddress(sender) else { throw alerts.error("from", "is no mail address") }
        certificates = try alerts.string("ca_path")
        let sendmail = try alerts.string("sendmail")
        if alerts.has("smtp") {
            guard sendmail == nil else {
                throw alerts.error("sendmail", "stands beside smtp: one way for mail is enough")
            }
            route = try Self.smtp(try alerts.mapping("smtp"))
        } else {
            route = .sendmail(sendmail ?? "/usr/sbin/sendmail")
        }
        var owners: Channel?
        if alerts.has("owners") {
            if let isOn = try? alerts.bool("owners") {
                owners = isOn ? Self.owner(calendar: nil, every: Self.day) : nil
            } else {
                var mapping = try alerts.mapping("owners")
                owners = Self.owner(
                    calendar: try mapping.string("calendar"),
                    every: try mapping.span("every") ?? Self.day)
                try mapping.finish()
            }
        }
        self.owners = owners
        var mappings = try alerts.mapping("channels")
        channels = []
        for name in mappings.names {
            guard !name.hasPrefix("\(Check.owner):"), name != Check.owner, !name.contains(" "), !name.isEmpty
            else {
                throw mappings.error(name, "is no name for a channel")
            }
            channels.append(try Self.channel(name, try mappings.mapping(name)))
        }
        try alerts.finish()
        if let auditAddress {
            guard Self.isAddress(auditAddress) else {
                throw SettingsError(file: top.file, line: nil, message: "audit_cron:email is no mail address")
            }
            if !channels.contains(where: { $0.name == Self.auditChannel }) {
                channels.append(
                    Channel(
                        name: Self.auditChannel, kind: .mail(to: [auditAddress]), group: "admins",
                        calendar: CheckFile.standardCalendar, every: Self.day, from: .info))
            }
        }
    }

    /// What `audit_cron:email` is as a channel.
    package static let auditChannel = "audit_cron"
    private static let day = TimeSpan(milliseconds: 86_400_000)

    private static func owner(calendar: String?, every: TimeSpan) -> Channel {
        Channel(
            name: Check.owner, kind: .mail(to: []), group: Check.owner,
            calendar: calendar ?? CheckFile.standardCalendar, every: every, from: .low)
    }

    private static func smtp(_ mapping: SettingsMapping) throws(SettingsError) -> MailRoute {
        var mapping = mapping
        guard let host = try mapping.string("host") else { throw mapping.error("host", "is missing") }
        enum Encryption: String, CaseIterable { case starttls, tls, none }
        let encryption: Encryption = try mapping.choice("encryption") ?? .starttls
        let port =
            try mapping.integer("port", in: 1...65_535)
            ?? (encryption == .tls ? 465 : encryption == .none ? 25 : 587)
        let username = try mapping.string("username")
        let passwordFile = try mapping.string("password_file")
        guard (username == nil) == (passwordFile == nil) else {
            throw mapping.error("username", "needs a password_file beside it, and the other way round")
        }
        try mapping.finish()
        return .smtp(
            host: host, port: port, isEncrypted: encryption == .tls, allowsPlain: encryption == .none,
            username: username, passwordFile: passwordFile)
    }

    private static func channel(_ name: String, _ mapping: SettingsMapping) throws(SettingsError) -> Channel {
        var mapping = mapping
        var kinds: [AlertChannel.Kind] = []
        let mail = try mapping.strings("mail")
        for address in mail where !isAddress(address) {
            throw mapping.error("mail", "\(address) is no mail address")
        }
        if !mail.isEmpty { kinds.append(.mail(to: mail)) }
        let reachesPrivate = try mapping.bool("allow_private") ?? false
        let secrets = try mapping.strings("secrets")
        if let url = try url("webhook", &mapping) {
            guard !secrets.isEmpty else {
                throw mapping.error(
                    "webhook", "needs secrets: [whsec_…], so that the receiver can tell who wrote")
            }
            for secret in secrets where Self.secret(secret) == nil {
                throw mapping.error("secrets", "must be whsec_ and 24 to 64 bytes in base64")
            }
            kinds.append(.webhook(url: url, secrets: secrets, reachesPrivate: reachesPrivate))
        } else if !secrets.isEmpty {
            throw mapping.error("secrets", "are for a webhook")
        }
        if let url = try url("slack", &mapping) {
            kinds.append(.slack(url: url, reachesPrivate: reachesPrivate))
        }
        if let url = try url("matrix", &mapping) {
            kinds.append(.matrix(url: url, reachesPrivate: reachesPrivate))
        }
        let program = try mapping.strings("program")
        if let path = program.first {
            guard path.hasPrefix("/") else {
                throw mapping.error("program", "must be an absolute path, and its arguments")
            }
            kinds.append(.program(program))
        }
        guard kinds.count == 1, let kind = kinds.first else {
            throw SettingsError(
                file: mapping.file, line: nil,
                message: "\(mapping.path) must have one of mail, webhook, slack, matrix and program")
        }
        let isForPeople = AlertChannel(name: name, kind: kind).isForPeople
        let channel = Channel(
            name: name, kind: kind, group: try mapping.string("group") ?? "admins",
            // People are not woken, and get one message a working day; a program gets each at once.
            calendar: try mapping.string("calendar") ?? (isForPeople ? CheckFile.standardCalendar : nil),
            every: try mapping.span("every") ?? (isForPeople ? day : TimeSpan(milliseconds: 0)),
            from: try mapping.choice("severity") ?? .info)
        try mapping.finish()
        return channel
    }

    private static func url(_ name: String, _ mapping: inout SettingsMapping) throws(SettingsError) -> String?
    {
        guard let text = try mapping.string(name) else { return nil }
        guard let url = URL(string: text), ["http", "https"].contains(url.scheme ?? ""), url.host() != nil,
            url.user() == nil
        else { throw mapping.error(name, "must be an http:// or https:// address") }
        return text
    }

    /// The bytes of a secret of Standard Webhooks: `whsec_` and 24 to 64 bytes in base64.
    package static func secret(_ text: String) -> [UInt8]? {
        guard text.hasPrefix("whsec_"), let data = Data(base64Encoded: String(text.dropFirst(6))),
            (24...64).contains(data.count)
        else { return nil }
        return Array(data)
    }

    /// Whether a mail can be sent there, and nothing else be done with it: it stands in headers and in commands.
    package static func isAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && text.utf8.count <= 254 && !text.hasPrefix("-")
            && parts.allSatisfy { part in
                !part.isEmpty
                    && part.utf8.allSatisfy { byte in
                        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                            || (0x61...0x7A).contains(byte)
                            || "!#$%&'*+/=?^_`{|}~.-".utf8.contains(byte)
                    }
            }
    }

    /// The channels with their calendars, which stand in the checks' file.
    ///
    /// - Throws: ``StateError`` for a calendar that is not there.
    package func channels(_ checks: CheckSet) throws(StateError) -> [AlertChannel] {
        var made: [AlertChannel] = []
        for channel in channels {
            made.append(try Self.channel(channel, name: channel.name, kind: channel.kind, checks))
        }
        return made
    }

    /// The channel to the owner with that address; nothing where owners are not told.
    package func ownerChannel(_ address: String, _ checks: CheckSet) throws(StateError) -> AlertChannel? {
        guard let owners, Self.isAddress(address) else { return nil }
        return try Self.channel(owners, name: "\(Check.owner):\(address)", kind: .mail(to: [address]), checks)
    }

    private static func channel(
        _ channel: Channel, name: String, kind: AlertChannel.Kind, _ checks: CheckSet
    ) throws(StateError) -> AlertChannel {
        var calendar: WorkingCalendar?
        if let wanted = channel.calendar, wanted != "always" {
            calendar = checks.calendars[wanted]
            guard calendar != nil || wanted == CheckFile.standardCalendar else {
                throw StateError(
                    "alerts:channels:\(channel.name):calendar: checks.yml has no calendar \(wanted)")
            }
        }
        return AlertChannel(
            name: name, kind: kind, group: channel.group, calendar: calendar, every: channel.every,
            from: channel.from)
    }
}
