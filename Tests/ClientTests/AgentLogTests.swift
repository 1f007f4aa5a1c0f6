import Foundation
import Logging
import PDFiles
import Testing

@testable import PDClient

@Suite("The agent's log")
struct AgentLogTests {
    private func settings(_ logging: String, in directory: TemporaryDirectory) throws -> AgentSettings {
        try AgentSettings(
            yaml: "server_url: http://h\nlogging: \(logging)", file: directory.path + "/agent.yml")
    }

    private func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

    @Test("goes where the settings say, and all of it to a file below the state that only its owner reads")
    func places() throws {
        let directory = try TemporaryDirectory()
        let state = StateDirectory(directory.path + "/state")
        try directory.makeDirectory("/state")
        let log = AgentLog.logger(
            try settings("{handler: file, file: own.log, level: warning}", in: directory), state: state)
        log.debug("small")
        log.warning("large", metadata: ["k": "v"])
        #expect(text(directory.path + "/own.log").hasSuffix("Z warning large: k=v\n"))
        let kept = text("\(state.logs)/agent.log").split(separator: "\n")
        #expect(kept.count == 2 && kept[0].hasSuffix("debug small"))
        var status = stat()
        #expect(stat(state.logs, &status) == 0 && status.st_mode & 0o777 == 0o700)
    }

    @Test("is set aside when it is full, and a few old ones are kept")
    func rotation() throws {
        let directory = try TemporaryDirectory()
        let state = StateDirectory(directory.path + "/state")
        try directory.makeDirectory("/state")
        let log = AgentLog.logger(
            try settings("{handler: file, file: own.log, level: critical}", in: directory), state: state)
        let line = String(repeating: "x", count: 4096)
        for _ in 0..<((AgentLog.debugFile.kept + 2) * AgentLog.debugFile.bytes / 4096) {
            log.debug("\(line)")
        }
        let names = try Files.names(in: state.logs)
        #expect(names == ["agent.log"] + (1...AgentLog.debugFile.kept).map { "agent.log.\($0)" })
        for name in names {
            #expect(text("\(state.logs)/\(name)").utf8.count <= AgentLog.debugFile.bytes)
        }
    }

    @Test("p197_that cannot be written in one place is written in the others, which say so")
    func unwritable() throws {
        let directory = try TemporaryDirectory()
        let state = StateDirectory(directory.path + "/state")
        try directory.makeDirectory("/state")
        try directory.write("in the way", to: "/state/log")
        let log = AgentLog.logger(
            try settings(
                "{destinations: [{handler: file, file: own.log}, {handler: file, file: no/way.log}]}",
                in: directory), state: state)
        log.error("heard")
        let lines = text(directory.path + "/own.log")
        #expect(lines.contains("a log is not written") && lines.contains("no/way.log"))
        #expect(lines.contains("error heard"))
    }

    @Test("leaves nothing behind where a run is only to be looked at")
    func readOnly() throws {
        let directory = try TemporaryDirectory()
        let state = StateDirectory(directory.path + "/state")
        try directory.makeDirectory("/state")
        AgentLog.logger(try settings("{level: critical}", in: directory), state: state, isKept: false).debug(
            "x")
        #expect(try Files.names(in: state.path).isEmpty)
    }
}
