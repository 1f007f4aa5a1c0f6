import Foundation
import PDCrypto
import PDDocument
import PDFiles
import PDProtocol
import Testing

@testable import PDClient

@Suite("The fleet's checks, on the machine itself")
struct MachineChecksTests {
    private static func check(_ name: String, _ query: Document) -> PublishedChecks.Check {
        PublishedChecks.Check(name: name, title: "About \(name)", query: query)
    }

    private static let report: Document = [
        "hostname": "laptop", "submitted_at": .date(milliseconds: 1_750_000_000_000),
        "plugins": [
            "firewall": ["status": "off", "reason": "no rules"], "disk": ["status": "unknown"],
            "booted_at": .date(milliseconds: 1_749_000_000_000),
        ],
    ]

    private func answers(_ checks: [PublishedChecks.Check], on distributions: [String] = []) throws
        -> [MachineChecks.Answer]
    {
        try MachineChecks(PublishedChecks(checks), source: "test").answers(
            Self.report, distributions: distributions, now: 1_750_000_000_000)
    }

    @Test("a check finds, passes, cannot tell, or is about other machines")
    func verdicts() throws {
        var failing = Self.check("firewall", ["plugins.firewall.status": "off"])
        failing.evidence = "plugins.firewall.reason"
        var unknown = Self.check("disk", ["plugins.disk.status": ["$ne": "on"]])
        unknown.unknown = ["plugins.disk.status": "unknown"]
        var other = Self.check("eset", ["plugins.eset.running": ["$ne": true]])
        other.appliesTo = ["plugins.eset": ["$exists": true]]
        let passing = Self.check("silent", ["submitted_at": ["$lt": ["$ago": "1d"]]])
        let old = Self.check("old", ["plugins.booted_at": ["$lt": ["$ago": "1d"]]])
        // An expression that never comes to an end must not look well.
        let endless = Self.check(
            "endless", ["plugins.firewall.reason": ["$regex": "(a*)*(b*)*(c*)*z(n| |o)*$"]])
        let found = try answers([failing, unknown, other, passing, old, endless])
        #expect(found.prefix(5).map(\.verdict) == [.failing, .unknown, .notApplicable, .passing, .failing])
        #expect(found[0].evidence == "no rules" && found[3].evidence.isEmpty)
        #expect(throws: AgentError.self) { try answers([Self.check("bad", ["x": ["$gtt": 1]])]) }
    }

    @Test("what to do is what the machine's distribution, or the one that it is like, wants")
    func fixes() throws {
        var check = Self.check("firewall", ["plugins.firewall.status": "off"])
        check.fix = "apt"
        check.fixOn = ["fedora": "dnf", "rocky": "special"]
        #expect(try answers([check])[0].fix == "apt")
        #expect(try answers([check], on: ["almalinux", "rhel", "centos", "fedora"])[0].fix == "dnf")
        #expect(try answers([check], on: ["rocky", "rhel", "fedora"])[0].fix == "special")
        check = Self.check("firewall", ["plugins.firewall.status": "on"])
        check.fix = "apt"
        #expect(try answers([check])[0].fix.isEmpty)
    }

    @Test("checks survive their way as JSON, and what is none is refused in one line")
    func json() throws {
        var check = Self.check("a", ["x": ["$in": [1, "2", .null]]])
        check.fixOn = ["fedora": "dnf"]
        check.appliesTo = ["y": ["$exists": true]]
        check.unknown = ["z": "unknown"]
        check.evidence = "plugins.z"
        check.severity = "critical"
        let checks = PublishedChecks([check, Self.check("b", [:])])
        #expect(try PublishedChecks(json: Array(checks.json.utf8)) == checks)
        for bad in ["", "[]", "{}", #"{"checks": 1}"#, #"{"checks": [1]}"#, #"{"checks": [{"name": "a"}]}"#] {
            #expect(throws: ProtocolError.self, "\(bad)") { try PublishedChecks(json: Array(bad.utf8)) }
        }
    }

    @Test("checks of a release count more than those of the kit, and only as they were signed")
    func released() async throws {
        let machine = try ReleaseMachine()
        func load() throws -> MachineChecks {
            try MachineChecks(
                state: machine.state, trust: machine.settings.trust, log: LogLines().logger(),
                now: ReleaseMachine.now * 1000)
        }
        let kit = PublishedChecks([Self.check("kit", [:])])
        let released = PublishedChecks([Self.check("released", [:])])
        #expect {
            try load()
        } throws: { error in
            if case AgentError.noChecks = error { true } else { false }
        }
        try Files.writeAtomically(Array(kit.json.utf8), to: machine.state.checks)
        #expect(try load().source == "the kit that this machine joined with")
        _ = try await machine.updater().run(machine.release(1) { $0.files["checks.json"] = released.json })
        #expect(try load().source == "release 1")
        #expect(
            try load().answers(Self.report, distributions: [], now: 0).map(\.check.name) == ["released"])
        // Whoever can write the file is not whoever could sign it; nor do the kit's take its place.
        try machine.directory.write(kit.json, to: "/state/releases/1/checks.json")
        #expect(throws: AgentError.self) { try load() }
    }
}
