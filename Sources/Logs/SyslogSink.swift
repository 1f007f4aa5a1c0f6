import Glibc
import PDDocument

/// The system's log: the socket of this machine in its traditional form (RFC 3164), another machine in that of RFC 5424.
///
/// A machine that does not answer costs at most a few seconds for a line, then lines are thrown away for a while. How many
/// were lost is told once there is an answer again. Of datagrams to another machine only that is known which it refused.
final class SyslogSink: LogSink {
    private static let patienceSeconds = 1
    /// For one datagram to another machine: RFC 5426, section 3.2.
    private static let datagramBytes = 2048

    private let settings: SyslogSettings
    private let json: Bool
    private let path: String
    private let program: String
    private let hostname = SyslogSink.hostname()
    private let pause: Duration
    private let maximumBytes: Int
    private var descriptor: Int32 = -1
    private var failedAt: ContinuousClock.Instant?
    /// Lines that nobody has got, and nobody was told of.
    private var lost = 0
    /// What is lost if it turns out that the last datagram was refused.
    private var unconfirmed = 0

    /// - Parameters:
    ///   - program: what lines are told to be of.
    ///   - path: the socket of this machine.
    ///   - pause: how long lines are thrown away where nobody answers.
    ///   - maximumBytes: the longest line.
    init(
        _ settings: SyslogSettings, program: String, json: Bool, path: String = "/dev/log",
        pause: Duration = .seconds(10),
        maximumBytes: Int? = nil
    ) {
        self.settings = settings
        self.program = program
        self.json = json
        self.path = path
        self.pause = pause
        self.maximumBytes =
            maximumBytes ?? (settings.transport == .udp ? Self.datagramBytes : LogLine.maximumBytes)
    }

    deinit {
        disconnect()
    }

    private static func hostname() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, buffer.count - 1)
        let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // A dash stands for what is not known (RFC 5424, section 6.2.4).
        return name.isEmpty ? "-" : name
    }

    func write(_ line: LogLine) {
        if let failedAt, failedAt.duration(to: .now) < pause {
            lost += 1
            return
        }
        failedAt = nil
        guard deliver(message(line)) else { return lost += 1 }
        guard lost > 0 else { return }
        let told = lost
        let note = LogLine(
            time: line.time, level: .warning, message: "log lines lost", metadata: [("count", "\(told)")])
        // A refusal of the line itself shows only now.
        guard case .sent = send(message(note)) else { return disconnect() }
        lost -= told
        unconfirmed += told
    }

    /// Sends a message; false where it is lost. A second try is made on a new connection: the other side may have been
    /// started again.
    private func deliver(_ message: [UInt8]) -> Bool {
        for _ in 0..<2 {
            if descriptor < 0 {
                descriptor = settings.transport == .local ? connectedHere() : connectedAway()
            }
            if descriptor >= 0 {
                switch send(message) {
                case .sent: return true
                case .tooLong: return false
                case .failed: break
                }
            }
            disconnect()
        }
        failedAt = .now
        return false
    }

    private func message(_ line: LogLine) -> [UInt8] {
        let priority = "<\(settings.facility * 8 + line.level.severity)>"
        let head: String
        if settings.transport == .local {
            head = "\(priority)\(program)[\(getpid())]: "
        } else {
            head =
                "\(priority)1 \(Timestamp.text(milliseconds: line.time)) \(hostname) \(program) \(getpid()) - - "
        }
        let message = head + line.fitted(json ? \.json : \.body, bytes: maximumBytes - head.utf8.count)
        return Array((settings.transport == .tcp ? "\(message.utf8.count) \(message)" : message).utf8)
    }

    private enum Outcome {
        case sent, failed
        /// The system takes no message of that length, whoever is to get it.
        case tooLong
    }

    private func send(_ message: [UInt8]) -> Outcome {
        guard settings.transport != .tcp || !isHungUp else { return .failed }
        var sent = 0
        repeat {
            let count = message.withUnsafeBytes {
                Glibc.send(
                    descriptor, $0.baseAddress.map { $0 + sent }, message.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EMSGSIZE { return .tooLong }
            if count < 0 && errno == ECONNREFUSED && settings.transport == .udp {
                // The refusal of the datagram before.
                lost += unconfirmed
                unconfirmed = 0
            }
            guard count > 0 else { return .failed }
            sent += count
        } while sent < message.count && settings.transport == .tcp
        unconfirmed = 1
        return .sent
    }

    /// Whether the other side has closed the connection, on which a message would still seem to leave.
    private var isHungUp: Bool {
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
        return count == 0 || count < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR
    }

    private func connectedHere() -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return -1 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return -1 }
        limitTime(descriptor)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return accepted(descriptor, result)
    }

    private func connectedAway() -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32((settings.transport == .udp ? SOCK_DGRAM : SOCK_STREAM).rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(settings.host, "\(settings.port)", &hints, &list) == 0 else { return -1 }
        defer { freeaddrinfo(list) }
        var next = list
        while let info = next?.pointee {
            let type = info.ai_socktype | Int32(SOCK_CLOEXEC.rawValue)
            let descriptor = socket(info.ai_family, type, info.ai_protocol)
            if descriptor >= 0 {
                limitTime(descriptor)
                let opened = accepted(descriptor, connect(descriptor, info.ai_addr, info.ai_addrlen))
                if opened >= 0 { return opened }
            }
            next = info.ai_next
        }
        return -1
    }

    /// Also bounds how long `connect` takes.
    private func limitTime(_ descriptor: Int32) {
        var time = timeval(tv_sec: Self.patienceSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    private func accepted(_ descriptor: Int32, _ result: Int32) -> Int32 {
        if result == 0 { return descriptor }
        close(descriptor)
        return -1
    }

    private func disconnect() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }
}
