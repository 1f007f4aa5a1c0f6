import Foundation
import PDTestSupport
import Testing

@Suite("The units of an agent", .timeLimit(.minutes(1)))
struct AgentUnitsTests {
    private static let names = [
        "penguindome-agent-update.service", "penguindome-agent.service", "penguindome-agent.timer",
    ]

    /// Units in a directory of their own that start the built program.
    private func install(_ fleet: FleetRunner) throws -> (SharesToolRunner.Outcome, units: String) {
        let root = fleet.tools.path("root").path
        let programs = SharesToolRunner.executable.deletingLastPathComponent().path
        return (
            try fleet.run("pd-agent", "install-units", "--root", root, "--programs", programs),
            root + "/usr/lib/systemd/system"
        )
    }

    @Test("are written for everybody to read, once; one that was changed is mended")
    func install() throws {
        let fleet = try FleetRunner()
        let (first, units) = try install(fleet)
        #expect(first.status == 0 && first.text.split(separator: "\n").count == 3, "\(first.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: units).sorted() == Self.names)
        let cycle = try String(contentsOfFile: "\(units)/penguindome-agent.service", encoding: .utf8)
        #expect(cycle.contains("/pd-agent cycle --state /var/lib/penguindome/agent\n"))
        #expect(cycle.contains("After=network-online.target penguindome-agent-update.service\n"))
        // A cycle reports what is mounted: nothing may give it a view of its own.
        for name in [
            "Protect", "Private", "ReadOnlyPaths", "InaccessiblePaths", "DynamicUser", "RootDirectory",
        ] {
            #expect(!cycle.contains("\n\(name)"), "\(name)")
        }
        try Data("[Service]\n".utf8).write(to: URL(filePath: "\(units)/penguindome-agent.service"))
        let second = try install(fleet).0
        #expect(second.text.split(separator: "\n").map { $0.prefix(4) } == ["kept", "made", "kept"])
        #expect(try String(contentsOfFile: "\(units)/penguindome-agent.service", encoding: .utf8) == cycle)
        for name in Self.names {
            let found = try FileManager.default.attributesOfItem(atPath: "\(units)/\(name)")
            #expect(found[.posixPermissions] as? Int == 0o644)
        }
    }

    @Test(
        "name no path that a unit would read as something else",
        arguments: [
            "relative", "/with space", "/percent%h", "/dollar$HOME", "/quote\"", "/line\nExecStart=/x",
        ])
    func paths(path: String) throws {
        let fleet = try FleetRunner()
        let root = fleet.tools.path("root").path
        for option in ["--programs", "--state"] where path != "relative" || option == "--programs" {
            let outcome = try fleet.run("pd-agent", "install-units", "--root", root, option, path)
            #expect(outcome.status == 2 && outcome.errors.contains("must be absolute"), "\(outcome.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: root))
    }

    @Test(
        "are what systemd understands, and may do what they need and little else",
        .enabled(if: FileManager.default.fileExists(atPath: "/usr/bin/systemd-analyze")))
    func systemd() throws {
        let fleet = try FleetRunner()
        let (_, units) = try install(fleet)
        let analyze = "/usr/bin/systemd-analyze"
        let files = Self.names.map { "\(units)/\($0)" }
        let verdict = try fleet.tools.run(["verify", "--man=no"] + files, program: analyze)
        #expect(verdict.status == 0 && !verdict.errors.contains("penguindome"), "\(verdict.errors)")
        let security = try fleet.tools.run(
            ["security", "--offline=true", "--threshold=60", "--no-pager", files[1]], program: analyze)
        #expect(security.status == 0, "\(security.text.suffix(300)) \(security.errors)")
    }
}
