import PDProtocol
import Testing

@testable import PDClient

@Suite("HTTP")
struct HTTPTransportTests {
    /// What became of a request with a bound of 1,000 bytes.
    private enum Outcome: Equatable {
        case answer(Int, String)
        case failure(String)
    }

    private func ask(
        _ url: String, caPath: String? = nil, proxy: HTTPProxy = .none, timeout: Duration = .seconds(5)
    ) async -> Outcome {
        let transport = HTTPTransport(serverURL: url, caPath: caPath, proxy: proxy, timeout: timeout)
        let outcome: Outcome
        do throws(TransportError) {
            let answer = try await transport.request("/p", [1, 2, 3], limit: 1000)
            outcome = .answer(answer.status, String(decoding: answer.body, as: UTF8.self))
        } catch { outcome = .failure(error.description) }
        await transport.close()
        return outcome
    }

    @Test("a request brings the whole answer, whatever its status", arguments: [200, 204, 403, 503])
    func answers(status: Int) async throws {
        let text = status == 204 ? "" : "some text"
        let server = try StubServer(
            .raw("HTTP/1.1 \(status) X\r\nContent-Length: \(text.count)\r\nConnection: close\r\n\r\n\(text)"))
        defer { server.stop() }
        #expect(await ask(server.url) == .answer(status, text))
        #expect(server.bodies == [[1, 2, 3]])
        #expect(server.heads.allSatisfy { $0.hasPrefix("POST /p HTTP/1.1\r\n") })
        #expect(server.heads.allSatisfy { $0.lowercased().contains("user-agent: pd-agent") })
        #expect(server.heads.allSatisfy { !$0.lowercased().contains("expect:") })
    }

    @Test("an answer without a body is one with an empty body, and a request may be empty too")
    func empty() async throws {
        let server = try StubServer(.raw("HTTP/1.1 200 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
        defer { server.stop() }
        let transport = HTTPTransport(serverURL: server.url, caPath: nil, proxy: .none)
        #expect(
            try await transport.request("/p", [], limit: 0) == TransportAnswer(status: 200, body: []))
        await transport.close()
        #expect(server.bodies == [[]])
    }

    @Test("interim answers are not taken for the answer")
    func interim() async throws {
        let server = try StubServer(
            .raw(
                "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
            ))
        defer { server.stop() }
        #expect(await ask(server.url) == .answer(200, "ok"))
    }

    @Test("what a server sends is read up to a bound, head and body, and for a time")
    func bounds() async throws {
        let cases: [(StubServer.Behaviour, String)] = [
            (.flood(200), "its answer has more than 1000 bytes"),
            (.flood(500), "its answer has more than 65536 bytes"),
            (.dither, "the head of its answer has more than 65536 bytes"),
            (.hang, "no answer within the time allowed"),
            (.babble, "its answer is not HTTP"),
            (.loseAnswer, "it closed the connection without an answer"),
            (.raw("HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\nless"), "its answer ended early"),
        ]
        for (behaviour, problem) in cases {
            let server = try StubServer(behaviour)
            defer { server.stop() }
            let outcome = await ask(server.url, timeout: .milliseconds(500))
            #expect(outcome == .failure(problem), "\(behaviour)")
        }
    }

    @Test("a status counts though the body after it never ends, one of an interim answer does not")
    func statusOnly() async throws {
        for (behaviour, status) in [(StubServer.Behaviour.flood(200), 200), (.dither, nil)] {
            let server = try StubServer(behaviour)
            defer { server.stop() }
            let transport = HTTPTransport(
                serverURL: server.url, caPath: nil, proxy: .none, timeout: .milliseconds(500))
            #expect((try? await transport.post([1])) == status)
            await transport.close()
        }
    }

    @Test("no redirection is followed, and no cookie is kept")
    func noMemory() async throws {
        let other = try StubServer(.answer(200))
        let server = try StubServer(
            .raw(
                "HTTP/1.1 307 X\r\nLocation: \(other.url)/\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            ))
        defer {
            server.stop()
            other.stop()
        }
        let transport = HTTPTransport(serverURL: server.url, caPath: nil, proxy: .none)
        for _ in 1...2 { #expect(try await transport.request("/p", [], limit: 9).status == 307) }
        await transport.close()
        #expect(other.bodies.isEmpty)
        #expect(server.heads.count == 2)
        #expect(server.heads.allSatisfy { !$0.lowercased().contains("cookie") })
    }

    @Test("a connection that is closed answers no more")
    func closed() async throws {
        let transport = HTTPTransport(serverURL: "http://127.0.0.1:1", caPath: nil)
        await transport.close()
        await #expect(throws: TransportError("the connection is closed")) { try await transport.post([]) }
    }

    @Test(
        "nothing but HTTP is spoken, whatever the address says",
        arguments: ["file:///etc/passwd", "ftp://127.0.0.1:1"])
    func protocols(url: String) async {
        guard case .failure(let problem) = await ask(url) else {
            Issue.record("\(url) was answered")
            return
        }
        #expect(problem.contains("rotocol"), "\(problem)")
    }

    @Test("a host that has no address is said to have none")
    func unresolved() async {
        #expect(await ask("http://host.invalid") == .failure("its name cannot be resolved"))
    }

    // MARK: - Proxies

    @Test("a request goes by the proxy that is set, with what it asks for")
    func proxied() async throws {
        let proxy = try StubServer(.answer(200))
        defer { proxy.stop() }
        let url = proxy.url.replacing("http://", with: "http://user:word@")
        #expect(await ask("http://fleet.invalid:8080", proxy: .url(url)) == .answer(200, "ok"))
        let head = try #require(proxy.heads.first)
        #expect(head.hasPrefix("POST http://fleet.invalid:8080/p HTTP/1.1\r\n"))
        #expect(head.contains("Proxy-Authorization: Basic dXNlcjp3b3Jk"))
    }

    @Test("TLS goes through a tunnel of the proxy, and a proxy that refuses is named, without its password")
    func tunnel() async throws {
        let proxy = try StubServer(
            .raw("HTTP/1.1 407 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
        defer { proxy.stop() }
        #expect(
            await ask("https://fleet.invalid", proxy: .url(proxy.url))
                == .failure("the proxy answered with status 407"))
        #expect(proxy.heads.first?.hasPrefix("CONNECT fleet.invalid:443 HTTP/1.1\r\n") == true)
        proxy.stop()
        let url = proxy.url.replacing("http://", with: "http://user:word@")
        guard case .failure(let problem) = await ask("https://fleet.invalid", proxy: .url(url)) else {
            Issue.record("answered by nobody")
            return
        }
        #expect(problem.hasPrefix("Connection refused: ") && problem.contains("\(proxy.port)"))
        #expect(!problem.contains("word"))
    }

    @Test(
        "a proxy is a URL with a host, or none",
        arguments: [
            ("http://p:1", true), ("https://p", true), ("http://u:w@p:1/", true), ("none", true),
            ("http://[::1]:3128", true), ("p:1", false), ("socks5://p:1", false), ("http://", false),
            ("http://:80", false), ("http://p/x", false), ("http://p ", false), ("http://u@", false),
            ("", false),
        ])
    func proxySetting(text: String, isGood: Bool) {
        #expect((HTTPProxy(setting: text) != nil) == isGood)
    }

    // MARK: - TLS

    @Test(
        "goes by TLS to a server whose certificate the set file trusts, and to no other",
        .enabled(if: TLSServer.isPossible, "takes openssl and python3"))
    func tls() async throws {
        let server = try TLSServer()
        let other = try TLSServer()
        defer {
            server.stop()
            other.stop()
        }
        #expect(await ask(server.url, caPath: server.certificate) == .answer(200, ""))
        for caPath in [nil, other.certificate] {
            #expect(
                await ask(server.url, caPath: caPath)
                    == .failure(
                        "its certificate is not trusted (self-signed certificate): set ssl:ca_path in agent.yml"
                    ))
        }
        #expect(
            await ask(server.url, caPath: "/dev/null")
                == .failure("no certificate can be read from the file that ssl:ca_path names"))
    }

    @Test(
        "only TLS 1.2 and later are spoken",
        .enabled(if: TLSServer.isPossible, "takes openssl and python3"),
        arguments: [("TLSv1", false), ("TLSv1_1", false), ("TLSv1_2", true), ("TLSv1_3", true)])
    func versions(version: String, isSpoken: Bool) async throws {
        let server = try TLSServer(version: version)
        defer { server.stop() }
        let outcome = await ask(server.url, caPath: server.certificate)
        if isSpoken {
            #expect(outcome == .answer(200, ""))
        } else {
            guard case .failure(let problem) = outcome else {
                Issue.record("\(version) was spoken")
                return
            }
            #expect(problem.hasPrefix("it does not speak TLS 1.2 or later ("), "\(problem)")
        }
    }

    @Test(
        "a certificate for another name, and one that has ended, are said to be that",
        .enabled(if: TLSServer.isPossible, "takes openssl and python3"),
        arguments: [
            ("DNS:other.example", 2, "its certificate is for another name: "),
            ("IP:127.0.0.1", -1, "its certificate is not valid now: certificate has expired; "),
        ])
    func certificates(name: String, days: Int, problem: String) async throws {
        let server = try TLSServer(name: name, days: days)
        defer { server.stop() }
        guard case .failure(let found) = await ask(server.url, caPath: server.certificate) else {
            Issue.record("trusted")
            return
        }
        #expect(found.hasPrefix(problem), "\(found)")
    }

    @Test("a server that answers without TLS is said to do so")
    func plain() async throws {
        let server = try StubServer(.babble)
        defer { server.stop() }
        let silent = Task { await ask("https://127.0.0.1:\(server.port)", timeout: .milliseconds(500)) }
        // It waits for a request that never comes.
        #expect(await silent.value == .failure("no connection within the time allowed"))
    }
}
