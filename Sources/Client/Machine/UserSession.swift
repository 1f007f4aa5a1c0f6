/// A session that a user has on this machine now, as logind lists it (loginctl(1)).
public struct UserSession: Sendable, Equatable {
    /// logind's own name for it, such as `2` or `c1`.
    public var id: String
    /// The user's name.
    public var user: String
    /// The user's number.
    public var uid: UInt32
    /// The user's home directory, by `/etc/passwd`; nothing where the user is not listed there.
    public var home: String?
    /// `x11`, `wayland`, `mir`, `tty` or `unspecified`.
    public var type: String
    /// `user`, `greeter`, `lock-screen`, `background`, …
    public var `class`: String
    /// The desktop's name, where the session says one.
    public var desktop: String
    /// The X display, such as `:0`, where there is one.
    public var display: String
    /// The number of the session's first process.
    public var leader: String
    /// Whether it comes from another machine.
    public var isRemote: Bool
    /// What logind was told of a lock. Only GNOME and KDE tell it.
    public var isLocked: Bool
    /// What programs of the session have in their environment to reach its bus and its screen, where that was seen.
    public var variables: [String: String] = [:]

    /// Whether it has a screen and a user in front of it.
    public var isGraphical: Bool { `class` == "user" && ["x11", "wayland", "mir"].contains(type) }
    /// The directory of the user's sockets.
    public var runtimeDirectory: String { "/run/user/\(uid)" }

    private static let properties = [
        "Id", "Name", "User", "Type", "Class", "Desktop", "Display", "Leader", "Remote", "LockedHint",
    ]

    /// The sessions, sorted by user and name. The collector's commands must have `loginctl`.
    ///
    /// - Throws: ``CommandError`` where logind cannot be asked.
    public static func all(on machine: Machine) throws -> [UserSession] {
        let list = try machine.run("loginctl", "list-sessions", "--no-legend", "--no-pager")
        guard list.returncode == 0 else { throw SessionsUnknown(description: "loginctl: \(list.complaint)") }
        let names = list.text.split(separator: "\n").compactMap { $0.split(separator: " ").first }
        guard !names.isEmpty else { return [] }
        let shown = try machine.run(
            ["loginctl", "show-session", "--property=" + properties.joined(separator: ",")]
                + names.map(String.init).sorted())
        // A session that ended meanwhile makes it fail, and is left out.
        return parse(shown.text, homes: homes(machine))
    }

    /// Blocks of `Name=value` lines with empty lines between them.
    static func parse(_ text: String, homes: [UInt32: String]) -> [UserSession] {
        var sessions: [UserSession] = []
        var fields: [Substring: String] = [:]
        for line in (text + "\n\n").split(separator: "\n", omittingEmptySubsequences: false) {
            if let equals = line.firstIndex(of: "=") {
                fields[line[..<equals]] = String(line[line.index(after: equals)...])
            } else if line.isEmpty {
                if let id = fields["Id"], let user = fields["Name"],
                    let uid = fields["User"].flatMap({ UInt32($0) })
                {
                    sessions.append(
                        UserSession(
                            id: id, user: user, uid: uid, home: homes[uid],
                            type: fields["Type"] ?? "unspecified", class: fields["Class"] ?? "",
                            desktop: fields["Desktop"] ?? "", display: fields["Display"] ?? "",
                            leader: fields["Leader"] ?? "", isRemote: fields["Remote"] == "yes",
                            isLocked: fields["LockedHint"] == "yes"))
                }
                fields = [:]
            }
        }
        return sessions.sorted { ($0.user, $0.id) < ($1.user, $1.id) }
    }

    private static func homes(_ machine: Machine) -> [UInt32: String] {
        // Users of a directory service are not in the file.
        let text = (try? machine.text("/etc/passwd")) ?? ""
        return Dictionary(
            AccountFiles(passwd: text, group: "", shadow: nil).users.map { ($0.uid, $0.home) },
            uniquingKeysWith: { first, _ in first })
    }
}

/// Why sessions cannot be listed.
struct SessionsUnknown: Error, CustomStringConvertible {
    let description: String
}
