import Foundation
import PDDocument
import PDFiles
import Testing

@testable import PDClient

/// A machine read from a text file in `Machines/`, with what the collectors should find on it.
///
/// A line that begins with `@` is a directive; lines after it are its content:
/// - `@root`: we are root. `@kernel RELEASE ARCHITECTURE`. `@ipv4 DEVICE ADDRESS`.
/// - `@file PATH`, `@link PATH TARGET`, `@directory PATH`: what lies where.
/// - `@block NAME NUMBER [of=DISK] [slaves=A,B] [uuid=…] [name=…] [backing=PATH]`: a block device as sysfs shows it.
/// - `@modified PATH DAYS`: how long before the collectors' time what lies there was last changed.
/// - `@command CODE [uid=NUMBER] ARGUMENTS…`: a command, in the session of a user where there is a number, with what it
///   writes; lines that begin with `!` go to standard error.
/// - `@expect COLLECTOR`: the result, as JSON.
struct RecordedMachine: CustomTestStringConvertible {
    let name: String
    let expected: [(collector: String, result: String)]
    private let directives: [(words: [String], content: String)]

    var testDescription: String { name }

    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Machines")

    static let all: [RecordedMachine] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.sorted().compactMap { try? RecordedMachine($0) }
    }()

    init(_ name: String) throws {
        self.name = name
        let text = try String(contentsOf: Self.folder.appendingPathComponent(name), encoding: .utf8)
        var directives: [(words: [String], content: String)] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("@") {
                directives.append((line.dropFirst().split(separator: " ").map(String.init), ""))
            } else if !directives.isEmpty {
                directives[directives.count - 1].content += line + "\n"
            }
        }
        self.directives = directives
        expected = directives.filter { $0.words[0] == "expect" }.map { ($0.words[1], $0.content) }
    }

    /// The time of the collectors: the beginning of 2026 UTC.
    static let now: Int64 = 1_767_225_600_000

    /// What a collector has to work with on that machine: its own commands, and a time that stands still.
    static func context(_ machine: Machine, _ collector: any Collector) -> CollectorContext {
        CollectorEnvironment(machine: machine, now: { now })
            .context(for: collector, deadline: machine.deadline)
    }

    /// Lays the machine out under a directory, and lends it.
    func use<R>(_ body: (Machine) throws -> R) throws -> R {
        let root = try TemporaryDirectory()
        defer { root.remove() }
        var commands: [String: CommandOutput] = [:]
        var addresses: [Machine.Address] = []
        var isRoot = false
        var kernel = Machine.Kernel(release: "6.1.0-28-amd64", architecture: "x86_64")
        var disks: [String: String] = [:]
        for (words, content) in directives {
            let text = content.hasSuffix("\n\n") ? String(content.dropLast()) : content
            switch words[0] {
            case "root": isRoot = true
            case "kernel": kernel = .init(release: words[1], architecture: words[2])
            case "ipv4": addresses.append(.init(device: words[1], address: words[2]))
            case "file": try root.write(text.replacingOccurrences(of: "␀", with: "\0"), to: words[1])
            case "link":
                // In the recorded tree, not in the one that the test runs in.
                try root.link(words[1], to: words[2].hasPrefix("/") ? root.path + words[2] : words[2])
            case "directory": try root.makeDirectory(words[1])
            case "modified":
                let days = try #require(Int64(words[2]))
                let time = Date(timeIntervalSince1970: Double(Self.now / 1000 - days * 86_400))
                try FileManager.default.setAttributes(
                    [.modificationDate: time], ofItemAtPath: root.path + words[1])
            case "block": try Self.block(words, root, &disks)
            case "command":
                let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
                let errors = lines.filter { $0.hasPrefix("!") }.map { $0.dropFirst() + "\n" }.joined()
                let output = lines.filter { !$0.hasPrefix("!") }.joined(separator: "\n")
                commands[words.dropFirst(2).joined(separator: " ")] = CommandOutput(
                    stdout: Array(output.utf8), stderr: Array(errors.utf8),
                    returncode: try #require(Int32(words[1])))
            case "expect": break
            default: Issue.record("\(name): unknown directive \(words[0])")
            }
        }
        let recorded = commands
        let ipv4 = addresses
        return try body(
            Machine(
                root: root.path, kernel: kernel, isRoot: isRoot,
                ipv4Addresses: { () throws(FileError) in ipv4 },
                execute: { (invocation, _) throws(CommandError) in
                    let user = invocation.session.map { "uid=\($0.uid) " } ?? ""
                    guard let output = recorded[user + invocation.arguments.joined(separator: " ")] else {
                        throw CommandError.notInstalled(invocation.arguments[0])
                    }
                    return output
                }))
    }

    private static func block(
        _ words: [String], _ root: TemporaryDirectory, _ disks: inout [String: String]
    ) throws {
        let name = words[1]
        let options = Dictionary(
            uniqueKeysWithValues: words.dropFirst(3).map { word in
                let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
                return (parts[0], parts[1])
            })
        let place = options["of"].map { "\($0)/\(name)" } ?? name
        disks[name] = place
        let directory = "/sys/devices/block/\(place)"
        try root.write(words[2] + "\n", to: "\(directory)/dev")
        if options["of"] != nil { try root.write("1\n", to: "\(directory)/partition") }
        try root.link("/sys/dev/block/\(words[2])", to: "../../devices/block/\(place)")
        try root.link("/sys/class/block/\(name)", to: "../../devices/block/\(place)")
        try root.write("", to: "/dev/\(name)")
        if let uuid = options["uuid"] { try root.write(uuid + "\n", to: "\(directory)/dm/uuid") }
        if let mapped = options["name"] {
            try root.write(mapped + "\n", to: "\(directory)/dm/name")
            try root.link("/dev/mapper/\(mapped)", to: "../\(name)")
        }
        if let file = options["backing"] { try root.write(file + "\n", to: "\(directory)/loop/backing_file") }
        for slave in (options["slaves"] ?? "").split(separator: ",").map(String.init) {
            try root.link("\(directory)/slaves/\(slave)", to: "../../\(disks[slave] ?? slave)")
        }
    }
}

/// A directory that a test may fill. It goes with its last owner, or when a test says so.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        let template = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
            .appendingPathComponent("pd-client-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: template, withIntermediateDirectories: true)
        path = template.path
    }

    func makeDirectory(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: path + name, withIntermediateDirectories: true)
    }

    func write(_ text: String, to name: String) throws {
        try makeDirectory((name as NSString).deletingLastPathComponent)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path + name))
    }

    func link(_ name: String, to target: String) throws {
        try makeDirectory((name as NSString).deletingLastPathComponent)
        try FileManager.default.createSymbolicLink(atPath: path + name, withDestinationPath: target)
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }

    deinit { remove() }
}
