import Foundation
import NIOCore
import PDProtocol
import PDTestSupport
import Testing

@testable import PDFleet
@testable import PDServer

@Suite("The bytes of all request bodies together are bounded")
struct BodyBudgetTests {
    @Test("what is taken is missing for others until the request ends")
    func shares() {
        let budget = BodyBudget(bytes: 10)
        var second = BodyBudget.Share(of: budget)
        var answers: [Bool] = []
        do {
            var first = BodyBudget.Share(of: budget)
            answers += [first.take(4), first.take(4), second.take(3), second.take(2), first.take(1)]
        }
        answers += [second.take(8), second.take(1)]
        #expect(answers == [true, true, false, true, false, true, false])
    }

    @Test("large bodies leave half of the bytes to small ones")
    func largeBodies() {
        let budget = BodyBudget(bytes: 100, small: 10)
        var large = BodyBudget.Share(of: budget)
        var small = BodyBudget.Share(of: budget)
        let answers = [
            large.take(40), large.take(11), large.take(10), small.take(10), small.take(1),
        ]
        #expect(answers == [true, false, true, true, false])
    }

    @Test("p121_requests whose body does not come take nobody's place, and overload is answered with 503")
    func p121_slowBodies() async throws {
        var options = FleetEndpoints.Options()
        options.requests = 4
        try await TestFleet.with { fleet in
            let report = try fleet.signed(#"{"hostname": "h", "plugins": {"p": 1}}"#)
            let endpoints = try fleet.endpoints(options: options)
            try await fleet.serving(Listener(host: "127.0.0.1", port: 0), endpoints: endpoints) { port in
                let head = """
                    POST \(V1.submitPath) HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\nd
                    """
                let peers = (0..<12).map { _ in socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
                defer { for peer in peers { close(peer) } }
                for peer in peers {
                    try #require(Self.connect(peer, to: port))
                    #expect(send(peer, head, head.utf8.count, Int32(MSG_NOSIGNAL)) == head.utf8.count)
                }
                try await Task.sleep(for: .milliseconds(300))
                let file = fleet.directory.appending(path: "report")
                try Data(report.readableBytesView).write(to: file)
                func status() async throws -> String {
                    try await Program.run(
                        "/usr/bin/curl",
                        [
                            "-sS", "-o", "/dev/null", "-w", "%{http_code} %header{retry-after}",
                            "--data-binary", "@\(file.path)", "http://127.0.0.1:\(port)\(V1.submitPath)",
                        ]
                    ).output
                }
                #expect(try await status() == "200 ")
                for _ in 0..<4 { #expect(endpoints.limits.requests.enter()) }
                #expect(try await status() == "503 5")
                for _ in 0..<4 { endpoints.limits.requests.leave() }
                #expect(try await status() == "200 ")
            }
        }
    }

    private static func connect(_ descriptor: Int32, to port: Int) -> Bool {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
