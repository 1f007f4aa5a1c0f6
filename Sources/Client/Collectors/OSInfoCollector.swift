import PDDocument

/// `os_info`: which operating system this is (os-release(5)) and which kernel runs.
struct OSInfoCollector: Collector {
    let name = "os_info"

    /// Fields of os-release and the names under which they are reported.
    private static let fields = [
        ("PRETTY_NAME", "pretty_name"), ("VERSION_CODENAME", "codename"), ("ID_LIKE", "id_like"),
        ("VARIANT_ID", "variant"), ("BUILD_ID", "build"), ("SUPPORT_END", "support_end"),
    ]

    func collect(_ machine: Machine) throws -> Value {
        let text =
            try machine.textIfPresent("/etc/os-release") ?? machine.textIfPresent("/usr/lib/os-release")
        let release = text.map(Self.parse) ?? [:]
        var result = DocumentWriter()
        // The defaults are those of os-release(5).
        result.append("id", .string(release["ID"] ?? "linux"))
        result.append("name", .string(release["NAME"] ?? "Linux"))
        // A rolling distribution has no version.
        result.append("version", release["VERSION_ID"].map(Value.string) ?? .null)
        for (field, name) in Self.fields { result.append(name, ifPresent: release[field]) }
        result.append("kernel", .string(machine.kernel.release))
        result.append("architecture", .string(machine.kernel.architecture))
        result.append("container", ifPresent: Container.kind(machine))
        return .document(result.finish())
    }

    /// Reads assignments with the quoting of a shell, as os-release(5) allows it.
    static func parse(_ text: String) -> [String: String] {
        var fields: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let line = trimmed(line)
            guard !line.hasPrefix("#"), let equals = line.firstIndex(of: "=") else { continue }
            fields[String(line[..<equals])] = unquote(line[line.index(after: equals)...])
        }
        return fields
    }

    private static func unquote(_ text: Substring) -> String {
        var result = ""
        var quote: Character?
        var escaped = false
        for character in text {
            if escaped {
                escaped = false
                result.append(character)
            } else if character == "\\", quote != "'" {
                escaped = true
            } else if character == quote {
                quote = nil
            } else if quote == nil, character == "\"" || character == "'" {
                quote = character
            } else {
                result.append(character)
            }
        }
        return result
    }
}

/// Whether we are inside a container, whose disks and rules are the host's.
enum Container {
    /// What kind of container this is; nothing outside of one.
    static func kind(_ machine: Machine) -> String? {
        if let name = machine.attribute("/run/systemd/container"), !name.isEmpty { return name }
        // Virtual machines made from container images have these files too, but a root file system on a device.
        let mounts = MountTable((try? machine.text("/proc/self/mountinfo")) ?? "")
        guard mounts.mount(holding: "/")?.number.hasPrefix("0:") != false else { return nil }
        if machine.exists("/run/.containerenv") { return "podman" }
        if machine.exists("/.dockerenv") { return "docker" }
        return nil
    }
}
