import PDDocument

/// `users`: who may do what root may, and who needs no password for it.
///
/// Names only, and no word of what a password looks like but whether there is one.
struct UsersCollector: Collector {
    let name = "users"

    /// Groups whose members can make themselves root, and by what.
    private static let rootEquivalents = ["docker", "lxd", "incus-admin", "libvirt", "disk", "kvm"]
    /// Groups that distributions give the right to use sudo.
    private static let administrators = ["sudo", "wheel", "admin"]

    func collect(_ context: CollectorContext) throws -> Value {
        let machine = context.machine
        let accounts = try AccountFiles.read(machine)
        let sudoers = Self.sudoers(machine)
        var result = DocumentWriter()
        let named = Set(
            sudoers?.grants.filter { !$0.who.hasPrefix("%") && $0.who != "root" && $0.who != "ALL" }
                .map(\.who) ?? [])
        let admins = Set(Self.administrators.flatMap { accounts.members(of: $0) }).union(
            named.filter { name in accounts.users.contains { $0.name == name } })
        result.append("administrators", admins.subtracting(["root"]).sorted())
        result.append(
            "root_equivalent",
            .array(
                Self.rootEquivalents.sorted().flatMap { group in
                    accounts.members(of: group).filter { $0 != "root" }
                        .map { .document(["user": .string($0), "group": .string(group)]) }
                }))
        result.append(
            "without_sudo_password",
            sudoers.map { .array(Self.withoutPassword($0, accounts).map(Value.string)) } ?? "unknown")
        result.append("uid_0", accounts.users.filter { $0.uid == 0 }.map(\.name).sorted())
        let empty = accounts.passwords.map { passwords in
            accounts.users.filter { $0.hasShell && passwords[$0.name] == "" }.map(\.name).sorted()
        }
        result.append("without_password", empty.map { .array($0.map(Value.string)) } ?? "unknown")
        let people = accounts.users.filter { $0.hasShell && (1000..<60_000).contains($0.uid) }.map(\.name)
            .sorted()
        result.append("people", people)
        if let passwords = accounts.passwords {
            let root = passwords["root"] ?? ""
            result.append(
                "root_password", .bool(!root.isEmpty && !root.hasPrefix("!") && !root.hasPrefix("*")))
        }
        var hidden: [String] = []
        if sudoers == nil { hidden.append("/etc/sudoers") }
        if empty == nil { hidden.append("/etc/shadow") }
        if !hidden.isEmpty {
            result.append("reason", .string("only root may read " + hidden.joined(separator: " and ")))
        }
        return .document(result.finish())
    }

    /// `/etc/sudoers` with what it includes; nothing where it may not be read. Without the file there are no rules.
    private static func sudoers(_ machine: Machine) -> SudoRules? {
        guard machine.exists("/etc/sudoers") else { return SudoRules("") }
        guard let text = try? machine.text("/etc/sudoers") else { return nil }
        var rules = SudoRules(text)
        var waiting = rules.includes
        var seen: Set<String> = []
        while let include = waiting.popLast(), seen.count < 100 {
            for path in files(include, machine) where seen.insert(path).inserted {
                guard let text = try? machine.text(path) else { return nil }
                let more = SudoRules(text)
                waiting += more.includes
                rules.add(more)
            }
        }
        return rules
    }

    private static func files(_ include: SudoRules.Include, _ machine: Machine) -> [String] {
        guard include.isDirectory else { return [include.path] }
        // As sudo does: no name with a dot in it or a tilde at its end.
        let names = (try? machine.names(in: include.path)) ?? []
        return names.filter { !$0.contains(".") && !$0.hasSuffix("~") }.map { "\(include.path)/\($0)" }
    }

    private static func withoutPassword(_ rules: SudoRules, _ accounts: AccountFiles) -> [String] {
        var names: Set<String> = []
        for grant in rules.grants where grant.needsNoPassword || rules.nobodyIsAsked {
            if grant.who.hasPrefix("%") {
                names.formUnion(accounts.members(of: String(grant.who.dropFirst())))
            } else if grant.who == "ALL" {
                names.insert("ALL")
            } else {
                names.insert(grant.who)
            }
        }
        return names.subtracting(["root"]).sorted()
    }
}

/// What sudoers(5) says of who may do what: only as much of it as tells who is asked for no password.
struct SudoRules: Equatable {
    /// Whom a rule is about: a user, `%group`, `ALL`, or what an alias stands for.
    struct Grant: Equatable {
        var who: String
        var needsNoPassword: Bool
    }

    /// Another file or directory.
    struct Include: Equatable {
        let path: String
        let isDirectory: Bool
    }

    private(set) var grants: [Grant] = []
    private(set) var includes: [Include] = []
    /// `Defaults !authenticate`, for everybody.
    private(set) var nobodyIsAsked = false
    private var aliases: [String: [String]] = [:]

    /// Reads the text. A rule that is not understood is passed over.
    init(_ text: String) {
        var raw: [(who: String, rule: Substring)] = []
        for line in Self.lines(text) {
            let words = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
            guard let first = words.first else { continue }
            let rest = words.count > 1 ? words[1] : ""
            switch first {
            case "@include", "#include": includes.append(Include(path: Self.path(rest), isDirectory: false))
            case "@includedir", "#includedir":
                includes.append(Include(path: Self.path(rest), isDirectory: true))
            case "Defaults":
                if rest.split(separator: ",").contains(where: { trimmed($0) == "!authenticate" }) {
                    nobodyIsAsked = true
                }
            case "User_Alias": addAliases(rest)
            case _ where first.hasPrefix("#"): continue
            case _ where first.hasPrefix("Defaults"), "Host_Alias", "Runas_Alias", "Cmnd_Alias", "Cmd_Alias":
                continue
            default:
                // A list of users may have spaces after its commas.
                guard let equals = line.firstIndex(of: "=") else { continue }
                let users = Self.users(line[..<equals])
                raw += users.map { ($0, line[line.index(after: equals)...]) }
            }
        }
        for (who, rule) in raw {
            for name in aliases[who] ?? [who] {
                grants.append(
                    Grant(
                        who: name, needsNoPassword: rule.contains("NOPASSWD:") || rule.contains("NOPASSWD :"))
                )
            }
        }
    }

    /// Takes up the rules of a file that is included. Aliases of one file are not known in another.
    mutating func add(_ other: SudoRules) {
        grants += other.grants
        nobodyIsAsked = nobodyIsAsked || other.nobodyIsAsked
    }

    private mutating func addAliases(_ text: Substring) {
        for definition in text.split(separator: ":") {
            guard let equals = definition.firstIndex(of: "=") else { continue }
            let members = definition[definition.index(after: equals)...].split(separator: ",").map {
                trimmed($0)
            }
            aliases[trimmed(definition[..<equals]), default: []] += members
        }
    }

    /// What stands before the host: `anna, %wheel ALL` names two.
    private static func users(_ text: Substring) -> [String] {
        let parts = text.split(separator: ",").map { trimmed($0) }
        guard let last = parts.last else { return [] }
        // The last part has the host behind it.
        return parts.dropLast() + last.split(separator: " ").prefix(1).map(String.init)
    }

    private static func path(_ text: Substring) -> String { trimmed(text).filter { $0 != "\"" } }

    /// Lines with their continuations, tabs as spaces, without comments.
    private static func lines(_ text: String) -> [Substring] {
        var lines: [Substring] = []
        var current = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let line = line.map { $0 == "\t" ? " " : $0 }
            if line.last == "\\" {
                current += String(line.dropLast())
                continue
            }
            current += String(line)
            var whole = Substring(trimmed(current))
            current = ""
            // `#include` and `#1000` are no comments; a comment behind a rule is.
            if let hash = whole.dropFirst().firstIndex(of: "#"), whole[whole.index(before: hash)] == " " {
                whole = whole[..<hash]
            }
            if !whole.isEmpty { lines.append(whole) }
        }
        return lines
    }
}
