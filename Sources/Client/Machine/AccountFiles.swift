/// `/etc/passwd`, `/etc/group` and `/etc/shadow`. Users of a directory service are not in them.
struct AccountFiles: Equatable, Sendable {
    /// A line of `/etc/passwd` (passwd(5)).
    struct User: Equatable, Sendable {
        let name: String
        let uid: UInt32
        let gid: UInt32
        let home: String
        let shell: String

        /// Whether it can log in, as far as its shell says so.
        var hasShell: Bool {
            !["nologin", "false", "sync", "halt", "shutdown"].contains { shell.hasSuffix("/\($0)") }
        }
    }

    /// A line of `/etc/group` (group(5)).
    struct Group: Equatable, Sendable {
        let name: String
        let gid: UInt32
        let members: [String]
    }

    var users: [User]
    var groups: [Group]
    /// The second field of `/etc/shadow` by name; nothing where it may not be read.
    var passwords: [String: String]?

    /// Reads the texts of the files; lines that are not of their form are passed over.
    init(passwd: String, group: String, shadow: String?) {
        users = Self.lines(passwd).compactMap { fields in
            guard fields.count >= 7, let uid = UInt32(fields[2]), let gid = UInt32(fields[3]) else {
                return nil
            }
            return User(name: fields[0], uid: uid, gid: gid, home: fields[5], shell: fields[6])
        }
        groups = Self.lines(group).compactMap { fields in
            guard fields.count >= 4, let gid = UInt32(fields[2]) else { return nil }
            return Group(
                name: fields[0], gid: gid, members: fields[3].split(separator: ",").map(String.init))
        }
        passwords = shadow.map { shadow in
            Dictionary(
                Self.lines(shadow).filter { $0.count >= 2 }.map { ($0[0], $0[1]) }, uniquingKeysWith: { $1 })
        }
    }

    /// Reads the files. The passwords are left out where only root may read them.
    static func read(_ machine: Machine) throws -> AccountFiles {
        AccountFiles(
            passwd: try machine.text("/etc/passwd"), group: try machine.text("/etc/group"),
            shadow: try? machine.text("/etc/shadow"))
    }

    private static func lines(_ text: String) -> [[String]] {
        text.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("#") }
            .map { $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init) }
    }

    /// Who is in a group: those whom it lists and those whose own group it is. Sorted.
    func members(of name: String) -> [String] {
        guard let group = groups.first(where: { $0.name == name }) else { return [] }
        return Set(group.members + users.filter { $0.gid == group.gid }.map(\.name)).sorted()
    }
}
