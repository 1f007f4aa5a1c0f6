import Foundation
import PDDocument

/// The system's log: the socket of this machine in its traditional form (RFC 3164), another machine in that of RFC 5424.
///
/// A machine that does not answer costs at most a few seconds for a line, then lines are thrown away for a while.
final class SyslogSink: LogSink {
    private static let patienceSeconds = 1
    private static let pause = Duration.seconds(10)

    private let settings: SyslogSettings
    private let json: Bool
    private let path: String
    private let hostname = ProcessInfo.processInfo.hostName
    private var descriptor: Int32 = -1
    private var failedAt: ContinuousClock.Instant?

    /// - Parameter path: the socket of this machine.
    init(_ settings: SyslogSettings, json: Bool, path: String = "/dev/log") {
        self.settings = settings
        self.json = json
        self.path = path
    }

    deinit {
        disconnect()
    }

    func write(_ line: LogLine) {
        if let failedAt, failedAt.duration(to: .now) < Self.pause { return }
        let message = message(line)
        // A second try on a new connection: the other side may have been started again.
        for _ in 0..<2 {
            if descriptor < 0 {
                descriptor = settings.transport == .local ? connectedHere() : connectedAway()
            }
            if descriptor >= 0, send(message) {
                failedAt = nil
                return
            }
            disconnect()
        }
        failedAt = .now
    }

    private func message(_ line: LogLine) -> [UInt8] {
        let priority = "<\(settings.facility * 8 + line.level.severity)>"
        let text = json ? line.json : line.body
        if settings.transport == .local { return Array("\(priority)pd-server[\(getpid())]: \(text)".utf8) }
        let time = Timestamp.text(milliseconds: line.time)
        let message = "\(priority)1 \(time) \(hostname) pd-server \(getpid()) - - \(text)"
        return Array((settings.transport == .tcp ? "\(message.utf8.count) \(message)" : message).utf8)
    }

    private func send(_ message: [UInt8]) -> Bool {
        var sent = 0
        repeat {
            let count = message.withUnsafeBytes {
                Glibc.send(
                    descriptor, $0.baseAddress.map { $0 + sent }, message.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            sent += count
        } while sent < message.count && settings.transport == .tcp
        return true
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
