/// os-release(5): which operating system this is.
struct OSRelease {
    /// What installs software here.
    enum Family: Sendable {
        case debian, fedora, arch, suse, other
    }

    /// The assignments of the file; none where there is no file.
    let fields: [String: String]

    /// Reads `/etc/os-release`, else `/usr/lib/os-release`.
    static func read(_ machine: Machine) throws -> OSRelease {
        let text =
            try machine.textIfPresent("/etc/os-release") ?? machine.textIfPresent("/usr/lib/os-release")
        return OSRelease(fields: text.map(ShellAssignments.parse) ?? [:])
    }

    /// `ID`, in its default `linux`.
    var id: String { fields["ID"] ?? "linux" }

    /// By `ID`, else by the first of `ID_LIKE` that is known.
    var family: Family {
        for name in [id] + (fields["ID_LIKE"] ?? "").split(separator: " ").map(String.init) {
            switch name {
            case "debian", "ubuntu": return .debian
            case "fedora", "rhel", "centos": return .fedora
            case "arch", "archlinux": return .arch
            case "suse", "opensuse", "opensuse-leap", "opensuse-tumbleweed", "sles": return .suse
            default: continue
            }
        }
        return .other
    }

    /// Whether there are no versions that end: a rolling distribution.
    var isRolling: Bool {
        fields["VERSION_ID"] == nil
            && ["arch", "gentoo", "void", "endeavouros", "cachyos", "artix"].contains(id)
            || ["opensuse-tumbleweed", "opensuse-slowroll", "manjaro", "solus"].contains(id)
    }
}
