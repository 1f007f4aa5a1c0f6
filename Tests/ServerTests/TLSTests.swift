import Foundation
import Hummingbird
import HummingbirdTesting
import NIOSSL
import PDProtocol
import PDTestSupport
import Testing

@testable import PDFleet
@testable import PDServer

@Suite("Ports with TLS")
struct TLSTests {
    /// Lends the paths of a certificate and its key.
    private func identity<Result>(
        _ host: String = "localhost", _ body: (URL, URL) async throws -> Result
    ) async throws -> Result {
        let directory = FileManager.default.temporaryDirectory.appending(path: "pd-tls-\(UUID().uuidString)")
        try PrivateFiles.makeDirectory(directory)
        defer { try? FileManager.default.removeItem(at: directory) }
        let (certificate, key) = (directory.appending(path: "c"), directory.appending(path: "k"))
        try Self.write(host, certificate, key)
        return try await body(certificate, key)
    }

    private static func write(_ host: String, _ certificate: URL, _ key: URL, days: Int = 30) throws {
        let made = try SelfSignedCertificate(host: host, days: days)
        try PrivateFiles.write(made.key, to: key)
        try PrivateFiles.write(made.certificate, to: certificate)
    }

    @Test("a certificate that vouches for itself is a P-256 one for its host, for at most 825 days")
    func selfSigned() async throws {
        try await identity("mdm.example.com") { certificate, key in
            let text = try await Program.run(
                "/usr/bin/openssl", ["x509", "-in", certificate.path, "-noout", "-text"]
            ).output
            for part in [
                "DNS:mdm.example.com", "ASN1 OID: prime256v1", "CA:FALSE", "TLS Web Server Authentication",
                "ecdsa-with-SHA256", "CN = mdm.example.com", "Version: 3",
            ] {
                #expect(text.contains(part), "\(part)")
            }
            let verified = try await Program.run(
                "/usr/bin/openssl", ["verify", "-CAfile", certificate.path, "-x509_strict", certificate.path])
            #expect(verified.status == 0 || verified.output.contains("x509_strict"), "\(verified.output)")
            let end = try CertificateFile(certificate).expiresAt
            let expected = Date().timeIntervalSince1970 + 30 * 86_400
            #expect(abs(Double(end) - expected) < 60)
        }
        try await identity("192.0.2.7") { certificate, _ in
            let text = try await Program.run(
                "/usr/bin/openssl", ["x509", "-in", certificate.path, "-noout", "-text"]
            ).output
            #expect(text.contains("IP Address:192.0.2.7"))
        }
        for days in [0, -1, 826] {
            #expect(throws: StateError.self) { try SelfSignedCertificate(host: "h", days: days) }
        }
        for host in ["", "a,DNS:evil.example", "a b", "*.example.com", "h\n"] {
            #expect(throws: StateError.self) { try SelfSignedCertificate(host: host, days: 1) }
        }
    }

    @Test(
        "a certificate and a key that do not belong together, or are none, are refused by name",
        arguments: ["the server's library", "the tools' library"])
    func mismatch(by library: String) async throws {
        func check(_ certificate: URL, _ key: URL) throws(StateError) {
            if library == "the tools' library" {
                try CertificateFile(certificate).check(key: key)
            } else {
                _ = try TLSIdentity(certificate: certificate, key: key)
            }
        }
        try await identity { certificate, key in
            try check(certificate, key)
            try await identity { _, otherKey in
                let error = #expect(throws: StateError.self) { try check(certificate, otherKey) }
                #expect(error?.description.contains("do not belong together") == true)
            }
            #expect(throws: StateError.self) { try check(key, key) }
            let error = #expect(throws: StateError.self) { try check(certificate, certificate) }
            #expect(error?.description.contains("is not a private key") == true)
        }
    }

    @Test("reports are taken over TLS; a new certificate is used for new connections, and open ones go on")
    func reload() async throws {
        try await identity { certificate, key in
            try await TestFleet.with { fleet in
                let listener = Listener(
                    host: "127.0.0.1", port: 0,
                    identity: try TLSIdentity(
                        certificate: certificate, key: key, clock: { fleet.clock.now },
                        logger: fleet.log.logger))
                try await fleet.serving(listener) { number in
                    let url = "https://localhost:\(number)"
                    let form = fleet.directory.appending(path: "form")
                    try Data(
                        try fleet.signed(#"{"hostname": "h", "plugins": {"p": 1}}"#).readableBytesView
                    ).write(to: form)
                    let resolve = ["--resolve", "localhost:\(number):127.0.0.1", "-sS"]
                    func trusting(_ authority: URL, _ arguments: [String]) async throws -> String {
                        try await Program.run(
                            "/usr/bin/curl", resolve + ["--cacert", authority.path] + arguments
                        )
                        .output
                    }
                    #expect(
                        try await trusting(
                            certificate, ["--data-binary", "@\(form.path)", url + V1.submitPath]) == "ok")
                    let hosts = try await fleet.store.hosts()
                    #expect(hosts.count == 1)
                    // One connection that was opened before the change, and asks again after it.
                    let before = fleet.directory.appending(path: "before")
                    try FileManager.default.copyItem(at: certificate, to: before)
                    let old = Task.detached {
                        try await Program.run(
                            "/usr/bin/curl",
                            resolve + [
                                "--cacert", before.path, "--rate", "20/m", url + "/healthz", url + "/readyz",
                                "-w", "%{num_connects}\n",
                            ]
                        ).output
                    }
                    try await Task.sleep(for: .seconds(1.2))
                    try Self.write("localhost", certificate, key, days: 10)
                    fleet.clock.advance(by: .seconds(1))
                    #expect(try await trusting(certificate, [url + "/healthz"]) == "ok")
                    #expect(try await trusting(before, [url + "/healthz"]).contains("certificate"))
                    #expect(try await old.value == "ok1\nok0\n")
                    #expect(fleet.log.lines.contains { $0.contains("certificate read again") })
                    // Half a change, or a broken one, leaves what was there in use.
                    try PrivateFiles.write(Array("broken".utf8), to: key)
                    fleet.clock.advance(by: .seconds(1))
                    #expect(try await trusting(certificate, [url + "/healthz"]) == "ok")
                    #expect(fleet.log.lines.contains { $0.contains("stays in use") })
                }
            }
        }
    }

    @Test("plain HTTP and noise on a TLS port end their connection, and others are served")
    func noise() async throws {
        try await identity { certificate, key in
            try await TestFleet.with { fleet in
                let listener = Listener(
                    host: "127.0.0.1", port: 0, identity: try TLSIdentity(certificate: certificate, key: key))
                try await fleet.serving(listener) { number in
                    let plain = try await Program.run(
                        "/usr/bin/curl", ["-sS", "http://127.0.0.1:\(number)/healthz"])
                    #expect(plain.status != 0)
                    for seed in 0..<20 {
                        let bytes = (0..<200).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ seed &* 7) }
                        let file = fleet.directory.appending(path: "noise")
                        try Data(bytes).write(to: file)
                        let script =
                            "exec 3<>/dev/tcp/127.0.0.1/\(number); cat \(file.path) >&3; timeout 2 cat <&3 | wc -c"
                        _ = try await Program.run("/bin/bash", ["-c", script])
                    }
                    let good = try await Program.run(
                        "/usr/bin/curl",
                        [
                            "-sS", "--cacert", certificate.path, "--resolve", "localhost:\(number):127.0.0.1",
                            "https://localhost:\(number)/healthz",
                        ])
                    #expect(good.output == "ok")
                }
            }
        }
    }
}
