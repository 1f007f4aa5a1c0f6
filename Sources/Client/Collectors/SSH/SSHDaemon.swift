/// A server that waits for connections, as its command line tells (sshd(8)).
struct SSHDaemon: Equatable {
    /// Its process number; nothing for one that is not running.
    let process: String?
    /// The program, as it was started.
    let program: String
    /// `-f`: its settings file.
    private(set) var file: String?
    /// `-o`: settings that go before the file's.
    private(set) var options: [String] = []
    /// `-p`: where it listens.
    private(set) var ports: Set<UInt16> = []

    /// - Parameter words: its command line, the program first.
    init(process: String?, words: [String]) {
        self.process = process
        program = words.first ?? "sshd"
        var rest = words.dropFirst()
        while let word = rest.popFirst() {
            guard word.hasPrefix("-"), let letter = word.dropFirst().first else { continue }
            // Of letters that stand together the last may take a value.
            let flags = word.dropFirst().prefix { !"bCcEfghkopu".contains($0) }
            let option = word.dropFirst(1 + flags.count)
            guard let name = option.first ?? (flags.isEmpty ? letter : nil) else { continue }
            let value = option.count > 1 ? String(option.dropFirst()) : rest.popFirst() ?? ""
            switch name {
            case "f": file = value.hasPrefix("/") ? value : nil
            case "o":
                // A title is split at spaces: `Name Value` comes as two words.
                let isWhole = value.contains("=") || value.contains(" ")
                options.append(isWhole ? value : "\(value) \(rest.popFirst() ?? "")")
            case "p": if let port = UInt16(value) { ports.insert(port) }
            default: break
            }
        }
    }

    /// By `/proc/PID/cmdline`: words with zeros between them, or the title that sshd has given itself, `sshd: /usr/sbin/sshd
    /// -D [listener] 0 of 10-100 startups`. Nothing for a server of one connection.
    init?(process: String, commandLine: String) {
        let title = commandLine.prefix { $0 != "\0" }
        if let listener = Self.title(title) {
            self.init(process: process, words: listener)
        } else {
            guard title == "sshd" || title.hasSuffix("/sshd") else { return nil }
            self.init(process: process, words: commandLine.split(separator: "\0").map(String.init))
        }
    }

    private static func title(_ title: Substring) -> [String]? {
        let words = title.split(separator: " ").map(String.init)
        guard let end = words.firstIndex(of: "[listener]") else { return nil }
        return Array(words[..<end].drop { $0 == "sshd:" })
    }

    /// Whether it was started in the same way.
    func isLike(_ other: SSHDaemon) -> Bool {
        program == other.program && file == other.file && options == other.options && ports == other.ports
    }

    /// Whether it is the distribution's, which has its settings in `/etc/ssh`.
    var isStandard: Bool {
        !program.contains("/") || Machine.searchPath.contains { program == "\($0)/sshd" }
    }

    /// Has it tell its settings, as it was started.
    func askForSettings(_ machine: Machine) -> CommandOutput? {
        var arguments = ["sshd", "-T"]
        if let file { arguments += ["-f", file] }
        for option in options { arguments += ["-o", option] }
        if isStandard { return try? machine.run(arguments) }
        // Root has started it: it runs as root already.
        guard let process, machine.owner(ofProcess: process) == "0" else { return nil }
        return try? machine.run(arguments, executable: "/proc/\(process)/exe")
    }
}
