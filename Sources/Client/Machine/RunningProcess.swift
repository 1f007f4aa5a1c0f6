/// A process that runs now, by `/proc` (proc(5)).
struct RunningProcess: Equatable, Sendable {
    /// Its number.
    let id: String
    /// The number of the user whose it is.
    let uid: UInt32
    /// The number of the process that started it, or that took it over.
    let parent: String
    /// The kernel's name for it, of at most 15 bytes.
    let name: String
    /// Its command line; empty for threads of the kernel.
    let arguments: [String]

    /// The program's name without its directory, as its command line says it. NixOS wraps programs as `.NAME-wrapped`.
    var program: String {
        guard let first = arguments.first, let last = first.split(separator: "/").last else { return name }
        guard last.hasPrefix("."), last.hasSuffix("-wrapped") else { return String(last) }
        return String(last.dropFirst().dropLast("-wrapped".count))
    }

    /// Whether it is that program, by its command line or by the kernel's name for it.
    func isProgram(_ wanted: String) -> Bool {
        program == wanted || name == String(decoding: Array(wanted.utf8.prefix(15)), as: UTF8.self)
    }

    /// All of them that we may see, in the order of their numbers. One that ends meanwhile is left out.
    static func all(_ machine: Machine) throws -> [RunningProcess] {
        let numbers = try machine.names(in: "/proc").compactMap { UInt32($0) }.sorted()
        return numbers.compactMap { number in
            guard let status = try? machine.text("/proc/\(number)/status"),
                let line = try? machine.text("/proc/\(number)/cmdline")
            else { return nil }
            return parse(id: String(number), status: status, commandLine: line)
        }
    }

    /// Reads `/proc/N/status` and `/proc/N/cmdline`.
    static func parse(id: String, status: String, commandLine: String) -> RunningProcess? {
        var name = ""
        var uid: UInt32?
        var parent = ""
        for line in status.split(separator: "\n") {
            if line.hasPrefix("Name:") { name = trimmed(line.dropFirst(5)) }
            if line.hasPrefix("PPid:") { parent = trimmed(line.dropFirst(5)) }
            // Real, effective, saved, file system: whose files it may read is what counts.
            if line.hasPrefix("Uid:") {
                uid = line.dropFirst(4).split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap {
                    UInt32($0)
                }
            }
        }
        guard let uid else { return nil }
        var arguments = commandLine.split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
        if arguments.last == "" { arguments.removeLast() }
        return RunningProcess(id: id, uid: uid, parent: parent, name: name, arguments: arguments)
    }

    /// What its environment was when it started; empty where we may not read it.
    func environment(_ machine: Machine) -> [String: String] {
        // One that is another user's, or has ended, tells nothing.
        guard let text = try? machine.text("/proc/\(id)/environ") else { return [:] }
        return Self.environment(text)
    }

    /// Reads `/proc/N/environ`; of a name that is there twice, the first counts, as getenv(3) has it.
    static func environment(_ text: String) -> [String: String] {
        Dictionary(
            text.split(separator: "\0").compactMap { entry in
                entry.firstIndex(of: "=").map {
                    (String(entry[..<$0]), String(entry[entry.index(after: $0)...]))
                }
            }, uniquingKeysWith: { first, _ in first })
    }
}
