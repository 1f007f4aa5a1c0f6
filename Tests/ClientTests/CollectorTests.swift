import Foundation
import PDBasics
import PDDocument
import PDFiles
import Testing

@testable import PDClient

@Suite("Collectors")
struct CollectorTests {
    @Test("find on a recorded machine what is true of it", arguments: RecordedMachine.all)
    func recorded(_ recorded: RecordedMachine) throws {
        #expect(!recorded.expected.isEmpty)
        for (name, json) in recorded.expected {
            let collector = try #require(BuiltInCollectors.all.first { $0.name == name })
            let found = try recorded.use { try collector.collect(RecordedMachine.context($0, collector)) }
            let expected = try #require(
                try Document(
                    json: Array(
                        "{\"result\":\(json)}".replacingOccurrences(of: "@VERSION@", with: BuildStamp.text)
                            .utf8))["result"])
            #expect(found.json(pretty: true) == expected.json(pretty: true), "\(recorded.name)")
        }
    }

    @Test("have recorded machines to look at")
    func thereAreMachines() {
        let seen = Set(RecordedMachine.all.flatMap { $0.expected.map(\.collector) })
        #expect(seen == Set(BuiltInCollectors.all.map(\.name)))
        #expect(RecordedMachine.all.count > 20)
    }

    @Test(
        "agree with themselves on the machine that runs this test", arguments: BuiltInCollectors.all.indices)
    func stable(_ index: Int) throws {
        let collector = BuiltInCollectors.all[index]
        #expect(
            try collector.collect(RecordedMachine.context(.this(), collector))
                == collector.collect(RecordedMachine.context(.this(), collector)))
    }

    @Test(
        "find the same of sshd whether or not it answers for its settings: its run directory comes and goes")
    func sshdAnswers() throws {
        let text = "Port 22\nPermitRootLogin no\nPasswordAuthentication no\n"
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        try directory.write(text, to: "/etc/ssh/sshd_config")
        let results = [Int32(0), 255].map { returncode in
            let machine = Machine(
                root: directory.path, kernel: .init(release: "6.1.0", architecture: "x86_64"), isRoot: true,
                ipv4Addresses: { () throws(FileError) in [] },
                execute: { (_, _) throws(CommandError) in
                    CommandOutput(
                        stdout: returncode == 0 ? Array(text.lowercased().utf8) : [],
                        stderr: Array("Missing privilege separation directory: /run/sshd\n".utf8),
                        returncode: returncode)
                })
            var writer = DocumentWriter()
            SSHDSettings.read(machine).append(to: &writer)
            return writer.finish()
        }
        #expect(results[0]["permit_root_login"] == "no")
        #expect(results[0] == results[1])
    }

    @Test("p142_say that rules are unknown where nft is missing, has no JSON, or prints too much")
    func unreadableRules() throws {
        let faults: [CommandError?] = [
            .notInstalled("nft"), .outputTooLong("nft", CommandOutput(stdout: [])), nil,
        ]
        for fault in faults {
            let directory = try TemporaryDirectory()
            defer { directory.remove() }
            let machine = Machine(
                root: directory.path, kernel: .init(release: "6.1.0", architecture: "x86_64"), isRoot: true,
                ipv4Addresses: { () throws(FileError) in [] },
                execute: { (invocation, _) throws(CommandError) in
                    if invocation.arguments[0] == "nft" {
                        if let fault { throw fault }
                        return CommandOutput(
                            stdout: [], stderr: Array("Error: JSON support not compiled-in\n".utf8),
                            returncode: 1)
                    }
                    // iptables sees none of the rules that nft has.
                    return CommandOutput(stdout: Array("-P INPUT ACCEPT\n".utf8))
                })
            let found = try FirewallCollector().collect(RecordedMachine.context(machine, FirewallCollector()))
            #expect(found.document?["status"] == "unknown")
            #expect(found.document?["reason"]?.string?.isEmpty == false)
        }
    }

    @Test(
        "write addresses as RFC 5952 asks",
        arguments: [
            ("00000000000000000000000000000001", "::1"), ("00000000000000000000000000000000", "::"),
            ("20010db8000000000001000000000001", "2001:db8::1:0:0:1"),
            ("20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1"),
            ("fe80000000000000001122fffe334455", "fe80::11:22ff:fe33:4455"),
        ])
    func ipv6(digits: String, text: String) {
        #expect(InternetAddress.ipv6Text(hexadecimal: Substring(digits)) == text)
    }

    @Test("read the kernel's octal escapes in mount points, and what only looks like one")
    func escapes() {
        #expect(MountTable.unescape("/a\\040b\\134c\\\\04") == "/a b\\c\\\\04")
    }

    @Test("p201_read mount options that are no names with values")
    func mountOptions() {
        let table = MountTable("30 1 254:0 / / rw - ext4 /dev/vda rw,=,=x,a=,b=c=d,,\n")
        #expect(table.mounts.first?.options == ["rw": "", "": "x", "a": "", "b": "c=d"])
    }

    @Test("no name hides another mount: equal texts of other bytes, characters that join with a space")
    func hiding() {
        func line(_ point: String, _ source: String) -> String {
            "30 1 254:0 / \(point) rw - ext4 \(source) rw\n"
        }
        let points = ["/\u{e9}", "/e\u{301}", "/a\u{600}", "/z"]
        let table = MountTable(points.map { line($0, "\u{301}x") }.joined())
        #expect(Set(table.mounts.map { Array($0.point.utf8) }) == Set(points.map { Array($0.utf8) }))
        #expect(table.mounts.allSatisfy { $0.type == "ext4" && $0.source == "\u{301}x" })
    }
}
