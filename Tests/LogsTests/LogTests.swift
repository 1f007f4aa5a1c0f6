import Foundation
import Logging
import PDFiles
import PDSettings
import Synchronization
import Testing

@testable import PDLogs

@Suite("The log")
struct LogTests {
    private static func line(
        _ message: String, _ metadata: [(String, String)] = [], level: Logger.Level = .info
    ) -> LogLine {
        LogLine(time: 1_500_000_000_000, level: level, message: message, metadata: metadata)
    }

    private static func read(_ yaml: String) throws -> LogSettings {
        var top = try SettingsMapping(yaml: yaml, file: "x")
        var notes: [String] = []
        let settings = try LogSettings(&top, notes: &notes)
        try top.finish()
        return settings
    }

    /// Lends a directory.
    private func directory<Result>(_ body: (URL) throws -> Result) throws -> Result {
        let directory = FileManager.default.temporaryDirectory.appending(path: "pd-log-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: directory) }
        return try body(directory)
    }

    @Test("a line is one line, whatever a peer put into it")
    func escaping() {
        let evil = "x\n2017-01-01T00:00:00Z critical forged\u{1B}[2J\u{9B}\u{202E} \"q\" \\"
        let line = Self.line(evil, [("peer", evil), ("a b", "c=d"), ("plain", "192.0.2.1"), ("empty", "")])
        for text in [line.text, line.body, line.json] {
            #expect(!text.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) })
            #expect(!text.contains("\u{202E}"))
        }
        #expect(line.text.hasPrefix(#"2017-07-14T02:40:00.000Z info x\n2017"#))
        #expect(line.text.contains(#" plain=192.0.2.1 "#))
        #expect(line.text.contains(#" a b="c=d" "#))
        #expect(line.text.hasSuffix(#" empty="""#))
    }

    @Test("as JSON each line is an object, and metadata cannot pose as the line's own fields")
    func json() throws {
        let line = Self.line("m", [("level", "forged"), ("status", "403")], level: .warning)
        let object = try JSONSerialization.jsonObject(with: Data(line.json.utf8)) as? [String: String]
        #expect(
            object == [
                "time": "2017-07-14T02:40:00.000Z", "level": "warning", "message": "m", "_level": "forged",
                "status": "403",
            ])
    }

    @Test("under systemd a line begins with its priority and leaves the time to the journal")
    func journal() {
        let sink = StandardErrorSink(json: false, isJournal: true)
        #expect(sink.text(Self.line("m", level: .error)) == "<3>error m\n")
        let plain = StandardErrorSink(json: false, isJournal: false)
        #expect(plain.text(Self.line("m")) == "2017-07-14T02:40:00.000Z info m\n")
    }

    @Test(
        "a file that is full is set aside, a few of them are kept, and one that was moved away is made anew")
    func rotation() throws {
        try directory { directory in
            let path = directory.appending(path: "server.log").path
            let sink = try FileSink(path: path, maximumBytes: 200, kept: 2, json: false)
            for number in 0..<20 { sink.write(Self.line("line \(number) of some length to fill it")) }
            let names = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
            #expect(names == ["server.log", "server.log.1", "server.log.2"])
            for name in names {
                let size = try Data(contentsOf: directory.appending(path: name)).count
                #expect((1...200).contains(size), "\(name)")
            }
            #expect(try String(contentsOfFile: path, encoding: .utf8).contains("line 19"))
            rename(path, path + ".moved")
            sink.write(Self.line("after"))
            #expect(try String(contentsOfFile: path, encoding: .utf8).contains("after"))
            var info = stat()
            #expect(stat(path, &info) == 0 && info.st_mode & 0o007 == 0)
        }
    }

    @Test("a link in the place of the file is not followed")
    func link() throws {
        try directory { directory in
            let target = directory.appending(path: "target").path
            let path = directory.appending(path: "server.log").path
            #expect(symlink(target, path) == 0)
            #expect(throws: FileError.self) {
                try FileSink(path: path, maximumBytes: 200, kept: 2, json: false)
            }
            #expect(!FileManager.default.fileExists(atPath: target))
        }
    }

    @Test("each destination gets what it wants to know")
    func levels() throws {
        try directory { directory in
            let yaml = """
                logging:
                  level: debug
                  destinations:
                    - {handler: file, file: \(directory.path)/all, format: json}
                    - {handler: file, file: \(directory.path)/errors, level: error}
                """
            let settings = try Self.read(yaml)
            #expect(settings.destinations.map(\.level) == [.debug, .error])
            let output = try LogOutput(settings, program: "pd-server")
            let logger = output.logger("test")
            logger.trace("nobody")
            logger.debug("some")
            logger.error("both", metadata: ["key": "value"])
            output.flush()
            func lines(_ name: String) throws -> [Substring] {
                try String(contentsOf: directory.appending(path: name), encoding: .utf8).split(
                    separator: "\n")
            }
            #expect(try lines("all").count == 2)
            #expect(try lines("errors").count == 1)
            #expect(try lines("errors").first?.hasSuffix("error both: key=value") == true)
        }
    }

    /// A socket that a test reads as the system's log would.
    private func receive(_ transport: String, _ body: (Int) throws -> Void) throws -> String {
        let (listener, port) = try bound(transport == "tcp" ? SOCK_STREAM : SOCK_DGRAM)
        defer { close(listener) }
        if transport == "tcp" { #expect(listen(listener, 1) == 0) }
        try body(Int(port))
        let connection = transport == "tcp" ? accept(listener, nil, nil) : listener
        defer { if connection != listener { close(connection) } }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(connection, &buffer, buffer.count, 0)
        return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }

    @Test("another machine's log gets RFC 5424, over TCP behind its length", arguments: ["udp", "tcp"])
    func syslogRemote(transport: String) throws {
        let text = try receive(transport) { port in
            let yaml =
                "logging: {handler: syslog, syslog: {facility: local3, host: 127.0.0.1, port: \(port), transport: \(transport)}}"
            let output = try LogOutput(Self.read(yaml), program: "pd-server")
            output.logger("test").warning("hello", metadata: ["host": "h"])
            output.flush()
        }
        // 19 × 8 + 4
        let message = transport == "tcp" ? String(text.drop { $0 != "<" }) : text
        #expect(message.hasPrefix("<156>1 "))
        #expect(message.hasSuffix(" pd-server \(getpid()) - - warning hello: host=h"))
        if transport == "tcp" { #expect(text.prefix { $0 != " " } == "\(message.utf8.count)") }
    }

    @Test("this machine's log gets the traditional form, and a log that is not there stops nobody")
    func syslogLocal() throws {
        try directory { directory in
            let path = directory.appending(path: "log").path
            let settings = try Self.read("logging: {handler: syslog, syslog: {facility: daemon}}")
            guard case .syslog(let syslog) = settings.destinations.first?.place else {
                Issue.record("no syslog")
                return
            }
            #expect(syslog.transport == .local)
            SyslogSink(syslog, program: "pd-server", json: false, path: path).write(Self.line("lost"))
            let listener = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            defer { close(listener) }
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
            let bound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            #expect(bound == 0)
            SyslogSink(syslog, program: "pd-server", json: false, path: path).write(Self.line("hello"))
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = recv(listener, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            let text = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
            #expect(text == "<30>pd-server[\(getpid())]: info hello")
        }
    }

    /// What the system's log would read, one datagram each, as they lie there.
    private func waiting(_ descriptor: Int32) -> [String] {
        var texts: [String] = []
        var buffer = [UInt8](repeating: 0, count: 200_000)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { return texts }
            texts.append(String(decoding: buffer.prefix(count), as: UTF8.self))
        }
    }

    /// Binds a socket on this machine, to a port or to any; the caller closes it.
    private func bound(
        _ type: __socket_type = SOCK_DGRAM, port: in_port_t = 0
    ) throws -> (descriptor: Int32, port: in_port_t) {
        let descriptor = socket(AF_INET, Int32(type.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        try #require(isBound)
        return (descriptor, in_port_t(bigEndian: address.sin_port))
    }

    private func syslog(_ yaml: String) throws -> SyslogSettings {
        let settings = try Self.read("logging: {handler: syslog, syslog: \(yaml)}")
        guard case .syslog(let syslog) = settings.destinations.first?.place else {
            throw SettingsError(file: "x", line: nil, message: "no syslog")
        }
        return syslog
    }

    @Test("a line that is too long is cut, says so, and as JSON it is still an object")
    func cutting() throws {
        for filling in ["k", "\u{1B}", "ä", "\u{1F427}"] {
            let long = String(repeating: filling, count: 100_000)
            let line = Self.line(long, [("host", "h"), ("key", long), ("other", long)])
            for bytes in [512, 2048, LogLine.maximumBytes] {
                for form in [\LogLine.text, \.body, \.json] {
                    let text = line.fitted(form, bytes: bytes)
                    #expect(text.utf8.count <= bytes && text.utf8.count > bytes / 8)
                    #expect(text.contains("[cut]") && !text.contains("\u{1B}"))
                }
                let object = try JSONSerialization.jsonObject(
                    with: Data(line.fitted(\.json, bytes: bytes).utf8))
                #expect((object as? [String: String])?["host"] == "h")
            }
        }
        #expect(Self.line("m", [("a", "b")]).fitted(\.body) == "info m: a=b")
    }

    @Test("a line longer than a datagram is cut, or lost and counted, and never silences those behind it")
    func longDatagrams() throws {
        let (descriptor, port) = try bound()
        defer { close(descriptor) }
        let settings = try syslog("{host: 127.0.0.1, port: \(port)}")
        let long = Self.line("long", [("key", String(repeating: "k", count: 100_000))])
        let sink = SyslogSink(settings, program: "pd-server", json: false)
        sink.write(long)
        sink.write(Self.line("next"))
        let cut = waiting(descriptor)
        #expect(cut.count == 2 && cut.first.map { $0.utf8.count <= 2048 && $0.hasSuffix("[cut]") } == true)
        let unbounded = SyslogSink(settings, program: "pd-server", json: false, maximumBytes: 200_000)
        unbounded.write(long)
        unbounded.write(Self.line("next"))
        let told = waiting(descriptor)
        #expect(told.count == 2 && told.first?.hasSuffix("info next") == true)
        #expect(told.last?.hasSuffix("warning log lines lost: count=1") == true)
    }

    @Test("what another machine refused is counted, and told when it listens again")
    func refusedDatagrams() throws {
        let (first, port) = try bound()
        let sink = SyslogSink(
            try syslog("{host: 127.0.0.1, port: \(port)}"), program: "pd-server", json: false)
        sink.write(Self.line("heard"))
        close(first)
        for number in 0..<3 { sink.write(Self.line("lost \(number)")) }
        let (second, _) = try bound(port: port)
        defer { close(second) }
        sink.write(Self.line("again"))
        let texts = waiting(second)
        #expect(texts.first?.hasSuffix("info again") == true)
        #expect(texts.last?.hasSuffix("warning log lines lost: count=3") == true)
    }

    @Test("what this machine's log did not take is counted, and told when it is back, as over a connection")
    func restartedSyslog() throws {
        try directory { directory in
            let path = directory.appending(path: "log").path
            func listening() throws -> Int32 {
                let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
                var address = sockaddr_un()
                address.sun_family = sa_family_t(AF_UNIX)
                withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
                let isBound = withUnsafePointer(to: &address) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
                    }
                }
                try #require(isBound)
                return descriptor
            }
            let first = try listening()
            let sink = SyslogSink(
                try syslog("{facility: daemon}"), program: "pd-server", json: false, path: path, pause: .zero)
            sink.write(Self.line("heard"))
            #expect(waiting(first).count == 1)
            close(first)
            unlink(path)
            for number in 0..<3 { sink.write(Self.line("lost \(number)")) }
            let second = try listening()
            defer { close(second) }
            sink.write(Self.line("again"))
            let id = "pd-server[\(getpid())]"
            #expect(
                waiting(second) == [
                    "<30>\(id): info again", "<28>\(id): warning log lines lost: count=3",
                ])
        }
    }

    @Test("a connection that the other side has closed is made again before a line is lost in it")
    func closedConnection() throws {
        let (listener, port) = try bound(SOCK_STREAM)
        defer { close(listener) }
        try #require(listen(listener, 4) == 0)
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let sink = SyslogSink(
            try syslog("{host: 127.0.0.1, port: \(port), transport: tcp}"), program: "pd-server", json: false)
        sink.write(Self.line("first"))
        let first = accept(listener, nil, nil)
        #expect(waiting(first).first?.hasSuffix("info first") == true)
        close(first)
        sink.write(Self.line("second"))
        let second = accept(listener, nil, nil)
        defer { close(second) }
        #expect(waiting(second).first?.hasSuffix("info second") == true)
    }

    @Test("a version 1 setting names the other machine, and wrong ones are refused")
    func settings() throws {
        let settings = try Self.read(
            "logging: {handler: syslog, level: warn, syslog: {facility: daemon, host: log.example.com, port: 1514}}"
        )
        guard case .syslog(let syslog) = settings.destinations.first?.place else {
            Issue.record("no syslog")
            return
        }
        #expect(syslog.transport == .udp && syslog.port == 1514 && syslog.facility == 3)
        for yaml in [
            "logging: {handler: carrier-pigeon}",
            "logging: {syslog: {facility: nowhere}}", "logging: {format: xml}",
            "logging: {destinations: [{hadler: file}]}",
        ] {
            #expect(throws: SettingsError.self) { try Self.read(yaml) }
        }
    }

    @Test("lines that come too fast are counted instead of piling up")
    func flood() throws {
        let written = Mutex<[String]>([])
        final class Slow: LogSink {
            let write: (String) -> Void
            init(write: @escaping (String) -> Void) { self.write = write }
            func write(_ line: LogLine) { write(line.body) }
        }
        let output = LogOutput([
            (
                .info,
                Slow { line in
                    let isFirst = written.withLock { lines in
                        lines.append(line)
                        return lines.count == 1
                    }
                    if isFirst { Thread.sleep(forTimeInterval: 0.3) }
                }
            )
        ])
        let logger = output.logger("test")
        for number in 0..<(LogOutput.waitingLimit + 5000) { logger.info("\(number)") }
        output.flush()
        let lines = written.withLock { $0 }
        #expect(lines.count < LogOutput.waitingLimit + 10)
        let told = lines.filter { $0.contains("left out") }.compactMap {
            Int($0.split(separator: "=").last ?? "")
        }
        let kept = lines.count { !$0.contains("left out") }
        #expect(!told.isEmpty && told.reduce(0, +) + kept == LogOutput.waitingLimit + 5000)
    }
}
