import Foundation
import Testing

@testable import PDClient

/// An HTTPS server with a certificate of its own making.
struct TLSServer {
    let url: String
    let certificate: String
    private let process = Process()
    private let directory: TemporaryDirectory

    static let isPossible = ["openssl", "python3"].allSatisfy { Machine.this().isInstalled($0) }

    private static let program = """
        import http.server, ssl, sys
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(200)
                self.end_headers()
            def log_message(self, *_): pass
        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        if sys.argv[3] != "":
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = ssl.TLSVersion[sys.argv[3]]
        server.socket = context.wrap_socket(server.socket, server_side=True)
        print(server.server_address[1], flush=True)
        server.serve_forever()
        """

    /// - Parameters:
    ///   - name: what the certificate is for.
    ///   - days: how long it is valid; -1 for one that has ended.
    ///   - version: the only version of TLS that is spoken, by Python's name for it.
    init(name: String = "IP:127.0.0.1", days: Int = 2, version: String = "") throws {
        directory = try TemporaryDirectory()
        certificate = directory.path + "/certificate.pem"
        let key = directory.path + "/key.pem"
        let request = directory.path + "/request.pem"
        let steps = [
            [
                "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                "/CN=localhost", "-addext", "subjectAltName=\(name)", "-keyout", key, "-out", request,
            ],
            [
                "x509", "-req", "-in", request, "-signkey", key, "-copy_extensions", "copyall", "-days",
                "\(days)", "-out", certificate,
            ],
        ]
        for arguments in steps {
            let machine = Machine.this()
            let made = try machine.execute(Invocation(arguments: ["openssl"] + arguments), machine.deadline)
            try #require(made.returncode == 0, "\(made.complaint)")
        }
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.program, certificate, key, version]
        process.standardOutput = output
        try process.run()
        var line = ""
        while !line.hasSuffix("\n") {
            let more = output.fileHandleForReading.availableData
            try #require(!more.isEmpty, "the server has not started")
            line += String(decoding: more, as: UTF8.self)
        }
        let port = try #require(UInt16(line.dropLast()), "\(line)")
        url = "https://127.0.0.1:\(port)"
    }

    func stop() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        directory.remove()
    }
}
