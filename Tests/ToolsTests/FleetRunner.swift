import Foundation
import PDTestSupport
import Testing

/// A server and its agents in a directory of their own, run by the built programs.
final class FleetRunner {
    let tools: SharesToolRunner
    private(set) var server: SharesToolRunner.Running?
    private(set) var port = 0

    init() throws {
        tools = try SharesToolRunner()
    }

    deinit {
        server?.process.terminate()
        _ = server?.process.wait()
    }

    /// The name of the state directory, below the runner's own.
    var stateName = "server"
    var serverState: String { tools.path(stateName).path }

    /// Runs one of the programs to its end.
    @discardableResult
    func run(_ program: String, _ arguments: String...) throws -> SharesToolRunner.Outcome {
        try run(program, arguments)
    }

    @discardableResult
    func run(_ program: String, _ arguments: [String]) throws -> SharesToolRunner.Outcome {
        let executable = SharesToolRunner.executable.deletingLastPathComponent().appending(path: program)
        return try tools.run(arguments, program: executable.path)
    }

    /// Makes a server on a free port.
    func setUp() throws {
        port = try Self.freePort()
        let outcome = try run("pd-server", "setup", "--yes", "--state", serverState, "--port", "\(port)")
        try #require(outcome.status == 0, "\(outcome.errors)")
    }

    /// How the server is reached.
    private var scheme = "http"

    /// Has the server prove itself with a certificate that vouches for itself, and new agents trust it.
    func useTLS() throws {
        for command in [
            ["configure", "\(port)", "--self-signed", "127.0.0.1"],
            ["client", "\(port)", "--host", "127.0.0.1"],
        ] {
            let outcome = try run("pd-admin", ["ports"] + command + ["--state", serverState])
            try #require(outcome.status == 0, "\(outcome.errors)")
        }
        scheme = "https"
    }

    /// Starts the server and waits until it answers.
    ///
    /// - Parameter given: the port, where the settings have another one than ``setUp()`` chose.
    func start(port given: Int? = nil) async throws {
        if let given { port = given }
        let executable = SharesToolRunner.executable.deletingLastPathComponent().appending(path: "pd-server")
        let running = try tools.start(command: [executable.path, "serve", "--state", serverState])
        server = running
        for _ in 0..<200 {
            if try tools.run(["-sfk", url("/healthz")], program: "/usr/bin/curl").status == 0 { return }
            guard running.process.isRunning else {
                Issue.record("the server ended: \(try running.finish().errors)")
                return
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("the server did not answer within ten seconds")
    }

    /// Ends the server in its own time, and gives how it ended.
    func stop() throws -> SharesToolRunner.Outcome {
        let running = try #require(server)
        server = nil
        running.process.terminate()
        return try running.finish()
    }

    /// Ends the server as a power failure would.
    func kill() throws {
        let running = try #require(server)
        server = nil
        Foundation.kill(running.process.processIdentifier, SIGKILL)
        _ = try running.finish()
    }

    func url(_ path: String) -> String { "\(scheme)://127.0.0.1:\(port)\(path)" }

    /// What the server has logged so far.
    func log() throws -> String {
        try server.map { String(decoding: try Data(contentsOf: $0.errors), as: UTF8.self) } ?? ""
    }

    /// Posts a form as a peer without our code does; the answer is the HTTP status.
    func post(data: String, signature: String?) throws -> String {
        try tools.write("data", data)
        var arguments = ["-s", "-o", "/dev/null", "-w", "%{http_code}", "--data-urlencode", "data@data"]
        if let signature {
            try tools.write("signature", signature)
            arguments += ["--data-urlencode", "signature@signature"]
        }
        return try tools.run(arguments + [url("/penguindome/v1/submit")], program: "/usr/bin/curl").text
    }

    /// The output of `pd-admin … --json`.
    func admin(_ arguments: String...) throws -> [[String: Any]] { try admin(arguments) }

    func admin(_ arguments: [String]) throws -> [[String: Any]] {
        let outcome = try run("pd-admin", arguments + ["--state", serverState, "--json"])
        try #require(outcome.status == 0, "\(outcome.errors)")
        return try #require(try JSONSerialization.jsonObject(with: outcome.output) as? [[String: Any]])
    }

    static func freePort() throws -> Int {
        let (descriptor, port) = try boundSocket()
        close(descriptor)
        return port
    }

    /// A TCP socket on a port of this machine that the system chose; the caller closes it.
    static func boundSocket() throws -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        try #require(bound)
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }
}

/// A throw-away GnuPG home with one key.
final class GPGHome {
    let directory: URL
    private let tools: SharesToolRunner

    init(algorithm: String, tools: SharesToolRunner, userID: String = "peer") throws {
        self.tools = tools
        // The path of the agent's socket must stay short.
        directory = URL(filePath: "/tmp/pdg-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        let made = try gpg(["--passphrase", "", "--quick-gen-key", userID, algorithm, "sign", "never"])
        try #require(made.status == 0, "\(made.errors)")
    }

    deinit {
        // An agent that has ended by itself, or a directory that is gone, is as good.
        _ = try? tools.run(["--homedir", directory.path, "--kill", "gpg-agent"], program: "/usr/bin/gpgconf")
        try? FileManager.default.removeItem(at: directory)
    }

    func gpg(_ arguments: [String], input: Data = Data()) throws -> SharesToolRunner.Outcome {
        try tools.run(
            ["--homedir", directory.path, "--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback"]
                + arguments, program: "/usr/bin/gpg", input: input)
    }

    /// An armored detached signature over the text.
    func sign(_ text: String) throws -> String {
        let outcome = try gpg(["--armor", "--detach-sign"], input: Data(text.utf8))
        try #require(outcome.status == 0, "\(outcome.errors)")
        return outcome.text
    }
}
