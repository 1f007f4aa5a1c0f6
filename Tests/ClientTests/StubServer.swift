import Foundation
import Synchronization

/// A small HTTP server on the loopback device that answers as a test tells it to.
final class StubServer: Sendable {
    /// What to do with one request.
    enum Behaviour: Sendable {
        /// Answer with this status.
        case answer(Int)
        /// Take the request, and close the connection without an answer.
        case loseAnswer
        /// Take the request, and never answer.
        case hang
        /// Answer with this status and an endless body.
        case flood(Int)
        /// Answer with something that is not HTTP.
        case babble
        /// Answer with these bytes, and close the connection.
        case raw(String)
        /// Answer with interim answers without an end.
        case dither
        /// Redirect to this address.
        case redirect(String)
    }

    private struct State {
        var script: [Behaviour]
        var bodies: [[UInt8]] = []
        var heads: [String] = []
    }

    private let descriptor: Int32
    private let state: Mutex<State>
    let port: UInt16

    /// Answers requests in the order of the script, and repeats its last behaviour for ever.
    init(_ script: Behaviour...) throws {
        signal(SIGPIPE, SIG_IGN)
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let descriptor = descriptor
        port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                var length = socklen_t(MemoryLayout<sockaddr_in>.size)
                bind(descriptor, pointer, length)
                listen(descriptor, 16)
                getsockname(descriptor, pointer, &length)
            }
            return UInt16(bigEndian: pointer.pointee.sin_port)
        }
        state = Mutex(State(script: script))
        Thread.detachNewThread { [self] in
            while case let connection = accept(descriptor, nil, nil), connection >= 0 {
                Thread.detachNewThread { self.serve(connection) }
            }
        }
    }

    func stop() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }

    var url: String { "http://127.0.0.1:\(port)" }
    var bodies: [[UInt8]] { state.withLock { $0.bodies } }
    var heads: [String] { state.withLock { $0.heads } }

    private func serve(_ connection: Int32) {
        defer { close(connection) }
        guard let (head, body) = receive(connection) else { return }
        let behaviour = state.withLock { state in
            state.bodies.append(body)
            state.heads.append(head)
            return state.script.count > 1 ? state.script.removeFirst() : state.script[0]
        }
        switch behaviour {
        case .answer(let status):
            send(connection, "HTTP/1.1 \(status) X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        case .redirect(let target):
            send(
                connection,
                "HTTP/1.1 307 X\r\nLocation: \(target)\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        case .loseAnswer: return
        case .hang: Thread.sleep(forTimeInterval: 30)
        case .raw(let text): send(connection, text)
        case .dither: while send(connection, "HTTP/1.1 100 Continue\r\nA: b\r\n\r\n") {}
        case .babble: send(connection, "SSH-2.0-OpenSSH_9.2p1\r\n")
        case .flood(let status):
            send(connection, "HTTP/1.1 \(status) X\r\nConnection: close\r\n\r\n")
            while send(connection, String(repeating: "x", count: 65_536)) {}
        }
    }

    private func receive(_ connection: Int32) -> (head: String, body: [UInt8])? {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(connection, &buffer, buffer.count)
            guard count > 0 else { return nil }
            received += buffer[..<count]
            guard let end = received.firstRange(of: Array("\r\n\r\n".utf8)) else { continue }
            let head = String(decoding: received[..<end.lowerBound], as: UTF8.self)
            let length = head.lowercased().split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
                .flatMap { Int($0.dropFirst(15).drop { $0 == " " }) }
            // CONNECT has none.
            guard received.count - end.upperBound >= length ?? 0 else { continue }
            return (head, Array(received[end.upperBound...].prefix(length ?? 0)))
        }
    }

    @discardableResult
    private func send(_ connection: Int32, _ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
