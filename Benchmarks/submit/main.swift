import Foundation
import PDCrypto
import PDDocument
import PDProtocol

// Delivers signed reports to a server over many connections at once and tells how fast they were answered.
//
//     submit-benchmark KEY PORT CONNECTIONS COUNT [HOSTS [PER_SECOND]]
//
// Each report is about 15 kB, of one of HOSTS hosts (200), and differs from the host's last one in one value. All are
// signed before the clock starts: a fleet signs on its own machines. Blocking sockets, one thread a connection, so that
// the generator takes as little as possible of the processors that it shares with the server.
//
// Without PER_SECOND a connection sends its next report when the last one has been answered. With it, the generator says
// that it is ready, waits for a line, and sends that many a second; a report that waits behind a late answer is late itself.

guard (5...7).contains(CommandLine.arguments.count), let port = UInt16(CommandLine.arguments[2]),
    let connections = Int(CommandLine.arguments[3]), connections > 0,
    let count = Int(CommandLine.arguments[4]), count > 0,
    let hosts = Int(CommandLine.arguments.count > 5 ? CommandLine.arguments[5] : "200"), hosts > 0,
    let pace = Int(CommandLine.arguments.count > 6 ? CommandLine.arguments[6] : "0"), pace >= 0
else {
    print("usage: submit-benchmark KEY PORT CONNECTIONS COUNT [HOSTS [PER_SECOND]]")
    exit(2)
}
let key = try OpenPGP.SecretKey(Array(Data(contentsOf: URL(filePath: CommandLine.arguments[1]))))

/// A report of about 15 kB, as an agent with many collectors makes it.
@Sendable func report(_ number: Int, at time: Int64) throws -> [UInt8] {
    guard let hostname = Hostname("host-\(number % hosts)") else { preconditionFailure("a good name") }
    let packages = (0..<260).map { index -> Value in
        ["name": .string("package-\(index)"), "version": .string("1.\(index).0")]
    }
    let plugins: Document = [
        "os_info": ["id": "debian", "version": "12", "counter": .int(number)],
        "firewall": ["status": "on", "manager": "nftables"], "packages": .array(packages),
    ]
    let data = V1.Submission(
        hostname: hostname, collectedAt: time + Int64(number), plugins: plugins, commands: nil
    ).json()
    let signature = Array(
        try OpenPGP.armored(
            signature: key.signDetachedWithoutPurpose(
                data, at: OpenPGP.Timestamp(Int64(Date().timeIntervalSince1970)))
        ).utf8)
    let body = V1.Envelope(data: data, signature: signature).formBody()
    let head = """
        POST \(V1.submitPath) HTTP/1.1\r
        Host: localhost\r
        Content-Type: application/x-www-form-urlencoded\r
        Content-Length: \(body.count)\r
        \r

        """
    return Array(head.utf8) + body
}

/// One keep-alive connection.
struct Connection {
    let descriptor: Int32

    init(port: UInt16) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        precondition(result == 0, "cannot connect")
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Sends a request and reads its answer; true where the status is 200.
    func deliver(_ request: [UInt8]) -> Bool {
        var sent = 0
        while sent < request.count {
            let written = request.withUnsafeBytes {
                send(
                    descriptor, $0.baseAddress.map { $0 + sent }, request.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            guard written > 0 else { return false }
            sent += written
        }
        // Answers are far smaller than the buffer, and end with their two letters of text.
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let received = recv(descriptor, &buffer, buffer.count, 0)
            guard received > 0 else { return false }
            answer += buffer[0..<received]
            if answer.suffix(6).elementsEqual("\r\n\r\nok".utf8) {
                return answer.starts(with: "HTTP/1.1 200".utf8)
            }
            guard answer.count < 4096, answer.starts(with: "HTTP/1.1 200".prefix(answer.count).utf8) else {
                return false
            }
        }
    }
}

/// Runs the body for each index of a range on that many threads.
func onThreads(_ number: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let group = DispatchGroup()
    for index in 0..<number {
        group.enter()
        let thread = Thread {
            body(index)
            group.leave()
        }
        thread.start()
    }
    group.wait()
}

final class Box<Content>: @unchecked Sendable {
    // @unchecked: every access holds the lock.
    private let lock = NSLock()
    private var content: Content

    init(_ content: Content) { self.content = content }

    func with<Result>(_ body: (inout Content) throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&content)
    }
}

let time = Int64(Date().timeIntervalSince1970 * 1000) - Int64(count)
let requests = Box([[UInt8]](repeating: [], count: count))
onThreads(2) { half in
    for number in stride(from: half, to: count, by: 2) {
        do {
            let request = try report(number, at: time)
            requests.with { $0[number] = request }
        } catch {
            print("cannot sign: \(error)")
            exit(1)
        }
    }
}
let prepared = requests.with { $0 }
let size = prepared.map(\.count).reduce(0, +) / count

if pace > 0 {
    FileHandle.standardOutput.write(Data("ready\n".utf8))
    _ = readLine()
}
let latencies = Box([Double]())
let failures = Box(0)
let start = ContinuousClock.now
onThreads(connections) { connection in
    let line = Connection(port: port)
    var own: [Double] = []
    // A connection takes whole hosts, so that the reports of a host stay in their order.
    for number in 0..<count where number % hosts % connections == connection {
        var begin = ContinuousClock.now
        if pace > 0 {
            let due = start + .seconds(1) * number / pace
            if due > begin { usleep(UInt32((due - begin) / .microseconds(1))) }
            begin = due
        }
        let delivered = line.deliver(prepared[number])
        own.append(begin.duration(to: .now) / .milliseconds(1))
        if !delivered { failures.with { $0 += 1 } }
    }
    close(line.descriptor)
    latencies.with { $0 += own }
}
let seconds = start.duration(to: .now) / .seconds(1)
let sorted = latencies.with { $0.sorted() }
func percentile(_ share: Double) -> String {
    String(format: "%.1f", sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))])
}
print(
    """
    \(count) reports of \(size) bytes over \(connections) connections: \(Int(Double(count) / seconds)) per second, \
    median \(percentile(0.5)) ms, p99 \(percentile(0.99)) ms, longest \(percentile(1)) ms, \
    \(failures.with { $0 }) failed
    """)
exit(failures.with { $0 } == 0 ? 0 : 1)
