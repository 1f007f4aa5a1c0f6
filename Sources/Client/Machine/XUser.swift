/// A user who sits at an X display.
public struct XUser: Sendable, Hashable, Comparable {
    /// The user's name.
    public var user: String
    /// The display, as `DISPLAY` has it: `:0`.
    public var display: String

    /// A way to find such users.
    public enum Source: String, Sendable, CaseIterable {
        /// The sessions that logind knows (``UserSession``).
        case sessions
        /// What who(1) shows.
        case who
        /// X servers that xinit(1) or startx(1) started.
        case xinit
    }

    /// By user, then by display.
    public static func < (first: XUser, second: XUser) -> Bool {
        (first.user, first.display) < (second.user, second.display)
    }

    /// Those who are found in that way, each once, sorted.
    ///
    /// - Throws: ``CommandError``, or what says why nobody can be asked.
    public static func all(by source: Source, on machine: Machine) throws -> [XUser] {
        let found: [XUser]
        switch source {
        case .sessions:
            found = try UserSession.all(on: machine).filter { $0.isGraphical && !$0.display.isEmpty }
                .map { XUser(user: $0.user, display: $0.display) }
        case .who:
            let output = try machine.run("who")
            guard output.returncode == 0 else {
                throw SessionsUnknown(description: "who: \(output.complaint)")
            }
            found = who(output.text)
        case .xinit:
            let accounts = AccountFiles(
                passwd: try machine.text("/etc/passwd"), group: "", shadow: nil)
            found = xinit(try RunningProcess.all(machine)) { $0.environment(machine)["DISPLAY"] }
                .compactMap { uid, display in
                    accounts.users.first { $0.uid == uid }.map { XUser(user: $0.name, display: display) }
                }
        }
        return Set(found).sorted()
    }

    /// Lines of who(1): a user is at a display where the terminal (`:0`) or the place in brackets at the end (`(:0)`) is
    /// one.
    static func who(_ text: String) -> [XUser] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count > 1, let last = words.last else { return nil }
            let place = last.hasPrefix("(") && last.hasSuffix(")") ? last.dropFirst().dropLast() : words[1]
            return isDisplay(place) ? XUser(user: String(words[0]), display: String(place)) : nil
        }
    }

    /// Of each X server that xinit started: whose the client is that xinit started beside it, which runs as the user also
    /// where the server runs as root.
    ///
    /// - Parameter display: what a process has as its `DISPLAY`, where that can be read.
    static func xinit(
        _ processes: [RunningProcess], display: (RunningProcess) -> String?
    ) -> [(uid: UInt32, display: String)] {
        let starters = processes.filter { $0.isProgram("xinit") }
        return starters.compactMap { starter in
            let children = processes.filter { $0.parent == starter.id }
            guard let server = children.first(where: isServer),
                let shown = server.arguments.dropFirst().first(where: isDisplay)
            else { return nil }
            // The user's session has the display in its environment; where we may not look, whose xinit is counts.
            let client = children.first { !isServer($0) && (display($0) ?? shown) == shown }
            return ((client ?? starter).uid, shown)
        }
    }

    private static func isServer(_ process: RunningProcess) -> Bool {
        ["X", "Xorg", "Xwayland", "Xvfb", "Xephyr", "Xnest", "Xorg.bin", "Xorg.wrap"].contains {
            process.program == $0 || process.name == $0
        }
    }

    private static func isDisplay(_ word: some StringProtocol) -> Bool {
        word.first == ":" && word.dropFirst().first?.isASCII == true
            && word.dropFirst().first?.isNumber == true
    }
}

extension UserSession {
    /// Where commands of that user, at that display, are to run: with what programs of that session have in their
    /// environment, where we may see it.
    ///
    /// - Parameter display: nothing for any; a session with a screen comes first.
    /// - Returns: nothing where the user has no session there.
    public static func find(_ user: String, at display: String? = nil, on machine: Machine) throws
        -> UserSession?
    {
        let accounts = AccountFiles(passwd: try machine.text("/etc/passwd"), group: "", shadow: nil)
        var sessions: [UserSession] = []
        var problem: (any Error)?
        do {
            sessions = try all(on: machine).filter { $0.user == user && $0.class == "user" }
        } catch { problem = error }
        let known =
            sessions.first { $0.isGraphical && (display ?? $0.display) == $0.display }
            ?? (display == nil ? sessions.first : nil)
        guard let uid = known?.uid ?? accounts.users.first(where: { $0.name == user })?.uid else {
            if let problem { throw problem }
            return nil
        }
        let wanted = display ?? known?.display ?? ""
        let environments = try RunningProcess.all(machine).filter { $0.uid == uid }
            .map { $0.environment(machine).filter { isOfSession($0.key) } }
            .filter { variables in
                let bus = variables["DBUS_SESSION_BUS_ADDRESS"] ?? "disabled:"
                return !bus.hasPrefix("disabled:") && (wanted.isEmpty || variables["DISPLAY"] == wanted)
            }
        // Of those that are as good, the first that knows the screen: the bus itself was there before it.
        let seen =
            environments.first { $0["DISPLAY"] != nil || $0["WAYLAND_DISPLAY"] != nil } ?? environments.first
        if var known {
            known.variables = seen ?? [:]
            return known
        }
        guard let seen else { return nil }
        return UserSession(
            id: "", user: user, uid: uid, home: accounts.users.first { $0.uid == uid }?.home,
            type: seen["WAYLAND_DISPLAY"] == nil ? "x11" : "wayland", class: "user",
            desktop: seen["XDG_CURRENT_DESKTOP"] ?? "", display: seen["DISPLAY"] ?? "", leader: "",
            isRemote: false, isLocked: false, variables: seen)
    }

    /// Those who are at a desktop: the sessions with a screen that logind knows, and users whom who(1) or xinit(1) put at
    /// an X display that none of them has. By user and display.
    ///
    /// - Throws: why nobody can be asked; where one of them tells, what the others do not tell is left out.
    public static func desktops(on machine: Machine) throws -> [UserSession] {
        var found: [UserSession] = []
        var problems: [any Error] = []
        do { found = try all(on: machine).filter(\.isGraphical) } catch { problems.append(error) }
        for source in [XUser.Source.who, .xinit] {
            do {
                for other in try XUser.all(by: source, on: machine)
                where !found.contains(where: { $0.user == other.user && $0.display == other.display }) {
                    found.append(
                        UserSession(
                            id: "", user: other.user, uid: .max, home: nil, type: "x11", class: "user",
                            desktop: "", display: other.display, leader: "", isRemote: false, isLocked: false)
                    )
                }
            } catch { problems.append(error) }
        }
        if problems.count == 3 { throw problems[0] }
        return found.sorted { ($0.user, $0.display, $0.id) < ($1.user, $1.display, $1.id) }
    }

    /// Whether a variable is about the session, not about what a single program was told. What a user sets otherwise,
    /// secrets among it, is left alone.
    private static func isOfSession(_ name: String) -> Bool {
        [
            "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS", "SWAYSOCK", "I3SOCK",
            "HYPRLAND_INSTANCE_SIGNATURE", "NIRI_SOCKET", "DESKTOP_SESSION",
        ].contains(name)
            || name.hasPrefix("XDG_")
    }

    /// What a command that runs in this session has in its environment.
    var environment: [String] {
        var all = [
            "HOME": home ?? "/", "USER": user, "LOGNAME": user, "XDG_RUNTIME_DIR": runtimeDirectory,
            "DBUS_SESSION_BUS_ADDRESS": "unix:path=\(runtimeDirectory)/bus",
        ]
        if !display.isEmpty { all["DISPLAY"] = display }
        all.merge(variables) { $1 }
        all["LC_ALL"] = "C"
        all["PATH"] = Machine.searchPath.joined(separator: ":")
        return all.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }
    }
}
