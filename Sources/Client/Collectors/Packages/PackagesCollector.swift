import PDDocument

/// `packages`: what is installed, with versions. Long (100 kB on a desktop), so it is off until it is switched on.
struct PackagesCollector: Collector {
    let name = "packages"
    let commands: Set = ["dpkg-query", "rpm"]

    func collect(_ context: CollectorContext) throws -> Value {
        let machine = context.machine
        var managers: [(name: String, packages: [(name: String, version: String)])] = []
        if machine.exists("/var/lib/dpkg/status") {
            let output = try machine.run(
                "dpkg-query", "--show", "--showformat=${db:Status-Status} ${binary:Package} ${Version}\\n")
            managers.append(("dpkg", Self.lines(output.text, state: "installed")))
        }
        if machine.isInstalled("rpm"), !machine.exists("/var/lib/dpkg/status") {
            let output = try machine.run("rpm", "--query", "--all", "--queryformat", "i %{NAME} %{EVR}\\n")
            managers.append(("rpm", Self.lines(output.text, state: "i").filter { $0.name != "gpg-pubkey" }))
        }
        let local = try machine.names(in: "/var/lib/pacman/local")
        if !local.isEmpty { managers.append(("pacman", Self.pacman(local))) }
        let snaps = try machine.names(in: "/var/lib/snapd/snaps").compactMap(Self.snap)
        if !snaps.isEmpty { managers.append(("snap", snaps)) }
        guard !managers.isEmpty else {
            return ["status": "unknown", "reason": "no list of packages is known here"]
        }
        return .document(
            Document(
                managers.map { manager in
                    let sorted = manager.packages.sorted { ($0.name, $0.version) < ($1.name, $1.version) }
                    let list: [Value] = sorted.map {
                        ["name": .string($0.name), "version": .string($0.version)]
                    }
                    return (manager.name, .array(list))
                }))
    }

    /// Lines of state, name and version.
    static func lines(_ text: String, state: String) -> [(name: String, version: String)] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            return words.count == 3 && words[0] == state ? (String(words[1]), String(words[2])) : nil
        }
    }

    /// Directories called NAME-VERSION-RELEASE.
    static func pacman(_ names: [String]) -> [(name: String, version: String)] {
        names.compactMap { name in
            let parts = name.split(separator: "-")
            guard parts.count >= 3 else { return nil }
            return (parts.dropLast(2).joined(separator: "-"), parts.suffix(2).joined(separator: "-"))
        }
    }

    /// Files called NAME_REVISION.snap; of several revisions each.
    static func snap(_ file: String) -> (name: String, version: String)? {
        guard file.hasSuffix(".snap"), let line = file.lastIndex(of: "_") else { return nil }
        return (String(file[..<line]), String(file[file.index(after: line)...].dropLast(5)))
    }
}
