import Foundation

/// A server that speaks MongoDB's protocol, for as long as the tests run or a test needs one of its own.
package final class MongoTestServer: Sendable {
    /// Why there is none.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// The program of SecantusDB, which the tests start.
    package static let program = ProcessInfo.processInfo.environment["PENGUINDOME_TEST_SECANTUSD"]
    /// A server that is there already, for instance a genuine `mongod`. The tests make databases of their own there.
    package static let givenURI = ProcessInfo.processInfo.environment["PENGUINDOME_TEST_MONGODB_URI"]

    package static var isConfigured: Bool { program != nil || givenURI != nil }

    /// The connection string, without a database, of the server that most tests share.
    package static func sharedURI() throws -> String { try givenURI ?? shared.get().uri }

    private static let shared = Result {
        let server = try MongoTestServer()
        try server.keep(false)
        return server
    }

    package let port: UInt16
    package let directory: String
    private let process: LockedProcess
    private let flags: [String]

    package var uri: String { "mongodb://127.0.0.1:\(port)/" }

    /// Starts a server with an empty database, and waits until it answers.
    package init(flags: [String] = []) throws {
        port = try Self.freePort()
        directory = FileManager.default.temporaryDirectory.path + "/penguindome-mongo-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        self.flags = flags
        process = LockedProcess()
        try keep(true)
        try start()
    }

    /// Whether the data stays when the server ends.
    private func keep(_ flag: Bool) throws {
        let mark = directory + "/keep"
        if flag {
            try Data().write(to: URL(fileURLWithPath: mark))
        } else {
            try FileManager.default.removeItem(atPath: mark)
        }
    }

    /// Starts it again, with the data that it had.
    package func start(flags other: [String]? = nil) throws {
        guard let program = Self.program else { throw Failure(description: "no server is configured") }
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        // The server ends when this process does, however that ends: the shell's input then ends too.
        shell.arguments =
            [
                "-c",
                #""$@" </dev/null >"$0/log" 2>&1 & cat >/dev/null; kill -9 $!; [ -e "$0/keep" ] || rm -rf "$0""#,
                directory, program, "--port",
                "\(port)", "--storage-path", directory + "/data",
            ] + (other ?? flags)
        let input = Pipe()
        shell.standardInput = input
        try shell.run()
        process.set(shell, input)
        for _ in 0..<600 {
            if Self.answers(port) { return }
            usleep(50_000)
        }
        let log = (try? String(contentsOfFile: directory + "/log", encoding: .utf8)) ?? ""
        throw Failure(description: "the server does not answer: \(log)")
    }

    /// Ends it as `kill -9` does, and waits until it is gone.
    package func kill() {
        process.end()
        for _ in 0..<200 where Self.answers(port) { usleep(20_000) }
    }

    /// Ends it and removes its data.
    package func remove() {
        kill()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// A port that nobody listens on.
    package static func freePort() throws -> UInt16 {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        guard isBound else { throw Failure(description: "no port is free") }
        return UInt16(bigEndian: address.sin_port)
    }

    private static func answers(_ port: UInt16) -> Bool {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = loopback(port: port)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return address
    }
}

/// The process that runs now.
private final class LockedProcess: @unchecked Sendable {
    // Sendable, since everything is only touched under the lock.
    private let lock = NSLock()
    private var shell: Process?
    private var input: Pipe?

    func set(_ shell: Process, _ input: Pipe) {
        lock.withLock { (self.shell, self.input) = (shell, input) }
    }

    func end() {
        lock.withLock {
            try? input?.fileHandleForWriting.close()
            shell?.waitUntilExit()
            (shell, input) = (nil, nil)
        }
    }
}
